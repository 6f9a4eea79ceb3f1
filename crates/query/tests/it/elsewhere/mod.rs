//! Sources on other machines.

mod postgres;
mod web;
