//! The online store: the rows of feature views, one entity's features at a moment in well under a millisecond.
//!
//! It stores [`bedplate_features::SourceRow`]s in a fjall LSM tree, sorted as the point-in-time join sorts them, and reads
//! one entity's rows back into [`bedplate_features::values`], the function the offline join calls. So what is served
//! is what was trained on, whatever order rows were pushed in and however often. Start with [`OnlineStore`]; `layout` says
//! what the bytes on disk mean.
//!
//! It does not know what a view's rows mean, where they come from, or who may read them. Every call blocks: an async
//! caller goes through `spawn_blocking`.

mod cache;
mod copy;
mod error;
mod layout;
mod load;
mod marker;
mod memory;
mod open;
mod ranked;
mod read;
mod sort;
mod store;
mod stored;
mod tickets;
mod write;

pub use error::OnlineError;
pub use load::LoadError;
pub use read::Dated;
pub use store::OnlineStore;
pub use stored::Go;
