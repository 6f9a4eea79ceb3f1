//! The console's port on the platform's objects, runs, predictions, log and ledger.

mod catalogue;
mod dataset;
mod feature_view;
mod stages;

use std::fmt::Debug;
use std::sync::Arc;

use bedplate_catalogue::ObjectKind;
use bedplate_console::{
    AuditHead, Catalogue as Found, CatalogueQuery, Cost, Dataset as DatasetPage, DriftFinding, Facts as Port,
    FeatureView as FeatureViewPage, GateFinding, Month, ObjectRow, Overview, Platform, Prediction, Run, State, UseCase,
    UseCaseSummary,
};
use bedplate_controllers::DatasetProfile;
use bedplate_db::{DbError, Tx};
use bedplate_identity::Principal;
use bedplate_kinds::Phase;
use bedplate_policy::{Action, Resource};
use bedplate_types::{Bytes, ErrorKind, Micros, Money, NamespacedName, Problem, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde::de::DeserializeOwned;

use super::api::{Facts, Features};
use super::catalogue::Catalogue;
use super::profile::shown;
use super::sql::{Caller, Sql};
use stages::Objects;

/// Rows a page shows of runs and predictions.
const SHOWN: u32 = 10;

pub struct Pages {
    facts: Facts,
    sql: Sql,
    features: Features,
    catalogue: Arc<Catalogue>,
    started_at: Timestamp,
}

impl Pages {
    pub fn new(features: Features, catalogue: Arc<Catalogue>, started_at: Timestamp) -> Self {
        let (facts, sql) = (features.facts.clone(), features.sql.clone());
        Self { facts, sql, features, catalogue, started_at }
    }

    fn may(&self, who: &Principal, action: Action, namespace: Option<&str>, kind: &str) -> bool {
        let resource = Resource { namespace, kind, name: None };
        self.facts.policy.decide(&who.name, &who.groups, action, &resource).allowed
    }

    /// The namespaces the principal may list, in order.
    async fn namespaces(&self, who: &Principal) -> Result<Vec<String>, Problem> {
        let api: Api<Namespace> = Api::all(self.facts.client.clone());
        let all = api.list(&ListParams::default()).await.map_err(|error| unread("the namespaces", &error))?;
        let names = all.items.iter().map(ResourceExt::name_any);
        Ok(names.filter(|name| self.may(who, Action::List, Some(name), "Dataset")).collect())
    }

    async fn objects(&self, namespace: &str) -> Result<Objects, Problem> {
        Ok(Objects {
            datasets: self.list(namespace).await?,
            views: self.list(namespace).await?,
            recipes: self.list(namespace).await?,
            workloads: self.list(namespace).await?,
            models: self.list(namespace).await?,
            endpoints: self.list(namespace).await?,
            monitors: self.list(namespace).await?,
        })
    }

    async fn list<K>(&self, namespace: &str) -> Result<Vec<K>, Problem>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let api: Api<K> = Api::namespaced(self.facts.client.clone(), namespace);
        let listed = api.list(&ListParams::default()).await;
        Ok(listed.map_err(|error| unread(&format!("the {} of {namespace}", K::plural(&())), &error))?.items)
    }

    fn predictions(&self, namespace: &str) -> Result<Vec<Prediction>, Problem> {
        let stored = self.facts.db.read(|tx| bedplate_serving::latest(tx, namespace, SHOWN));
        let stored = stored.map_err(|error| Problem::of("the predictions", &error))?;
        Ok(stored.into_iter().map(prediction).collect())
    }

    fn audit(&self, who: &Principal) -> Result<Option<AuditHead>, Problem> {
        if !self.may(who, Action::List, None, "Audit") {
            return Ok(None);
        }
        let head = self.facts.db.read(bedplate_audit::head).map_err(|error| Problem::of("the audit log", &error))?;
        Ok(Some(AuditHead { leaves: head.leaves, root: (head.leaves > 0).then_some(head.root), verified: None }))
    }

    /// In the currency of today's prices; what was spent in another is told by `bedplate costs`.
    fn cost(&self, namespaces: &[String], total_only: bool) -> Result<Cost, Problem> {
        let now = self.facts.clock.now();
        let read = self.facts.db.read(|tx| {
            let sheet = bedplate_ledger::sheet_at(tx, now)?;
            let query =
                bedplate_ledger::Query { by: vec![bedplate_ledger::Dimension::Namespace], ..Default::default() };
            Ok((sheet.map(|sheet| sheet.currency), bedplate_ledger::statement(tx, &query)?))
        });
        let (currency, told) = read.map_err(|error: bedplate_ledger::LedgerError| Problem::of("the ledger", &error))?;
        let currency = currency.or_else(|| told.totals.keys().next().cloned()).unwrap_or_default();
        let spent = |namespace: &String| {
            let line = told.lines.iter().find(|line| line.key.first() == Some(namespace) && line.currency == currency);
            (namespace.clone(), line.map_or(Money::default(), |line| line.cost))
        };
        let mut parts: Vec<(String, Money)> = namespaces.iter().map(spent).collect();
        let total = parts.iter().map(|part| part.1).sum();
        parts.sort_by_key(|part| std::cmp::Reverse(part.1));
        if total_only {
            parts.clear();
        }
        Ok(Cost { total, currency, parts })
    }
}

