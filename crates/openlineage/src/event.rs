//! One event of OpenLineage 2-0-2, read (<https://openlineage.io/spec/2-0-2/OpenLineage.json>).

use std::collections::{BTreeMap, BTreeSet};

use bedplate_types::Timestamp;
use serde_json::value::RawValue;
use url::Url;
use uuid::Uuid;

use crate::dataset::{Dataset, Use, dataset, uses};
use crate::part::{Invalid, Object, Part};

/// The most facets of one thing.
const FACETS: usize = 1_000;

/// Each facet's text as it came; `None` where the event deletes it.
pub(crate) type Facets = BTreeMap<String, Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub at: Timestamp,
    pub told: Told,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Run { run: Run, job: Job, uses: Vec<Use> },
    Job { job: Job, uses: Vec<Use> },
    Dataset(Dataset),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub namespace: String,
    pub name: String,
    pub facets: Facets,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// A UUID in lower case, with hyphens.
    pub id: String,
    pub change: Change,
    pub facets: Facets,
}

/// The transition a run event tells: its `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Start,
    Running,
    Complete,
    Abort,
    Fail,
    /// `OTHER`, or none was told: more is known of the run, and its state is as it was.
    Other,
}

impl Event {
    /// # Errors
    /// The first field that is not as the specification has it, or is over a limit.
    pub fn parse(raw: &RawValue) -> Result<Self, Invalid> {
        let event = Part::root(raw).object()?;
        let at = event.need("eventTime")?;
        let at: Timestamp = at.text()?.parse().map_err(|_| at.invalid("must be an RFC 3339 instant with its zone"))?;
        for name in ["producer", "schemaURL"] {
            let part = event.need(name)?;
            Url::parse(&part.name()?).map_err(|why| part.invalid(format!("must be a URI: {why}")))?;
        }
        Ok(Self { at, told: told(&event)? })
    }

    /// The word for what it is about, as the specification names it.
    pub const fn kind(&self) -> &'static str {
        match self.told {
            Told::Run { .. } => "RunEvent",
            Told::Job { .. } => "JobEvent",
            Told::Dataset(_) => "DatasetEvent",
        }
    }

    pub const fn job(&self) -> Option<&Job> {
        match &self.told {
            Told::Run { job, .. } | Told::Job { job, .. } => Some(job),
            Told::Dataset(_) => None,
        }
    }

    pub const fn run(&self) -> Option<&Run> {
        match &self.told {
            Told::Run { run, .. } => Some(run),
            _ => None,
        }
    }

    pub fn uses(&self) -> &[Use] {
        match &self.told {
            Told::Run { uses, .. } | Told::Job { uses, .. } => uses,
            Told::Dataset(_) => &[],
        }
    }

    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        let described = match &self.told {
            Told::Dataset(dataset) => Some(dataset),
            _ => None,
        };
        described.into_iter().chain(self.uses().iter().map(|used| &used.dataset))
    }

    /// Every namespace that it says something about.
    pub fn namespaces(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.job().map(|job| job.namespace.as_str()).into_iter().collect();
        for dataset in self.datasets() {
            names.insert(&dataset.namespace);
            names.extend(dataset.columns.iter().map(|column| column.of.namespace.as_str()));
        }
        names
    }
}

/// As the `oneOf` of the specification decides: beside a run and its job, a `dataset` is a field like any other.
fn told(event: &Object<'_>) -> Result<Told, Invalid> {
    match (event.get("run"), event.get("job"), event.get("dataset")) {
        (Some(part), _, _) => Ok(Told::Run { run: run(event, &part)?, job: job(event)?, uses: uses(event)? }),
        (None, Some(_), Some(dataset)) => Err(dataset.invalid("must not stand beside a job without a run")),
        (None, Some(_), None) => Ok(Told::Job { job: job(event)?, uses: uses(event)? }),
        (None, None, Some(part)) => Ok(Told::Dataset(dataset(&part.object()?)?)),
        (None, None, None) => Err(Invalid::new("run", "is required, or a job or a dataset alone")),
    }
}

fn job(event: &Object<'_>) -> Result<Job, Invalid> {
    let job = event.need("job")?.object()?;
    Ok(Job {
        namespace: job.need("namespace")?.name()?,
        name: job.need("name")?.name()?,
        facets: facets(&job, "facets")?,
    })
}

fn run(event: &Object<'_>, part: &Part<'_>) -> Result<Run, Invalid> {
    let run = part.object()?;
    let id = run.need("runId")?;
    let uuid = Uuid::try_parse(&id.text()?).map_err(|_| id.invalid("must be a UUID"))?;
    let change = event.get("eventType").map_or(Ok(Change::Other), |part| change(&part))?;
    Ok(Run { id: uuid.to_string(), change, facets: facets(&run, "facets")? })
}

