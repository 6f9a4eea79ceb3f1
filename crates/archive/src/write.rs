//! Writing an archive in one pass.

use std::io::{self, Read, Write};

use bedplate_types::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::manifest::{FORMAT, NAME};
use crate::{About, ArchiveError, Content, Manifest};

/// Tables and models are compressed already; the rest is worth one quick pass.
const COMPRESSION: Compression = Compression::fast();

/// An archive being written. Without [`Writer::finish`] it is none.
pub struct Writer<W: Write> {
    tar: Builder<GzEncoder<W>>,
    manifest: Manifest,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W, about: About) -> Self {
        let tar = Builder::new(GzEncoder::new(out, COMPRESSION));
        Self { tar, manifest: Manifest { format: FORMAT, about, files: Default::default() } }
    }

    /// Adds the first `bytes` bytes of `from` as the file `path`, whose names are parted by `/`.
    ///
    /// # Errors
    /// [`ArchiveError::Shrank`] when there are fewer, [`ArchiveError::Source`], [`ArchiveError::Write`],
    /// [`ArchiveError::Twice`].
    pub fn add(&mut self, path: &str, bytes: u64, from: impl Read) -> Result<(), ArchiveError> {
        if path == NAME || self.manifest.files.contains_key(path) {
            return Err(ArchiveError::Twice { path: path.to_owned() });
        }
        let mut read = Hashed { from: from.take(bytes), hash: Sha256::new(), seen: 0, failed: None };
        let added = self.tar.append_data(&mut header(bytes), path, &mut read);
        let failed = read.failed.take();
        if let Some(source) = failed {
            return Err(ArchiveError::Source { path: path.to_owned(), source });
        }
        if read.seen != bytes {
            return Err(ArchiveError::Shrank { path: path.to_owned() });
        }
        added.map_err(ArchiveError::Write)?;
        let sha256 = Digest::from_sha256(read.hash.finalize().into());
        self.manifest.files.insert(path.to_owned(), Content { bytes, sha256 });
        Ok(())
    }

    /// Writes the manifest and the end; returns both.
    ///
    /// # Errors
    /// [`ArchiveError::Write`].
    pub fn finish(mut self) -> Result<(W, Manifest), ArchiveError> {
        let text = serde_json::to_vec_pretty(&self.manifest).map_err(ArchiveError::Manifest)?;
        let added = self.tar.append_data(&mut header(text.len() as u64), NAME, text.as_slice());
        added.map_err(ArchiveError::Write)?;
        let out = self.tar.into_inner().and_then(GzEncoder::finish).map_err(ArchiveError::Write)?;
        Ok((out, self.manifest))
    }
}

/// Nothing of who owned the file or when it was written: that is not part of what is kept.
fn header(bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(bytes);
    header
}

/// Reads on, and keeps count of what was read.
struct Hashed<R> {
    from: R,
    hash: Sha256,
    seen: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.from.read(buffer) {
            Ok(count) => {
                self.hash.update(&buffer[..count]);
                self.seen += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failed = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }
}
