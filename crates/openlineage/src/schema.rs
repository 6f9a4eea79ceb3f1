//! The tables: events as they came, and what was derived from them.

use bedplate_db::Migration;

/// The crate's tables, which stand on those of `bedplate-lineage`. Times are event times in microseconds but for `received_at`; a pair of `…at` and `…by` is a stamp.
pub const MIGRATIONS: &[Migration] = &[EVENTS, COLUMNS];

/// What was told of columns together with what bedplate made itself, whatever the version.
const COLUMNS: Migration = Migration {
    name: "openlineage_0002_all_columns",
    sql: "CREATE VIEW openlineage_all_columns AS
              SELECT namespace, dataset, field, of_namespace, of_dataset, of_field, description, transformation
              FROM openlineage_columns
              UNION
              SELECT namespace, dataset, field, of_namespace, of_dataset, of_field, NULL, how FROM lineage_columns;",
};

const EVENTS: Migration = Migration {
    name: "openlineage_0001_events",
    sql: "CREATE TABLE openlineage_events (
              digest TEXT PRIMARY KEY,
              at BIGINT NOT NULL,
              received_at BIGINT NOT NULL,
              kind TEXT NOT NULL,
              bytes BIGINT NOT NULL,
              body TEXT NOT NULL
          );
          CREATE INDEX openlineage_events_by_time ON openlineage_events (at, digest);
          CREATE TABLE openlineage_event_scopes (
              event TEXT NOT NULL,
              scope TEXT NOT NULL,
              PRIMARY KEY (event, scope)
          );
          CREATE TABLE openlineage_namespaces (
              name TEXT PRIMARY KEY,
              scope TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              updated_at BIGINT NOT NULL
          );
          CREATE INDEX openlineage_namespaces_by_scope ON openlineage_namespaces (scope);
          CREATE TABLE openlineage_jobs (
              namespace TEXT NOT NULL,
              name TEXT NOT NULL,
              scope TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              updated_at BIGINT NOT NULL,
              PRIMARY KEY (namespace, name)
          );
          CREATE TABLE openlineage_runs (
              id TEXT NOT NULL,
              namespace TEXT NOT NULL,
              job TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              updated_at BIGINT NOT NULL,
              started_at BIGINT,
              end_state TEXT,
              ended_at BIGINT,
              ended_by TEXT,
              PRIMARY KEY (id, namespace, job)
          );
          CREATE INDEX openlineage_runs_by_job ON openlineage_runs (namespace, job, created_at);
          CREATE TABLE openlineage_datasets (
              namespace TEXT NOT NULL,
              name TEXT NOT NULL,
              scope TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              updated_at BIGINT NOT NULL,
              version TEXT,
              version_at BIGINT,
              version_by TEXT,
              PRIMARY KEY (namespace, name)
          );
          CREATE TABLE openlineage_versions (
              namespace TEXT NOT NULL,
              dataset TEXT NOT NULL,
              version TEXT NOT NULL,
              created_at BIGINT NOT NULL,
              fields TEXT NOT NULL,
              run_id TEXT,
              run_namespace TEXT,
              run_job TEXT,
              PRIMARY KEY (namespace, dataset, version)
          );
          CREATE TABLE openlineage_io (
              namespace TEXT NOT NULL,
              job TEXT NOT NULL,
              side TEXT NOT NULL,
              dataset_namespace TEXT NOT NULL,
              dataset TEXT NOT NULL,
              PRIMARY KEY (namespace, job, side, dataset_namespace, dataset)
          );
          CREATE INDEX openlineage_io_by_dataset ON openlineage_io (dataset_namespace, dataset, side);
          CREATE TABLE openlineage_run_io (
              run_id TEXT NOT NULL,
              namespace TEXT NOT NULL,
              job TEXT NOT NULL,
              side TEXT NOT NULL,
              dataset_namespace TEXT NOT NULL,
              dataset TEXT NOT NULL,
              version TEXT,
              version_at BIGINT,
              version_by TEXT,
              PRIMARY KEY (run_id, namespace, job, side, dataset_namespace, dataset)
          );
          CREATE INDEX openlineage_run_io_by_dataset ON openlineage_run_io (dataset_namespace, dataset, side);
          CREATE TABLE openlineage_columns (
              namespace TEXT NOT NULL,
              dataset TEXT NOT NULL,
              field TEXT NOT NULL,
              of_namespace TEXT NOT NULL,
              of_dataset TEXT NOT NULL,
              of_field TEXT NOT NULL,
              transformation TEXT,
              description TEXT,
              told_at BIGINT NOT NULL,
              told_by TEXT NOT NULL,
              PRIMARY KEY (namespace, dataset, field, of_namespace, of_dataset, of_field)
          );
          CREATE INDEX openlineage_columns_by_input ON openlineage_columns (of_namespace, of_dataset, of_field);
          CREATE TABLE openlineage_facets (
              subject TEXT NOT NULL,
              name TEXT NOT NULL,
              body TEXT,
              told_at BIGINT NOT NULL,
              told_by TEXT NOT NULL,
              PRIMARY KEY (subject, name)
          );",
};
