//! How much a statement grows into: a few words that name one another make plans of millions of steps, before any limit on
//! memory or time is heeded.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, Query, Visitor};

use super::ReadError;

/// The most tables, each counted as often as a `WITH` that names it is used.
const MOST_TABLES: u64 = 500;
/// The most columns in `CUBE`, `ROLLUP` and `GROUPING SETS` together: a cube of `n` has `2^n` groupings.
const MOST_GROUPINGS: usize = 12;

/// Counts while it walks.
#[derive(Default)]
pub(super) struct Size {
    /// What a name stands for, in tables; of two `WITH`s of one name the larger.
    named: HashMap<String, u64>,
    /// The names of queries that a `WITH` gives one, by where the query stands.
    names: HashMap<*const Query, String>,
    /// The tables of the queries the walk is within.
    within: Vec<u64>,
    largest: u64,
    groupings: usize,
}

impl Size {
    pub fn check(&self) -> Result<(), ReadError> {
        let tables = usize::try_from(self.largest).unwrap_or(usize::MAX);
        if self.largest > MOST_TABLES {
            let most = usize::try_from(MOST_TABLES).unwrap_or(usize::MAX);
            return Err(ReadError::TooLong { what: "tables once its names are followed", has: tables, most });
        }
        if self.groupings > MOST_GROUPINGS {
            let (what, most) = ("columns to group by in CUBE, ROLLUP and GROUPING SETS", MOST_GROUPINGS);
            return Err(ReadError::TooLong { what, has: self.groupings, most });
        }
        Ok(())
    }

    fn add(&mut self, tables: u64) {
        if let Some(within) = self.within.last_mut() {
            *within = within.saturating_add(tables);
            self.largest = self.largest.max(*within);
        }
    }
}

fn name(identifier: &Ident) -> String {
    identifier.value.to_lowercase()
}

impl Visitor for Size {
    type Break = ReadError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.names.insert(std::ptr::from_ref(&*cte.query), name(&cte.alias.name));
        }
        self.within.push(1);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        let tables = self.within.pop().unwrap_or(1);
        match self.names.get(&std::ptr::from_ref(query)).cloned() {
            Some(name) => {
                let known = self.named.entry(name).or_insert(tables);
                *known = tables.max(*known);
            }
            None => self.add(tables),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Self::Break> {
        let last = relation.0.last().and_then(|part| part.as_ident()).map(name);
        let tables = last.and_then(|name| self.named.get(&name).copied()).unwrap_or(1);
        self.add(tables);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Self::Break> {
        if let Expr::Cube(sets) | Expr::Rollup(sets) | Expr::GroupingSets(sets) = expression {
            self.groupings += sets.len();
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use bedplate_types::{ErrorKind, Explained};

    use crate::reader::statement::parse;

    #[track_caller]
    fn check(sql: &str, fits: bool) {
        let parsed = parse(sql).map_err(|error| error.kind());
        assert_eq!(parsed.is_ok(), fits, "{sql}: {parsed:?}");
        assert!(fits || parsed == Err(ErrorKind::TooLarge), "{sql}: {parsed:?}");
    }

    fn doubled(times: usize) -> String {
        let each = (1..=times).map(|n| format!("c{n} AS (SELECT a.n FROM c{} a, C{} b)", n - 1, n - 1));
        format!("WITH c0 AS (SELECT 1 AS n), {} SELECT * FROM c{times}", each.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn names_are_followed_before_a_plan_is_made() {
        check(&doubled(6), true);
        check(&doubled(40), false);
        check(&format!("SELECT * FROM ({}) x", doubled(40)), false);
        check(&format!("SELECT 1 WHERE EXISTS ({})", doubled(40)), false);
        let chain = (1..100).map(|n| format!("c{n} AS (SELECT n FROM c{})", n - 1)).collect::<Vec<_>>().join(", ");
        check(&format!("WITH c0 AS (SELECT 1 AS n), {chain} SELECT * FROM c99"), true);
        check(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(300)), true);
    }

    #[test]
    fn groupings_are_counted() {
        check("SELECT a, b, count(*) FROM t GROUP BY CUBE (a, b), ROLLUP (c)", true);
        let many = (0..20).map(|n| format!("a{n}")).collect::<Vec<_>>().join(", ");
        check(&format!("SELECT count(*) FROM t GROUP BY CUBE ({many})"), false);
        check(&format!("SELECT count(*) FROM t GROUP BY a{}", ", ROLLUP (x)".repeat(30)), false);
    }
}