#[async_trait::async_trait]
impl Port for Pages {
    async fn overview(&self, who: &Principal) -> Result<Overview, Problem> {
        let namespaces = self.namespaces(who).await?;
        let mut overview = Overview {
            platform: Platform { version: env!("CARGO_PKG_VERSION").into(), started_at: self.started_at },
            use_cases: Vec::new(),
            runs: Vec::new(),
            predictions: Vec::new(),
            audit: self.audit(who)?,
            cost: self.cost(&namespaces, false)?,
        };
        for namespace in namespaces {
            let objects = self.objects(&namespace).await?;
            if objects.is_empty() {
                continue;
            }
            overview.runs.extend(runs(&namespace, &objects));
            overview.predictions.extend(self.predictions(&namespace)?);
            overview.use_cases.push(summary(namespace, &objects));
        }
        overview.runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
        overview.predictions.sort_by_key(|prediction| std::cmp::Reverse(prediction.at));
        overview.runs.truncate(SHOWN as usize);
        overview.predictions.truncate(SHOWN as usize);
        Ok(overview)
    }

    async fn use_case(&self, who: &Principal, namespace: &str) -> Result<UseCase, Problem> {
        if !self.namespaces(who).await?.iter().any(|known| known == namespace) {
            let why = "there is no such namespace, or you may not see it";
            return Err(Problem::new(ErrorKind::NotFound, format!("namespace {namespace}"), why));
        }
        let objects = self.objects(namespace).await?;
        let monitor = objects.monitors.first();
        let watched = monitor.and_then(|monitor| monitor.status.clone()).unwrap_or_default();
        let gates =
            objects.recipes.iter().filter_map(|recipe| recipe.status.as_ref()).flat_map(|status| status.gates.clone());
        Ok(UseCase {
            gates: gates
                .map(|gate| GateFinding {
                    name: gate.name,
                    passed: gate.passed,
                    value: gate.value,
                    bound: gate.bound,
                    detail: gate.detail,
                })
                .collect(),
            drift: watched.drift.into_iter().map(drift).collect(),
            drift_threshold: monitor.map_or(0.1, |monitor| monitor.spec.threshold),
            label_by_month: watched
                .label_shift
                .into_iter()
                .map(|month| Month { month: month.month, rows: month.rows, positive_share: month.positive_share })
                .collect(),
            runs: runs(namespace, &objects),
            predictions: self.predictions(namespace)?,
            cost: self.cost(&[namespace.to_owned()], true)?,
            objects: stages::rows(&objects),
            summary: summary(namespace.to_owned(), &objects),
        })
    }

    async fn catalogue(&self, who: &Principal, asked: &CatalogueQuery) -> Result<Found, Problem> {
        match catalogue::wanted(asked) {
            Some(wanted) => Ok(catalogue::shown(self.catalogue.search(who, &wanted).await?)),
            None => Ok(Found::default()),
        }
    }

    async fn dataset(&self, who: &Principal, namespace: &str, name: &str) -> Result<DatasetPage, Problem> {
        let name = NamespacedName::new(namespace, name);
        let declared =
            self.facts.dataset(who, Action::Get, &name).await.map_err(|problem| hidden(problem, "dataset", &name))?;
        let read = |tx: &mut dyn Tx| -> Result<_, DbError> {
            Ok((bedplate_controllers::profile(tx, &name, None)?, bedplate_controllers::results(tx, &name, SHOWN)?))
        };
        let (profile, ingests) = self.facts.db.read(read).map_err(|error| Problem::of("the profile", &error))?;
        let caller = Caller { principal: who.clone(), namespace: namespace.to_owned(), purpose: None };
        let clear = self.sql.in_the_clear(&caller, &declared);
        let profile = profile.map(|found| {
            let profile = shown(found.profile, &declared.spec, &clear);
            DatasetProfile { profile, ..found }
        });
        let used_by = self.catalogue.used_by(who, ObjectKind::Dataset, namespace, &name.name);
        let used_by = used_by.iter().map(catalogue::told).collect();
        Ok(dataset::page(&declared, dataset::Around { profile, ingests, used_by }))
    }

