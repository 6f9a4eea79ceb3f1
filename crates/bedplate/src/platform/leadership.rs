//! Leading: of several replicas on one database the holder of a Lease runs the controllers.
//!
//! What to do is decided by `bedplate_leader::plan`; here the Lease is read and written, and controllers are started and
//! ended. Whatever the controllers write is fenced: its transaction asks for the lease first, so that a leader that was
//! stopped for longer than its lease lasts, and wakes, changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bedplate_apiserver::{ApiError, ApiServer, is_held};
use bedplate_controllers::Platform;
use bedplate_db::{Db, DbError};
use bedplate_identity::Principal;
use bedplate_leader::{Lease, Seen, Step, may_go_on, plan};
use bedplate_types::{ErrorKind, Problem, Span, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease as Object, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::keys;

const NAMESPACE: &str = "bedplate-system";
const NAME: &str = "controllers";
/// How long a leader that is not heard of is waited for, how often a replica looks, and how often the leader is heard of.
const SECONDS: i32 = 5;
const DURATION: Span = Span::from_micros(SECONDS as i64 * 1_000_000);
const LOOK: Duration = Duration::from_millis(700);
const RENEW: i64 = 1_300_000;
/// A renewal that is not answered, and the beginning of another, fit into the time a leader may go on.
const ANSWER: Duration = Duration::from_millis(1_900);

/// Whether this replica leads, for whoever must know.
#[derive(Clone, Debug)]
pub struct Leads(Arc<AtomicBool>);

impl Leads {
    pub fn new(leads: bool) -> Self {
        Self(Arc::new(AtomicBool::new(leads)))
    }

    pub fn now(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// That this replica leads; else a refusal that says `why` it is needed for `what`, and whom to ask.
    pub fn must(&self, what: &str, why: &str) -> Result<(), Problem> {
        if self.now() {
            return Ok(());
        }
        let problem = Problem::new(ErrorKind::NotReady, what, format!("this replica does not lead: {why}"));
        Err(problem.with_fix("ask the replica that holds the Lease controllers in bedplate-system"))
    }
}

/// A replica that would lead.
pub struct Candidate {
    pub apiserver: ApiServer,
    /// What the controllers act through; database and client are fenced before they get it.
    pub platform: Platform,
    pub leads: Leads,
    /// No other replica is called so, and no earlier process.
    pub name: String,
    began: Instant,
}

/// The controllers under way.
struct Term {
    transitions: i64,
    /// When the last renewal that succeeded was begun.
    renewed: Timestamp,
    cancel: CancellationToken,
    controllers: JoinHandle<()>,
}

impl Candidate {
    pub fn new(apiserver: ApiServer, platform: Platform, leads: Leads) -> Result<Self, Problem> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = format!("{host}_{}_{}", std::process::id(), hex::encode(keys::random::<8>()?));
        Ok(Self { apiserver, platform, leads, name, began: Instant::now() })
    }

    /// Runs until the platform ends; lets go of the lease then, so that another may follow at once.
    pub async fn run(self) {
        let api: Api<Object> = Api::namespaced(self.platform.client.clone(), NAMESPACE);
        let mut seen = Seen { lease: None, since: self.now() };
        let mut term = None;
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.platform.cancel.cancelled() => break,
            }
            match timeout(ANSWER, self.look(&api, &mut seen, &mut term)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the lease could not be read or written; trying again"),
                Err(_) => tracing::warn!("the database did not answer about the lease in time; trying again"),
            }
            let is_over = |term: &mut Term| !may_go_on(term.renewed, DURATION, self.now());
            if let Some(lost) = term.take_if(is_over) {
                tracing::warn!("the lease could not be renewed in time: this replica no longer leads");
                self.end(lost).await;
            }
        }
        if let Some(term) = term {
            self.end(term).await;
            let _ = timeout(ANSWER, self.let_go(&api)).await;
        }
    }

    /// By a clock of its own that nobody turns.
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    /// One look at the lease, and what follows from it.
    async fn look(&self, api: &Api<Object>, seen: &mut Seen, term: &mut Option<Term>) -> Result<(), kube::Error> {
        let begun = self.now();
        let found = api.get_opt(NAME).await?;
        *seen = seen.clone().again(found.as_ref().map(read), begun);
        match plan(seen, &self.name, begun) {
            Step::Renew { transitions } => match term.as_mut().filter(|term| term.transitions == transitions) {
                Some(term) if begun.micros_since(term.renewed) < RENEW => {}
                Some(term) => {
                    self.write(api, found, transitions).await?;
                    term.renewed = begun;
                }
                // Ours from before it was given up: what was begun then must not go on under the same number.
                None => self.take(api, found, transitions + 1, begun, term).await?,
            },
            Step::Take { transitions } => self.take(api, found, transitions, begun, term).await?,
            Step::Follow { .. } => {
                if let Some(lost) = term.take() {
                    tracing::warn!("another replica has taken the lease: this one no longer leads");
                    self.end(lost).await;
                }
            }
        }
        Ok(())
    }

    async fn take(
        &self,
        api: &Api<Object>,
        found: Option<Object>,
        transitions: i64,
        begun: Timestamp,
        term: &mut Option<Term>,
    ) -> Result<(), kube::Error> {
        if let Some(old) = term.take() {
            self.end(old).await;
        }
        match self.write(api, found, transitions).await {
            // Another one was quicker.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                tracing::info!(transitions, "this replica leads");
                *term = Some(self.begin(transitions, begun));
                Ok(())
            }
        }
    }

    /// Fails when the lease is no longer as it was found.
    async fn write(&self, api: &Api<Object>, found: Option<Object>, transitions: i64) -> Result<(), kube::Error> {
        let mut object =
            found.clone().unwrap_or_else(|| Object { metadata: kube::api::ObjectMeta::default(), spec: None });
        object.metadata.name = Some(NAME.to_owned());
        let old = object.spec.take().unwrap_or_default();
        let micros = self.platform.clock.now().micros();
        let now = MicroTime(k8s_openapi::jiff::Timestamp::from_microsecond(micros).unwrap_or_default());
        let is_renewal = old.holder_identity.as_deref() == Some(&self.name)
            && old.lease_transitions.map(i64::from) == Some(transitions);
        object.spec = Some(LeaseSpec {
            holder_identity: Some(self.name.clone()),
            lease_duration_seconds: Some(SECONDS),
            lease_transitions: Some(i32::try_from(transitions).unwrap_or(i32::MAX)),
            acquire_time: if is_renewal { old.acquire_time } else { Some(now.clone()) },
            renew_time: Some(now),
            ..LeaseSpec::default()
        });
        let parameters = PostParams::default();
        match found {
            Some(_) => api.replace(NAME, &parameters, &object).await.map(|_| ()),
            None => api.create(&parameters, &object).await.map(|_| ()),
        }
    }

    async fn let_go(&self, api: &Api<Object>) -> Result<(), kube::Error> {
        let Some(mut object) = api.get_opt(NAME).await? else { return Ok(()) };
        let Some(spec) = object.spec.as_mut().filter(|spec| spec.holder_identity.as_deref() == Some(&self.name)) else {
            return Ok(());
        };
        spec.holder_identity = None;
        api.replace(NAME, &PostParams::default(), &object).await.map(|_| ())
    }

    fn begin(&self, transitions: i64, renewed: Timestamp) -> Term {
        let cancel = self.platform.cancel.child_token();
        let db = fenced(&self.platform.db, self.name.clone(), transitions);
        let controllers = Principal::new("system:controllers");
        let platform = Platform {
            client: Client::new(self.apiserver.through(db.clone()).in_process(controllers), "default"),
            db,
            cancel: cancel.clone(),
            ..self.platform.clone()
        };
        self.leads.0.store(true, Ordering::Relaxed);
        Term { transitions, renewed, cancel, controllers: tokio::spawn(bedplate_controllers::run(platform)) }
    }

    async fn end(&self, term: Term) {
        self.leads.0.store(false, Ordering::Relaxed);
        term.cancel.cancel();
        // What does not end by itself is ended here; whatever it still wrote would be refused.
        let stop = term.controllers.abort_handle();
        if timeout(Duration::from_secs(1), term.controllers).await.is_err() {
            stop.abort();
        }
        // Another replica decides now which model is served.
        self.platform.deployments.clear();
    }
}

/// The database for as long as the lease is ours as the so manieth taking.
fn fenced(db: &Db, name: String, transitions: i64) -> Db {
    db.fenced(move |tx| match is_held(tx, NAMESPACE, NAME, &name, transitions) {
        Ok(true) => Ok(()),
        Ok(false) => Err(DbError::Fenced { why: "another replica leads".into() }),
        Err(ApiError::Db(error)) => Err(error),
        Err(error) => Err(DbError::Fenced { why: error.to_string() }),
    })
}

fn read(object: &Object) -> Lease {
    let spec = object.spec.clone().unwrap_or_default();
    Lease {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: spec
            .lease_duration_seconds
            .map_or(DURATION, |seconds| Span::from_micros(i64::from(seconds) * 1_000_000)),
        transitions: spec.lease_transitions.unwrap_or_default().into(),
        renewal: object.resource_version().unwrap_or_default(),
    }
}
