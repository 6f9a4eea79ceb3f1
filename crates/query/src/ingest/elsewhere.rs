//! What a load has to read of a source on another machine.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bedplate_kinds::{DatasetSource, DatasetSpec, Load};
use bedplate_lake::source::{SourceFile, news};
use tokio_util::sync::CancellationToken;

use super::{IngestError, Pending, Whose};
use crate::Lake;
use crate::delta::{Loaded, Watermark};
use crate::source::elsewhere::{Store, postgres, surrogate};
use crate::source::{Access, FoundFile, HashedFiles, Opened, SourceError, opened};

/// Where the bytes of a pending file are.
#[derive(Clone)]
pub(super) enum Origin {
    /// Those that were read for their digests to decide what is to be read.
    Here(HashedFiles),
    /// In a store; each is brought to the folder when its turn comes.
    Store(Arc<Store>, PathBuf),
    /// They were brought here already.
    Brought(Arc<Opened>),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(_) => f.write_str("Here"),
            Self::Store(store, _) => store.fmt(f),
            Self::Brought(opened) => write!(f, "Brought({})", opened.entry.path),
        }
    }
}

impl Pending {
    /// The source as it is declared, for people.
    pub(super) fn place(&self, source: &DatasetSource) -> PathBuf {
        match &self.origin {
            Origin::Brought(opened) => opened.path.clone(),
            _ => PathBuf::from(&source.path),
        }
    }

    /// Blocks, also on what comes over a network.
    pub(super) fn open(&self, file: &FoundFile, cancel: &CancellationToken) -> Result<Opened, SourceError> {
        match &self.origin {
            Origin::Here(hashed) => Opened::new(&file.path, hashed),
            Origin::Store(store, folder) => {
                tokio::runtime::Handle::current().block_on(store.fetch(file, folder, cancel))
            }
            Origin::Brought(opened) => opened.again(),
        }
    }
}

impl Lake {
    /// As [`Lake::pending`], of a source on another machine: lists the objects of a store, or reads the rows of a database
    /// into a file without a name. Blocks now and then.
    pub async fn pending_elsewhere(
        &self,
        whose: Whose<'_>,
        spec: &DatasetSpec,
        access: &Access,
        cancel: &CancellationToken,
    ) -> Result<Pending, IngestError> {
        let (version, loaded) = self.base(whose, &spec.source).await?;
        let folder = self.root().join(".spool");
        if spec.source.postgres.is_some() {
            let after = loaded.as_ref().and_then(|loaded| loaded.record.watermark.as_ref());
            let read = postgres::read(spec, access, after, &folder, cancel).await.map_err(SourceError::from)?;
            return Ok(of_rows(read, loaded, version));
        }
        let store = Store::new(&spec.source, access)?;
        let found = match store.find(&spec.source).await {
            Err(SourceError::NoFiles { .. }) if loaded.is_some() && spec.source.load.is_by_files() => Vec::new(),
            found => found?,
        };
        of_files(found, loaded.filter(|_| spec.source.load != Load::Full), version, spec.source.load)
            .map(|pending| Pending { origin: Origin::Store(Arc::new(store), folder), ..pending })
    }
}

/// A table without new rows stays as it is.
fn of_rows(read: postgres::Read, loaded: Option<Loaded>, version: Option<i64>) -> Pending {
    let mut all = loaded.as_ref().map(|loaded| loaded.files.clone()).unwrap_or_default();
    let is_news = read.rows > 0 || loaded.is_none();
    let mut files = Vec::new();
    if is_news {
        all.push(read.opened.entry.clone());
        files.push(found(&read.opened.entry));
    }
    Pending {
        files,
        digest: opened::digest_of(&all),
        base: loaded,
        version,
        columns: None,
        origin: Origin::Brought(Arc::new(read.opened)),
        watermark: read.watermark,
    }
}

fn found(entry: &SourceFile) -> FoundFile {
    let SourceFile { path, bytes, modified, tag, .. } = entry.clone();
    FoundFile { path: path.into(), bytes, modified, tag }
}

/// Nothing is brought here to learn whether it is new: a file of a store is known by its key, its length and its tag.
fn of_files(
    found: Vec<FoundFile>,
    loaded: Option<Loaded>,
    version: Option<i64>,
    load: Load,
) -> Result<Pending, IngestError> {
    let now: Vec<SourceFile> = found.iter().map(|file| surrogate(known(file))).collect();
    let then: Vec<SourceFile> = match &loaded {
        Some(loaded) if load.is_by_files() => loaded.files.iter().cloned().map(surrogate).collect(),
        _ => Vec::new(),
    };
    let news = news(&now, &then).map_err(SourceError::from)?;
    let is_new = |file: &FoundFile| news.new.iter().any(|new| file.path.to_str() == Some(&new.path));
    Ok(Pending {
        files: found.into_iter().filter(is_new).collect(),
        digest: opened::digest_of(&news.all),
        base: loaded,
        version,
        columns: None,
        origin: Origin::Here(HashedFiles::new()),
        watermark: None::<Watermark>,
    })
}

fn known(file: &FoundFile) -> SourceFile {
    SourceFile {
        path: file.path.to_string_lossy().into_owned(),
        digest: opened::digest_of(&[]),
        bytes: file.bytes,
        modified: file.modified,
        tag: file.tag.clone(),
    }
}
