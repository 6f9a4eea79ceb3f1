//! What a killed process and a damaged disk leave behind.

use std::fs;
use std::path::PathBuf;

use bedplate_kinds::Severity;
use bedplate_types::{ErrorKind, Explained};

use crate::table::{Site, latest};

fn commit(site: &Site, version: u64) -> PathBuf {
    site.table().join(format!("_delta_log/{version:020}.json"))
}

async fn failure(site: &Site) -> (ErrorKind, String, String) {
    let error = site.lake.sql(&[latest("weather")], "SELECT 1 FROM t").await.unwrap_err();
    let ingest = site.ingest(&[9.0], Severity::Warn).await.unwrap_err();
    assert_eq!(ingest.kind(), error.kind(), "{ingest}");
    (error.kind(), error.to_string(), error.fix().unwrap())
}

#[tokio::test]
async fn files_without_a_commit_are_not_seen_and_swept_by_the_next_ingest() {
    let site = Site::new();
    site.ingest(&[1.0], Severity::Warn).await.unwrap();
    let written = fs::read_dir(site.table()).unwrap().map(|entry| entry.unwrap().path());
    let data = written.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "parquet")).unwrap();
    let orphan = site.table().join("part-00000000000000000001-0123456789ab.parquet");
    let hidden = site.table().join(".unfinished-part-00000000000000000001-0123456789ab.parquet");
    fs::copy(&data, &orphan).unwrap();
    fs::write(&hidden, b"PAR1").unwrap();
    assert_eq!(site.rows("weather", "wind_speed").await.rows(), 1);
    site.ingest(&[2.0], Severity::Warn).await.unwrap();
    assert!(!orphan.exists() && !hidden.exists() && data.exists());
    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), [2.0]);
}

#[tokio::test]
async fn killed_before_the_first_commit_there_is_no_table_and_ingest_makes_it() {
    let site = Site::new();
    fs::create_dir_all(site.table().join("_delta_log")).unwrap();
    fs::write(site.table().join("_delta_log/_commit_1.json.tmp"), b"{").unwrap();
    assert!(site.lake.committed("demo", "weather").await.unwrap().is_none());
    let error = site.lake.sql(&[latest("weather")], "SELECT 1 FROM t").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(site.ingest(&[1.0], Severity::Warn).await.unwrap().version, 0);
}

#[tokio::test]
async fn a_log_cut_off_anywhere_is_corrupt_and_the_file_is_named() {
    let site = Site::new();
    site.ingest(&[1.0], Severity::Warn).await.unwrap();
    site.ingest(&[2.0], Severity::Warn).await.unwrap();
    let file = commit(&site, 1);
    let whole = fs::read(&file).unwrap();
    let cuts = [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 1];
    let lines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(i, _)| i);
    for cut in cuts.into_iter().chain(lines) {
        fs::write(&file, &whole[..cut]).unwrap();
        let (kind, text, fix) = failure(&site).await;
        assert_eq!(kind, ErrorKind::Corrupt, "cut at {cut} of {}: {text}", whole.len());
        assert!(text.contains("00000000000000000001.json"), "{text}");
        assert!(fix.contains("rm -r") && fix.contains("bedplate apply"), "{fix}");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(site.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), [2.0]);
}

#[tokio::test]
async fn a_damaged_older_commit_and_a_lost_data_file_are_corrupt() {
    let site = Site::new();
    site.ingest(&[1.0], Severity::Warn).await.unwrap();
    site.ingest(&[2.0], Severity::Warn).await.unwrap();
    let first = fs::read(commit(&site, 0)).unwrap();
    fs::write(commit(&site, 0), &first[..first.len() / 2]).unwrap();
    assert!(failure(&site).await.1.contains("00000000000000000000.json"));
    fs::remove_file(commit(&site, 0)).unwrap();
    assert_eq!(failure(&site).await.0, ErrorKind::Corrupt);
    fs::write(commit(&site, 0), &first).unwrap();
    assert_eq!(site.rows("weather", "wind_speed").await.rows(), 1);
    let parquet = fs::read_dir(site.table()).unwrap().map(|entry| entry.unwrap().path());
    let data: Vec<PathBuf> = parquet.filter(|path| path.extension().is_some_and(|kind| kind == "parquet")).collect();
    data.iter().for_each(|file| fs::write(file, b"PAR1").unwrap());
    assert!(failure(&site).await.1.contains("has 4 of "));
    data.iter().for_each(|file| fs::remove_file(file).unwrap());
    assert!(failure(&site).await.1.contains("which is gone"));
}
