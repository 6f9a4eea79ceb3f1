//! Flight SQL's port on statements.

use arrow::datatypes::SchemaRef;
use bedplate_flight::{Rows, Statements, Table};
use bedplate_types::Problem;
use futures::StreamExt;

use super::sql::{Caller, Sql, Statement, engine};

pub struct Served(pub Sql);

#[async_trait::async_trait]
impl Statements for Served {
    async fn schema(&self, caller: &bedplate_flight::Caller, sql: &str) -> Result<SchemaRef, Problem> {
        self.0.schema(&of(caller), statement(caller, sql)?).await
    }

    async fn run(&self, caller: &bedplate_flight::Caller, sql: &str) -> Result<Rows, Problem> {
        let answer = self.0.run(&of(caller), statement(caller, sql)?).await?;
        let schema = answer.schema.clone();
        let batches = answer.map(|batch| batch.map_err(|error| Problem::of("the statement", &error)));
        Ok(Rows { schema, batches: batches.boxed() })
    }

    async fn tables(&self, caller: &bedplate_flight::Caller, with_schema: bool) -> Result<Vec<Table>, Problem> {
        let asks = of(caller);
        let mut tables = Vec::new();
        for known in self.0.known(&asks).await? {
            let all = ["SELECT * FROM \"", &known.dataset, "\""].concat();
            let schema = match with_schema {
                // One that cannot be read now is told without its columns.
                true => self.0.schema(&asks, statement(caller, &all)?).await.ok(),
                false => None,
            };
            tables.push(Table { name: known.table, schema });
        }
        Ok(tables)
    }
}

fn of(caller: &bedplate_flight::Caller) -> Caller {
    let bedplate_flight::Caller { principal, namespace, purpose, .. } = caller.clone();
    Caller { principal, namespace, purpose }
}

fn statement(caller: &bedplate_flight::Caller, sql: &str) -> Result<Statement, Problem> {
    Ok(Statement { engine: engine(caller.engine.as_deref())?, ..Statement::new(sql, "flight-sql") })
}
