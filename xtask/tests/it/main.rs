//! What is written from the kinds, and whether it is current.

#![expect(clippy::disallowed_methods, reason = "it is told through the environment whether to write")]

mod reference;
