//! What the policy decided, and why it would decide something.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use bedplate_identity::Principal;
use bedplate_kinds::{DataTags, Dataset};
use bedplate_policy::{Action, Circumstances, Hidden, Operation, Question, Resource, Tags, Wanted};
use bedplate_types::{ErrorKind, Problem};
use kube::{Api, ResourceExt};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Facts, Failed, Table, failed};

const KIND: &str = "Decision";
const USUAL: u32 = 100;
const MOST: u32 = 10_000;

pub fn table() -> Table {
    let decisions = "/bedplate/v1/policy/decisions";
    vec![
        (Operation::may("GET", decisions, Action::List, KIND, Hidden::Forbidden), get(list)),
        // Of somebody else it is told to those only who may know the decisions there.
        (Operation::signed_in("GET", "/bedplate/v1/policy/why"), get(why)),
        (Operation::signed_in("GET", "/bedplate/v1/policy/schema"), get(schema)),
    ]
}

#[derive(Deserialize)]
pub struct ListQuery {
    /// All namespaces, when left out.
    namespace: Option<String>,
    principal: Option<String>,
    #[serde(default)]
    denied: bool,
    limit: Option<u32>,
}

async fn list(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Failed> {
    let who = facts.who(&headers)?;
    let namespace = query.namespace.filter(|namespace| !namespace.is_empty());
    facts.may(&who, Action::List, namespace.as_deref(), KIND)?;
    let wanted = Wanted {
        namespace,
        principal: query.principal,
        denied_only: query.denied,
        limit: query.limit.unwrap_or(USUAL).min(MOST),
    };
    let found = facts.db.read(|tx| {
        Ok::<_, bedplate_policy::PolicyError>((
            bedplate_policy::decisions(tx, &wanted)?,
            bedplate_policy::lost_decisions(tx)?,
        ))
    });
    let (decisions, lost) = found.map_err(|error| failed("reading the decisions")(&error))?;
    Ok(Json(json!({ "decisions": decisions, "lost": lost })))
}

#[derive(Deserialize)]
pub struct WhyQuery {
    verb: String,
    kind: String,
    name: Option<String>,
    namespace: Option<String>,
    #[serde(rename = "as")]
    principal: Option<String>,
    /// Of the one named by `as`, with commas between them.
    groups: Option<String>,
    purpose: Option<String>,
    site: Option<String>,
}

/// The decision for the caller, or, for those who may know the decisions there, for anybody.
async fn why(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Query(query): Query<WhyQuery>,
) -> Result<Json<Value>, Failed> {
    let caller = facts.who(&headers)?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (name, namespace) = (filled(query.name), filled(query.namespace));
    let action = Action::parse(&query.verb).ok_or_else(|| {
        let known = Action::ALL.map(Action::as_str).join(", ");
        Failed(Problem::new(ErrorKind::Invalid, format!("verb {}", query.verb), format!("is none; there are {known}")))
    })?;
    let asked = match filled(query.principal).filter(|other| *other != caller.name) {
        None => caller.clone(),
        Some(other) => {
            facts.may(&caller, Action::List, namespace.as_deref(), KIND)?;
            let groups = query.groups.unwrap_or_default();
            let groups = groups.split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect();
            Principal { groups, ..Principal::new(other) }
        }
    };
    let resource = Resource { namespace: namespace.as_deref(), kind: &query.kind, name: name.as_deref() };
    let tags = tags(&facts, &caller, &resource).await;
    let circumstances = Circumstances { purpose: filled(query.purpose), site: filled(query.site) };
    let question = Question::new(&asked.name, &asked.groups, action, resource);
    let decision = facts.policy.ask_afresh(&question.tagged(&tags).within(circumstances.context()));
    Ok(Json(json!({
        "principal": asked.name, "groups": asked.groups, "action": action.as_str(), "kind": query.kind,
        "namespace": namespace, "name": name, "tags": tags, "context": circumstances,
        "allowed": decision.allowed, "policies": decision.policies, "why": decision.why(),
    })))
}

/// Those of a dataset that the caller may get: a question must not tell of what is there.
async fn tags(facts: &Facts, caller: &Principal, resource: &Resource<'_>) -> Tags {
    let (Some(namespace), Some(name)) = (resource.namespace, resource.name) else { return Tags::NONE };
    let is_dataset = ["dataset", "datasets"].contains(&resource.kind.to_lowercase().as_str());
    let known = Resource { kind: "Dataset", ..*resource };
    if !is_dataset || !facts.policy.ask(&Question::new(&caller.name, &caller.groups, Action::Get, known)).allowed {
        return Tags::NONE;
    }
    let api: Api<Dataset> = Api::namespaced(facts.client.clone(), namespace);
    let Ok(Some(dataset)) = api.get_opt(name).await else { return Tags::NONE };
    let deidentified = dataset.status.as_ref().is_some_and(|status| status.deidentified);
    let tags = Tags {
        owner: Some(dataset.spec.owner.clone()),
        labels: dataset.labels().clone(),
        ..Tags::from(&DataTags::of(&dataset.spec, deidentified))
    };
    let question = Question::new(&caller.name, &caller.groups, Action::Get, known);
    if facts.policy.ask(&question.tagged(&tags)).allowed { tags } else { Tags::NONE }
}

/// What policies may speak of, in Cedar's own language.
async fn schema(State(facts): State<Facts>, headers: HeaderMap) -> Result<String, Failed> {
    facts.who(&headers)?;
    Ok(bedplate_policy::schema().to_owned())
}
