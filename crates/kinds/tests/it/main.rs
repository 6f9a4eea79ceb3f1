//! The definitions of the kinds, held against the rules a real cluster has for them.

mod definitions;
mod names;
mod structural;
