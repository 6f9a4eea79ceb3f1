//! Sources on other machines.

mod postgres;
