//! A statement's job on a cluster. An executor that goes away takes what it had worked out with it; the job is then begun
//! anew, as long as no row went out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::SessionConfigHelperExt;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::{ExecuteQueryParams, KeyValuePair};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use tokio::sync::Mutex;

use super::attempt::{Attempt, Rows};
use super::codec::Codec;
use super::failure::Failure;
use super::{Cluster, planning, scan};
use crate::reader::ReadError;

/// How often a statement is begun whose executors go away.
const ATTEMPTS: u32 = 4;
/// Between them, more and more: the scheduler misses another executor meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

pub struct Job {
    cluster: Cluster,
    plan: Vec<u8>,
    settings: Vec<KeyValuePair>,
    /// The last one.
    attempt: Mutex<Option<Arc<Attempt>>>,
}

impl Job {
    /// # Errors
    /// [`ReadError::NotOnCluster`] when a step of the plan cannot be sent, [`ReadError::TooDeep`] when it could not be read.
    pub fn new(cluster: Cluster, plan: &Arc<dyn ExecutionPlan>, config: &SessionConfig) -> Result<Self, ReadError> {
        if planning::unnests(plan) {
            return Err(ReadError::NotOnCluster { what: "unnest of a column".into() });
        }
        let sent = scan::sent(plan.clone()).and_then(planning::known_rows_read).map_err(ReadError::of)?;
        let message = PhysicalPlanNode::try_from_physical_plan(sent, &Codec::default());
        let message = message.map_err(|error| ReadError::NotOnCluster { what: unsent(&error.strip_backtrace()) })?;
        let mut plan = Vec::new();
        message.try_encode(&mut plan).map_err(ReadError::of)?;
        PhysicalPlanNode::try_decode(&plan).map_err(|_| ReadError::TooDeep)?;
        Ok(Self {
            cluster,
            plan,
            settings: planning::finished(config.clone()).to_key_value_pairs(),
            attempt: Mutex::default(),
        })
    }

    /// Runs it, and then its rows as they are fetched.
    pub async fn rows(&self) -> Result<Rows, ReadError> {
        for before in 0..ATTEMPTS {
            tokio::time::sleep(PAUSE * before).await;
            let session = uuid::Uuid::now_v7().to_string();
            let attempt = Arc::new(Attempt::new(self.cluster.clone(), session.clone()));
            *self.attempt.lock().await = Some(attempt.clone());
            match attempt.rows(self.query(session)).await {
                Ok(rows) => return Ok(rows),
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Lost) => drop(attempt.end().await),
            }
        }
        let why = "its executors went away while they worked on the statement".to_owned();
        Err(ReadError::Away { cluster: self.cluster.to_string(), why })
    }

    /// Ends it wherever it is, and removes its rows from the executors; how many bytes of data files the last attempt read, by
    /// dataset.
    pub async fn end(&self) -> BTreeMap<String, u64> {
        let attempt = self.attempt.lock().await.clone();
        match attempt {
            Some(attempt) => attempt.end().await,
            None => BTreeMap::new(),
        }
    }

    fn query(&self, session: String) -> ExecuteQueryParams {
        ExecuteQueryParams {
            query: Some(Query::PhysicalPlan(self.plan.clone())),
            settings: self.settings.clone(),
            session_id: session.clone(),
            operation_id: session,
        }
    }
}

/// The name of what cannot be sent.
fn unsent(why: &str) -> String {
    let name = why.split("name: [").nth(1).and_then(|rest| rest.split(']').next());
    match name {
        Some("RecursiveQueryExec" | "WorkTableExec") => "WITH RECURSIVE".to_owned(),
        Some(name) => format!("what is planned as {name}"),
        None => "a step of its plan".to_owned(),
    }
}
