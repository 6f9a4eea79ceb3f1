//! The store on a real folder.

use std::fs;
use std::io::Write;

use bedplate_objects::{ObjectError, Objects, digest_file, digest_of};
use bedplate_types::{ErrorKind, Explained};

fn store() -> (tempfile::TempDir, Objects) {
    let dir = tempfile::tempdir().unwrap();
    let objects = Objects::open(dir.path().join("objects")).unwrap();
    (dir, objects)
}

fn unfinished(dir: &tempfile::TempDir) -> usize {
    fs::read_dir(dir.path().join("objects/unfinished")).unwrap().count()
}

#[test]
fn bytes_come_back_under_their_digest_also_after_reopening() {
    let (dir, objects) = store();
    let digest = objects.put(b"hello").unwrap();
    assert_eq!(digest.hex(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(objects.put(b"hello").unwrap(), digest);
    let again = Objects::open(dir.path().join("objects")).unwrap();
    assert_eq!(again.get(&digest).unwrap(), "hello");
    assert!(again.contains(&digest));
    assert_eq!(unfinished(&dir), 0);
}

#[test]
fn a_file_and_a_stream_make_the_same_object_as_bytes() {
    let (dir, objects) = store();
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let file = dir.path().join("file");
    fs::write(&file, &bytes).unwrap();
    let mut writer = objects.writer().unwrap();
    bytes.chunks(7_001).for_each(|piece| writer.write_all(piece).unwrap());
    let expected = digest_of(&bytes);
    assert_eq!(writer.finish().unwrap(), expected);
    assert_eq!(objects.put_file(&file).unwrap(), expected);
    assert_eq!(digest_file(&objects.path(&expected)).unwrap(), expected);
}

#[test]
fn what_is_not_finished_is_not_there() {
    let (dir, objects) = store();
    let mut writer = objects.writer().unwrap();
    writer.write_all(b"half").unwrap();
    assert!(!objects.contains(&digest_of(b"half")));
    assert_eq!(unfinished(&dir), 1);
    drop(writer);
    assert_eq!(unfinished(&dir), 0);
    fs::write(dir.path().join("objects/unfinished/killed"), b"x").unwrap();
    assert_eq!(objects.sweep_unfinished().unwrap(), 1);
}

#[test]
fn changed_bytes_are_corrupt_and_putting_them_again_heals() {
    let (_dir, objects) = store();
    let digest = objects.put(b"truth").unwrap();
    fs::write(objects.path(&digest), b"").unwrap();
    let error = objects.get(&digest).unwrap_err();
    assert!(matches!(error, ObjectError::Corrupt { .. }));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.fix().unwrap().contains(&digest.hex()));
    objects.put(b"truth").unwrap();
    assert_eq!(objects.get(&digest).unwrap(), "truth");
}

#[test]
fn a_missing_object_is_not_found() {
    let (_dir, objects) = store();
    let error = objects.get(&digest_of(b"never")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(objects.put_file("no/such/file".as_ref()).unwrap_err().to_string().contains("no/such/file"));
}
