//! Where things are put: sites, what they can carry, and why one was chosen.
//!
//! Start with [`place`]: a [`Workload`], the [`Site`]s, the data it reads, the prices and the time go in; out comes a
//! [`Placement`] with a verdict for every site, in words. Sites that cannot take it are left out first (state, residency,
//! labels, accelerators, room); those that can are compared by what they cost with the data's transfer, then by how much of
//! the data is near, then by name, so that the same question has the same answer. [`place_all`] puts many things, one after
//! the other, and counts what each takes.
//!
//! [`cost_of`] says what a demand costs, and names what has no price instead of calling it free. [`replicas`] is how many
//! of an endpoint a load needs.
//!
//! This crate knows nothing of kinds' storage, of clouds or of clocks. Nothing is moved or started by it.

mod cost;
mod demand;
mod load;
mod place;
mod site;

pub use cost::{Cost, HOURS_A_MONTH, Prices, cost_of};
pub use demand::{Demand, Lifetime, USUAL_MEMORY_MIB, USUAL_MILLI_CPU};
pub use load::replicas;
pub use place::{Data, Placement, Score, Verdict, Workload, place, place_all};
pub use site::{Room, Site};
