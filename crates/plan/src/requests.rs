//! Asks for the approvals that a plan needs, and gives them.

use std::sync::Arc;

use bedplate_apiserver::{ApiError, Batch, Failure, Step, Wish};
use bedplate_identity::Principal;
use bedplate_policy::Action as Right;
use serde_json::{Value, json};

use crate::document::{self, Plan};
use crate::error::PlanError;
use crate::governor::{APPROVALS, SYSTEM};
use crate::planner::{MANAGER, Planner};

const API_VERSION: &str = "bedplate.dev/v1alpha1";
const KIND: &str = "Approval";

impl Planner {
    /// Makes an Approval for everything the plan needs consent for and nobody asked for yet. The names of all that wait, as
    /// `namespace/name`.
    ///
    /// # Errors
    /// [`PlanError::NotAllowed`] when `principal` may not make Approvals there.
    pub async fn request(&self, principal: &Principal, plan: &Plan, reason: &str) -> Result<Vec<String>, PlanError> {
        let mut waiting = Vec::new();
        let taken: Vec<(String, String)> = self.server.stored(APPROVALS).await?.iter().map(name_of).collect();
        for step in plan.steps.iter().filter(|step| !step.is_denied()) {
            let namespace = step.namespace.as_deref().unwrap_or(SYSTEM);
            for needed in &step.approvals {
                if let (true, Some(name)) = (needed.is_open(), &needed.approval) {
                    waiting.push(format!("{namespace}/{name}"));
                    continue;
                }
                let name = free_name(&taken, namespace, needed, step);
                self.make(principal, namespace, &name, approval(step, needed, reason)).await?;
                waiting.push(format!("{namespace}/{name}"));
            }
        }
        Ok(waiting)
    }

    async fn make(&self, principal: &Principal, namespace: &str, name: &str, spec: Value) -> Result<(), PlanError> {
        let decision = self.server.may(principal, Right::Create, KIND, Some(namespace), "");
        if !decision.allowed {
            let reasons = vec![format!("{KIND} {namespace}/{name}: {}", decision.why())];
            return Err(PlanError::NotAllowed { verdict: "denied", reasons });
        }
        let step = Step {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
            wish: Wish::Apply(json!({ "apiVersion": API_VERSION, "kind": KIND, "spec": spec })),
        };
        let batch = Batch { principal: principal.clone(), manager: MANAGER.to_owned(), steps: vec![step] };
        let done = self.server.perform(batch, Arc::new(|_, there| there.is_none()), Arc::new(|_| Ok(()))).await;
        done.map(drop).map_err(|failure| match failure {
            Failure::Moved(_) => {
                ApiError::AlreadyExists { resource: APPROVALS.to_owned(), name: name.to_owned() }.into()
            }
            Failure::Step(_, error) | Failure::Other(error) => error.into(),
            Failure::Check(why) => PlanError::Invalid(why),
        })
    }

    /// Adds what `principal` says to a request. The right to see it is the policy's, the right to vote the class's.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::NotFound`]; [`ApiError::Withheld`] when the class does not want their word.
    pub async fn vote(
        &self,
        principal: &Principal,
        namespace: &str,
        name: &str,
        decision: &str,
        comment: &str,
    ) -> Result<Value, PlanError> {
        let may = self.server.may(principal, Right::Get, KIND, Some(namespace), name);
        if !may.allowed {
            let (resource, why) = (APPROVALS.to_owned(), may.why().to_owned());
            return Err(ApiError::Forbidden { resource, name: name.to_owned(), why }.into());
        }
        if !matches!(decision, "approve" | "reject") {
            return Err(PlanError::Invalid(format!("{decision:?} is no decision: say approve or reject")));
        }
        let patch = json!({ "approvals": [{ "decision": decision, "comment": comment }] });
        Ok(self.server.patch_status(principal, (API_VERSION, KIND), (namespace, name), patch).await?)
    }
}

fn name_of(object: &Value) -> (String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// The class and the change's first digits; a number behind it when an earlier request for the same ended.
fn free_name(
    taken: &[(String, String)],
    namespace: &str,
    needed: &document::Approval,
    step: &document::Step,
) -> String {
    let digest = step.change.as_deref().unwrap_or_default().trim_start_matches("sha256:");
    let stem = format!("{}-{}", needed.class, digest.get(..12).unwrap_or(digest));
    let is_free = |name: &String| !taken.iter().any(|(of, one)| of == namespace && one == name);
    let numbered = (2..).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.clone()).chain(numbered).find(is_free).unwrap_or(stem)
}

fn approval(step: &document::Step, needed: &document::Approval, reason: &str) -> Value {
    let fields: Vec<&str> = match step.action {
        document::Action::Update => step.diff.iter().map(|field| field.change.path.as_str()).collect(),
        _ => Vec::new(),
    };
    json!({
        "class": needed.class,
        "reason": reason,
        "change": {
            "digest": step.change, "operation": step.action.as_str(), "kind": step.kind, "name": step.name,
            "fields": fields,
        },
    })
}
