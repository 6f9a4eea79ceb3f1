//! The tables of the API server.

use bedplate_db::Migration;

/// Objects as they are, changes as they happened, and who owns whom.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "apiserver-1", sql: TABLES },
    Migration { name: "apiserver-2", sql: SNAPSHOTS },
    Migration { name: "apiserver-reviews", sql: REVIEWS },
];

/// Reviews of a cluster's API server that are in the audit log already.
const REVIEWS: &str = "
CREATE TABLE api_reviews (uid TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL);
CREATE INDEX api_reviews_by_time ON api_reviews (at);
";

/// A change keeps the object as it was before, so that a list can show the past. Changes recorded without that are
/// forgotten: who went on from them begins anew. `floor` is the newest version whose changes are no longer all there.
const SNAPSHOTS: &str = "
DELETE FROM api_changes;
ALTER TABLE api_changes DROP COLUMN labels_before;
ALTER TABLE api_changes ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE api_changes ADD COLUMN body_before TEXT;
CREATE INDEX api_changes_by_object ON api_changes (resource, namespace, name, version);
ALTER TABLE api_head ADD COLUMN floor BIGINT NOT NULL DEFAULT 0;
UPDATE api_head SET floor = version;
";

const TABLES: &str = "
CREATE TABLE api_objects (
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)
);
CREATE INDEX api_objects_by_namespace ON api_objects (namespace);
CREATE INDEX api_objects_by_uid ON api_objects (uid);
CREATE TABLE api_owners (
  owner_uid TEXT NOT NULL,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (owner_uid, resource, namespace, name)
);
CREATE INDEX api_owners_by_dependent ON api_owners (resource, namespace, name);
CREATE TABLE api_changes (
  version BIGINT NOT NULL PRIMARY KEY,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  event TEXT NOT NULL,
  labels_before TEXT,
  body TEXT NOT NULL
);
CREATE INDEX api_changes_by_resource ON api_changes (resource, version);
CREATE TABLE api_head (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL);
INSERT INTO api_head (id, version) VALUES (1, 0);
";
