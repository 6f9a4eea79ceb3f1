//! A dataset's ingests, versions, profile and quarantine: looked at, reviewed, kept up.

mod profile;
mod upkeep;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use bedplate_identity::Principal;
use bedplate_kinds::{DataTags, Dataset, KEPT_INGESTS};
use bedplate_policy::{Action, Hidden, Operation, Question, Resource, Tags};
use bedplate_query::{Choice, Lake, ReviewAction, ReviewOrder};
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Facts, Failed, failed, readable};
use crate::platform::Leads;
use crate::surface::sql::{Sql, is_name};

const KIND: &str = "Dataset";
/// Rows of the quarantine that are listed, and that one order may name.
const LISTED: u32 = 100;
const NAMED: usize = 10_000;
const WHY_LENGTH: usize = 1_000;

/// What the routes read and write.
#[derive(Clone)]
pub struct Data {
    pub facts: Facts,
    pub lake: Arc<Lake>,
    pub leads: Leads,
    pub sql: Sql,
}

pub fn router(data: Data) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.with_state(data)
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Data>)> {
    let may = |method, path, action| Operation::may(method, path, action, KIND, Hidden::Forbidden);
    let history = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/history";
    let profile = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/profile";
    let quarantine = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/quarantine";
    let review = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/quarantine/review";
    let versions = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/versions";
    let optimize = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/optimize";
    let restore = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/restore";
    let vacuum = "/bedplate/v1/namespaces/{namespace}/datasets/{name}/vacuum";
    vec![
        (may("GET", history, Action::Get), get(self::history)),
        (may("GET", profile, Action::Get), get(profile::profile)),
        (may("GET", quarantine, Action::Get), get(self::quarantine)),
        (may("POST", review, Action::Patch), post(self::review)),
        (may("GET", versions, Action::Get), get(upkeep::versions)),
        (may("POST", optimize, Action::Patch), post(upkeep::optimize)),
        (may("POST", restore, Action::Patch), post(upkeep::restore)),
        (may("POST", vacuum, Action::Delete), post(upkeep::vacuum)),
    ]
}

#[derive(Deserialize)]
struct HistoryQuery {
    limit: Option<u32>,
}

async fn history(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    Query(asked): Query<HistoryQuery>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let who = data.facts.who(&headers)?;
    data.facts.dataset(&who, Action::Get, &name).await.map_err(Failed)?;
    let limit = asked.limit.unwrap_or(KEPT_INGESTS);
    let found = data.facts.db.read(|tx| bedplate_controllers::results(tx, &name, limit));
    let found = found.map_err(|error| failed(&format!("the ingests of dataset {name}"))(&error))?;
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "ingests": found })))
}

async fn quarantine(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let who = data.facts.who(&headers)?;
    let dataset = data.facts.dataset(&who, Action::Get, &name).await.map_err(Failed)?;
    data.must_lead()?;
    let found = data.lake.quarantined(&name.namespace, &name.name, LISTED).await;
    let found = found.map_err(|error| failed(&format!("the quarantine of dataset {name}"))(&error))?;
    let status = dataset.status.unwrap_or_default();
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "version": status.version,
        "quarantined": status.quarantined, "reasons": found.reasons, "rows": found.rows })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    action: ReviewAction,
    why: String,
    #[serde(default)]
    rows: BTreeSet<i64>,
    reason: Option<String>,
    file: Option<String>,
    /// The table's version that was looked at.
    version: Option<i64>,
}

async fn review(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Wanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("reviewing the quarantine of dataset {name}");
    let who = data.facts.who(&headers)?;
    data.facts.dataset(&who, Action::Patch, &name).await.map_err(Failed)?;
    let wanted = checked(readable(wanted, &what)?, &what)?;
    data.must_lead()?;
    let (action, at) = (wanted.action, data.facts.clock.now());
    let choice = Choice { rows: wanted.rows, reason: wanted.reason, file: wanted.file };
    let order = ReviewOrder { action, by: who.name, why: wanted.why, at, choice, version: wanted.version };
    // It goes on to its end when the caller hangs up.
    let (lake, place) = (data.lake.clone(), name.clone());
    let task = tokio::spawn(async move { lake.review(&place.namespace, &place.name, order).await });
    let (report, rows) = ended(&what, task).await?.map_err(|error| failed(&what)(&error))?;
    data.wake(&name, json!({ "quarantined": report.quarantined })).await;
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "action": action, "rows": rows,
        "version": report.version, "quarantined": report.quarantined, "tableRows": report.rows })))
}

