//! Whoever governs changes: change classes with their approvals, quotas, and where platform-wide kinds may be. Asked by the
//! API server in the transaction of each write, so that no client can go around it.

use bedplate_apiserver::{Admitted, ApiError, Denied, Governance, Operation, Proposed, Refusal, Stored};
use bedplate_govern::{Change, Decision, Need, Request, Subject, decide, desired, diff, digest_of, people, request_of};
use bedplate_kinds::{Approval, ChangeClass, ChangeClassSpec, ChangeOperation};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{ballot, quota};

/// Where what counts for the whole platform is declared.
pub const SYSTEM: &str = "bedplate-system";
/// The controllers: what they make follows from what people were let make.
const CONTROLLERS: &str = "system:controllers";
const CLASSES: &str = "changeclasses.bedplate.dev";
pub const APPROVALS: &str = "approvals.bedplate.dev";
/// The kinds that count in [`SYSTEM`] only.
const PLATFORM_WIDE: [&str; 4] = ["Site", "ChangeClass", "Budget", "Quota"];

/// Decides over every write.
pub struct Governor {
    /// Keys the digests of changes to Secrets.
    secrets_key: [u8; 32],
}

impl Governor {
    /// `key` is the platform's key for Secrets; what is used here is made of it and opens none.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let own = Sha256::new().chain_update(b"bedplate: digests of changes\0").chain_update(key).finalize();
        Self { secrets_key: own.into() }
    }

    /// The digest of a change.
    pub(crate) fn digest(&self, subject: Subject<'_>, old: &Value, new: &Value) -> bedplate_types::Digest {
        digest_of(subject, old, new, &self.secrets_key)
    }

    /// The change as classes and approvals know it; `None` when nobody's wish differs.
    pub(crate) fn change(&self, subject: Subject<'_>, old: &Value, new: &Value) -> Option<Change> {
        let fields = diff(&desired(old), &desired(new));
        if fields.is_empty() && subject.operation == ChangeOperation::Update {
            return None;
        }
        Some(Change {
            kind: subject.kind.to_owned(),
            namespace: subject.namespace.map(str::to_owned),
            name: subject.name.to_owned(),
            operation: subject.operation,
            old: old.clone(),
            new: new.clone(),
            touched: fields.into_iter().map(|field| field.path).collect(),
            digest: digest_of(subject, old, new, &self.secrets_key),
        })
    }
}

impl Governance for Governor {
    fn admit(&self, stored: &mut Stored<'_>, change: &mut Proposed<'_>) -> Result<Admitted, Denied> {
        if change.resource == APPROVALS {
            return ballot::admit(stored, change);
        }
        let Some(operation) = operation(change.operation) else { return Ok(Admitted::default()) };
        let mut refusals: Vec<Refusal> = misplaced(change).into_iter().collect();
        let consent = self.consent(stored, change, operation)?;
        refusals.extend(consent.needs.iter().map(|need| refusal(need, change, &consent)));
        refusals.extend(quota::refusals(stored, change)?);
        if !refusals.is_empty() {
            return Err(Denied::Refused(refusals));
        }
        let mut admitted = Admitted { also: Vec::new(), notes: consent.notes };
        for used in &consent.uses {
            admitted.also.push((APPROVALS.to_owned(), ballot::used(stored, change, &used.approval)?));
            admitted.notes.push(format!("approval {} of class {} is used", used.approval, used.class));
        }
        Ok(admitted)
    }
}

fn operation(operation: Operation) -> Option<ChangeOperation> {
    match operation {
        Operation::Create => Some(ChangeOperation::Create),
        Operation::Update => Some(ChangeOperation::Update),
        Operation::Delete => Some(ChangeOperation::Delete),
        Operation::UpdateStatus => None,
    }
}

