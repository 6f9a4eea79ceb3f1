//! Executors as the scheduler knows them, and what becomes of jobs when one is lost.
//!
//! Ballista works on lost parts again, and of a stage that others had worked on already counts some rows twice. So a job is
//! never mended: it is ended before its stages are begun again, and whoever asked begins anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use ballista_core::JobId;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::ExecutorHeartbeat;
use ballista_core::serde::scheduler::{ExecutorData, ExecutorMetadata};
use ballista_scheduler::cluster::memory::InMemoryClusterState;
use ballista_scheduler::cluster::{BoundTask, ClusterState, ClusterStateEventStream, ExecutorSlot};
use ballista_scheduler::config::TaskDistributionPolicy;
use ballista_scheduler::scheduler_server::SchedulerServer;
use ballista_scheduler::state::task_manager::JobInfoCache;
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::scheduler::NoPlan;

pub(super) type Server = SchedulerServer<NoPlan, PhysicalPlanNode>;

#[derive(Default)]
pub(super) struct Watched {
    within: InMemoryClusterState,
    /// Whose jobs they work on; there is none before it is made of this.
    scheduler: OnceLock<Server>,
}

impl Watched {
    pub fn of(&self, scheduler: Server) {
        drop(self.scheduler.set(scheduler));
    }

    /// Told to the scheduler before it hears of the lost executor: it takes one thing after the other.
    async fn end_jobs(&self) -> Result<()> {
        let Some(scheduler) = self.scheduler.get() else { return Ok(()) };
        for job in scheduler.state.task_manager.get_running_job_cache().keys() {
            scheduler.cancel_job(job.clone()).await?;
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl ClusterState for Watched {
    async fn remove_executor(&self, executor_id: &str) -> Result<()> {
        self.within.remove_executor(executor_id).await?;
        self.end_jobs().await
    }

    async fn init(&self) -> Result<()> {
        self.within.init().await
    }

    async fn bind_schedulable_tasks(
        &self,
        distribution: TaskDistributionPolicy,
        active_jobs: Arc<HashMap<JobId, JobInfoCache>>,
        executors: Option<HashSet<String>>,
    ) -> Result<Vec<BoundTask>> {
        self.within.bind_schedulable_tasks(distribution, active_jobs, executors).await
    }

    async fn unbind_tasks(&self, executor_slots: Vec<ExecutorSlot>) -> Result<()> {
        self.within.unbind_tasks(executor_slots).await
    }

    async fn register_executor(&self, metadata: ExecutorMetadata, spec: ExecutorData) -> Result<()> {
        self.within.register_executor(metadata, spec).await
    }

    async fn save_executor_metadata(&self, metadata: ExecutorMetadata) -> Result<()> {
        self.within.save_executor_metadata(metadata).await
    }

    async fn get_executor_metadata(&self, executor_id: &str) -> Result<ExecutorMetadata> {
        self.within.get_executor_metadata(executor_id).await
    }

    async fn registered_executor_metadata(&self) -> Vec<ExecutorMetadata> {
        self.within.registered_executor_metadata().await
    }

    async fn save_executor_heartbeat(&self, heartbeat: ExecutorHeartbeat) -> Result<()> {
        self.within.save_executor_heartbeat(heartbeat).await
    }

    fn executor_heartbeats(&self) -> HashMap<String, ExecutorHeartbeat> {
        self.within.executor_heartbeats()
    }

    fn get_executor_heartbeat(&self, executor_id: &str) -> Option<ExecutorHeartbeat> {
        self.within.get_executor_heartbeat(executor_id)
    }

    async fn cluster_state_events(&self) -> Result<ClusterStateEventStream> {
        self.within.cluster_state_events().await
    }
}