    async fn feature_view(&self, who: &Principal, namespace: &str, name: &str) -> Result<FeatureViewPage, Problem> {
        let name = NamespacedName::new(namespace, name);
        let caller = Caller { principal: who.clone(), namespace: namespace.to_owned(), purpose: None };
        let seen = self.features.seen(&caller, &name).await;
        let (view, lately) = seen.map_err(|problem| hidden(problem, "feature view", &name))?;
        let used_by = self.catalogue.used_by(who, ObjectKind::FeatureView, namespace, &name.name);
        Ok(feature_view::page(&view, lately, used_by.iter().map(catalogue::told).collect()))
    }
}

/// A page does not tell what is there from what is not.
fn hidden(problem: Problem, kind: &str, name: &NamespacedName) -> Problem {
    match problem.kind {
        ErrorKind::Denied | ErrorKind::NotFound => {
            let why = format!("there is no such {kind}, or you may not see it");
            Problem::new(ErrorKind::NotFound, format!("{kind} {name}"), why)
        }
        _ => problem,
    }
}

fn unread(what: &str, error: &kube::Error) -> Problem {
    Problem::new(ErrorKind::Internal, what, error.to_string())
}

fn summary(namespace: String, objects: &Objects) -> UseCaseSummary {
    let question = objects.models.first().map(|model| model.spec.description.clone()).unwrap_or_default();
    UseCaseSummary { namespace, question, stages: stages::stages(objects) }
}

fn drift(found: bedplate_kinds::DriftResult) -> DriftFinding {
    DriftFinding {
        feature: found.feature,
        psi: found.psi,
        jensen_shannon: found.jensen_shannon,
        wasserstein: found.wasserstein,
        missing_reference: found.missing_share_reference,
        missing_current: found.missing_share_current,
        drifted: found.drifted,
    }
}

fn prediction(stored: bedplate_serving::StoredPrediction) -> Prediction {
    Prediction {
        id: stored.id.to_string(),
        namespace: stored.endpoint.namespace,
        endpoint: stored.endpoint.name,
        model_version: format!("{} v{}", stored.model, stored.version),
        at: stored.at,
        score: stored.probability,
        latency: Micros(stored.latency_micros.unsigned_abs()),
    }
}

fn runs(namespace: &str, objects: &Objects) -> Vec<Run> {
    let mut runs: Vec<_> = objects.workloads.iter().map(|workload| run(namespace, workload)).collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.started_at));
    runs
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "run times in microseconds fit and are not negative"
)]
fn run(namespace: &str, workload: &bedplate_kinds::Workload) -> Run {
    let status = workload.status.clone().unwrap_or_default();
    let ended = status.finished_at.is_some();
    let micros = |seconds: f64| ended.then_some(Micros((seconds * 1e6) as u64));
    Run {
        namespace: namespace.to_owned(),
        name: workload.name_any(),
        task: if workload.spec.task.train.is_some() { "train" } else { "replay" }.into(),
        state: state(status.phase),
        started_at: status.started_at,
        wall: micros(status.usage.wall_seconds),
        cpu: micros(status.usage.cpu_seconds),
        peak_memory: ended.then_some(Bytes(status.usage.peak_rss_bytes)),
        exit_code: status.exit_code,
    }
}

pub fn state(phase: Phase) -> State {
    match phase {
        Phase::Pending => State::Pending,
        Phase::Running => State::Running,
        Phase::Ready => State::Ready,
        Phase::Succeeded => State::Succeeded,
        Phase::Failed => State::Failed,
    }
}

/// A row of the table of objects.
fn object_row(
    kind: &str,
    name: String,
    phase: Phase,
    figures: String,
    conditions: &[bedplate_kinds::Condition],
) -> ObjectRow {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    ObjectRow {
        kind: kind.to_owned(),
        name,
        state: state(phase),
        figures,
        reason: ready.map(|condition| condition.reason.clone()).unwrap_or_default(),
        message: ready.map(|condition| condition.message.clone()).unwrap_or_default(),
    }
}
