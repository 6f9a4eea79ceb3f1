//! Infrastructure as code: what an apply would do, whether it may, and doing exactly that.
//!
//! Start with [`Planner::plan`]: manifests go in; out comes a [`Plan`] that says of every object what changes, where it
//! would be placed and why, what it costs, whether the policy allows it and who must agree. The API server rehearses the
//! writes for it and takes them back, so defaults, other managers, quotas and change classes are the real ones.
//! [`Planner::apply`] carries a saved plan out, all or nothing, while the state it was made for is still there.
//! [`Governor`] is what the API server asks in the transaction of every write: no client can go around it. [`check`] runs
//! tests of manifests against a server of their own; [`templates`] are manifests to begin with.
//!
//! The decisions are the pillars': `fabric` places and prices, `govern` knows classes, approvals, quotas and budgets. This
//! crate reads objects for them and tells what they said. It knows no files, no terminal and no environment.

mod ballot;
mod carry_out;
pub mod check;
mod digest;
mod document;
mod drift;
mod error;
pub mod file;
mod governor;
mod masked;
mod owner;
mod placeable;
mod planner;
pub mod print;
mod prune;
mod quota;
mod reckoning;
mod requests;
mod routes;
pub mod templates;
mod world;

pub use carry_out::{Applied, Saved};
pub use document::{
    Action, Approval, Budget, Cost, Field, Found, Outcome, Owner, Placement, Plan, Policy, Price, SiteVerdict, Step,
    Summary,
};
pub use drift::{Drift, Drifted};
pub use error::PlanError;
pub use governor::Governor;
pub use planner::{Asked, LIMIT, Ledger, MANAGER, Manifest, Planner, Scenario, Spent};
pub use routes::{operations, router};
