//! Bad input: one clear error that names the thing and the fix, and nothing is lost.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::run::{Said, bedplate, quickstart, said, up};
use crate::small;

fn run(home: &Path, folder: &Path) -> Said {
    said(&mut quickstart(home, &["--from", folder.to_str().unwrap(), "--timeout", "2m"]))
}

/// Breaks one manifest, sees it refused with these words, mends it, and sees the same home complete.
#[test]
fn a_broken_manifest_is_refused_and_the_mended_one_completes() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let cases: [(&str, &str, &str, i32, &[&str]); 5] = [
        ("10-datasets.yaml", "timeColumn: time_hour", "timeColum: time_hour", 3, &["spec.timeColum"]),
        ("60-training.yaml", "budget: 0.2", "budget: much", 3, &["spec.algorithm.gradientBoosting.budget"]),
        ("10-datasets.yaml", "{name: tailnum, type: string}", "{name: tailnumber, type: string}", 3, &["tailnumber"]),
        ("20-expectations.yaml", "column: wind_speed", "column: wind_sped", 3, &["wind_sped", "plausible-wind"]),
        ("40-feature-views.yaml", "dewp, humid, wind_speed", "dewpoint, humid, wind_speed", 3, &["dewpoint"]),
    ];
    for (file, good, bad, code, words) in cases {
        small::change(folder.path(), file, good, bad);
        run(home.path(), folder.path()).refused(code, words);
        small::change(folder.path(), file, bad, good);
    }
    let summary = run(home.path(), folder.path()).json();
    assert_eq!(summary["serving"]["parity_share"], 1.0);
    damaged_table(home.path(), folder.path());
}

/// On the finished home: a log cut short is told, and what is served goes on.
fn damaged_table(home: &Path, folder: &Path) {
    let log = home.join("lake/flights/weather/_delta_log/00000000000000000000.json");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..whole.len() / 2]).unwrap();
    small::change(folder, "20-expectations.yaml", "max: 140", "max: 139");
    run(home, folder).refused(8, &["weather", "_delta_log"]);
    fs::write(&log, &whole).unwrap();
    assert_eq!(run(home, folder).json()["model"]["version"], 1);
}

#[test]
fn an_unreadable_source_is_named() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    fs::write(folder.path().join("data/weather.parquet"), b"PAR1 this is not Parquet").unwrap();
    run(home.path(), folder.path()).refused(3, &["weather"]);
    fs::remove_file(folder.path().join("data/weather.parquet")).unwrap();
    run(home.path(), folder.path()).refused(3, &["weather.parquet"]);
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_changes_it() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    said(&mut bedplate(home.path(), &["up", "--listen", &addr])).refused(7, &[&addr, "--listen 127.0.0.1:0"]);
    let outside = ["up", "--listen", "0.0.0.0:7070"];
    said(&mut bedplate(home.path(), &outside)).refused(9, &["0.0.0.0:7070", "TLS"]);
}

#[test]
fn a_home_that_cannot_be_used_is_named() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    said(&mut bedplate(&file, &["up"])).refused(3, &["file"]);

    let home = place.path().join("newer");
    drop(up(&home, &[]));
    fs::write(home.join("layout"), "99").unwrap();
    said(&mut bedplate(&home, &["up"])).refused(3, &["newer bedplate", "99"]);
}

#[test]
fn two_processes_on_one_home_are_kept_apart() {
    let home = tempfile::tempdir().unwrap();
    let first = up(home.path(), &[]);
    let second = said(&mut bedplate(home.path(), &["up", "--listen", "127.0.0.1:0"]));
    second.refused(7, &[&first.pid().to_string()]);
}

#[test]
fn a_source_outside_the_allowed_folders_is_refused() {
    let (folder, home, elsewhere) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let outside = elsewhere.path().join("airlines.parquet");
    fs::copy(folder.path().join("data/airlines.parquet"), &outside).unwrap();
    small::change(folder.path(), "10-datasets.yaml", "data/airlines.parquet", outside.to_str().unwrap());
    run(home.path(), folder.path()).refused(4, &["airlines", "--source-root"]);
}
