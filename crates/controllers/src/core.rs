//! What every controller holds, and the few things all of them do: read an object, write a status, record facts.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use bedplate_audit::Entry;
use bedplate_db::{Db, Tx};
use bedplate_kinds::Phase;
use bedplate_ledger::UsageEvent;
use bedplate_lineage::{ColumnEdge, Edge, How, Named, Node};
use bedplate_objects::Objects;
use bedplate_online::OnlineStore;
use bedplate_policy::Policy;
use bedplate_query::{Hosts, Lake};
use bedplate_serving::Deployments;
use bedplate_trust::SigningKey;
use bedplate_types::{Clock, ErrorKind, Explained, Micros, NamespacedName, Problem, Timestamp};
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::runtime::controller::Action;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::elsewhere::{Attempts, SOON_AGAIN};
use crate::event;
use crate::hold::Hold;
use crate::jobs::KnownBy;
use crate::results::{self, IngestResult};
use crate::run::Reconcile;
use crate::standing::{Standing, ready_condition};
use crate::verifier::Verifier;

/// The engines and ports the controllers act through. Wired once, by the binary.
#[derive(Clone)]
pub struct Platform {
    pub client: Client,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub lake: Arc<Lake>,
    pub objects: Objects,
    pub online: OnlineStore,
    pub deployments: Deployments,
    pub policy: Policy,
    pub signing_key: Arc<SigningKey>,
    pub sites: Sites,
    pub started_at: Timestamp,
    pub cancel: CancellationToken,
    pub attempts: Attempts,
    pub verifier: Verifier,
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Sites {
    /// A folder a run: job, log and results.
    pub runs: PathBuf,
    /// A folder a model version.
    pub models: PathBuf,
    /// Sources outside these folders are refused.
    pub source_roots: Vec<PathBuf>,
    /// Sources on other hosts than these are refused.
    pub source_hosts: Hosts,
    /// The binary whose `worker` command runs a workload.
    pub program: PathBuf,
    pub control_url: String,
    pub inference_url: String,
    pub listeners: KnownBy,
}

/// Facts of one step, written in one transaction.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub audit: Vec<Entry>,
    pub nodes: Vec<(Node, Value)>,
    pub edges: Vec<Edge>,
    pub columns: Vec<ColumnEdge>,
    /// Which version of a thing counts from now on.
    pub heads: Vec<(Named, Node)>,
    pub usage: Vec<UsageEvent>,
    pub results: Vec<(NamespacedName, IngestResult)>,
}

/// Steps that read or write tables, at the same time. Each holds a thread for what may block, and waits for others of these
/// threads: were all of them held by such steps, none would ever end.
static TURNS: Semaphore = Semaphore::const_new(4);

const SOON: std::time::Duration = std::time::Duration::from_secs(2);
pub const PERIOD: std::time::Duration = std::time::Duration::from_secs(300);

impl Platform {
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The named object, or a wait for it.
    pub async fn need<K>(&self, namespace: &str, name: &str) -> Result<K, Hold>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
        K::DynamicType: Default,
    {
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        let found = self.api::<K>(namespace).get_opt(name).await?;
        found.ok_or_else(|| Hold::waiting(format!("{kind} {name} does not exist in namespace {namespace}")))
    }

    /// Writes how the reconcile ended, when that differs from what is stored, and says when to look again.
    pub async fn settle<K: Reconcile>(
        &self,
        object: &K,
        mut status: K::Status,
        outcome: Result<Phase, Hold>,
    ) -> Result<Action, kube::Error> {
        if self.cancel.is_cancelled() && matches!(outcome, Err(Hold::Failed(_) | Hold::Unreached(_))) {
            // It failed because it was told to stop: that is no judgement.
            return Ok(Action::await_change());
        }
        let (generation, now) = (object.meta().generation.unwrap_or_default(), self.clock.now());
        let (phase, condition) = ready_condition(&outcome, generation, now);
        let event = event::of_phase(object, phase, &condition, now);
        status.stand(phase, condition, generation);
        if object.status() != Some(&status) {
            self.write_status(object, &status).await?;
        }
        if object.status().map(Standing::phase).unwrap_or_default() != phase {
            self.tell(event).await;
        }
        match outcome {
            Ok(Phase::Running | Phase::Pending) | Err(Hold::Waiting(_)) => Ok(Action::requeue(SOON)),
            Ok(_) => Ok(Action::requeue(object.looked_at_every())),
            Err(Hold::Failed(_) | Hold::Stopped(_)) => Ok(Action::requeue(PERIOD)),
            Err(Hold::Unreached(_)) => Ok(Action::requeue(SOON_AGAIN)),
            Err(Hold::Retry(error)) => Err(error),
        }
    }

    /// Events are for people: one that cannot be written stops nothing.
    pub async fn tell(&self, event: Event) {
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        if let Err(error) = self.api::<Event>(&namespace).create(&PostParams::default(), &event).await {
            tracing::debug!(%error, "an event was not written");
        }
    }

