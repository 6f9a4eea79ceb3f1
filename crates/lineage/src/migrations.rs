//! The graph's tables.

use bedplate_db::Migration;

/// Nodes with facts, edges between nodes, edges between columns, and which version of a thing counts. A column's edge also
/// has the places of both ends, as OpenLineage spells them.
pub const MIGRATIONS: &[Migration] = &[GRAPH, COLUMNS];

const GRAPH: Migration = Migration {
    name: "lineage_0001_graph",
    sql: "CREATE TABLE lineage_nodes (id TEXT PRIMARY KEY, facts TEXT NOT NULL);
          CREATE TABLE lineage_edges (
              cause TEXT NOT NULL,
              effect TEXT NOT NULL,
              made_by TEXT NOT NULL,
              at BIGINT NOT NULL,
              PRIMARY KEY (cause, effect, made_by)
          );
          CREATE INDEX lineage_edges_by_effect ON lineage_edges (effect, cause);",
};

const COLUMNS: Migration = Migration {
    name: "lineage_0002_columns",
    sql: "CREATE TABLE lineage_columns (
              cause TEXT NOT NULL,
              effect TEXT NOT NULL,
              how TEXT NOT NULL,
              made_by TEXT NOT NULL,
              at BIGINT NOT NULL,
              of_namespace TEXT NOT NULL,
              of_dataset TEXT NOT NULL,
              of_field TEXT NOT NULL,
              namespace TEXT NOT NULL,
              dataset TEXT NOT NULL,
              field TEXT NOT NULL,
              PRIMARY KEY (cause, effect)
          );
          CREATE INDEX lineage_columns_by_effect ON lineage_columns (effect, cause);
          CREATE INDEX lineage_columns_by_place ON lineage_columns (namespace, dataset, field);
          CREATE INDEX lineage_columns_by_origin ON lineage_columns (of_namespace, of_dataset, of_field);
          CREATE TABLE lineage_heads (name TEXT PRIMARY KEY, node TEXT NOT NULL);",
};