/// One that would count for nothing where it is.
fn misplaced(change: &Proposed<'_>) -> Option<Refusal> {
    let wrong = change.operation == Operation::Create
        && PLATFORM_WIDE.contains(&change.kind)
        && change.namespace != Some(SYSTEM);
    wrong.then(|| {
        let (kind, name) = (change.kind, change.name);
        Refusal {
            why: format!(
                "a {kind} counts only in the namespace {SYSTEM}: set metadata.namespace of {name} to {SYSTEM}"
            ),
            fix: Some(format!("set metadata.namespace of {kind} {name} to {SYSTEM} and apply it again")),
            detail: json!({ "rule": "platform-wide", "kind": kind }),
        }
    })
}

/// What the classes say, and which change they say it of.
#[derive(Default)]
struct Consent {
    needs: Vec<Need>,
    uses: Vec<bedplate_govern::Used>,
    notes: Vec<String>,
    digest: String,
}

impl Governor {
    fn consent(
        &self,
        stored: &mut Stored<'_>,
        change: &Proposed<'_>,
        operation: ChangeOperation,
    ) -> Result<Consent, ApiError> {
        if change.principal.name == CONTROLLERS {
            return Ok(Consent::default());
        }
        let classes = classes(stored)?;
        if classes.is_empty() {
            return Ok(Consent::default());
        }
        let subject = Subject { kind: change.kind, namespace: change.namespace, name: change.name, operation };
        let Some(asked) = self.change(subject, change.old, change.new) else { return Ok(Consent::default()) };
        let requests = requests(stored, change.namespace)?;
        let Decision { needs, uses, notes } = decide(&classes, &asked, &requests, change.at);
        Ok(Consent { needs, uses, notes, digest: asked.digest.to_string() })
    }
}

/// The classes that count, by name.
pub fn classes(stored: &mut Stored<'_>) -> Result<Vec<(String, ChangeClassSpec)>, ApiError> {
    let all = stored.all(CLASSES, Some(SYSTEM))?;
    let class =
        |object: Value| read::<ChangeClass>(object).map(|one| (one.metadata.name.unwrap_or_default(), one.spec));
    all.into_iter().map(class).collect()
}

/// The class of this name.
pub fn class(stored: &mut Stored<'_>, name: &str) -> Result<Option<ChangeClassSpec>, ApiError> {
    let found = stored.get(CLASSES, Some(SYSTEM), name)?;
    found.map(|object| read::<ChangeClass>(object).map(|one| one.spec)).transpose()
}

fn requests(stored: &mut Stored<'_>, namespace: Option<&str>) -> Result<Vec<Request>, ApiError> {
    let all = stored.all(APPROVALS, Some(namespace.unwrap_or(SYSTEM)))?;
    let approvals: Result<Vec<Approval>, ApiError> = all.into_iter().map(read).collect();
    Ok(approvals?.iter().filter_map(request_of).collect())
}

pub fn read<T: DeserializeOwned>(object: Value) -> Result<T, ApiError> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    serde_json::from_value(object).map_err(|error| ApiError::Corrupt { object: name, why: error.to_string() })
}

fn refusal(need: &Need, change: &Proposed<'_>, consent: &Consent) -> Refusal {
    let (class, risk, asked) = (&need.class, need.risk.as_str(), people(&need.missing));
    let namespace = change.namespace.unwrap_or(SYSTEM);
    let mut why = format!("change class {class} (risk {risk}) asks for {asked}: {}", need.evidence);
    let open = need.state.is_some_and(|state| matches!(state.as_str(), "waiting" | "escalated"));
    let fix = match &need.approval {
        Some(approval) if open => {
            why += &format!("; approval {approval} is {}", need.state.map_or("", |state| state.as_str()));
            format!("bedplate approve {approval} -n {namespace}, by {asked}; then make the change again")
        }
        ended => {
            if let (Some(approval), Some(state)) = (ended, need.state) {
                why += &format!("; approval {approval} is {}", state.as_str());
            }
            "bedplate apply -f FILE --request-approval REASON".to_owned()
        }
    };
    why += &format!("; change {}; {fix}", consent.digest);
    let detail = json!({ "rule": "change-class", "need": need, "change": consent.digest });
    Refusal { why, fix: Some(fix), detail }
}
