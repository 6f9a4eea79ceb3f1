//! The server: what it is made of, and how it is opened and closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use bedplate_db::{Db, Tx};
use bedplate_identity::{Authenticator, Principal};
use bedplate_kinds::registry::MoreRules;
use bedplate_policy::Policy;
use bedplate_types::Clock;
use serde_json::json;
use tokio::sync::watch;

use crate::catalogue::Catalogue;
use crate::definition;
use crate::error::ApiError;
use crate::feed::Feed;
use crate::governance::{Gate, Governance};
use crate::openapi::Documents;
use crate::options::FieldValidation;
use crate::resource::Resource;
use crate::routes;
use crate::seal::Seal;
use crate::store::By;
use crate::write::{Effect, Write, Written};

/// The namespaces that are always there. What counts for the whole platform is declared in the second.
const NAMESPACES: [&str; 2] = ["default", "bedplate-system"];
/// How many changes are kept for watchers to go on from.
const CHANGES_KEPT: i64 = 10_000;

/// What a server is made of.
pub struct Options {
    /// Must have been opened with the migrations of this crate and of audit, identity, policy, ledger and lineage.
    pub db: Db,
    pub policy: Policy,
    pub authenticator: Authenticator,
    pub clock: Arc<dyn Clock>,
    /// Seals Secrets at rest. Kept apart from the database: who has both reads them.
    pub secrets_key: [u8; 32],
    /// Sixteen random bytes, for uids, generated names and nonces.
    pub seed: fn() -> [u8; 16],
    /// Asked inside the transaction of every write; `None`: every write that is authorised and valid is made.
    pub governance: Option<Arc<dyn Governance>>,
    /// Rules of the kinds that this crate has no engine to judge.
    pub more_rules: Option<MoreRules>,
}

/// A handle to the API server; clones share one server.
#[derive(Clone)]
pub struct ApiServer {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Clone)]
pub(crate) struct Inner {
    pub db: Db,
    pub policy: Policy,
    pub authenticator: Authenticator,
    pub clock: Arc<dyn Clock>,
    pub catalogue: Arc<Catalogue>,
    pub documents: Arc<Documents>,
    /// Counts the writes that watchers have something to see of.
    pub writes: watch::Sender<u64>,
    /// The server is going away: watches end.
    pub closed: watch::Sender<bool>,
    pub feed: Arc<Feed>,
    seal: Seal,
    governance: Option<Arc<dyn Governance>>,
    seed: fn() -> [u8; 16],
    kept: Arc<AtomicI64>,
}

impl ApiServer {
    /// Opens the server and makes sure that the namespaces `default` and `bedplate-system` and the kinds' definitions
    /// exist. Blocks for three writes to the database.
    ///
    /// # Errors
    /// When the database refuses, or a kind's schema or columns cannot be understood.
    pub fn open(options: Options) -> Result<Self, ApiError> {
        let seal = Seal::new(options.secrets_key, options.seed);
        let catalogue = Catalogue::new(&seal, options.more_rules)?;
        let inner = Arc::new(Inner {
            db: options.db,
            policy: options.policy,
            authenticator: options.authenticator,
            clock: options.clock,
            documents: Arc::new(Documents::new(&catalogue)),
            catalogue: Arc::new(catalogue),
            writes: watch::Sender::new(0),
            closed: watch::Sender::new(false),
            feed: Arc::default(),
            seal,
            governance: options.governance,
            seed: options.seed,
            kept: Arc::new(AtomicI64::new(CHANGES_KEPT)),
        });
        NAMESPACES.iter().try_for_each(|name| inner.make_namespace(name))?;
        inner.publish_definitions()?;
        Ok(Self { inner })
    }

    /// The API for the network: who asks is told by the `Authorization: Bearer` header.
    pub fn router(&self) -> Router {
        routes::authenticated(self.inner.clone())
    }

    /// The API inside the process: every request comes from `principal`. Hand it to `kube::Client::new`.
    pub fn in_process(&self, principal: Principal) -> Router {
        routes::in_process(self.inner.clone(), principal)
    }

