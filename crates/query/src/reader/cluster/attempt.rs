//! One try at a statement's job: the plan is sent, the scheduler is asked until it is done, and its rows are fetched where
//! they lie.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use ballista_core::client::BallistaClient;
use ballista_core::config::BallistaConfig;
use ballista_core::serde::protobuf::execute_query_result;
use ballista_core::serde::protobuf::job_status::Status as State;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobMetricsParams, GetJobStatusParams,
    PartitionLocation, RemoveSessionParams,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version;
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tonic::client::GrpcService;
use tonic::transport::Channel;

use super::failure::Failure;
use super::{Cluster, scanned};
use crate::reader::ReadError;

/// The largest message either side takes.
pub(super) const LARGEST_MESSAGE: u32 = 64 << 20;
/// Between two questions whether the job is done: more and more.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// How long it may take to end a job and to be told what it read.
const PARTING: Duration = Duration::from_secs(5);
/// Parts of the answer whose fetching is begun at once.
const OPENED: usize = 8;
const RETRIES: u8 = 3;
const RETRY_MILLIS: u64 = 250;

type Client = SchedulerGrpcClient<Channel>;
type Submitted = Result<(Client, String), ReadError>;
pub type Rows = BoxStream<'static, Result<RecordBatch, ReadError>>;

pub struct Attempt {
    cluster: Cluster,
    session: String,
    /// A task of its own: a job that the scheduler took on is known also when nobody waits for it any more.
    submitting: Mutex<Option<JoinHandle<Submitted>>>,
    submitted: Mutex<Option<(Client, String)>>,
    is_done: AtomicBool,
}

impl Attempt {
    pub fn new(cluster: Cluster, session: String) -> Self {
        let (submitting, submitted) = (Mutex::default(), Mutex::default());
        Self { cluster, session, submitting, submitted, is_done: AtomicBool::new(false) }
    }

    /// Runs it, and then its rows as they are fetched.
    pub async fn rows(&self, query: ExecuteQueryParams) -> Result<Rows, Failure> {
        let (client, id) = self.submit(query).await.map_err(Failure::Other)?;
        let parts = self.done(client, id).await?;
        self.is_done.store(true, Ordering::Release);
        // All before the first row goes out: as long as none did, the statement can be begun anew.
        let opened = stream::iter(parts).map(fetch).buffered(OPENED).try_collect::<Vec<_>>().await;
        let away = self.away("its executors went away while its rows were fetched");
        let rows = stream::iter(opened.map_err(|_| Failure::Lost)?).flatten();
        // They are worked out: what fails is the way.
        Ok(rows.map_err(move |_| away()).boxed())
    }

    /// Ends it wherever it is, and removes its rows from the executors; how many bytes of data files it read, by dataset.
    pub async fn end(&self) -> BTreeMap<String, u64> {
        tokio::time::timeout(PARTING, self.part()).await.unwrap_or_default()
    }

    async fn part(&self) -> BTreeMap<String, u64> {
        // Nobody waits for it where the statement was given up while it was being sent.
        let _ = self.submit_once().await;
        let Some((mut client, job_id)) = self.submitted.lock().await.clone() else { return BTreeMap::new() };
        let told = client.get_job_metrics(GetJobMetricsParams { job_id: job_id.clone() }).await;
        let ended = match self.is_done.load(Ordering::Acquire) {
            true => client.clean_job_data(CleanJobDataParams { job_id, remove_stage_ids: Vec::new() }).await.map(drop),
            false => client.cancel_job(CancelJobParams { job_id }).await.map(drop),
        };
        let forgotten = client.remove_session(RemoveSessionParams { session_id: self.session.clone() }).await;
        if let Err(status) = ended.and(forgotten.map(drop)) {
            tracing::warn!(cluster = %self.cluster, code = %status.code(), "a job of the cluster was not ended as it should");
        }
        told.map(|told| scanned::scanned(told.get_ref())).unwrap_or_default()
    }

