//! Archives that are whole, and every way in which one is not.

use std::io::{Read, Write};
use std::path::Path;

use bedplate_archive::{About, ArchiveError, Manifest, Writer, check, unpack};
use bedplate_types::{ErrorKind, Explained, Timestamp};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

const TOPS: [&str; 2] = ["lake", "bedplate.db"];

fn about() -> About {
    About { made_at: Timestamp::from_micros(7), made_by: "bedplate 0".into(), layout: 1, with_keys: false }
}

fn files() -> Vec<(String, Vec<u8>)> {
    let long = format!("lake/{}/{}.parquet", "n".repeat(150), "f".repeat(120));
    vec![
        ("bedplate.db".into(), (0..20_000_u32).flat_map(u32::to_le_bytes).collect()),
        ("lake/a/_delta_log/0.json".into(), b"{}".to_vec()),
        ("lake/a/empty".into(), Vec::new()),
        (long, vec![7; 3_000]),
    ]
}

fn made() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), about());
    for (path, bytes) in files() {
        writer.add(&path, bytes.len() as u64, bytes.as_slice()).unwrap();
    }
    writer.finish().unwrap().0
}

fn kinds(error: &ArchiveError) -> String {
    format!("{error:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[test]
fn what_was_added_comes_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = unpack(made().as_slice(), &TOPS, folder.path()).unwrap();
    assert_eq!((manifest.about.clone(), manifest.files.len()), (about(), files().len()));
    for (path, bytes) in files() {
        assert_eq!(std::fs::read(folder.path().join(&path)).unwrap(), bytes, "{path}");
        assert_eq!(manifest.files[&path].bytes, bytes.len() as u64);
    }
    assert_eq!(check(made().as_slice(), &TOPS).unwrap(), manifest);
    assert_eq!(made(), made(), "the same files make the same archive");
}

#[test]
fn tar_itself_can_list_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tar.gz");
    std::fs::write(&file, made()).unwrap();
    let output = std::process::Command::new("tar").arg("tzf").arg(&file).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let names: Vec<String> = files().into_iter().map(|(path, _)| path).chain(["manifest.json".into()]).collect();
    assert_eq!(listed.lines().collect::<Vec<_>>(), names);
}

#[test]
fn cut_anywhere_it_is_refused() {
    let whole = made();
    let cuts = (0..whole.len()).step_by(whole.len() / 60).chain(whole.len() - 40..whole.len());
    for cut in cuts {
        let error = check(&whole[..cut], &TOPS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut after {cut} of {}: {error}", whole.len());
    }
    // Cut before it was compressed, at each of tar's blocks: only the manifest tells.
    let mut tar = Vec::new();
    GzDecoder::new(whole.as_slice()).read_to_end(&mut tar).unwrap();
    let blocks = tar.len() / 512;
    for cut in (0..blocks).step_by(blocks / 40).chain(blocks - 8..blocks - 2) {
        let error = check(zip(&tar[..cut * 512]).as_slice(), &TOPS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut after block {cut} of {blocks}: {error}");
    }
}

#[test]
fn altered_anywhere_it_is_refused() {
    let whole = made();
    // From behind gzip's own header, of which some bits mean nothing.
    for at in (10..whole.len()).step_by(whole.len() / 200) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        let error = check(bytes.as_slice(), &TOPS).err();
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Corrupt), "byte {at}");
    }
    // With a checksum that fits again.
    let mut tar = Vec::new();
    GzDecoder::new(whole.as_slice()).read_to_end(&mut tar).unwrap();
    tar[512 + 4_000] ^= 1;
    assert!(matches!(check(zip(&tar).as_slice(), &TOPS), Err(ArchiveError::Altered { path }) if path == "bedplate.db"));
    let mut more = whole.clone();
    more.push(0);
    assert_eq!(check(more.as_slice(), &TOPS).err().map(|error| kinds(&error)), Some("AfterTheEnd".to_owned()));
    let twice = [whole.clone(), whole].concat();
    assert!(check(twice.as_slice(), &TOPS).is_err());
}

