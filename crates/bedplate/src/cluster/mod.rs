//! A real cluster as the control plane: how it is reached, and what is served beside it.

mod connect;
mod routes;
mod webhook;

pub use connect::{Cluster, ClusterOptions, connect};
pub use routes::routes;
pub use webhook::routes as webhook_routes;
