//! The words every other crate speaks: typed ids, names, quantities, time, and the closed set of error kinds.
//!
//! Start with [`ErrorKind`], which decides how any failure reaches a person or a client, and [`Timestamp`].
//! This crate knows nothing of I/O, tokio or HTTP. It stays tiny on purpose: everything depends on it.

mod digest;
mod duration;
mod error;
mod ids;
mod quantity;
mod scope;
mod time;

pub use digest::{Digest, InvalidDigest};
pub use duration::{InvalidSpan, Span};
pub use error::{ErrorKind, Explained, Problem};
pub use ids::{NamespacedName, PredictionId, RunId};
pub use quantity::{Bytes, Micros, Money};
pub use scope::{InvalidScope, Scope};
pub use time::{Clock, FixedClock, InvalidTimestamp, SystemClock, Timestamp};
