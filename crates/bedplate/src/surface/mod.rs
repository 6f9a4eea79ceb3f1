//! What the platform shows to the outside, joined to the engines behind it: one file a port.

pub mod api;
pub mod catalogue;
pub mod console;
pub mod features;
pub mod flight;
pub mod namespaces;
pub mod predictor;
pub mod profile;
pub mod registry;
pub mod sql;
