//! The API server through its doors: the router, kube-rs, and kubectl over a real socket.

mod admission;
mod apply;
mod authorization;
mod columns_in_use;
mod commands;
mod definitions;
mod discovery;
mod durability;
mod governance;
mod kube_rs;
mod kubectl;
mod lifecycle;
mod objects;
mod policies;
mod price_sheets;
mod propagation;
mod python;
mod snapshots;
mod support;
mod validation;
mod watch;

#[test]
fn everything_once_more_on_postgres() {
    bedplate_testkit::suite_on_postgres(&["everything_once_more_on_postgres", "durability"]);
}
