//! Where statements run: on threads of their own, with memory of their own, so many at once and so long each.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use bedplate_types::NamespacedName;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc};

use super::answer::Step;
use super::mask::Key;
use super::{Answer, AsOf, Parsed, ReadError, Readable, measure, session, statement};
use crate::Lake;
use crate::delta::TableError;
use crate::sql::{as_plain, plain};
use crate::threads::Threads;

/// A statement may nest this deep or so: see `statement::MOST_TOKENS`.
const STACK: usize = 128 << 20;
/// Threads that read files.
const READING: usize = 16;
/// Batches that wait for who reads them.
const WAITING: usize = 2;

/// How long the last word waits for who reads it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all statements together may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of memory; beyond it they spill.
    pub memory: usize,
    /// Bytes of what they spill.
    pub spill: u64,
    /// Statements at once.
    pub statements: usize,
    /// How long one may take.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 512 << 20, spill: 16 << 30, statements: 16, time: Duration::from_secs(600) }
    }
}

/// A statement with everything it may read.
#[derive(Clone, Debug)]
pub struct Request {
    pub namespace: String,
    pub sql: String,
    pub tables: Vec<Readable>,
    /// The most rows of the answer.
    pub limit: Option<usize>,
}

/// The engine. Share it by `Arc`; dropped, it ends what runs.
pub struct Reader {
    lake: Arc<Lake>,
    memory: Arc<RuntimeEnv>,
    limits: Limits,
    turns: Arc<Semaphore>,
    key: [u8; 32],
    threads: Threads,
}

