//! Objects by key in buckets, as S3 means them: bytes that are put whole and replaced whole, with a content type and words
//! of their owner beside them, listed in the order of their keys.
//!
//! What is known of an object is a row; its bytes are files ([`Blobs`]) that are written aside, synced, renamed and never
//! changed. A file counts from the commit of the row that names it, so a write that was acknowledged is whole after
//! `kill -9`, and one that was cut off is not there. Keys are never paths: a file is named after random bits. An object may
//! consist of several files, which is what completing an upload in parts makes it; a copy is another name of the same
//! file.
//!
//! A bucket is known by an id that its namespace has and no later one of the same name: what was in the bucket of a
//! namespace that is gone belongs to nobody, and [`sweep()`] removes it, as it does files without a row and uploads that
//! nobody completed. A file that is no longer needed stays for [`GRACE`]: whoever reads it, or copies it into a backup, gets
//! to its end.
//!
//! Functions that take a [`Tx`](bedplate_db::Tx) are parts of somebody's transaction, who writes down beside it what was
//! done. The calls block. This crate knows nothing of HTTP, of who may, or of what the bytes mean.

mod blobs;
mod bucket;
mod error;
mod list;
mod object;
mod sweep;
mod upload;

use bedplate_db::Migration;

pub use blobs::{BlobWriter, Blobs, name};
pub use bucket::{Bucket, create, delete, find, is_empty};
pub use error::BucketError;
pub use list::{Entry, Page, Start, Wanted, list};
pub use object::{About, Condition, NewObject, Object, Piece, get, put, remove};
pub use sweep::{GRACE, STALE, Swept, sweep};
pub use upload::{Part, Upload, abort, begin, complete, open, parts, put_part, uploads};

/// The tables of buckets, objects, uploads and the files they have.
pub const MIGRATIONS: &[Migration] = &[BUCKETS];

const BUCKETS: Migration = Migration {
    name: "buckets_0001_objects",
    sql: "CREATE TABLE buckets (
              id TEXT PRIMARY KEY,
              name TEXT NOT NULL,
              created_at BIGINT NOT NULL
          );
          CREATE TABLE bucket_objects (
              bucket TEXT NOT NULL,
              key TEXT NOT NULL,
              size BIGINT NOT NULL,
              etag TEXT NOT NULL,
              modified_at BIGINT NOT NULL,
              about TEXT NOT NULL,
              pieces TEXT NOT NULL,
              PRIMARY KEY (bucket, key)
          );
          CREATE TABLE bucket_uploads (
              id TEXT PRIMARY KEY,
              bucket TEXT NOT NULL,
              key TEXT NOT NULL,
              started_at BIGINT NOT NULL,
              about TEXT NOT NULL
          );
          CREATE INDEX bucket_uploads_by_key ON bucket_uploads (bucket, key, id);
          CREATE TABLE bucket_parts (
              upload TEXT NOT NULL,
              number BIGINT NOT NULL,
              etag TEXT NOT NULL,
              modified_at BIGINT NOT NULL,
              blob TEXT NOT NULL,
              size BIGINT NOT NULL,
              PRIMARY KEY (upload, number)
          );
          CREATE TABLE bucket_blobs (
              id TEXT PRIMARY KEY,
              retired_at BIGINT
          );
          CREATE INDEX bucket_blobs_by_retirement ON bucket_blobs (retired_at);",
};
