//! Nothing is open that should not be: every operation of every listener, and whatever else can be sent to them.
//!
//! A platform with two namespaces is asked over its sockets. `flights` holds a whole use case that nobody but the
//! administrator has a right to; `rides` belongs to those who try to get at it.

mod cases;
mod console;
mod fuzz;
mod grpc;
pub mod http;
mod operations;
pub mod s3;
mod table;
mod world;

/// One after the other: what the second leaves behind in its own namespace is not to be met by the first.
#[test]
fn every_operation_refuses_who_may_not_and_nothing_of_another_namespace_is_told_or_changed() {
    let world = world::World::make();
    operations::walk(&world);
    fuzz::attack(&world);
}