impl Reader {
    /// Over the tables of `lake`. `key` makes the pseudonyms of masked columns; they change with it.
    ///
    /// # Errors
    /// [`TableError::Engine`] when there are no threads to be had.
    pub fn open(lake: Arc<Lake>, limits: Limits, key: [u8; 32]) -> Result<Self, TableError> {
        let failed = |why: String| TableError::Engine(why);
        let memory = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory)))
            .with_temp_file_path(lake.root().join(".spill"))
            .with_max_temp_directory_size(limits.spill)
            .build_arc()
            .map_err(|error| failed(error.strip_backtrace()))?;
        let mut threads = Builder::new_multi_thread();
        let threads = threads.thread_name("sql").thread_stack_size(STACK);
        let threads = Threads::start(threads.max_blocking_threads(READING));
        let threads = threads.map_err(|error| failed(error.to_string()))?;
        let turns = Arc::new(Semaphore::new(limits.statements));
        Ok(Self { lake, memory, limits, turns, key, threads })
    }

    /// What a statement wants and which tables it names.
    ///
    /// # Errors
    /// [`ReadError::NotARead`], [`ReadError::NotATable`], [`ReadError::TooLong`], or what is wrong with its words.
    pub async fn parse(&self, sql: &str) -> Result<Parsed, ReadError> {
        let sql = sql.to_owned();
        self.off(async move { statement::parse(&sql) }).await
    }

    /// The version of a dataset's table that is meant, as far as `object`, the dataset's uid, made it.
    ///
    /// # Errors
    /// [`TableError::NotKept`] when there is none, or its files were vacuumed.
    pub async fn version(&self, dataset: NamespacedName, object: String, at: AsOf) -> Result<i64, ReadError> {
        let lake = self.lake.clone();
        self.off(async move { Ok(lake.version_as_of(&dataset.namespace, &dataset.name, &object, &at)?) }).await
    }

    /// The columns the answer would have; nothing is run.
    ///
    /// # Errors
    /// As [`Reader::run`].
    pub async fn schema(&self, request: Request) -> Result<SchemaRef, ReadError> {
        let work = self.work();
        self.off(async move { Ok(plain(work.plan(&request).await?.1.schema().as_arrow())) }).await
    }

    /// Answers a statement. It is planned when this returns; rows come as they are taken, strings as `Utf8`. However a
    /// statement that was begun ends, `ended` is told how many bytes of data files were read, by dataset.
    ///
    /// # Errors
    /// What is wrong with the statement, [`ReadError::Filter`], [`ReadError::Busy`].
    pub async fn run(
        &self,
        request: Request,
        ended: impl FnOnce(BTreeMap<String, u64>) + Send + 'static,
    ) -> Result<Answer, ReadError> {
        let turn = self.turns.clone().try_acquire_owned();
        let turn = turn.map_err(|_| ReadError::Busy { most: self.limits.statements })?;
        let work = self.work();
        let planned = self.off(async move { work.physical(&request).await });
        let Planned { state, plan } = planned.await?;
        let schema = plain(&plan.schema());
        let (send, batches) = mpsc::channel(WAITING);
        let run = Run { plan, state, schema: schema.clone(), send, time: self.limits.time };
        self.threads.spawn(async move {
            let end = run.all().await;
            let Run { plan, state, send, .. } = run;
            ended(measure::scanned(&plan));
            // Who has seen the end can ask again.
            drop((plan, state, turn));
            tell(send, end).await;
        });
        Ok(Answer::running(schema, batches))
    }

    fn work(&self) -> Work {
        Work { lake: self.lake.clone(), memory: self.memory.clone(), key: self.key }
    }

    /// On the engine's threads, and only as long as somebody waits for it.
    async fn off<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ReadError>> + Send + 'static,
    ) -> Result<T, ReadError> {
        let task = AbortOnDrop(self.threads.spawn(work));
        task.await
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<Result<T, ReadError>>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, ReadError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let ended = std::pin::Pin::new(&mut self.0).poll(context);
        ended.map(|ended| ended.unwrap_or(Err(ReadError::Ended)))
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What planning needs.
struct Work {
    lake: Arc<Lake>,
    memory: Arc<RuntimeEnv>,
    key: [u8; 32],
}

struct Planned {
    state: SessionState,
    plan: Arc<dyn ExecutionPlan>,
}

impl Work {
    async fn plan(&self, request: &Request) -> Result<(SessionState, LogicalPlan), ReadError> {
        let key = Key::of(&self.key, &request.namespace);
        let state = session::open(&self.lake, self.memory.clone(), &request.namespace, &request.tables, &key).await?;
        // Refuses again whatever does not read: who asks may not have asked first.
        statement::parse(&request.sql)?;
        let plan = state.statement_to_plan(statement::statement(&request.sql)?).await.map_err(ReadError::of)?;
        let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_reads.verify_plan(&plan).map_err(ReadError::of)?;
        let plan = limited(plan, request.limit).map_err(ReadError::of)?;
        Ok((state, plan))
    }

    async fn physical(&self, request: &Request) -> Result<Planned, ReadError> {
        let (state, plan) = self.plan(request).await?;
        let plan = state.create_physical_plan(&plan).await.map_err(ReadError::of)?;
        Ok(Planned { state, plan })
    }
}

/// A limit binds rows of data, not the lines of a plan or of a description.
fn limited(plan: LogicalPlan, limit: Option<usize>) -> datafusion::error::Result<LogicalPlan> {
    match (&plan, limit) {
        (LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_), _) | (_, None) => Ok(plan),
        (_, limit) => LogicalPlanBuilder::from(plan).limit(0, limit)?.build(),
    }
}

/// A statement that runs.
struct Run {
    plan: Arc<dyn ExecutionPlan>,
    state: SessionState,
    schema: SchemaRef,
    send: mpsc::Sender<Step>,
    time: Duration,
}

impl Run {
    /// Until the rows end, nobody takes them any more, or the time is over.
    async fn all(&self) -> Result<(), ReadError> {
        tokio::select! {
            ended = tokio::time::timeout(self.time, self.rows()) => {
                ended.unwrap_or(Err(ReadError::Slow { seconds: self.time.as_secs() }))
            }
            () = self.send.closed() => Ok(()),
        }
    }

    async fn rows(&self) -> Result<(), ReadError> {
        let mut rows = execute_stream(self.plan.clone(), self.state.task_ctx()).map_err(ReadError::of)?;
        while let Some(batch) = rows.next().await {
            let batch = as_plain(&batch.map_err(ReadError::of)?, &self.schema)?;
            if batch.num_rows() > 0 && self.send.send(Ok(Some(batch))).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Nobody may be there any more, or care: an answer without its last step does not look whole.
async fn tell(send: mpsc::Sender<Step>, end: Result<(), ReadError>) {
    let _ = tokio::time::timeout(PATIENCE, send.send(end.map(|()| None))).await;
}
