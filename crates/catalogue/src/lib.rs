//! The catalogue: what there is to be found among the declared objects, and what stands on it.
//!
//! Start with [`Object`], a declared thing that has a place in the catalogue; [`Object::entries`] says what of it can be
//! found: itself, and its columns, features and versions. [`Namespace`] knows all of one namespace and says what uses what, and which
//! features are computed alike.
//! [`pii::Sampler`] tells which columns may hold what tells of persons.
//! All of it is plain computation over objects that somebody else watches: this crate knows neither who asks, nor
//! what they may see, nor how a search is made.

mod entry;
mod expression;
mod namespace;
mod object;
pub mod pii;
mod words;

pub use entry::{Entry, EntryKind};
pub use namespace::{Namespace, Use};
pub use object::{Object, ObjectKind};
pub use words::words;
