//! Sources on other machines: objects of a store, and tables of a PostgreSQL database.
//!
//! What is there is brought to a file without a name beside the lake first, and read from it by the code that reads files:
//! a connection that is lost midway leaves nothing half-read, and no database waits while rows are judged.
//! [`Access`] is what one needs to get there: the hosts that may be asked, and the Secret.

mod access;
mod error;
mod hosts;
mod located;
pub(crate) mod postgres;
mod spool;
mod store;
mod transport;

pub use access::{Access, Credentials};
pub use error::ElsewhereError;
pub use hosts::{Host, Hosts, NoHost};
pub(crate) use store::{Store, surrogate};
