//! Governing changes: whose consent a change needs, whether it was given, and how much of what a namespace may hold and
//! spend.
//!
//! Start with [`decide`](fn@decide): classes, a [`Change`], the requests made for it and the time go in; out comes a
//! [`Decision`], with the evidence. [`standing`] is the state machine of one request. [`diff`](fn@diff) says what a change
//! touches, [`digest_of`] which exact change it is. [`exceeded`] holds a Quota against what is used, [`forecast`] a Budget
//! against what was and will be spent.
//!
//! This crate knows nothing of storage, HTTP or clocks. Who asks and who agreed are told to it; that they are who they say
//! is for the API server to know.

mod budget;
mod change;
mod decide;
mod diff;
mod digest;
mod quota;
mod request;
mod seats;

pub use budget::{Forecast, Month, forecast};
pub use change::{Change, selected};
pub use decide::{Decision, Need, Used, decide};
pub use diff::{FieldChange, desired, diff};
pub use digest::{Subject, canonical, digest_of};
pub use quota::{Holding, exceeded};
pub use request::{Missing, Request, Standing, Vote, may_vote, people, request_of, standing};