    pub async fn write_status<K: Reconcile>(&self, object: &K, status: &K::Status) -> Result<(), kube::Error> {
        let mut written = serde_json::to_value(status).unwrap_or_default();
        if let Some(fields) = written.as_object_mut() {
            let is_ours = |name: &str| match K::OWNS_STATUS {
                true => !K::OF_OTHERS.contains(&name),
                false => ["phase", "conditions", "observedGeneration"].contains(&name),
            };
            fields.retain(|name, _| is_ours(name));
        }
        let api = self.api::<K>(&object.namespace().unwrap_or_default());
        let patch = Patch::Merge(json!({ "status": written }));
        match api.patch_status(&object.name_any(), &PatchParams::default(), &patch).await {
            // Deleted meanwhile: nobody is left to read it.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Writes the facts of one step, all or none.
    pub async fn record(&self, facts: Facts) -> Result<(), Hold> {
        self.db.write_async(move |tx| write(tx, &facts)).await.map_err(Hold::Failed)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As [`Platform::heavy`], and the processor time of the thread that ran it. What a query's own threads took is not in
    /// it.
    pub async fn measured<T, F>(&self, work: F) -> Result<(T, Option<Micros>), Hold>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Hold> + Send + 'static,
    {
        self.heavy(move || {
            let before = bedplate_exec::thread_cpu();
            let done = work()?;
            let took = before.zip(bedplate_exec::thread_cpu());
            Ok((done, took.map(|(before, after)| Micros(after.0.saturating_sub(before.0)))))
        })
        .await
    }

    /// The right to one such step; given back when it is dropped. Who has it must not ask for another.
    pub async fn turn(&self) -> Result<SemaphorePermit<'static>, Hold> {
        let closed = |error: AcquireError| Problem::new(ErrorKind::Internal, "the controllers", error.to_string());
        TURNS.acquire().await.map_err(|error| Hold::Failed(closed(error)))
    }

    /// Runs `work`, which is heavy on the processor, away from the threads that answer requests.
    pub async fn heavy<T, F>(&self, work: F) -> Result<T, Hold>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Hold> + Send + 'static,
    {
        let _turn = self.turn().await?;
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(Hold::Failed(Problem::new(
                ErrorKind::Internal,
                "a step of the controllers",
                format!("ended abnormally: {error}"),
            ))),
        }
    }
}

fn write(tx: &mut dyn Tx, facts: &Facts) -> Result<(), Problem> {
    let of = |error: &dyn Explained| Problem::of("recording what was done", error);
    for entry in &facts.audit {
        bedplate_audit::append(tx, entry).map_err(|e| of(&e))?;
    }
    for (node, described) in &facts.nodes {
        bedplate_lineage::describe(tx, node, described).map_err(|e| of(&e))?;
    }
    for edge in &facts.edges {
        bedplate_lineage::link(tx, edge).map_err(|e| of(&e))?;
    }
    for edge in &facts.columns {
        bedplate_lineage::link_column(tx, edge).map_err(|e| of(&e))?;
    }
    for (named, node) in &facts.heads {
        bedplate_lineage::lead(tx, named, node).map_err(|e| of(&e))?;
    }
    for (dataset, result) in &facts.results {
        results::record(tx, dataset, result).map_err(|e| of(&e))?;
    }
    for event in &facts.usage {
        bedplate_ledger::record(tx, event).map_err(|e| of(&e))?;
    }
    Ok(())
}

/// Who the controllers are in the audit log.
pub const ACTOR: &str = "system:controllers";

impl Facts {
    pub fn did(mut self, at: Timestamp, action: &str, object: String, detail: Value) -> Self {
        self.audit.push(Entry { at, actor: ACTOR.into(), action: action.into(), object, detail });
        self
    }

    pub fn knows(mut self, node: &Node, described: Value) -> Self {
        self.nodes.push((node.clone(), described));
        self
    }

    pub fn follows(mut self, from: &Node, to: &Node, by: &str, at: Timestamp) -> Self {
        self.edges.push(Edge { from: from.clone(), to: to.clone(), by: by.to_owned(), at });
        self
    }

    pub fn made_of(&mut self, to: &Node, from: Node, how: How, by: &str, at: Timestamp) {
        self.columns.push(ColumnEdge { from, to: to.clone(), how, by: by.to_owned(), at });
    }

    pub fn leads(mut self, sort: &'static str, name: &NamespacedName, node: &Node) -> Self {
        self.heads.push((Named::new(sort, &name.namespace, &name.name), node.clone()));
        self
    }

    pub fn judged(mut self, dataset: &NamespacedName, result: IngestResult) -> Self {
        self.results.push((dataset.clone(), result));
        self
    }

    pub fn used(mut self, event: UsageEvent) -> Self {
        self.usage.push(event);
        self
    }

    /// What a step of the platform's own took of the processor, when it could be measured. A step that a crash made
    /// necessary twice has cost twice: the moment is part of the id.
    pub fn worked(self, step: &str, name: &NamespacedName, team: &str, took: Option<Micros>, at: Timestamp) -> Self {
        let Some(took) = took else { return self };
        self.used(UsageEvent {
            id: format!("{step}:{name}:{}", at.micros()),
            at,
            namespace: name.namespace.clone(),
            team: team.to_owned(),
            subject: format!("{step}:{name}"),
            resource: "cpu_seconds".into(),
            amount_micro: i64::try_from(took.0).unwrap_or(i64::MAX),
        })
    }
}

/// A use of a resource that is priced by its size: bytes in millionths of a gigabyte (10^9 bytes), rounded up.
pub fn gigabytes(bytes: u64) -> i64 {
    i64::try_from(bytes.div_ceil(1_000)).unwrap_or(i64::MAX)
}

/// The object's name and namespace.
pub fn full_name<K: Resource>(object: &K) -> NamespacedName {
    NamespacedName::new(
        object.meta().namespace.clone().unwrap_or_default(),
        object.meta().name.clone().unwrap_or_default(),
    )
}
