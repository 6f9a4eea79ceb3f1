//! CHECK constraints: conditions that the Delta log of a table makes of each of its rows, whoever writes them
//! (<https://github.com/delta-io/delta/blob/master/PROTOCOL.md#check-constraints>).
//!
//! A row breaks one where it is false, and where it is null. Those that a dataset declares go into the log with the version
//! whose rows meet them ([`Demands::next`]); what another writer put there stays and counts as well. Rows are judged on their
//! way into a table ([`Tally`]), or where they lie ([`judge_files`]) when a constraint is newer than they are. What is judged by
//! is the text of the log, so that it says the same to all who read it ([`text`]).

mod admit;
mod compiled;
mod demands;
mod error;
mod files;
mod tally;
mod text;

pub use admit::constraint_errors;
pub(crate) use admit::of as declared_by;
pub(crate) use compiled::Constraints;
pub(crate) use demands::{Demands, Expressions};
pub use error::{Broken, ConstraintError};
pub(crate) use files::judge_files;
pub(crate) use tally::{Breach, Tally};