    async fn submit(&self, query: ExecuteQueryParams) -> Submitted {
        let task = tokio::spawn(submit(self.cluster.clone(), query));
        *self.submitting.lock().await = Some(task);
        self.submit_once().await.unwrap_or(Err(ReadError::Ended))
    }

    /// What came of it, once.
    async fn submit_once(&self) -> Option<Submitted> {
        let mut submitting = self.submitting.lock().await;
        let submitted = submitting.as_mut()?.await.unwrap_or(Err(ReadError::Ended));
        *submitting = None;
        if let Ok(known) = &submitted {
            *self.submitted.lock().await = Some(known.clone());
        }
        Some(submitted)
    }

    /// Where the rows are, once they are all there.
    async fn done(&self, mut client: Client, job_id: String) -> Result<Vec<PartitionLocation>, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            let told = client.get_job_status(GetJobStatusParams { job_id: job_id.clone() }).await;
            let told = told
                .map_err(|_| Failure::Other(self.away("its scheduler went away while it worked on the statement")()))?;
            match told.into_inner().status.and_then(|told| told.status) {
                Some(State::Successful(done)) => return Ok(done.partition_location),
                Some(State::Failed(failed)) => return Err(Failure::told(&failed.error)),
                _ => tokio::time::sleep(pause).await,
            }
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    fn away(&self, why: &'static str) -> impl Fn() -> ReadError + Send + 'static {
        let cluster = self.cluster.clone();
        move || ReadError::Away { cluster: cluster.to_string(), why: why.to_owned() }
    }
}

async fn submit(cluster: Cluster, query: ExecuteQueryParams) -> Submitted {
    let away = |why: String| ReadError::Away { cluster: cluster.to_string(), why };
    let settings = GrpcClientConfig::from(&BallistaConfig::default());
    let endpoint = create_grpc_client_endpoint(format!("http://{}", cluster.authority()), Some(&settings));
    let endpoint = endpoint.map_err(|error| away(error.to_string()))?;
    let mut channel = endpoint.connect().await.map_err(|_| away("nobody answers there".into()))?;
    if !has_executors(&mut channel).await {
        return Err(away("its scheduler has no executors".into()));
    }
    let client = Client::new(channel).max_encoding_message_size(LARGEST_MESSAGE as usize);
    let mut client = client.max_decoding_message_size(LARGEST_MESSAGE as usize);
    let mut request = tonic::Request::new(query);
    version::insert_version_header(request.metadata_mut());
    let answer = client.execute_query(request).await.map_err(|status| away(status.message().to_owned()))?;
    match answer.into_inner().result {
        Some(execute_query_result::Result::Success(taken)) => Ok((client, taken.job_id)),
        // It may hold what is in the plan.
        _ => Err(away("its scheduler does not understand the plan: is it of another version?".into())),
    }
}

/// Whether there is anybody to work: a scheduler takes jobs on also when there is not.
async fn has_executors(channel: &mut Channel) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(tonic::body::Body::empty()) else { return false };
    if poll_fn(|context| GrpcService::<tonic::body::Body>::poll_ready(channel, context)).await.is_err() {
        return false;
    }
    let answer = GrpcService::call(channel, request).await;
    answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

async fn fetch(part: PartitionLocation) -> Result<SendableRecordBatchStream, ballista_core::error::BallistaError> {
    let internal =
        |what: &str| ballista_core::error::BallistaError::Internal(format!("a part of the rows without {what}"));
    let layout = part.layout();
    let executor = part.executor_meta.ok_or_else(|| internal("an executor"))?;
    let id = part.partition_id.ok_or_else(|| internal("an id"))?;
    let port = u16::try_from(executor.port).map_err(|_| internal("a port"))?;
    let largest = LARGEST_MESSAGE as usize;
    let mut client =
        BallistaClient::try_new(&executor.host, port, largest, false, None, RETRIES, RETRY_MILLIS, 0, 0).await?;
    client.fetch_partition(&executor.id, &id.into(), part.file_id, layout, true).await
}
