//! Models as exporters write them, and models as nobody should write them.

mod answers;
mod build;
mod hostile;
mod refusal;
