//! Who may do what: a few Cedar policies over grants, people's own policies beside them, and one decision point for the
//! whole house.
//!
//! Start with `policies.cedar` beside this file, which holds the built-in rules, and [`schema`], which says what rules may
//! speak of; it is written from the kinds there are. [`Policy::ask`] puts one [`Question`] to them, with the [`Tags`] of
//! what is asked about and what it is asked for. Grants are data: roles that a principal is in
//! (`principal in resource.namespace.editors`), not policies of their own, so a thousand grants cost what ten do.
//!
//! A [`Grant`] names `user:ana`, `system:controllers`, `workload:ns/name` or `group:data`, and a namespace or `*` for all of
//! them. The local administrators (`group:system:masters`) and the controllers own everything by rows like any other.
//! [`bind`] keeps the grants of one RoleBinding, [`declare`] the text of one Policy: what is stored counts after the next
//! [`Policy::refresh`]. A [`Source`] of the namespace `bedplate-system` counts everywhere; any other is not even looked at
//! for what lies outside its namespace.
//!
//! What is decided is remembered, and counted; [`Policy::given`] hands over what to write down. [`Operation`] is a line of
//! the tables that surfaces build their routers from.
//!
//! This crate does not know how a caller proved who it is, and it holds no objects: a question carries what it needs.

mod binding;
mod cases;
mod decision;
mod declared;
mod engine;
mod entity;
mod error;
mod given;
mod grant;
mod grants;
mod journal;
mod kind;
mod memory;
mod operation;
mod policy;
mod principal;
mod question;
mod rules;
mod schema;
mod set;
mod source;
mod tags;

use bedplate_db::Migration;

pub use binding::{bind, bound};
pub use cases::{Case, Cases, Expect, Thing, Verdict};
pub use decision::Decision;
pub use declared::{declare, retract};
pub use error::PolicyError;
pub use given::{Given, StoredDecision, Wanted, decisions, forget_old_decisions, lost_decisions};
pub use grant::{Grant, Role, grant, list, revoke, version};
pub use operation::{Hidden, Operation, Who};
pub use policy::Policy;
pub use question::{Action, Circumstances, Context, Question, Resource};
pub use rules::Rules;
pub use schema::schema;
pub use source::{Flaw, Source};
pub use tags::Tags;

/// The tables of grants, with the two grants every installation begins with; of policies; of decisions.
pub const MIGRATIONS: &[Migration] = &[GRANTS, BOUND_GRANTS, TEXTS, DECISIONS];

const TEXTS: Migration = Migration {
    name: "policy_0003_texts",
    sql: "CREATE TABLE policy_texts (
              namespace TEXT NOT NULL,
              name TEXT NOT NULL,
              cedar TEXT NOT NULL,
              PRIMARY KEY (namespace, name)
          );",
};

const DECISIONS: Migration = Migration {
    name: "policy_0004_decisions",
    sql: "CREATE TABLE policy_decisions (
              minute BIGINT NOT NULL,
              last_at BIGINT NOT NULL,
              principal TEXT NOT NULL,
              action TEXT NOT NULL,
              kind TEXT NOT NULL,
              namespace TEXT NOT NULL,
              name TEXT NOT NULL,
              purpose TEXT NOT NULL,
              site TEXT NOT NULL,
              policies TEXT NOT NULL,
              allowed BIGINT NOT NULL,
              why TEXT NOT NULL,
              times BIGINT NOT NULL,
              PRIMARY KEY (minute, principal, action, kind, namespace, name, purpose, site, policies, allowed)
          );
          CREATE INDEX policy_decisions_by_time ON policy_decisions (last_at);
          CREATE INDEX policy_decisions_by_namespace ON policy_decisions (namespace, last_at);
          CREATE TABLE policy_decisions_lost (id BIGINT PRIMARY KEY, times BIGINT NOT NULL);
          INSERT INTO policy_decisions_lost (id, times) VALUES (1, 0);",
};

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