fn change(part: &Part<'_>) -> Result<Change, Invalid> {
    Ok(match part.text()?.as_str() {
        "START" => Change::Start,
        "RUNNING" => Change::Running,
        "COMPLETE" => Change::Complete,
        "ABORT" => Change::Abort,
        "FAIL" => Change::Fail,
        "OTHER" => Change::Other,
        _ => return Err(part.invalid("must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER")),
    })
}

/// The facets of `of` under `name`. Each is an object; what is in it is its maker's affair.
pub(crate) fn facets(of: &Object<'_>, name: &str) -> Result<Facets, Invalid> {
    let Some(part) = of.get(name) else { return Ok(Facets::new()) };
    let facets = part.object()?;
    if facets.len() > FACETS {
        return Err(part.invalid(format!("has {} facets, {FACETS} are the most", facets.len())));
    }
    facets.named()?.into_iter().map(|(name, facet)| Ok((name.to_owned(), kept(&facet)?))).collect()
}

fn kept(facet: &Part<'_>) -> Result<Option<String>, Invalid> {
    let deleted = facet.object()?.get("_deleted").map_or(Ok(false), |part| part.truth())?;
    Ok((!deleted).then(|| facet.raw().to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(event: &Value) -> Result<Event, Invalid> {
        Event::parse(&RawValue::from_string(event.to_string()).unwrap())
    }

    fn whole() -> Value {
        json!({
            "eventTime": "2024-05-01T10:00:00+02:00", "producer": "urn:test", "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
            "eventType": "START", "run": {"runId": "0192F2E4-7A5B-7000-8000-000000000001"},
            "job": {"namespace": "flights", "name": "load", "facets": {"sql": {"query": "SELECT 1"}, "old": {"_deleted": true}}},
            "inputs": null, "outputs": [{"namespace": "s3://b", "name": "k"}],
        })
    }

    fn refused(change: impl Fn(&mut Value), expect: &str) {
        let mut event = whole();
        change(&mut event);
        assert_eq!(parse(&event).unwrap_err().to_string(), expect);
    }

    #[test]
    fn reads_a_run_event() {
        let event = parse(&whole()).unwrap();
        assert_eq!((event.kind(), event.at.to_string().as_str()), ("RunEvent", "2024-05-01T08:00:00Z"));
        let run = event.run().unwrap();
        assert_eq!((run.id.as_str(), run.change), ("0192f2e4-7a5b-7000-8000-000000000001", Change::Start));
        assert_eq!(event.job().unwrap().facets["sql"].as_deref(), Some(r#"{"query":"SELECT 1"}"#));
        assert_eq!(event.job().unwrap().facets["old"], None);
        assert_eq!(event.namespaces().into_iter().collect::<Vec<_>>(), ["flights", "s3://b"]);
    }

    #[test]
    fn what_an_event_is_about_decides_its_kind() {
        let base = json!({"eventTime": "2024-05-01T10:00:00Z", "producer": "urn:t", "schemaURL": "urn:s"});
        let check = |more: Value, expect: Result<&str, &str>| {
            let mut event = base.clone();
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let kind = parse(&event).map(|event| event.kind()).map_err(|error| error.to_string());
            assert_eq!(kind, expect.map_err(str::to_owned));
        };
        let (job, dataset) = (json!({"namespace": "a", "name": "b"}), json!({"namespace": "c", "name": "d"}));
        check(json!({"job": job}), Ok("JobEvent"));
        check(json!({"dataset": dataset}), Ok("DatasetEvent"));
        check(json!({"job": job, "dataset": dataset}), Err("dataset: must not stand beside a job without a run"));
        let run = json!({"runId": Uuid::nil().to_string()});
        check(json!({"run": run, "job": job, "dataset": dataset}), Ok("RunEvent"));
        check(json!({}), Err("run: is required, or a job or a dataset alone"));
        check(json!({"run": {"runId": Uuid::nil().to_string()}}), Err("job: is required"));
    }

    #[test]
    fn names_the_field_that_is_wrong() {
        refused(
            |e| e["eventTime"] = json!("2024-05-01T10:00:00"),
            "eventTime: must be an RFC 3339 instant with its zone",
        );
        refused(|e| drop(e.as_object_mut().unwrap().remove("producer")), "producer: is required");
        refused(|e| e["schemaURL"] = json!("spec"), "schemaURL: must be a URI: relative URL without a base");
        refused(|e| e["run"]["runId"] = json!("one"), "run.runId: must be a UUID");
        refused(
            |e| e["eventType"] = json!("start"),
            "eventType: must be START, RUNNING, COMPLETE, ABORT, FAIL or OTHER",
        );
        refused(|e| e["job"]["name"] = json!(7), "job.name: must be a string");
        refused(|e| e["job"]["facets"]["sql"] = json!([1]), "job.facets.sql: must be an object");
        refused(|e| e["outputs"] = json!([{"namespace": "a"}]), "outputs[0].name: is required");
    }
}
