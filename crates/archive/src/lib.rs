//! An archive of files that is believed only as a whole: what a backup is written to and restored from.
//!
//! It is a gzipped tar (POSIX.1-1988 ustar with GNU long names) that any tar can list. Its last file is the manifest, which
//! has the length and SHA-256 of each of the others: an archive that was cut short has none, and in one that was altered
//! something does not fit. [`Writer`] makes one in a single pass, so that it can be sent while it is made; [`check`] reads one
//! through, [`unpack`] puts its files into a folder. Paths in an archive are distrusted: relative, of plain names, each once,
//! and below names that the reader expects.
//!
//! It does not know what the files are. It does not prove who made an archive: whoever can alter it can alter its manifest.

mod error;
mod manifest;
mod path;
mod read;
mod write;

pub use error::ArchiveError;
pub use manifest::{About, Content, Manifest};
pub use read::{check, unpack};
pub use write::Writer;
