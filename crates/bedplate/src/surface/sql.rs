//! SQL over the datasets of one namespace: who asks is asked about before anything is read, what was read is written down,
//! whichever way the statement came in.

mod grant;
mod near;
mod record;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use bedplate_db::Db;
use bedplate_identity::Principal;
use bedplate_kinds::{Dataset, Phase};
use bedplate_policy::Policy;
use bedplate_query::{Answer, Engine, NamedTable, NoEngine, Parsed, Reader, Request, Verb};
use bedplate_types::{Clock, ErrorKind, Explained, NamespacedName, Problem};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use self::grant::{Granted, Guard};
use self::near::near;
use self::record::Record;
pub use self::record::tell_reads;

/// Who asks, in which namespace, and what for.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub namespace: String,
    pub purpose: Option<String>,
}

/// A statement and how it came in.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    /// The most rows of the answer.
    pub limit: Option<usize>,
    /// For the audit log: `http`, `flight-sql`, `feast`.
    pub via: &'static str,
    /// Where it is to run, if not where statements do that say nothing of it.
    pub engine: Option<Engine>,
}

impl Statement {
    pub fn new(sql: impl Into<String>, via: &'static str) -> Self {
        Self { sql: sql.into(), limit: None, via, engine: None }
    }
}

/// Where a statement says it is to run.
pub fn engine(text: Option<&str>) -> Result<Option<Engine>, Problem> {
    let wrong = |error: NoEngine| {
        Problem::new(ErrorKind::Invalid, "the statement's engine", error.to_string())
            .with_fix("--engine local, or none")
    };
    text.filter(|text| !text.is_empty()).map(str::parse).transpose().map_err(wrong)
}

/// A statement whose caller may read its tables, each at one version.
#[derive(Clone, Debug)]
pub struct Allowed {
    caller: Caller,
    statement: Statement,
    parsed: Parsed,
    granted: Vec<Granted>,
    /// Where it runs.
    engine: Engine,
}

/// A dataset that a caller may know of.
#[derive(Clone, Debug)]
pub struct Known {
    /// As SQL has it without quotes.
    pub table: String,
    pub dataset: String,
    pub description: String,
}

#[derive(Clone)]
pub struct Sql {
    client: Client,
    reader: Arc<Reader>,
    policy: Policy,
    db: Db,
    clock: Arc<dyn Clock>,
}

impl Sql {
    pub fn new(client: Client, reader: Arc<Reader>, policy: Policy, db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { client, reader, policy, db, clock }
    }

    /// Answers a statement that reads, as far as the caller may know of it.
    pub async fn run(&self, caller: &Caller, statement: Statement) -> Result<Answer, Problem> {
        let parsed = self.parse(&statement.sql).await?;
        if parsed.verb == Verb::ShowTables {
            return Ok(Answer::of(listed(&self.known(caller).await?)?));
        }
        self.answer(&self.granted_whole(caller, statement, parsed).await?).await
    }

    /// Decides about a statement over datasets, once for however often it is then answered: each time the same versions of
    /// the tables are read, and it is written down that they are.
    pub async fn allow(&self, caller: &Caller, statement: Statement) -> Result<Allowed, Problem> {
        let parsed = self.parse(&statement.sql).await?;
        self.granted_whole(caller, statement, parsed).await
    }

    async fn granted_whole(&self, caller: &Caller, statement: Statement, parsed: Parsed) -> Result<Allowed, Problem> {
        let granted = self.granted(caller, &parsed).await?;
        let engine = self.reader.engine(statement.engine.as_ref()).map_err(|error| failed(&error))?;
        Ok(Allowed { caller: caller.clone(), statement, parsed, granted, engine })
    }

