//! Rows and files together, on a database of its own.

use std::collections::HashSet;
use std::io::Read;

use bedplate_buckets::{
    About, Blobs, Bucket, BucketError, Condition, Entry, GRACE, MIGRATIONS, NewObject, Part, Piece, STALE, Start,
    Upload, Wanted,
};
use bedplate_db::Db;
use bedplate_types::Timestamp;

struct House {
    _folder: tempfile::TempDir,
    db: Db,
    blobs: Blobs,
}

/// Long after the files of the test were written.
const LATER: i64 = 4_000_000_000_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let db = match bedplate_testkit::postgres_database() {
        Some(url) => Db::connect(&url, MIGRATIONS).unwrap(),
        None => Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap(),
    };
    let blobs = Blobs::open(folder.path().join("buckets")).unwrap();
    let house = House { _folder: folder, db, blobs };
    house.bucket("b");
    house
}

impl House {
    fn bucket(&self, id: &str) {
        let bucket = Bucket { id: id.into(), name: id.into(), created_at: at(1) };
        self.db.write(move |tx| bedplate_buckets::create(tx, &bucket)).unwrap();
    }

    fn file(&self, number: u8, bytes: &[u8]) -> Piece {
        let blob = bedplate_buckets::name([number; 16]);
        let mut writer = self.blobs.writer(&blob).unwrap();
        writer.write(bytes).unwrap();
        Piece { size: writer.finish().unwrap(), blob }
    }

    fn put(&self, key: &str, number: u8, condition: &Condition) -> Result<bool, BucketError> {
        let new = NewObject {
            bucket: "b".into(),
            key: key.into(),
            etag: number.to_string(),
            about: About::default(),
            pieces: vec![self.file(number, key.as_bytes())],
        };
        let condition = condition.clone();
        self.db.write(move |tx| bedplate_buckets::put(tx, &new, &condition, at(2)).map(|before| before.is_some()))
    }

    fn etag(&self, key: &str) -> Option<String> {
        self.db.read(|tx| bedplate_buckets::get(tx, "b", key)).unwrap().map(|object| object.etag)
    }

    /// Keys, and prefixes in brackets.
    fn listed(&self, wanted: &Wanted) -> (Vec<String>, Option<Start>) {
        let page = self.db.read(|tx| bedplate_buckets::list(tx, "b", wanted)).unwrap();
        let shown = page.entries.into_iter().map(|entry| match entry {
            Entry::Object(object) => object.key,
            Entry::Prefix(prefix) => format!("[{prefix}]"),
        });
        (shown.collect(), page.next)
    }

    fn every_page(&self, prefix: &str, delimiter: Option<&str>, most: usize) -> Vec<String> {
        let mut wanted =
            Wanted { prefix: prefix.into(), delimiter: delimiter.map(str::to_owned), start: Start::First, most };
        let mut all = Vec::new();
        loop {
            let (shown, next) = self.listed(&wanted);
            assert!(shown.len() <= most, "{shown:?}");
            all.extend(shown);
            match next {
                Some(next) => wanted.start = next,
                None => return all,
            }
        }
    }

    fn sweep(&self, now: i64, gone: &[&str]) -> bedplate_buckets::Swept {
        let gone: HashSet<String> = gone.iter().map(|id| (*id).to_owned()).collect();
        bedplate_buckets::sweep(&self.db, &self.blobs, at(now), |_| gone).unwrap()
    }
}

#[test]
fn an_object_is_replaced_whole_and_only_when_the_condition_holds() {
    let house = house();
    assert!(!house.put("a", 1, &Condition::Absent).unwrap());
    assert!(matches!(house.put("a", 2, &Condition::Absent), Err(BucketError::Condition)));
    assert!(matches!(house.put("a", 3, &Condition::Is("2".into())), Err(BucketError::Condition)));
    assert!(matches!(house.put("z", 3, &Condition::Is("2".into())), Err(BucketError::NoKey)));
    assert_eq!(house.etag("a").as_deref(), Some("1"));
    assert!(house.put("a", 4, &Condition::Is("1".into())).unwrap());
    assert_eq!(house.etag("a").as_deref(), Some("4"));
    let removed = house.db.write(|tx| bedplate_buckets::remove(tx, "b", "a", at(9))).unwrap();
    assert_eq!((removed.unwrap().etag.as_str(), house.etag("a")), ("4", None));
}

#[test]
fn keys_are_no_paths_and_are_told_apart_to_the_last_character() {
    let house = house();
    let long = "x".repeat(1_024);
    let keys = ["a", "a/b", "a//b", "../a", "/a", ".", "a b", "ä\u{10ffff}", "a\\..\\b", "A", "%2e%2e/", &long];
    for (number, key) in keys.iter().enumerate() {
        house.put(key, u8::try_from(number).unwrap(), &Condition::Absent).unwrap();
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(house.etag(key), Some(number.to_string()), "{key}");
    }
    let mut sorted: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    sorted.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    for most in [1, 3, 100] {
        assert_eq!(house.every_page("", None, most), sorted);
    }
}

