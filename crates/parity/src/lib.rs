//! Parity: whether the online store answers what the offline one says, entity by entity and moment by moment.
//!
//! [`verify`] draws a sample of entities from what the view's source has and from what is stored online, asks the online
//! store for their values at a few moments, and makes the same values by the point-in-time join of the source, as a training
//! set is made. Both must be equal to the last bit. Where they are not, a third value decides: that of the rows the source was
//! to bring, together with those that were pushed beyond them. If the online store says that, nothing is wrong: somebody
//! pushed what the source does not have, or has not pushed yet what it has ([`Verdict::Expected`]).
//!
//! It does not know who asks, what they may see of the examples, or what becomes of the result.

mod compare;
mod error;
mod labels;
mod sampled;
mod served;
mod subject;
mod truth;
mod verified;
mod verify;

pub use compare::{Verdict, judge};
pub use error::ParityError;
pub use subject::{How, Subject};
pub use verified::{Cause, Example, Verified};
pub use verify::verify;