    /// The same server for callers who may write only while a fence says so: `db` is its database, fenced
    /// ([`Db::fenced`]).
    #[must_use]
    pub fn through(&self, db: Db) -> Self {
        Self { inner: Arc::new(Inner { db, ..Inner::clone(&self.inner) }) }
    }

    /// Everything that is served, core resources first.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.inner.catalogue.all().map(AsRef::as_ref)
    }

    /// Keeps so many changes for watchers (10,000 when not called); an older version gets 410.
    pub fn keep_changes(&self, changes: u32) {
        self.inner.kept.store(changes.into(), Ordering::Relaxed);
    }

    /// Ends all watches, now and for good, so that an HTTP server can shut down gracefully.
    pub fn close(&self) {
        self.inner.closed.send_replace(true);
    }
}

impl Inner {
    pub fn kept(&self) -> i64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Who is asked before `principal` changes anything.
    pub fn gate(&self, principal: &Principal) -> Option<Gate> {
        let governance = self.governance.clone()?;
        Some(Gate { governance, principal: principal.clone(), seal: self.seal.clone() })
    }

    /// The same, with somebody else in the place of whoever governs.
    pub fn gate_of(&self, principal: &Principal, governance: Arc<dyn Governance>) -> Gate {
        Gate { governance, principal: principal.clone(), seal: self.seal.clone() }
    }

    pub fn governance(&self) -> Option<Arc<dyn Governance>> {
        self.governance.clone()
    }

    pub fn random(&self) -> [u8; 16] {
        (self.seed)()
    }

    /// Runs one write in its transaction and wakes the watchers. A dry run runs too, and is rolled back.
    pub async fn write<F>(&self, dry_run: bool, mut task: F) -> Result<Written, ApiError>
    where
        F: FnMut(&mut dyn Tx) -> Result<Written, ApiError> + Send + 'static,
    {
        let run = move |tx: &mut dyn Tx| {
            let written = task(tx)?;
            if dry_run { Err(ApiError::DryRun(Box::new(written))) } else { Ok((written, policy_version(tx)?)) }
        };
        match self.db.write_async(run).await {
            Ok((written, version)) => {
                if written.effect != Effect::Nothing {
                    self.tell_of_writes(version)?;
                }
                Ok(written)
            }
            Err(ApiError::DryRun(written)) => Ok(*written),
            Err(error) => Err(error),
        }
    }

    /// After a write: a RoleBinding came or went, perhaps with its namespace, and watchers have something to see.
    /// `version` is the [`policy_version`] of its transaction.
    pub fn tell_of_writes(&self, version: i64) -> Result<(), ApiError> {
        self.policy.refresh_to(version).map_err(|error| ApiError::Internal(error.to_string()))?;
        self.writes.send_modify(|writes| *writes += 1);
        Ok(())
    }

    fn publish_definitions(&self) -> Result<(), ApiError> {
        let now = self.clock.now();
        let definitions = definition::all(now, self.seed)?;
        let by = By {
            actor: "system:apiserver".to_owned(),
            action: "create",
            subresource: None,
            at: now,
            because: None,
            kept: self.kept(),
            gate: None,
        };
        self.db.write(move |tx| definition::publish(tx, &definitions, &by))
    }

    fn make_namespace(&self, name: &str) -> Result<(), ApiError> {
        let Some(resource) = self.catalogue.find("", "v1", "namespaces") else { return Ok(()) };
        let write = Write {
            resource,
            namespace: None,
            name: name.to_owned(),
            status_only: false,
            actor: "system:apiserver".to_owned(),
            sight: None,
            manager: "bedplate".to_owned(),
            validation: FieldValidation::Ignore,
            now: self.clock.now(),
            random: self.random(),
            kept: self.kept(),
            gate: None,
        };
        match self.db.write(move |tx| write.create(tx, &json!({}))) {
            Ok(_) | Err(ApiError::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What the rules and grants are after a write, as its transaction sees them.
pub fn policy_version(tx: &mut dyn Tx) -> Result<i64, ApiError> {
    bedplate_policy::version(tx).map_err(|error| ApiError::Internal(error.to_string()))
}
