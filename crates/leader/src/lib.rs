//! Which of several replicas leads: decided by each of them alone, from a lease that all of them can see.
//!
//! Start with [`plan`]: from what a replica has seen of the lease, its own name and its own time, it says what to do now. Times
//! are only ever compared with times of the same replica: a lease has run out when it has not changed for as long as it
//! lasts *before the eyes of the one who wants it*, so clocks need not agree. [`Lease::transitions`] counts the takers: it is the
//! epoch by which what an old leader still writes can be told from what the new one does, and refused.
//!
//! It does not know where a lease is kept, how it is written so that only one of two takers succeeds, nor what a leader does.

mod lease;
mod plan;

pub use lease::{Lease, Seen};
pub use plan::{Step, may_go_on, plan};
