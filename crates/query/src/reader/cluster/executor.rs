//! An executor of a cluster: it works on the tasks a scheduler gives it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::health::ExecutorHealth;
use tokio::net::TcpStream;

use super::attempt::LARGEST_MESSAGE;
use super::codec::Codec;
use super::fence::Fenced;
use super::folder::Folder;
use super::scheduler::HEARTBEAT;
use super::{Cluster, ClusterError};

/// How long a scheduler that is not there yet is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
/// How long the results of a job that nobody cleaned up are kept, and how often they are looked for, in seconds.
const KEPT: u64 = 3_600;
const LOOK: u64 = 600;

/// What an executor is started with.
#[derive(Clone, Debug)]
pub struct Executor {
    pub scheduler: Cluster,
    /// The address it listens on, without a port.
    pub bind: String,
    /// By which name others find it; where its connection comes from when left out.
    pub host: Option<String>,
    /// Where others fetch its results.
    pub port: u16,
    /// Where the scheduler gives it tasks.
    pub task_port: u16,
    /// The folders it reads below.
    pub roots: Vec<PathBuf>,
    /// How many parts of the work it does at once.
    pub slots: usize,
    /// Bytes of memory for all of them; beyond it they spill.
    pub memory: u64,
}

impl Executor {
    /// Works until the process is told to end (SIGTERM, SIGINT): it takes no more tasks and ends those it has. `ready` is
    /// called once the scheduler knows it. Results and what spills are in a folder that is removed at the end, or
    /// by the next executor of this user when this one is killed.
    ///
    /// # Errors
    /// [`ClusterError::NoScheduler`], [`ClusterError::Root`], [`ClusterError::Failed`].
    pub async fn run(self, ready: impl FnOnce()) -> Result<(), ClusterError> {
        let roots = self.roots.iter().map(|path| root(path)).collect::<Result<Vec<_>, _>>()?;
        self.await_scheduler().await?;
        let failed =
            |error: std::io::Error| ClusterError::Failed { what: "the folder of results", why: error.to_string() };
        let folder = Folder::new().map_err(failed)?;
        let health = ExecutorHealth::new();
        let config = self.config(roots, folder.work().display().to_string(), health.clone());
        let work = start_executor_process(Arc::new(config));
        tokio::pin!(work);
        tokio::select! {
            ended = &mut work => return ended.map_err(ClusterError::failed("the executor")),
            () = is_known(&health) => ready(),
        }
        work.await.map_err(ClusterError::failed("the executor"))
    }

    async fn await_scheduler(&self) -> Result<(), ClusterError> {
        let scheduler = self.scheduler.authority();
        let found = async {
            while let Err(error) = TcpStream::connect(&scheduler).await {
                tracing::debug!(%error, %scheduler, "the scheduler is not there yet");
                tokio::time::sleep(PAUSE).await;
            }
        };
        let why = || format!("nobody answered for {} s", PATIENCE.as_secs());
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.map_err(|_| ClusterError::NoScheduler { scheduler: self.scheduler.authority(), why: why() })
    }

    fn config(&self, roots: Vec<PathBuf>, folder: String, health: ExecutorHealth) -> ExecutorProcessConfig {
        ExecutorProcessConfig {
            bind_host: self.bind.clone(),
            external_host: self.host.clone(),
            port: self.port,
            grpc_port: self.task_port,
            scheduler_host: self.scheduler.host().to_owned(),
            scheduler_port: self.scheduler.port(),
            vcores: self.slots,
            task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
            work_dir: Some(folder),
            job_data_ttl_seconds: KEPT,
            job_data_clean_up_interval_seconds: LOOK,
            grpc_max_decoding_message_size: LARGEST_MESSAGE,
            grpc_max_encoding_message_size: LARGEST_MESSAGE,
            executor_heartbeat_interval_seconds: HEARTBEAT,
            memory_pool_size: Some(self.memory),
            override_execution_engine: Some(Arc::new(Fenced::new(roots))),
            override_physical_codec: Some(Arc::new(Codec::default())),
            health,
            ..ExecutorProcessConfig::default()
        }
    }
}

fn root(root: &Path) -> Result<PathBuf, ClusterError> {
    let wrong = |why: String| ClusterError::Root { path: root.display().to_string(), why };
    let real = root.canonicalize().map_err(|error| wrong(error.to_string()))?;
    if real.is_dir() { Ok(real) } else { Err(wrong("it is a file".into())) }
}

async fn is_known(health: &ExecutorHealth) {
    while !health.is_ready() {
        tokio::time::sleep(PAUSE).await;
    }
}
