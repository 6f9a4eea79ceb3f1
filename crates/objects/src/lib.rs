//! Content-addressed objects: bytes that are named by their SHA-256 digest and never change.
//!
//! An object is either wholly there, durable and true to its name, or not there: it is written beside the store, synced
//! to the disk and renamed into place. Start with [`Objects`]; [`ObjectWriter`] is for what is too large for memory.
//! The calls block. This crate knows nothing of what the bytes mean, who may read them or when they may go.

mod error;
mod store;
mod writer;

pub use error::ObjectError;
pub use store::{Objects, digest_file, digest_of};
pub use writer::ObjectWriter;