#[test]
fn a_listing_tells_what_is_below_a_delimiter_as_one_on_pages_of_every_size() {
    let house = house();
    for (number, key) in ["a", "a/1", "a/2", "a/b/3", "b", "c/1", "c/2", "d"].iter().enumerate() {
        house.put(key, u8::try_from(number).unwrap(), &Condition::None).unwrap();
    }
    for most in 1..10 {
        assert_eq!(house.every_page("", Some("/"), most), ["a", "[a/]", "b", "[c/]", "d"], "{most}");
        assert_eq!(house.every_page("a/", Some("/"), most), ["a/1", "a/2", "[a/b/]"], "{most}");
        assert_eq!(house.every_page("a/", None, most), ["a/1", "a/2", "a/b/3"], "{most}");
        assert_eq!(house.every_page("nil", Some("/"), most), Vec::<String>::new());
    }
    let after = |key: &str| Wanted { start: Start::After(key.into()), most: 2, ..Wanted::default() };
    assert_eq!(house.listed(&after("a/2")).0, ["a/b/3", "b"]);
    assert_eq!(house.listed(&after("d")), (Vec::new(), None));
}

fn upload(key: &str) -> Upload {
    Upload { id: "u".into(), bucket: "b".into(), key: key.into(), started_at: at(5), about: About::default() }
}

#[test]
fn parts_in_any_order_make_one_object_and_the_others_go() {
    let house = house();
    house.db.write(|tx| bedplate_buckets::begin(tx, &upload("big"))).unwrap();
    let large = vec![7; 5 << 20];
    for (number, file, bytes) in [(2, 2, &b"end"[..]), (1, 1, &large), (9, 3, b"unused"), (1, 4, &large)] {
        let part = Part { number, etag: format!("t{file}"), modified_at: at(6), piece: house.file(file, bytes) };
        house.db.write(move |tx| bedplate_buckets::put_part(tx, "u", &part)).unwrap();
    }
    let complete = |named: Vec<(i64, String)>| {
        house.db.write(move |tx| {
            bedplate_buckets::complete(tx, &upload("big"), &named, &Condition::None, |tags| tags.join("+"), at(7))
        })
    };
    let replaced = complete(vec![(1, "t1".into()), (2, "t2".into())]);
    assert!(matches!(replaced, Err(BucketError::NoPart { number: 1 })));
    complete(vec![(1, "t4".into()), (2, "t2".into())]).unwrap();
    assert_eq!(house.etag("big").as_deref(), Some("t4+t2"));
    assert!(matches!(complete(vec![(2, "t2".into())]), Err(BucketError::NoPart { .. } | BucketError::NoUpload)));
    let object = house.db.read(|tx| bedplate_buckets::get(tx, "b", "big")).unwrap().unwrap();
    assert_eq!((object.size, object.pieces.len()), ((5 << 20) + 3, 2));
    assert_eq!(house.sweep(LATER, &[]).files, 2, "the part that was replaced and the one that was not named");
    let mut text = Vec::new();
    for piece in &object.pieces {
        house.blobs.read(&piece.blob).unwrap().read_to_end(&mut text).unwrap();
    }
    assert!(text.len() == (5 << 20) + 3 && text.ends_with(b"end"));
}

#[test]
fn what_nobody_needs_is_swept_in_time_and_what_counts_is_not() {
    let house = house();
    house.put("kept", 1, &Condition::None).unwrap();
    house.put("gone", 2, &Condition::None).unwrap();
    house.file(3, b"its row was never written");
    house.db.write(|tx| bedplate_buckets::remove(tx, "b", "gone", at(10))).unwrap();
    assert_eq!(house.sweep(10 + GRACE, &[]).files, 0, "somebody may be reading it");
    assert_eq!(house.sweep(11 + GRACE, &[]).files, 1);
    assert_eq!(house.sweep(LATER, &[]).files, 1, "without a row");
    assert!(house.blobs.read(&bedplate_buckets::name([1; 16])).is_ok());
    house.db.write(|tx| bedplate_buckets::begin(tx, &upload("never completed"))).unwrap();
    assert_eq!(house.sweep(5 + STALE, &[]).uploads, 0);
    assert_eq!(house.sweep(6 + STALE, &[]).uploads, 1);
}

#[test]
fn a_bucket_goes_when_it_is_empty_or_with_its_namespace() {
    let house = house();
    house.put("a", 1, &Condition::None).unwrap();
    let bucket = Bucket { id: "b".into(), name: "b".into(), created_at: at(1) };
    let again = bucket.clone();
    assert!(matches!(
        house.db.write(move |tx| bedplate_buckets::create(tx, &again)),
        Err(BucketError::BucketExists(_))
    ));
    assert!(matches!(
        house.db.write(move |tx| bedplate_buckets::delete(tx, &bucket, at(3))),
        Err(BucketError::NotEmpty(_))
    ));
    house.bucket("other");
    assert_eq!(house.sweep(3, &["b"]).buckets, 1);
    assert_eq!(house.etag("a"), None);
    assert!(matches!(house.put("a", 2, &Condition::None), Err(BucketError::NoBucket(_))));
    assert!(house.db.read(|tx| bedplate_buckets::find(tx, "other")).unwrap().is_some());
}

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres"]);
}