fn zip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

/// An archive as somebody else would write it: entries of any type and name, and a manifest that fits the files.
fn forged(entries: &[(&str, tar::EntryType, &str)], manifest: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind, target: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        // Past the library, which would refuse some of these names.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append(&header, bytes).unwrap();
    };
    for (name, kind, target) in entries {
        add(name, *kind, target, b"");
    }
    if !manifest.is_empty() {
        add("manifest.json", tar::EntryType::Regular, "", manifest.as_bytes());
    }
    zip(&tar.into_inner().unwrap())
}

fn told(files: &str) -> String {
    format!(
        r#"{{"format":1,"made_at":"1970-01-01T00:00:00Z","made_by":"x","layout":1,"with_keys":false,"files":{{{files}}}}}"#
    )
}

fn refused(entries: &[(&str, tar::EntryType, &str)], manifest: &str, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("a").join("b");
    std::fs::create_dir_all(&inside).unwrap();
    let error = unpack(forged(entries, manifest).as_slice(), &TOPS, &inside).unwrap_err();
    assert_eq!(kinds(&error), expect, "{entries:?}: {error}");
    let left: Vec<_> = walk(folder.path()).into_iter().filter(|path| !path.starts_with(&inside)).collect();
    assert!(left.is_empty(), "{left:?} was written outside");
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn what_leads_out_of_the_folder_is_refused() {
    use tar::EntryType::{Directory, Link, Regular, Symlink};
    for path in ["../x", "lake/../../x", "/etc/x", "lake//x", "./lake/x", "other/x", "lake/"] {
        refused(&[(path, Regular, "")], &told(""), "Path");
    }
    refused(&[("lake/x", Symlink, "/etc/passwd")], &told(""), "NotAFile");
    refused(&[("lake/x", Link, "../../x")], &told(""), "NotAFile");
    refused(&[("lake", Directory, "")], &told(""), "NotAFile");
    refused(&[("lake/x", Symlink, "../.."), ("lake/x/y", Regular, "")], &told(""), "NotAFile");
    refused(&[("lake/x", Regular, ""), ("lake/x", Regular, "")], &told(""), "Twice");
}

#[test]
fn files_and_manifest_must_fit() {
    use tar::EntryType::Regular;
    let empty = r#"{"bytes":0,"sha256":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
    let listed = |path: &str| format!(r#""{path}":{empty}"#);
    assert!(check(forged(&[("lake/x", Regular, "")], &told(&listed("lake/x"))).as_slice(), &TOPS).is_ok());
    refused(&[("lake/x", Regular, "")], &told(""), "Unknown");
    refused(&[], &told(&listed("lake/x")), "Missing");
    refused(&[("lake/x", Regular, "")], &told(&listed("lake/x").replace("e3b0", "e3b1")), "Altered");
    refused(&[("lake/x", Regular, "")], "", "NoManifest");
    refused(&[], "{", "Manifest");
    refused(&[], r#"{"format":2,"anything":[]}"#, "Newer");
}

#[test]
fn a_source_that_fails_or_shrinks_is_named() {
    let mut writer = Writer::new(Vec::new(), about());
    assert_eq!(kinds(&writer.add("lake/a", 10, [1_u8; 9].as_slice()).unwrap_err()), "Shrank");
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let mut writer = Writer::new(Vec::new(), about());
    assert_eq!(kinds(&writer.add("lake/a", 10, Fails).unwrap_err()), "Source");
    let mut writer = Writer::new(Vec::new(), about());
    writer.add("lake/a", 1, [1_u8; 9].as_slice()).unwrap();
    assert_eq!(kinds(&writer.add("lake/a", 1, [1_u8; 9].as_slice()).unwrap_err()), "Twice");
    let (_, Manifest { files, .. }) = writer.finish().unwrap();
    assert_eq!(files["lake/a"].bytes, 1, "as many as were announced, though it grew");
}
