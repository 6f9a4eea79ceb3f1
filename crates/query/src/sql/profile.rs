//! The profile of a column, for `drift` checks: counted by a query, which may spill.

use bedplate_lake::quality::Profile;

use super::{QueryError, TableRef};
use crate::Lake;

/// Words beyond so many are counted together.
const WORDS: usize = 100;

impl Lake {
    /// How a column of the latest version is spread, without nulls and NaN. `words` for a string column; the different
    /// numbers of a number column are held in memory while they are put into bins.
    pub async fn profile(
        &self,
        (namespace, name): (&str, &str),
        column: &str,
        words: bool,
    ) -> Result<Profile, QueryError> {
        let table = TableRef { alias: "t".into(), namespace: namespace.into(), name: name.into(), version: None };
        let column = format!("\"{}\"", column.replace('"', "\"\""));
        if words { self.words(table, &column).await } else { self.numbers(table, &column).await }
    }

    async fn numbers(&self, table: TableRef, column: &str) -> Result<Profile, QueryError> {
        let sql = format!(
            "SELECT v, count(*) AS n FROM (SELECT CAST({column} AS DOUBLE) AS v FROM t) \
             WHERE v IS NOT NULL AND NOT isnan(v) GROUP BY v ORDER BY v"
        );
        let frame = self.sql(&[table], &sql).await?;
        let counts = counts(frame.f64("n")?);
        Ok(Profile::numbers(&frame.f64("v")?.into_iter().zip(counts).collect::<Vec<_>>()))
    }

    async fn words(&self, table: TableRef, column: &str) -> Result<Profile, QueryError> {
        let sql = format!(
            "WITH c AS (SELECT {column} AS v, count(*) AS n FROM t WHERE {column} IS NOT NULL GROUP BY 1),
             ranked AS (SELECT v, n, row_number() OVER (ORDER BY n DESC, v) AS place FROM c)
             SELECT CASE WHEN place <= {WORDS} THEN v END AS v, sum(n) AS n, min(place) AS place
             FROM ranked GROUP BY 1 ORDER BY place"
        );
        let frame = self.sql(&[table], &sql).await?;
        let words = frame.strings("v")?.into_iter().map(Option::unwrap_or_default);
        Ok(Profile::words(words.zip(counts(frame.f64("n")?))))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of rows, below 2^53")]
fn counts(numbers: Vec<f64>) -> impl Iterator<Item = u64> {
    numbers.into_iter().map(|count| count as u64)
}