    /// The answer to a statement that was allowed.
    pub async fn answer(&self, allowed: &Allowed) -> Result<Answer, Problem> {
        let Allowed { caller, statement, parsed, granted, .. } = allowed;
        let record = Record::new(allowed, self.clock.now())?;
        if parsed.verb != Verb::Describe {
            record.tell(&self.db).await?;
        }
        let request = request(caller, statement.clone(), granted.clone());
        let used = record.used(self.db.clone());
        let answer = self.reader.run(request, used).await.map_err(|error| failed(&error))?;
        answer.begun().await.map_err(|error| failed(&error))
    }

    /// The columns that [`Sql::run`] would answer with; no row is read.
    pub async fn schema(&self, caller: &Caller, statement: Statement) -> Result<SchemaRef, Problem> {
        let parsed = self.parse(&statement.sql).await?;
        if parsed.verb == Verb::ShowTables {
            return Ok(listed(&self.known(caller).await?)?.schema());
        }
        let granted = self.granted(caller, &parsed).await?;
        self.reader.schema(request(caller, statement, granted)).await.map_err(|error| failed(&error))
    }

    /// The ready datasets that the caller may read or know of, by name. Who may not look into the namespace is told that
    /// there is none.
    pub async fn known(&self, caller: &Caller) -> Result<Vec<Known>, Problem> {
        let guard = self.guard(caller);
        let mut known: Vec<Known> =
            self.ready(caller).await?.iter().filter(|one| guard.may_know(one)).map(of).collect();
        if known.is_empty() && !guard.may_look() {
            return Err(unknown_namespace(caller));
        }
        known.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(known)
    }

    /// See [`Guard::in_the_clear`].
    pub fn in_the_clear(&self, caller: &Caller, dataset: &Dataset) -> BTreeSet<String> {
        self.guard(caller).in_the_clear(dataset)
    }

    fn guard<'a>(&'a self, caller: &'a Caller) -> Guard<'a> {
        Guard { policy: &self.policy, caller }
    }

    async fn parse(&self, sql: &str) -> Result<Parsed, Problem> {
        self.reader.parse(sql).await.map_err(|error| failed(&error))
    }

    /// What of each table the caller may see. A statement without tables is for whoever may look into the namespace.
    async fn granted(&self, caller: &Caller, parsed: &Parsed) -> Result<Vec<Granted>, Problem> {
        if parsed.tables.is_empty() {
            self.known(caller).await?;
        }
        let mut granted = Vec::new();
        for table in &parsed.tables {
            let found = match self.find(caller, table).await? {
                Some(dataset) => self.opened(caller, table, &dataset).await?,
                None => None,
            };
            match found {
                Some(one) => granted.push(one),
                None => return Err(self.unknown(caller, table).await),
            }
        }
        Ok(granted)
    }

    /// An earlier version is shown as the newest would be: by what binds now. Which there are is told to who may read it alone.
    async fn opened(&self, caller: &Caller, table: &NamedTable, dataset: &Dataset) -> Result<Option<Granted>, Problem> {
        let Some(mut granted) = self.guard(caller).grant(&table.spelled(), dataset)? else { return Ok(None) };
        if let Some(at) = table.at.clone() {
            let name = full_name(caller, &granted.readable.dataset);
            let version = self.reader.version(name, dataset.uid().unwrap_or_default(), at).await;
            granted.readable.version = version.map_err(|error| failed(&error))?;
        }
        Ok(Some(granted))
    }

    /// `air_quality` is the dataset `air-quality`; so is `"air-quality"`.
    async fn find(&self, caller: &Caller, table: &NamedTable) -> Result<Option<Dataset>, Problem> {
        let is_here = table.namespace.as_ref().is_none_or(|namespace| *namespace == caller.namespace);
        let name = object_name(&table.table);
        if !is_here || !is_name(&name) || !is_name(&caller.namespace) {
            return Ok(None);
        }
        self.datasets(caller).get_opt(&name).await.map_err(|error| unreadable(&error))
    }

