//! A dataset's versions: which there are, fewer files for the newest, an earlier one brought back, and the files of old ones
//! removed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use bedplate_audit::Entry;
use bedplate_kinds::Dataset;
use bedplate_policy::Action;
use bedplate_query::{By, TableError, UpkeepError, Vacuum, Vacuumed};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Span};
use kube::ResourceExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Asked, Failed, failed, readable};
use super::{Data, ended};

/// Versions that are listed, the newest of all.
const LISTED: usize = 1_000;

pub async fn versions(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let who = data.facts.who(&headers)?;
    let dataset = data.facts.dataset(&who, Action::Get, &name).await.map_err(Failed)?;
    data.must_lead()?;
    let (lake, place, object) = (data.lake.clone(), name.clone(), dataset.uid().unwrap_or_default());
    let what = format!("the versions of dataset {name}");
    let found =
        ended(&what, tokio::task::spawn_blocking(move || lake.own_versions(&place.namespace, &place.name, &object)))
            .await?;
    let mut found = found.map_err(|error: TableError| failed(&what)(&error))?;
    found.reverse();
    found.truncate(LISTED);
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "versions": found })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

pub async fn optimize(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Nothing>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("joining the files of dataset {name}");
    let who = data.facts.who(&headers)?;
    data.facts.dataset(&who, Action::Patch, &name).await.map_err(Failed)?;
    let Nothing {} = readable(wanted, &what)?;
    data.must_lead()?;
    let by = By { name: who.name, at: data.facts.clock.now() };
    let (lake, place) = (data.lake.clone(), name.clone());
    // It goes on to its end when the caller hangs up.
    let task = tokio::spawn(async move { lake.optimize(&place.namespace, &place.name, by).await });
    let (report, done) = ended(&what, task).await?.map_err(|error| failed(&what)(&error))?;
    if done.is_some() {
        data.wake(&name, json!({ "committed": report.version })).await;
    }
    let (removed, added) = done.map_or((0, 0), |done| (done.removed, done.added));
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "version": report.version,
        "filesRemoved": removed, "filesAdded": added, "dataFiles": report.data_files })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    version: i64,
}

pub async fn restore(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Restore>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("restoring dataset {name}");
    let who = data.facts.who(&headers)?;
    let dataset = data.facts.dataset(&who, Action::Patch, &name).await.map_err(Failed)?;
    let Restore { version } = readable(wanted, &what)?;
    data.must_lead()?;
    let by = By { name: who.name, at: data.facts.clock.now() };
    let (lake, place, object) = (data.lake.clone(), name.clone(), dataset.uid().unwrap_or_default());
    let task = tokio::spawn(async move { lake.restore((&place.namespace, &place.name), &object, version, by).await });
    let (report, _) = ended(&what, task).await?.map_err(|error| failed(&what)(&error))?;
    data.wake(&name, json!({ "committed": report.version })).await;
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "version": report.version,
        "restored": version, "tableRows": report.rows })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wanted {
    #[serde(default)]
    dry_run: bool,
    retain: Option<Span>,
    #[serde(default)]
    force: bool,
}

pub async fn vacuum(
    State(data): State<Data>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    wanted: Asked<Wanted>,
) -> Result<Json<Value>, Failed> {
    let name = NamespacedName::new(namespace, name);
    let what = format!("vacuuming dataset {name}");
    let who = data.facts.who(&headers)?;
    let dataset = data.facts.dataset(&who, Action::Delete, &name).await.map_err(Failed)?;
    let wanted = readable(wanted, &what)?;
    data.must_lead()?;
    let keep = kept(&dataset, &wanted).map_err(|error| failed(&what)(&error))?;
    let (here, place, dry_run, by) = (data.clone(), name.clone(), wanted.dry_run, who.name);
    let task = tokio::spawn(async move { here.vacuum(&place, keep, dry_run, by).await });
    let done = ended(&what, task).await?;
    let done = done.map_err(|NotVacuumed(problem)| Failed(problem))?;
    Ok(Json(json!({ "dataset": name.name, "namespace": name.namespace, "files": done.files, "bytes": done.bytes,
        "versions": done.versions, "pinned": done.pinned, "retain": keep, "dryRun": wanted.dry_run })))
}

/// Nothing that the dataset promises to keep goes unless that is said.
fn kept(dataset: &Dataset, wanted: &Wanted) -> Result<Span, UpkeepError> {
    let kept = dataset.spec.kept_for();
    let keep = wanted.retain.unwrap_or(kept);
    match keep < kept && !wanted.force && !wanted.dry_run {
        true => Err(UpkeepError::TooShort { wanted: keep, kept }),
        false => Ok(keep),
    }
}

struct NotVacuumed(Problem);

impl From<UpkeepError> for NotVacuumed {
    fn from(error: UpkeepError) -> Self {
        Self(Problem::of("the vacuum", &error))
    }
}

impl Data {
    /// It is written down what goes before it goes.
    async fn vacuum(
        &self,
        name: &NamespacedName,
        keep: Span,
        dry_run: bool,
        by: String,
    ) -> Result<Vacuumed, NotVacuumed> {
        let now = self.facts.clock.now();
        let pinned = self.pinned(name).await.map_err(NotVacuumed)?;
        let vacuum = Vacuum { now, keep, pinned };
        let agree = async |going: &Vacuumed| {
            if dry_run || going.files == 0 {
                return Ok(false);
            }
            let detail = json!({ "files": going.files, "bytes": going.bytes, "versions": going.versions,
                "pinned": going.pinned, "retain": keep });
            let entry =
                Entry { at: now, actor: by, action: "vacuum".into(), object: format!("datasets/{name}"), detail };
            let written = self.facts.db.write_async(move |tx| {
                let written = bedplate_audit::append(tx, &entry);
                written.map(drop).map_err(|error| Problem::of("recording what goes", &error))
            });
            written.await.map(|()| true).map_err(NotVacuumed)
        };
        self.lake.vacuum(&name.namespace, &name.name, vacuum, agree).await
    }

    /// The versions that training sets were made of.
    async fn pinned(&self, name: &NamespacedName) -> Result<BTreeSet<i64>, Problem> {
        let of = || format!("the versions of dataset {name}");
        let (lake, place) = (self.lake.clone(), name.clone());
        let versions = tokio::task::spawn_blocking(move || lake.versions(&place.namespace, &place.name)).await;
        let versions = versions.map_err(|error| Problem::new(ErrorKind::Internal, of(), error.to_string()))?;
        let versions = versions.map_err(|error| Problem::of(of(), &error))?;
        let versions: Vec<i64> = versions.iter().map(|version| version.version).collect();
        let found = self.facts.db.read(|tx| bedplate_lineage::pinned(tx, &name.namespace, &name.name, &versions));
        found.map_err(|error| Problem::of(of(), &error))
    }
}
