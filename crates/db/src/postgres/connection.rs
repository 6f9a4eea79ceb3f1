//! One connection: its statements are prepared once, and each is sent together with the savepoint it runs in.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement};

use super::error::{Failure, running};
use super::server::Server;
use super::value::{Argument, declared};
use crate::{DbError, Value};

/// Prepared statements kept; when there are more, all are forgotten.
const STATEMENTS: usize = 256;

/// `off` would acknowledge what a power failure can still take. A transaction that does nothing for a minute holds up every
/// other replica.
const SET_UP: &str = "
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET lock_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s';
    SET standard_conforming_strings = on";

pub(super) struct Connection {
    server: Arc<Server>,
    client: Arc<Client>,
    statements: HashMap<(String, Vec<Type>), Statement>,
}

/// What a statement came to.
pub(super) enum Answer {
    Changed(u64),
    /// It was not run: a change was wanted, and it answers with rows.
    NotAChange,
    Rows(Vec<tokio_postgres::Row>),
}

/// What is wanted of a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Change,
    Rows,
}

impl Connection {
    pub(super) fn set_up(server: Arc<Server>, client: Client) -> Result<Self, DbError> {
        let connection = Self { server, client: Arc::new(client), statements: HashMap::new() };
        connection.run(SET_UP).map_err(|failure| running(&connection.server, "SET", &failure))?;
        Ok(connection)
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Statements without arguments and without answers, one after the other until one fails.
    pub(super) fn run(&self, sql: &str) -> Result<(), Failure> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        self.server.wait(async move { client.batch_execute(&sql).await })
    }

    /// Sends `before` and the statement at once. The outer failure is that of `before`, the inner one the statement's.
    pub(super) fn ask(
        &mut self,
        before: String,
        sql: &str,
        args: &[Value],
        want: Want,
    ) -> Result<Result<Answer, Failure>, Failure> {
        let types: Vec<Type> = args.iter().map(declared).collect();
        let key = (sql.to_owned(), types);
        let known = self.statements.get(&key).cloned();
        let arguments: Vec<Argument> = args.iter().cloned().map(Argument).collect();
        let (client, text) = (Arc::clone(&self.client), key.clone());
        let (first, answered) = self.server.wait(async move {
            let statement = async {
                let statement = match known {
                    Some(statement) => statement,
                    None => client.prepare_typed(&text.0, &text.1).await?,
                };
                let answer = answer(&client, &statement, &arguments, want).await?;
                Ok::<_, Error>((statement, answer))
            };
            Ok(tokio::join!(biased; client.batch_execute(&before), statement))
        })?;
        first.map_err(Failure::Told)?;
        Ok(answered.map_err(Failure::Told).map(|(statement, answer)| {
            self.keep(key, statement);
            answer
        }))
    }

    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    fn keep(&mut self, key: (String, Vec<Type>), statement: Statement) {
        if self.statements.len() >= STATEMENTS && !self.statements.contains_key(&key) {
            self.statements.clear();
        }
        self.statements.insert(key, statement);
    }
}

async fn answer(client: &Client, statement: &Statement, args: &[Argument], want: Want) -> Result<Answer, Error> {
    let args = args.iter().map(|arg| arg as &(dyn tokio_postgres::types::ToSql + Sync));
    let args: Vec<_> = args.collect();
    Ok(match want {
        Want::Change if statement.columns().is_empty() => Answer::Changed(client.execute(statement, &args).await?),
        Want::Change => Answer::NotAChange,
        Want::Rows => Answer::Rows(client.query(statement, &args).await?),
    })
}