/// What a task of its own came to.
async fn ended<T>(what: &str, task: tokio::task::JoinHandle<T>) -> Result<T, Failed> {
    task.await.map_err(|error| Failed(Problem::new(ErrorKind::Internal, what, error.to_string())))
}

fn checked(wanted: Wanted, what: &str) -> Result<Wanted, Failed> {
    let refuse = |why: String| Err(Failed(Problem::new(ErrorKind::Invalid, what, why)));
    if wanted.why.trim().is_empty() {
        return refuse("it needs a reason: why".into());
    }
    if wanted.why.len() > WHY_LENGTH {
        return refuse(format!("why is longer than {WHY_LENGTH} bytes"));
    }
    if wanted.rows.len() > NAMED {
        return refuse(format!("it names more than {NAMED} rows; choose them by reason, or in several orders"));
    }
    Ok(wanted)
}

impl Data {
    /// One replica writes tables: the one whose controllers do.
    fn must_lead(&self) -> Result<(), Failed> {
        let why = "tables are written, and their quarantines kept, by the one that does";
        self.leads.must("the lake", why).map_err(Failed)
    }

    /// Has the controller tell of what was done now; it would find it by itself some minutes later. `known` is of the status.
    async fn wake(&self, name: &NamespacedName, known: Value) {
        let api: Api<Dataset> = Api::namespaced(self.facts.client.clone(), &name.namespace);
        let patch = Patch::Merge(json!({ "status": known }));
        if let Err(error) = api.patch_status(&name.name, &PatchParams::default(), &patch).await {
            tracing::warn!(dataset = %name, %error, "the status of a dataset was not written");
        }
    }
}

impl Facts {
    /// The dataset, for who may do `action` to it there. One that its tags hide is not there.
    pub async fn dataset(&self, who: &Principal, action: Action, name: &NamespacedName) -> Result<Dataset, Problem> {
        self.may(who, action, Some(&name.namespace), KIND).map_err(|Failed(problem)| problem)?;
        // `weather?` would find weather, and be asked about under another name.
        if !is_name(&name.namespace) || !is_name(&name.name) {
            return Err(not_there(name));
        }
        let api: Api<Dataset> = Api::namespaced(self.client.clone(), &name.namespace);
        let found = api
            .get_opt(&name.name)
            .await
            .map_err(|error| Problem::new(ErrorKind::Internal, format!("dataset {name}"), error.to_string()))?;
        let dataset = found.ok_or_else(|| not_there(name))?;
        let deidentified = dataset.status.as_ref().is_some_and(|status| status.deidentified);
        let tags = Tags {
            owner: Some(dataset.spec.owner.clone()),
            labels: dataset.labels().clone(),
            ..Tags::from(&DataTags::of(&dataset.spec, deidentified))
        };
        let resource = Resource { namespace: Some(&name.namespace), kind: KIND, name: Some(&name.name) };
        let ask = |action| self.policy.ask(&Question::new(&who.name, &who.groups, action, resource).tagged(&tags));
        let decision = ask(action);
        if decision.allowed {
            return Ok(dataset);
        }
        if !ask(Action::Get).allowed {
            return Err(not_there(name));
        }
        Err(Problem::new(ErrorKind::Denied, format!("dataset {name}"), decision.why().to_owned()))
    }
}

fn not_there(name: &NamespacedName) -> Problem {
    let problem = Problem::new(ErrorKind::NotFound, format!("dataset {name}"), "is not there");
    problem.with_fix(format!("bedplate get datasets -n {}", name.namespace))
}
