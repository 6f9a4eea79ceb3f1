//! Where statements run: on threads of their own, with memory of their own, so many at once and so long each.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use bedplate_types::NamespacedName;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt, TryStreamExt};
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc};

use super::answer::Step;
use super::cluster::{self, Job};
use super::mask::Key;
use super::place::Engines;
use super::{Answer, AsOf, Cluster, Engine, Parsed, ReadError, Readable, measure, session, statement};
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
    /// Where it is to run, if not where statements do that say nothing of it.
    pub engine: Option<Engine>,
}

/// The engine. Share it by `Arc`; dropped, it ends what runs.
pub struct Reader {
    lake: Arc<Lake>,
    memory: Arc<RuntimeEnv>,
    limits: Limits,
    turns: Arc<Semaphore>,
    key: [u8; 32],
    engines: Engines,
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
        Ok(Self { lake, memory, limits, turns, key, engines: Engines::of(Vec::new()), threads })
    }

    /// The same, whose statements run on one of these; on the first, where they do not say on which. What tells of no rows (a
    /// plan, a description) is answered here wherever it is to run.
    #[must_use]
    pub fn on(mut self, engines: Vec<Engine>) -> Self {
        self.engines = Engines::of(engines);
        self
    }

    /// Where a statement runs that is to run on `wanted`.
    ///
    /// # Errors
    /// [`ReadError::NoSuchEngine`].
    pub fn engine(&self, wanted: Option<&Engine>) -> Result<Engine, ReadError> {
        self.engines.chosen(wanted).cloned()
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
        let work = self.work(&request)?;
        self.off(async move { Ok(plain(work.plan(&request).await?.1.schema().as_arrow())) }).await
    }

    /// Answers a statement. It is planned when this returns; rows come as they are taken, strings as `Utf8`. However a
    /// statement that was begun ends, `ended` is told how many bytes of data files were read, by dataset.
    ///
    /// # Errors
    /// What is wrong with the statement, [`ReadError::Filter`], [`ReadError::Busy`], [`ReadError::NoSuchEngine`]; on a
    /// cluster [`ReadError::NotOnCluster`], and with the first rows [`ReadError::Away`].
    pub async fn run(
        &self,
        request: Request,
        ended: impl FnOnce(BTreeMap<String, u64>) + Send + 'static,
    ) -> Result<Answer, ReadError> {
        let turn = self.turns.clone().try_acquire_owned();
        let turn = turn.map_err(|_| ReadError::Busy { most: self.limits.statements })?;
        let work = self.work(&request)?;
        let planned = self.off(async move { work.physical(&request).await });
        let Planned { state, plan, job } = planned.await?;
        let schema = plain(&plan.schema());
        let (send, batches) = mpsc::channel(WAITING);
        let run = Run { plan, state, job, schema: schema.clone(), send, time: self.limits.time };
        self.threads.spawn(async move {
            let end = run.all().await;
            ended(run.scanned().await);
            let Run { plan, state, job, send, .. } = run;
            // Who has seen the end can ask again.
            drop((plan, state, job, turn));
            tell(send, end).await;
        });
        Ok(Answer::running(schema, batches))
    }

    fn work(&self, request: &Request) -> Result<Work, ReadError> {
        let cluster = match self.engine(request.engine.as_ref())? {
            Engine::Local => None,
            Engine::Cluster(cluster) => Some(cluster),
        };
        Ok(Work { lake: self.lake.clone(), memory: self.memory.clone(), key: self.key, cluster })
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
    /// Where it runs, if not here.
    cluster: Option<Cluster>,
}

struct Planned {
    state: SessionState,
    plan: Arc<dyn ExecutionPlan>,
    /// Of a plan that runs elsewhere.
    job: Option<Job>,
}

impl Work {
    async fn plan(&self, request: &Request) -> Result<(SessionState, LogicalPlan), ReadError> {
        let key = Key::of(&self.key, &request.namespace);
        let (runtime, is_sent) = (self.memory.clone(), self.cluster.is_some());
        let state = session::open(&self.lake, runtime, &request.namespace, &request.tables, &key, is_sent).await?;
        // Refuses again whatever does not read: who asks may not have asked first.
        statement::parse(&request.sql)?;
        let plan = state.statement_to_plan(statement::statement(&request.sql)?).await.map_err(ReadError::of)?;
        let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_reads.verify_plan(&plan).map_err(ReadError::of)?;
        let plan = limited(plan, request.limit).map_err(ReadError::of)?;
        Ok((state, plan))
    }

    async fn physical(&self, request: &Request) -> Result<Planned, ReadError> {
        let (state, logical) = self.plan(request).await?;
        let plan = state.create_physical_plan(&logical).await.map_err(ReadError::of)?;
        match (&self.cluster, &logical) {
            (None, _) | (_, LogicalPlan::Explain(_) | LogicalPlan::DescribeTable(_)) => {
                Ok(Planned { state, plan, job: None })
            }
            (_, LogicalPlan::Analyze(_)) => Err(ReadError::NotOnCluster { what: "EXPLAIN ANALYZE".into() }),
            (Some(cluster), _) if cluster::in_one_piece(&plan) => {
                let config = state.config().clone().with_target_partitions(1);
                let state = SessionStateBuilder::new_from_existing(state).with_config(config).build();
                let plan = state.create_physical_plan(&logical).await.map_err(ReadError::of)?;
                Planned::sent(cluster, state, plan)
            }
            (Some(cluster), _) => Planned::sent(cluster, state, plan),
        }
    }
}

impl Planned {
    fn sent(cluster: &Cluster, state: SessionState, plan: Arc<dyn ExecutionPlan>) -> Result<Self, ReadError> {
        let job = Job::new(cluster.clone(), &plan, state.config())?;
        Ok(Self { state, plan, job: Some(job) })
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
    job: Option<Job>,
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

    /// How many bytes of data files were read, by dataset.
    async fn scanned(&self) -> BTreeMap<String, u64> {
        match &self.job {
            Some(job) => job.end().await,
            None => measure::scanned(&self.plan),
        }
    }

    async fn rows(&self) -> Result<(), ReadError> {
        let mut rows = match &self.job {
            Some(job) => job.rows().await?,
            None => {
                let rows = execute_stream(self.plan.clone(), self.state.task_ctx()).map_err(ReadError::of)?;
                rows.map_err(ReadError::of).boxed()
            }
        };
        while let Some(batch) = rows.next().await {
            let batch = as_plain(&batch?, &self.schema)?;
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