    async fn ready(&self, caller: &Caller) -> Result<Vec<Dataset>, Problem> {
        if !is_name(&caller.namespace) {
            return Ok(Vec::new());
        }
        let all = self.datasets(caller).list(&ListParams::default()).await.map_err(|error| unreadable(&error))?;
        let is_ready = |dataset: &Dataset| dataset.status.as_ref().is_some_and(|status| status.phase == Phase::Ready);
        Ok(all.items.into_iter().filter(is_ready).collect())
    }

    fn datasets(&self, caller: &Caller) -> Api<Dataset> {
        Api::namespaced(self.client.clone(), &caller.namespace)
    }

    /// The same whether it is not there or not the caller's to know of; what is near it is.
    async fn unknown(&self, caller: &Caller, table: &NamedTable) -> Problem {
        let known = self.known(caller).await.unwrap_or_default();
        let near = near(&table.table, known.iter().map(|one| one.table.as_str()));
        let mut why = "there is no such table, or it is not yours to read".to_owned();
        if !near.is_empty() {
            why += &format!("; near it are {}", near.join(", "));
        }
        let what = format!("table {} of namespace {}", table.table, caller.namespace);
        Problem::new(ErrorKind::NotFound, what, why).with_fix(list_command(caller))
    }
}

fn list_command(caller: &Caller) -> String {
    format!("bedplate sql 'show tables' -n {}", caller.namespace)
}

fn unknown_namespace(caller: &Caller) -> Problem {
    let why = "there is no such namespace, or nothing of it is yours to read";
    Problem::new(ErrorKind::NotFound, format!("namespace {}", caller.namespace), why)
        .with_fix("ask an owner of the namespace for a role in it")
}

fn request(caller: &Caller, statement: Statement, granted: Vec<Granted>) -> Request {
    Request {
        namespace: caller.namespace.clone(),
        sql: statement.sql,
        tables: granted.into_iter().map(|one| one.readable).collect(),
        limit: statement.limit,
        engine: statement.engine,
    }
}

fn of(dataset: &Dataset) -> Known {
    let name = dataset.name_any();
    Known { table: table_name(&name), dataset: name, description: dataset.spec.description.clone() }
}

/// The answer to `SHOW TABLES`.
fn listed(known: &[Known]) -> Result<RecordBatch, Problem> {
    let column = |value: fn(&Known) -> &str| -> ArrayRef {
        let values: StringArray = known.iter().map(|one| Some(value(one))).collect();
        Arc::new(values)
    };
    RecordBatch::try_from_iter([
        ("table_name", column(|one| &one.table)),
        ("dataset", column(|one| &one.dataset)),
        ("description", column(|one| &one.description)),
    ])
    .map_err(|error| Problem::new(ErrorKind::Internal, "the list of tables", error.to_string()))
}

/// SQL has no hyphens in names that are not quoted, and an object's name has no underscores.
fn table_name(dataset: &str) -> String {
    dataset.replace('-', "_")
}

fn object_name(table: &str) -> String {
    table.replace('_', "-")
}

/// Whether it can be the name of an object at all.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(fits) && !text.starts_with('.')
}

fn failed(error: &dyn Explained) -> Problem {
    Problem::of("the statement", error)
}

fn unreadable(error: &kube::Error) -> Problem {
    Problem::new(ErrorKind::Internal, "the datasets", error.to_string())
}

/// The name of an object within a namespace.
fn full_name(caller: &Caller, dataset: &str) -> NamespacedName {
    NamespacedName::new(&caller.namespace, dataset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_and_of_datasets_are_one_to_one() {
        assert_eq!(
            (table_name("air-quality"), object_name("air_quality")),
            ("air_quality".into(), "air-quality".into())
        );
        assert_eq!(object_name("air-quality"), "air-quality");
        for strange in ["", "..", "../x", "s3://x/y.parquet", "a b", "A", "a/b", "a%2fb", ".hidden"] {
            assert!(!is_name(strange), "{strange}");
        }
        assert!(is_name("air-quality") && is_name("a.b"));
    }
}
