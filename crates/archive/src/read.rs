//! Reading an archive: through, or into a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use bedplate_types::Digest;
use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Entry, EntryType};

use crate::manifest::{FORMAT, LONGEST, NAME};
use crate::path::is_plain;
use crate::{ArchiveError, Content, Manifest};

const PIECE: usize = 256 * 1024;

/// Reads an archive to its end and returns its manifest, which everything in it fits.
///
/// # Errors
/// What is wrong with it; see [`ArchiveError`].
pub fn check(input: impl Read, tops: &[&str]) -> Result<Manifest, ArchiveError> {
    read(input, tops, |_, _| Ok(None))
}

/// As [`check`], and writes the files into `folder`, which must be there and should be empty; readable by their owner only,
/// and on the disk when it returns. After an error what was written so far is there: have a folder that is thrown away.
///
/// # Errors
/// Also [`ArchiveError::Target`].
pub fn unpack(input: impl Read, tops: &[&str], folder: &Path) -> Result<Manifest, ArchiveError> {
    read(input, tops, |path, _| {
        let to = folder.join(path);
        let of = |source| ArchiveError::Target { path: to.clone(), source };
        fs::create_dir_all(to.parent().unwrap_or(folder)).map_err(of)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&to).map(Some).map_err(of)
    })
}

/// Where a file goes to, if anywhere.
type Target<'a> = dyn FnMut(&str, u64) -> Result<Option<File>, ArchiveError> + 'a;

fn read<'a>(
    input: impl Read,
    tops: &[&str],
    mut target: impl FnMut(&str, u64) -> Result<Option<File>, ArchiveError> + 'a,
) -> Result<Manifest, ArchiveError> {
    let mut input = BufReader::new(input);
    let mut archive = Archive::new(GzDecoder::new(&mut input));
    let mut found: BTreeMap<String, Content> = BTreeMap::new();
    let mut manifest = None;
    for entry in archive.entries().map_err(ArchiveError::Broken)? {
        let mut entry = entry.map_err(ArchiveError::Broken)?;
        let path = path_of(&entry)?;
        if manifest.is_some() {
            return Err(ArchiveError::AfterTheEnd);
        }
        if entry.header().entry_type() != EntryType::Regular {
            return Err(ArchiveError::NotAFile { path });
        }
        if path == NAME {
            manifest = Some(parse(&mut entry)?);
            continue;
        }
        if !is_plain(&path, tops) {
            return Err(ArchiveError::Path { path });
        }
        if found.contains_key(&path) {
            return Err(ArchiveError::Twice { path });
        }
        let content = copy(&mut entry, &path, &mut target)?;
        found.insert(path, content);
    }
    // The checksum at the end of the stream is looked at only by who reads on to there.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(ArchiveError::Broken)?;
    drop(rest);
    if !input.fill_buf().map_err(ArchiveError::Broken)?.is_empty() {
        return Err(ArchiveError::AfterTheEnd);
    }
    let manifest = manifest.ok_or(ArchiveError::NoManifest)?;
    compare(&manifest, &found)?;
    Ok(manifest)
}

fn path_of<R: Read>(entry: &Entry<'_, R>) -> Result<String, ArchiveError> {
    let bytes = entry.path_bytes();
    String::from_utf8(bytes.to_vec()).map_err(|_| ArchiveError::Path { path: String::from_utf8_lossy(&bytes).into() })
}

fn parse(entry: &mut impl Read) -> Result<Manifest, ArchiveError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let mut text = Vec::new();
    entry.take(LONGEST).read_to_end(&mut text).map_err(ArchiveError::Broken)?;
    // A newer one may be of another shape.
    let Format { format } = serde_json::from_slice(&text).map_err(ArchiveError::Manifest)?;
    if format > FORMAT {
        return Err(ArchiveError::Newer { found: format, known: FORMAT });
    }
    serde_json::from_slice(&text).map_err(ArchiveError::Manifest)
}

fn copy(entry: &mut Entry<'_, impl Read>, path: &str, target: &mut Target<'_>) -> Result<Content, ArchiveError> {
    let mut to = target(path, entry.size())?;
    let mut piece = vec![0; PIECE];
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    loop {
        let count = match entry.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ArchiveError::Broken(error)),
        };
        if count == 0 {
            break;
        }
        hash.update(&piece[..count]);
        bytes += count as u64;
        if let Some(to) = &mut to {
            to.write_all(&piece[..count]).map_err(|source| ArchiveError::Target { path: path.into(), source })?;
        }
    }
    if let Some(to) = to {
        to.sync_all().map_err(|source| ArchiveError::Target { path: path.into(), source })?;
    }
    Ok(Content { bytes, sha256: Digest::from_sha256(hash.finalize().into()) })
}

fn compare(manifest: &Manifest, found: &BTreeMap<String, Content>) -> Result<(), ArchiveError> {
    for (path, content) in &manifest.files {
        match found.get(path) {
            None => return Err(ArchiveError::Missing { path: path.clone() }),
            Some(found) if found != content => return Err(ArchiveError::Altered { path: path.clone() }),
            Some(_) => {}
        }
    }
    match found.keys().find(|path| !manifest.files.contains_key(*path)) {
        Some(path) => Err(ArchiveError::Unknown { path: path.clone() }),
        None => Ok(()),
    }
}
