//! The scheduler of a cluster: it shares the work on a plan among executors.

use std::future::Future;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use bytes::BufMut;
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion_proto::logical_plan::{AsLogicalPlan, LogicalExtensionCodec};
use datafusion_proto::protobuf::PhysicalPlanNode;
use tokio::net::TcpListener;

use super::ClusterError;
use super::attempt::LARGEST_MESSAGE;
use super::codec::Codec;
use super::watched::Watched;

/// An executor that says nothing for so long is gone, in seconds; it says something every [`HEARTBEAT`].
const SILENCE: u64 = 20;
pub(super) const HEARTBEAT: u64 = 5;
/// How often executors that are gone are looked for, in seconds.
const LOOK: u64 = 2;
/// How long the rows of a job that nobody cleaned up are kept, in seconds; longer than a statement may take.
const KEPT: u64 = 900;

/// What a scheduler is started with.
#[derive(Clone, Debug)]
pub struct Scheduler {
    /// By which name executors find it.
    pub host: String,
    pub port: u16,
}

impl Scheduler {
    /// Serves on `listener` until `stop`. What it knows of jobs it forgets then.
    ///
    /// # Errors
    /// [`ClusterError::Failed`].
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), ClusterError> {
        let config = Arc::new(self.config());
        let usual = BallistaCluster::new_from_config(&config).await.map_err(ClusterError::failed("the scheduler"))?;
        let executors = Arc::new(Watched::default());
        let cluster = BallistaCluster::new(executors.clone(), usual.job_state());
        let scheduler = create_scheduler::<NoPlan, PhysicalPlanNode>(cluster, config);
        let scheduler = scheduler.await.map_err(ClusterError::failed("the scheduler"))?;
        executors.of(scheduler.clone());
        tokio::select! {
            ended = start_grpc_service_with_listener(listener, scheduler) => ended.map_err(ClusterError::failed("the scheduler")),
            () = stop => Ok(()),
        }
    }

    fn config(&self) -> SchedulerConfig {
        SchedulerConfig {
            external_host: self.host.clone(),
            bind_port: self.port,
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            task_distribution: TaskDistributionPolicy::RoundRobin,
            finished_job_data_clean_up_interval_seconds: KEPT,
            finished_job_state_clean_up_interval_seconds: KEPT,
            grpc_server_max_decoding_message_size: LARGEST_MESSAGE,
            grpc_server_max_encoding_message_size: LARGEST_MESSAGE,
            grpc_client_max_message_size: LARGEST_MESSAGE,
            executor_timeout_seconds: SILENCE,
            expire_dead_executor_interval_seconds: LOOK,
            no_executors_grace_period_seconds: SILENCE,
            // What is not fetched or worked out at once is begun anew by whoever asked: see `watched.rs`.
            task_max_failures: 1,
            stage_max_failures: 1,
            override_physical_codec: Some(Arc::new(Codec::default())),
            ..SchedulerConfig::default()
        }
    }
}

/// A plan that is not made yet. It would be made here, of whatever files it names: none is taken.
#[derive(Clone, Debug)]
pub(super) struct NoPlan;

impl AsLogicalPlan for NoPlan {
    fn try_decode(_: &[u8]) -> Result<Self> {
        plan_err!("this scheduler takes plans that a platform made")
    }

    fn try_encode<B: BufMut>(&self, _: &mut B) -> Result<()> {
        Ok(())
    }

    fn try_into_logical_plan(&self, _: &TaskContext, _: &dyn LogicalExtensionCodec) -> Result<LogicalPlan> {
        plan_err!("this scheduler takes plans that a platform made")
    }

    fn try_from_logical_plan(_: &LogicalPlan, _: &dyn LogicalExtensionCodec) -> Result<Self> {
        plan_err!("this scheduler takes plans that a platform made")
    }
}
