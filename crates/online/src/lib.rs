//! The online store: the rows of feature views, one entity's features at a moment in well under a millisecond.
//!
//! It stores [`bedplate_features::SourceRow`]s sorted as the point-in-time join sorts them, and reads one entity's rows back
//! into [`bedplate_features::values`], the function the offline join calls. So what is served is what was trained on,
//! whatever order rows were pushed in and however often. Start with [`OnlineStore`]. It has one of two engines with one
//! meaning, which one suite of tests holds them to: `local`, fjall's LSM tree in a folder of this process, and `remote`, a
//! Redis that several processes share. `layout` says what the bytes on disk mean, `remote` what is where in Redis.
//!
//! It does not know what a view's rows mean, where they come from, or who may read them. Every call blocks: an async
//! caller goes through `spawn_blocking`.

mod dated;
mod error;
mod layout;
mod local;
mod read;
mod remote;
mod store;
mod stored;

pub use dated::Dated;
pub use error::OnlineError;
pub use read::{Question, Values};
pub use remote::{Connect, Keeps, RedisAddress, RedisProblem, Standing};
pub use store::{LoadError, OnlineStore};
pub use stored::Go;
