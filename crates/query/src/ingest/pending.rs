//! What a load has to read, decided against the table as it is.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use bedplate_kinds::{DatasetSource, DatasetSpec, Load};
use bedplate_lake::source::news;
use bedplate_types::Digest;

use super::IngestError;
use super::elsewhere::Origin;
use crate::Lake;
use crate::delta::{self, Loaded, Table, Watermark};
use crate::source::{self, Found, FoundFile, HashedFiles, SourceError, opened};

/// The files to read, and what becomes of the rows that are there.
#[derive(Clone, Debug)]
pub struct Pending {
    /// In the order they are read.
    pub files: Vec<FoundFile>,
    /// Stands for every file that the table's rows will have been read from.
    pub digest: Digest,
    /// What the rows are added to; none when they take the place of all.
    pub(super) base: Option<Loaded>,
    /// The table's version this was decided for.
    pub(super) version: Option<i64>,
    /// The columns of a Delta table that is read.
    pub(super) columns: Option<SchemaRef>,
    pub(super) origin: Origin,
    /// Where the next load begins, when that is known without the rows being read.
    pub(super) watermark: Option<Watermark>,
}

/// Whose table it is, and where its files may lie.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    /// The object's uid: what another object of that name loaded is no base to add to.
    pub object: &'a str,
    /// Folders that sources may be read from, without links.
    pub roots: &'a [PathBuf],
}

impl Pending {
    /// Bytes of the files to read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether the rows are added to those that are there.
    #[must_use]
    pub fn appends(&self) -> bool {
        self.base.is_some()
    }
}

impl Lake {
    /// Finds the source's files, reads those for their digests that may be new, and decides what to load. Blocking.
    pub async fn pending(&self, whose: Whose<'_>, spec: &DatasetSpec) -> Result<Pending, IngestError> {
        let (version, loaded) = self.base(whose, &spec.source).await?;
        let found = found(&spec.source, whose.roots, loaded.is_some()).await?;
        let columns = found.table.clone().map(|(columns, _)| columns);
        let (files, digest, hashed) = to_read(&spec.source, found, loaded.as_ref())?;
        let origin = Origin::Here(hashed);
        Ok(Pending { files, digest, base: loaded, version, columns, origin, watermark: None })
    }

    /// The table's version, and what of it can be gone on from.
    pub(super) async fn base(
        &self,
        whose: Whose<'_>,
        source: &DatasetSource,
    ) -> Result<(Option<i64>, Option<Loaded>), IngestError> {
        let location = self.location(whose.namespace, whose.name)?;
        let version = match delta::exists(&location)? {
            true => Some(Table::open(&location, None).await?.version),
            false => None,
        };
        let loaded = if version.is_some() { delta::loaded(&location)? } else { None };
        let loaded = loaded.filter(|loaded| loaded.record.object == whose.object && can_add(loaded, source));
        Ok((version, loaded))
    }
}

/// Whether what was loaded is what this way of loading goes on from.
fn can_add(loaded: &Loaded, source: &DatasetSource) -> bool {
    match source.load {
        Load::Full => false,
        Load::NewFiles => true,
        // What was merged by another key is not what this one would have made of it.
        Load::Merge => loaded.record.key.is_empty() || loaded.record.key == source.key,
        Load::Watermark => {
            loaded.record.watermark.as_ref().is_some_and(|mark| Some(&mark.column) == source.watermark_column.as_ref())
        }
    }
}

/// Files may be taken away once they were loaded, all of them too.
async fn found(source: &DatasetSource, roots: &[PathBuf], loaded: bool) -> Result<Found, SourceError> {
    match source::find(source, roots).await {
        Err(SourceError::NoFiles { .. }) if loaded && source.load.is_by_files() => {
            Ok(Found { files: Vec::new(), table: None })
        }
        other => other,
    }
}

fn to_read(
    source: &DatasetSource,
    found: Found,
    loaded: Option<&Loaded>,
) -> Result<(Vec<FoundFile>, Digest, HashedFiles), SourceError> {
    let Some(loaded) = loaded.filter(|_| source.load.is_by_files()) else {
        let (files, hashed) = opened::digests(&found.files, &[])?;
        return Ok((found.files, opened::digest_of(&files), hashed));
    };
    let (files, hashed) = opened::digests(&found.files, &loaded.files)?;
    let news = news(&files, &loaded.files)?;
    let is_new = |file: &FoundFile| news.new.iter().any(|new| file.path.to_str() == Some(&new.path));
    Ok((found.files.into_iter().filter(is_new).collect(), opened::digest_of(&news.all), hashed))
}
