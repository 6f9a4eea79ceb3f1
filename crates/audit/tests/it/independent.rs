//! A second implementation, in another language, reads the same folders.

use std::process::Command;

use bedplate_testkit::{not_run, python};
use serde_json::Value;

use crate::archive::{LEAVES, files, flip, offset, rewritten, swap};
use crate::folder::{Files, exported, key};
use crate::{Log, big};

/// What the script says of a folder; none when there is no Python to run it.
fn asked(files: &Files, notes: &[&[u8]]) -> Option<Value> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let file = folder.path().join("log").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let script = bedplate_testkit::in_crate("tests/it/independent.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder.path().join("log")).arg(key().to_string());
    for (number, note) in notes.iter().enumerate() {
        let file = folder.path().join(format!("note{number}"));
        std::fs::write(&file, note).unwrap();
        command.arg(file);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!(output.status.success(), told["fault"].is_null(), "{told} {said}");
    Some(told)
}

fn without_python() {
    not_run("an independent reader of exported audit logs: no Python environment (cargo xtask test makes one)");
}

#[test]
fn an_independent_reader_finds_the_same_log() {
    for (files, leaves) in
        [(exported(&Log::new(0, &[])), None), (files(), Some(LEAVES)), (exported(big()), Some(crate::BIG))]
    {
        let Some(told) = asked(&files, &[]) else { return without_python() };
        assert_eq!(told["leaves"].as_u64(), leaves, "{told}");
        if let Some(leaves) = leaves {
            let ours = crate::folder::verified(&files).unwrap();
            assert_eq!((told["root"].as_str(), ours.leaves), (Some(ours.root.hex().as_str()), leaves));
        }
    }
}

#[test]
fn an_independent_reader_finds_the_same_faults() {
    type Change = fn(&mut Files);
    let changes: [(&str, Change, &str, Option<u64>); 8] = [
        ("a bit of a leaf", |files| leaf(files), "tile/entries/001", Some(261)),
        ("a bit of a full tile", |files| flip(files, "tile/0/001", 40), "tile/0/001", None),
        ("a bit of a partial tile", |files| flip(files, "tile/1/000.p/2", 40), "tile/1/000.p/2", None),
        ("the root", |files| note(files, |note| note.replacen("600\n", "600\nA", 1)), "checkpoint", None),
        ("the signature", |files| flip(files, "checkpoint", 150), "checkpoint", None),
        ("the last leaf removed", |files| last(files), "tile/entries/002.p/88", Some(599)),
        ("two leaves swapped", |files| swap(files, "tile/entries/001", 7), "tile/entries/001", Some(263)),
        ("a shorter log", |files| note(files, |note| note.replacen("600", "512", 1)), "checkpoint", None),
    ];
    for (what, change, path, leaf) in changes {
        let mut files = files();
        change(&mut files);
        let Some(told) = asked(&files, &[]) else { return without_python() };
        assert_eq!((told["path"].as_str(), told["leaf"].as_u64()), (Some(path), leaf), "{what}: {told}");
        let ours = crate::folder::verified(&files).unwrap_err();
        assert_eq!(ours.path(), Some(path), "{what}: {ours}");
        assert!(leaf.is_none() || ours.first_bad_leaf() == leaf, "{what}: {ours}");
    }
}

#[test]
fn an_independent_reader_holds_the_log_against_a_note_kept_elsewhere() {
    let kept = exported(&Log::new(300, &[300]))["checkpoint"].clone();
    let Some(told) = asked(&files(), &[&kept]) else { return without_python() };
    assert!(told["fault"].is_null(), "{told}");
    let shorter = asked(&exported(&Log::new(250, &[250])), &[&kept]).unwrap();
    assert_eq!((shorter["path"].as_str(), shorter["leaf"].as_u64()), (Some("checkpoint"), Some(250)), "{shorter}");
    let forked = asked(&rewritten(150, 400), &[&kept]).unwrap();
    assert!(forked["fault"].as_str().unwrap().contains("another root"), "{forked}");
}

fn leaf(files: &mut Files) {
    let at = offset(&files["tile/entries/001"], 5) + 20;
    flip(files, "tile/entries/001", at);
}

fn last(files: &mut Files) {
    let bundle = files.get_mut("tile/entries/002.p/88").unwrap();
    let end = offset(bundle, 87);
    bundle.truncate(end);
}

fn note(files: &mut Files, change: fn(String) -> String) {
    let note = String::from_utf8(files["checkpoint"].clone()).unwrap();
    let mut changed = change(note);
    if changed.contains("\nA") {
        // One character more at the front of the root, one less at its end.
        let end = changed.find("=\n").unwrap();
        changed.remove(end - 1);
    }
    files.insert("checkpoint".into(), changed.into_bytes());
}
