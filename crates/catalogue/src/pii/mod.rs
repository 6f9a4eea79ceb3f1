//! Which columns may hold what tells of a person: rules over their names and a bounded sample of their values.
//!
//! [`Sampler`] looks at rows as they go by and tells what each column looks like, how sure that is and why, without telling
//! a value. It is a suggestion and nothing follows from it: people accept it by declaring a mask, a tag or a classification.

mod kind;
mod rule;
mod sampler;

pub use kind::PiiKind;
pub use sampler::Sampler;
