//! A Delta table as a source: one that bedplate wrote stands for one that others did.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use bedplate_kinds::{ColumnType, DatasetSpec, Format, Load, Severity};
use bedplate_query::{IngestError, SourceError};
use bedplate_types::{ErrorKind, Explained};

use crate::table::{COLUMNS, Site, spec};

/// A site whose own table lies where a source may lie, with the versions 0 and 1.
struct Theirs {
    theirs: Site,
    ours: Site,
    spec: DatasetSpec,
}

impl Theirs {
    async fn new() -> Self {
        let (theirs, ours) = (Site::new(), Site::new());
        theirs.ingest(&[1.0, 2.0], Severity::Warn).await.unwrap();
        theirs.ingest(&[3.0], Severity::Warn).await.unwrap();
        let folder = ours.dir.path().join("theirs");
        copy(&theirs.table(), &folder);
        Self { theirs, ours, spec: spec(&COLUMNS) }
    }

    fn folder(&self) -> PathBuf {
        self.ours.dir.path().join("theirs")
    }

    fn commit(&self, version: u64) -> PathBuf {
        self.folder().join(format!("_delta_log/{version:020}.json"))
    }

    async fn check(&self, expect: &[f64]) {
        let report = self.ours.load(&self.folder(), &self.spec, None).await.unwrap();
        assert_eq!(report.rows, expect.len() as u64);
        assert_eq!(self.ours.rows("weather", "wind_speed").await.f64("wind_speed").unwrap(), expect);
    }

    async fn refused(&self, kind: ErrorKind, words: &str) {
        let error = self.ours.load(&self.folder(), &self.spec, None).await.unwrap_err();
        let told = format!("{error} {}", error.fix().unwrap_or_default());
        assert!(error.kind() == kind && told.contains(words), "{:?}: {told}", error.kind());
        assert!(!told.contains("rm -r"), "it is not ours to remove: {told}");
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn its_latest_version_is_read_or_the_one_that_is_pinned() {
    let mut theirs = Theirs::new().await;
    theirs.check(&[3.0]).await;
    theirs.spec.source.format = Some(Format::Delta);
    theirs.spec.source.version = Some(0);
    theirs.check(&[1.0, 2.0]).await;
    theirs.spec.source.version = Some(9);
    theirs.refused(ErrorKind::NotFound, "no version 9").await;
}

#[tokio::test]
async fn columns_that_came_later_are_null_in_older_files() {
    let mut theirs = Theirs::new().await;
    let text = fs::read_to_string(theirs.commit(0)).unwrap();
    let field = r#"{\"name\":\"more\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}"#;
    let with = text.replace(r#"\"fields\":["#, &format!(r#"\"fields\":[{field},"#));
    assert_ne!(text, with);
    fs::write(theirs.commit(0), with).unwrap();
    let mut columns = COLUMNS.to_vec();
    columns.push(("more", ColumnType::String));
    theirs.spec = spec(&columns);
    theirs.check(&[3.0]).await;
    assert_eq!(theirs.ours.rows("weather", "more").await.strings("more").unwrap(), [None]);
}

#[tokio::test]
async fn what_cannot_be_read_file_by_file_is_refused() {
    let mut theirs = Theirs::new().await;
    let text = fs::read_to_string(theirs.commit(0)).unwrap();
    fs::write(theirs.commit(0), text.replace(r#""partitionColumns":[]"#, r#""partitionColumns":["origin"]"#)).unwrap();
    theirs.refused(ErrorKind::Invalid, "partitioned by origin").await;
    fs::write(theirs.commit(0), &text[..text.len() / 2]).unwrap();
    theirs.refused(ErrorKind::Invalid, "00000000000000000000.json").await;
    fs::write(theirs.commit(0), text).unwrap();
    theirs.check(&[3.0]).await;
    theirs.spec.source.load = Load::NewFiles;
    theirs.refused(ErrorKind::Invalid, "newFiles and merge are not for Delta tables").await;
    theirs.spec.source.load = Load::Full;
    theirs.spec.source.format = Some(Format::Delta);
    fs::remove_dir_all(theirs.folder().join("_delta_log")).unwrap();
    theirs.refused(ErrorKind::Invalid, "no Delta table").await;
}

#[tokio::test]
async fn its_log_leads_nowhere_else() {
    let theirs = Theirs::new().await;
    let text = fs::read_to_string(theirs.commit(1)).unwrap();
    let name = text.split("\"add\":{\"path\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let outside = theirs.theirs.table().join(&name);
    fs::remove_file(theirs.folder().join(&name)).unwrap();
    symlink(&outside, theirs.folder().join(&name)).unwrap();
    theirs.refused(ErrorKind::Denied, "outside the folders").await;
    let beside = theirs.ours.dir.path().join("beside.parquet");
    fs::copy(&outside, &beside).unwrap();
    fs::remove_file(theirs.folder().join(&name)).unwrap();
    symlink(&beside, theirs.folder().join(&name)).unwrap();
    theirs.refused(ErrorKind::Invalid, "which is not in its folder").await;
    for path in ["../beside.parquet".to_owned(), format!("file://{}", beside.display()), beside.display().to_string()] {
        fs::write(
            theirs.commit(1),
            text.replace(&format!("\"add\":{{\"path\":\"{name}"), &format!("\"add\":{{\"path\":\"{path}")),
        )
        .unwrap();
        let error = theirs.ours.load(&theirs.folder(), &theirs.spec, None).await.unwrap_err();
        assert!(
            matches!(
                error,
                IngestError::Source(SourceError::Open { .. } | SourceError::Outside { .. } | SourceError::Table { .. })
            ),
            "{path}: {error}"
        );
    }
    fs::rename(theirs.folder().join("_delta_log"), theirs.theirs.dir.path().join("log")).unwrap();
    symlink(theirs.theirs.dir.path().join("log"), theirs.folder().join("_delta_log")).unwrap();
    theirs.refused(ErrorKind::Denied, "outside the folders").await;
}
