//! The feature protocol's port on history: what a view or a dataset holds, as far as the reader may see it, and features as
//! they were known. Reading a view's history takes the right to read each of its datasets: masks and filters bind, and each
//! read is written down, as for a statement of one's own.

mod join;
mod pull;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bedplate_feast::{Labels, OfflineStore, Pull, Reader, Selected, StoreError, Table};
use bedplate_types::{ErrorKind, Problem};
use futures::StreamExt;

use self::join::Joins;
use super::bound;
use crate::surface::sql::{Caller, Sql, Statement};

pub struct History {
    sql: Sql,
    joins: Joins,
}

impl History {
    /// # Errors
    /// When there are no threads to be had.
    pub fn open(sql: Sql) -> Result<Self, Problem> {
        Ok(Self { sql, joins: Joins::open()? })
    }

    async fn rows(&self, reader: &Reader, sql: String) -> Result<Table, Problem> {
        let answer = self.sql.run(&caller(reader), Statement::new(sql, "feast")).await?;
        let schema = answer.schema.clone();
        let rows = answer.map(|batch| batch.map_err(|error| Problem::of("the statement", &error)));
        Ok(Table { schema, rows: rows.boxed() })
    }

    async fn source(&self, reader: &Reader, source: &str) -> Result<SchemaRef, StoreError> {
        let all = ["SELECT * FROM ", &pull::quoted(source)].concat();
        self.sql.schema(&caller(reader), Statement::new(all, "feast")).await.map_err(missing(source))
    }
}

#[async_trait]
impl OfflineStore for History {
    async fn statement(&self, reader: &Reader, sql: &str) -> Result<Table, StoreError> {
        Ok(self.rows(reader, sql.to_owned()).await?)
    }

    async fn historical(
        &self,
        reader: &Reader,
        selected: Arc<Selected>,
        names: Vec<String>,
        labels: Labels,
    ) -> Result<Table, StoreError> {
        let plan = join::Plan::of(&selected, bound(&selected)?, names, &labels.table.schema)?;
        let mut allowed = Vec::new();
        for view in &plan.views {
            allowed.push(self.sql.allow(&caller(reader), Statement::new(view.sql.as_str(), "feast")).await?);
        }
        Ok(self.joins.begin(plan, join::Shown { sql: self.sql.clone(), allowed }, labels).await?)
    }

    async fn pull(&self, reader: &Reader, pull: Pull) -> Result<Table, StoreError> {
        let columns = match pull.features.is_empty() {
            true => {
                self.source(reader, &pull.source).await?.fields().iter().map(|field| field.name().clone()).collect()
            }
            false => Vec::new(),
        };
        self.rows(reader, pull::sql(&pull, columns)).await.map_err(missing(&pull.source))
    }

    async fn columns(&self, reader: &Reader, source: &str) -> Result<SchemaRef, StoreError> {
        self.source(reader, source).await
    }
}

fn caller(reader: &Reader) -> Caller {
    let Reader { principal, namespace, purpose } = reader.clone();
    Caller { principal, namespace, purpose }
}

fn missing(source: &str) -> impl Fn(Problem) -> StoreError {
    move |problem| match problem.kind {
        ErrorKind::NotFound => StoreError::NoSource(source.to_owned()),
        _ => problem.into(),
    }
}
