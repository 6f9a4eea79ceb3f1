//! Who may do what: a few Cedar policies over grants, and one decision point for the whole house.
//!
//! Start with `policies.cedar` and `schema.cedar` beside this file: they are the rules. [`Policy::decide`] puts one
//! question to them. Grants are data on the namespace a question is about (`principal in resource.namespace.editors`),
//! not policies of their own, so a thousand grants cost what ten do.
//!
//! A [`Grant`] names `user:ana`, `system:controllers`, `workload:ns/name` or `group:data`, and a namespace or `*` for all of
//! them. The local administrators (`group:system:masters`) and the controllers own everything by rows like any other.
//! [`bind`] keeps the grants of one RoleBinding: all of them are replaced together.
//!
//! This crate does not know how a caller proved who it is, and it holds no objects: a question carries what it needs.

mod binding;
mod decision;
mod engine;
mod error;
mod grant;
mod grants;
mod policy;
mod question;

use bedplate_db::Migration;

pub use binding::{bind, bound};
pub use decision::Decision;
pub use error::PolicyError;
pub use grant::{Grant, Role, grant, list, revoke};
pub use policy::Policy;
pub use question::{Action, Resource};

/// The tables of grants, with the two grants every installation begins with.
pub const MIGRATIONS: &[Migration] = &[GRANTS, BOUND_GRANTS];

const BOUND_GRANTS: Migration = Migration {
    name: "policy_0002_bound_grants",
    sql: "CREATE TABLE policy_bound_grants (
              namespace TEXT NOT NULL,
              binding TEXT NOT NULL,
              principal TEXT NOT NULL,
              role TEXT NOT NULL,
              PRIMARY KEY (namespace, binding, principal, role)
          );
          CREATE TABLE policy_version (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
          INSERT INTO policy_version (id, version) VALUES (1, 0);",
};

const GRANTS: Migration = Migration {
    name: "policy_0001_grants",
    sql: "CREATE TABLE policy_grants (
              principal TEXT NOT NULL,
              namespace TEXT NOT NULL,
              role TEXT NOT NULL,
              PRIMARY KEY (principal, namespace, role)
          );
          INSERT INTO policy_grants (principal, namespace, role) VALUES
              ('system:controllers', '*', 'owner'),
              ('group:system:masters', '*', 'owner');",
};
