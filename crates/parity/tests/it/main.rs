//! Parity of what is stored and what is joined: exact where it is so, and told where it is not.

mod catches;
mod exact;
mod source;
