//! A feature view's rows, looked at: whether the online store says what the source does, what its features are, and whether
//! they are served as they were learned.

mod lately;
mod shown;
mod skew;
mod statistics;
mod verify;
mod window;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, post};
use bedplate_controllers::Platform;
use bedplate_features::ViewDefinition;
use bedplate_identity::Principal;
use bedplate_kinds::{Dataset, FeatureView};
use bedplate_policy::{Action, Context, Decision, Hidden, Operation, Question, Resource, Tags};
use bedplate_query::OutputColumn;
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use kube::api::Api;
use serde_json::Value;

pub use self::lately::{Lately, LatelyCache};
use self::shown::clear_features;
use super::{Facts, Failed};
use crate::platform::{Leads, ServedLog};
use crate::surface::features::Store;
use crate::surface::sql::{Caller, Sql, is_name, tell_reads};

const KIND: &str = "FeatureView";
/// How long an answer may take, its turn included.
const LONGEST: Duration = Duration::from_secs(600);

/// What the routes read.
#[derive(Clone)]
pub struct Features {
    pub facts: Facts,
    pub platform: Platform,
    pub leads: Leads,
    pub sql: Sql,
    pub views: Arc<Store>,
    pub served: ServedLog,
    pub lately: LatelyCache,
}

pub fn router(features: Features) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.with_state(features)
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Features>)> {
    let read = |path| Operation::may("POST", path, Action::ReadData, KIND, Hidden::Forbidden);
    vec![
        (read("/bedplate/v1/namespaces/{namespace}/featureviews/{name}/verify"), post(verify::verify)),
        (read("/bedplate/v1/namespaces/{namespace}/featureviews/{name}/statistics"), post(statistics::statistics)),
        (read("/bedplate/v1/namespaces/{namespace}/featureviews/{name}/skew"), post(skew::skew)),
        (read("/bedplate/v1/namespaces/{namespace}/featureviews/{name}/drift"), post(skew::drift)),
    ]
}

/// An answer that reads a source, as long as it is waited for.
async fn in_time<T>(what: String, answer: impl Future<Output = Result<T, Problem>>) -> Result<T, Failed> {
    let late = |_| Problem::new(ErrorKind::Timeout, what, "it took longer than ten minutes");
    tokio::time::timeout(LONGEST, answer).await.map_err(late).flatten().map_err(Failed)
}

impl Features {
    /// The truth is in the lake, which the replica that leads writes; and its online store, unless that is shared.
    fn must_lead(&self) -> Result<(), Failed> {
        self.leads.must("the feature store", "the one that does has the rows and their source").map_err(Failed)
    }

    /// The view, for who may read what it holds for the purpose. One that its tags hide is not there.
    async fn view(&self, caller: &Caller, name: &NamespacedName) -> Result<FeatureView, Problem> {
        let who: &Principal = &caller.principal;
        self.facts.may(who, Action::ReadData, Some(&name.namespace), KIND).map_err(|Failed(problem)| problem)?;
        let (view, tags) = self.found(name).await?;
        let ask = |action| self.decision(caller, name, &tags, action);
        let decision = ask(Action::ReadData);
        if decision.allowed {
            return Ok(view);
        }
        if !ask(Action::Get).allowed {
            return Err(not_there(name));
        }
        Err(Problem::new(ErrorKind::Denied, format!("feature view {name}"), decision.why().to_owned()))
    }

    fn decision(&self, caller: &Caller, name: &NamespacedName, tags: &Tags, action: Action) -> Decision {
        let who: &Principal = &caller.principal;
        let resource = Resource { namespace: Some(&name.namespace), kind: KIND, name: Some(&name.name) };
        let question = Question::new(&who.name, &who.groups, action, resource).tagged(tags);
        self.facts.policy.ask(&question.within(Context { purpose: caller.purpose.as_deref(), site: None }))
    }

    /// The view and what is to be known of it to decide. Who may do nothing in the namespace must not come here: what is
    /// wrong with a view tells that it is there.
    async fn found(&self, name: &NamespacedName) -> Result<(FeatureView, Tags), Problem> {
        if !is_name(&name.namespace) || !is_name(&name.name) {
            return Err(not_there(name));
        }
        let api: Api<FeatureView> = Api::namespaced(self.facts.client.clone(), &name.namespace);
        let unread =
            |error: kube::Error| Problem::new(ErrorKind::Internal, format!("feature view {name}"), error.to_string());
        let view = api.get_opt(&name.name).await.map_err(unread)?.ok_or_else(|| not_there(name))?;
        let tags = self.views.tags(&name.namespace, &view).await;
        Ok((view, tags.map_err(|error| Problem::of(format!("feature view {name}"), &error))?))
    }
}

impl Features {
    /// Who asks, and the view, for who may read what it holds. Who may not is not told what a request looks like; what it is
    /// asked for may only widen what they may.
    async fn opened(
        &self,
        headers: &HeaderMap,
        name: &NamespacedName,
        purpose: Option<String>,
    ) -> Result<(Caller, FeatureView), Failed> {
        let principal = self.facts.who(headers)?;
        let purpose = purpose.filter(|purpose| !purpose.is_empty());
        let caller = Caller { principal, namespace: name.namespace.clone(), purpose };
        let view = self.view(&caller, name).await.map_err(Failed)?;
        Ok((caller, view))
    }

    async fn datasets(&self, caller: &Caller, names: &[String]) -> Result<Vec<Dataset>, Problem> {
        let api = Api::<Dataset>::namespaced(self.facts.client.clone(), &caller.namespace);
        let mut datasets = Vec::new();
        for name in names {
            let found = api.get_opt(name).await;
            let found = found
                .map_err(|error| Problem::new(ErrorKind::Internal, format!("dataset {name}"), error.to_string()))?;
            let gone =
                || Problem::new(ErrorKind::NotReady, format!("dataset {}/{name}", caller.namespace), "it is not there");
            datasets.push(found.ok_or_else(gone)?);
        }
        Ok(datasets)
    }

    /// Writes down that they are read.
    async fn tell(&self, caller: &Caller, datasets: &[Dataset], detail: &Value) -> Result<(), Problem> {
        let read = datasets.iter().map(|dataset| {
            let version = dataset.status.as_ref().and_then(|status| status.version);
            (dataset.metadata.name.clone().unwrap_or_default(), version)
        });
        tell_reads(&self.facts.db, caller, &read.collect::<Vec<_>>(), detail, self.facts.clock.now()).await
    }

    /// The features whose values the caller may know.
    fn clear(
        &self,
        caller: &Caller,
        datasets: &[Dataset],
        definition: &ViewDefinition,
        columns: &[OutputColumn],
    ) -> BTreeSet<String> {
        clear_features(definition, columns, |name| {
            let dataset = datasets.iter().find(|dataset| dataset.metadata.name.as_deref() == Some(name));
            dataset.map(|dataset| self.sql.in_the_clear(caller, dataset)).unwrap_or_default()
        })
    }
}

fn not_there(name: &NamespacedName) -> Problem {
    Problem::new(ErrorKind::NotFound, format!("feature view {name}"), "is not there")
        .with_fix(format!("bedplate get featureviews -n {}", name.namespace))
}
