//! What a suite refers to outside the rows: other datasets, the dataset's own past, the clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedplate_kinds::{ColumnType, Dataset, DatasetSpec, Drift, ExpectationSuiteSpec, KEPT_INGESTS};
use bedplate_lake::quality::{Profile, References};
use bedplate_types::{ErrorKind, NamespacedName, Problem};

use crate::core::Platform;
use crate::dataset::{content, ready};
use crate::hold::{Hold, failed};
use crate::results;

/// The other datasets a suite looks at, with what each is made of: a part of the inputs. Waits until all are ready.
pub async fn datasets(
    platform: &Platform,
    name: &NamespacedName,
    suite: Option<&ExpectationSuiteSpec>,
) -> Result<BTreeMap<String, String>, Hold> {
    let mut found = BTreeMap::new();
    for expectation in suite.iter().flat_map(|suite| &suite.expectations) {
        let referred = expectation.check.references.as_ref().map(|check| &check.dataset);
        let compared = expectation.check.drift.as_ref().and_then(|check| check.dataset.as_ref());
        for dataset in referred.into_iter().chain(compared) {
            if *dataset == name.name {
                return Err(itself(name, &expectation.name));
            }
            let other = ready(platform, &name.namespace, dataset).await?;
            found.insert(dataset.clone(), content(&other));
        }
    }
    Ok(found)
}

fn itself(name: &NamespacedName, expectation: &str) -> Hold {
    let what = format!("dataset {name}: expectation {expectation}");
    let fix = "name another dataset; a drift check without one compares with this dataset's last good version";
    Hold::Failed(Problem::new(ErrorKind::Invalid, what, "a dataset cannot wait for itself").with_fix(fix))
}

/// Everything the suite needs to judge the rows; read when there is something to ingest.
pub async fn look_up(
    platform: &Arc<Platform>,
    name: &NamespacedName,
    spec: &DatasetSpec,
    suite: Option<&ExpectationSuiteSpec>,
) -> Result<References, Hold> {
    let mut found = References { now: platform.now(), ..References::default() };
    let Some(suite) = suite else { return Ok(found) };
    let _turn = platform.turn().await?;
    for expectation in &suite.expectations {
        let of = || format!("dataset {name}: expectation {:?}", expectation.name);
        if let Some(check) = &expectation.check.references {
            let values = platform.lake.values(&name.namespace, &check.dataset, &check.field).await;
            found.values.insert((check.dataset.clone(), check.field.clone()), values.map_err(failed(of()))?);
        }
        if let Some(check) = &expectation.check.satisfies {
            let condition = platform.lake.condition(spec, &check.sql).map_err(failed(of()))?;
            found.conditions.insert(check.sql.clone(), condition);
        }
        if let Some(check) = &expectation.check.drift
            && let Some(profile) = profile(platform, name, spec, check, of()).await?
        {
            found.profiles.insert(expectation.name.clone(), Arc::new(profile));
        }
    }
    if suite.expectations.iter().any(|expectation| expectation.check.anomaly.is_some()) {
        found.history = history(platform, name)?;
    }
    Ok(found)
}

/// None: the dataset is compared with itself and has no table yet, or one without that column.
async fn profile(
    platform: &Platform,
    name: &NamespacedName,
    spec: &DatasetSpec,
    check: &Drift,
    of: String,
) -> Result<Option<Profile>, Hold> {
    let field = check.field.as_ref().unwrap_or(&check.column);
    let words = spec.column(&check.column).is_some_and(|column| column.type_ == ColumnType::String);
    let dataset = match &check.dataset {
        Some(other) => {
            let other = platform.need::<Dataset>(&name.namespace, other).await?;
            let there = other.spec.column(field).is_some();
            there.then_some(other.metadata.name.unwrap_or_default())
        }
        None => own(platform, name, field).await?,
    };
    let Some(dataset) = dataset else { return Ok(None) };
    let profile = platform.lake.profile((&name.namespace, &dataset), field, words).await;
    profile.map(Some).map_err(failed(of))
}

async fn own(platform: &Platform, name: &NamespacedName, field: &str) -> Result<Option<String>, Hold> {
    let has = platform.lake.has_column(&name.namespace, &name.name, field).await;
    let has = has.map_err(failed(format!("the table of dataset {name}")))?;
    Ok(has.then(|| name.name.clone()))
}

fn history(platform: &Platform, name: &NamespacedName) -> Result<std::collections::HashMap<String, Vec<f64>>, Hold> {
    let past = platform.db.read(|tx| results::results(tx, name, KEPT_INGESTS));
    Ok(results::observed(&past.map_err(failed(format!("the earlier ingests of dataset {name}")))?))
}
