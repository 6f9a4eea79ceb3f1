//! The ledger's tables.

use bedplate_db::Migration;

/// Usage events, what was posted for them, balances by day (UTC) kept in the same transactions, and the price sheets as
/// they stand.
pub const MIGRATIONS: &[Migration] = &[EVENTS, DOUBLE_ENTRY];

const EVENTS: Migration = Migration {
    name: "ledger_0001_events",
    sql: "CREATE TABLE ledger_events (
              id TEXT PRIMARY KEY,
              at BIGINT NOT NULL,
              namespace TEXT NOT NULL,
              subject TEXT NOT NULL,
              resource TEXT NOT NULL,
              amount_micro BIGINT NOT NULL,
              price_micro BIGINT NOT NULL,
              cost_micro BIGINT NOT NULL,
              currency TEXT NOT NULL
          );
          CREATE INDEX ledger_events_by_namespace ON ledger_events (namespace, resource);",
};

/// Takes over every row of the single-entry table, each with the price it was recorded at; their sheet is `prices.json`, their
/// team is not known and called after the namespace. A currency of `''` in a balance is what is not priced yet.
const DOUBLE_ENTRY: Migration = Migration {
    name: "ledger_0002_double_entry",
    sql: "CREATE TABLE ledger_usage (
              id TEXT PRIMARY KEY,
              at BIGINT NOT NULL,
              namespace TEXT NOT NULL,
              team TEXT NOT NULL,
              subject TEXT NOT NULL,
              resource TEXT NOT NULL,
              amount_micro BIGINT NOT NULL
          );
          CREATE TABLE ledger_entries (
              id TEXT PRIMARY KEY,
              usage_id TEXT NOT NULL,
              kind TEXT NOT NULL,
              at BIGINT NOT NULL,
              sheet TEXT NOT NULL,
              generation BIGINT NOT NULL,
              price_micro BIGINT NOT NULL,
              reason TEXT NOT NULL
          );
          CREATE TABLE ledger_postings (
              entry TEXT NOT NULL,
              account TEXT NOT NULL,
              currency TEXT NOT NULL,
              amount_micro BIGINT NOT NULL,
              PRIMARY KEY (entry, account, currency)
          );
          CREATE TABLE ledger_unpriced (
              usage_id TEXT PRIMARY KEY,
              resource TEXT NOT NULL,
              at BIGINT NOT NULL
          );
          CREATE TABLE ledger_balances (
              day BIGINT NOT NULL,
              namespace TEXT NOT NULL,
              team TEXT NOT NULL,
              subject TEXT NOT NULL,
              resource TEXT NOT NULL,
              currency TEXT NOT NULL,
              events BIGINT NOT NULL,
              amount_micro BIGINT NOT NULL,
              cost_micro BIGINT NOT NULL,
              PRIMARY KEY (namespace, day, team, subject, resource, currency)
          );
          CREATE TABLE ledger_sheets (
              name TEXT PRIMARY KEY,
              generation BIGINT NOT NULL,
              currency TEXT NOT NULL,
              valid_from BIGINT NOT NULL,
              valid_to BIGINT NOT NULL
          );
          CREATE TABLE ledger_prices (
              sheet TEXT NOT NULL,
              resource TEXT NOT NULL,
              price_micro BIGINT NOT NULL,
              PRIMARY KEY (sheet, resource)
          );
          INSERT INTO ledger_usage (id, at, namespace, team, subject, resource, amount_micro)
              SELECT id, at, namespace, namespace, subject, resource, amount_micro FROM ledger_events;
          INSERT INTO ledger_entries (id, usage_id, kind, at, sheet, generation, price_micro, reason)
              SELECT 'usage:' || id, id, 'usage', at, 'prices.json', 0, price_micro, '' FROM ledger_events;
          INSERT INTO ledger_postings (entry, account, currency, amount_micro)
              SELECT 'usage:' || id, 'centre:' || namespace || '/' || namespace, currency, cost_micro FROM ledger_events;
          INSERT INTO ledger_postings (entry, account, currency, amount_micro)
              SELECT 'usage:' || id, 'provider:' || resource, currency, -cost_micro FROM ledger_events;
          INSERT INTO ledger_balances
                  (day, namespace, team, subject, resource, currency, events, amount_micro, cost_micro)
              SELECT (at - ((at % 86400000000) + 86400000000) % 86400000000) / 86400000000 AS day,
                  namespace, namespace, subject, resource, currency,
                  COUNT(*), CAST(SUM(amount_micro) AS BIGINT), CAST(SUM(cost_micro) AS BIGINT)
              FROM ledger_events GROUP BY 1, namespace, subject, resource, currency;
          DROP TABLE ledger_events;",
};
