//! A feature view's page: its declaration, how its rows stand, and what was served of them.

use bedplate_console::{FeatureFacts, FeatureView, Parity, Served, State};
use bedplate_kinds::{Aggregate, Feature, FeatureView as Declared, ParityResult};
use bedplate_types::Digest;
use kube::ResourceExt;

use super::{dataset, state};
use crate::surface::api::Lately;

pub fn page(view: &Declared, lately: Option<Lately>, used_by: Vec<String>) -> FeatureView {
    let (spec, status) = (&view.spec, view.status.clone().unwrap_or_default());
    let freshness = status.freshness.as_ref();
    let parity = status.parity.as_ref();
    let differs = parity.is_some_and(|parity| parity.result == ParityResult::Different);
    let needs_attention = differs || freshness.is_some_and(|freshness| freshness.expired);
    FeatureView {
        namespace: view.namespace().unwrap_or_default(),
        name: view.name_any(),
        description: spec.description.clone(),
        owner: spec.owner.clone(),
        terms: terms(view, None),
        state: if needs_attention { State::Attention } else { state(status.phase) },
        version: status.version.parse().ok().as_ref().map(Digest::short),
        entity: spec.entity.clone(),
        ttl: spec.ttl.map(|ttl| ttl.to_string()),
        datasets: spec.source.datasets.clone(),
        online_rows: status.online_rows,
        newest_online: freshness.and_then(|freshness| freshness.newest_online),
        newest_source: freshness.and_then(|freshness| freshness.newest_source),
        expired: freshness.is_some_and(|freshness| freshness.expired),
        parity: parity.map(|parity| Parity { equal: !differs, told: parity.told(), at: parity.at }),
        served: lately.as_ref().map(|lately| Served { rows: lately.rows, looked_at: lately.looked_at }),
        features: spec.features.iter().map(|feature| facts(view, feature, lately.as_ref())).collect(),
        used_by,
    }
}

fn facts(view: &Declared, feature: &Feature, lately: Option<&Lately>) -> FeatureFacts {
    let found = lately.and_then(|lately| lately.features.iter().find(|one| one.profile.name == feature.name));
    FeatureFacts {
        name: feature.name.clone(),
        made_of: made_of(feature),
        description: feature.description.clone(),
        terms: terms(view, Some(&feature.name)),
        served: found.filter(|found| found.rows > 0).map(|found| dataset::gathered(&found.profile, found.rows)),
    }
}

fn terms(view: &Declared, feature: Option<&str>) -> Vec<String> {
    let terms = view.spec.terms.iter().filter(|term| term.feature.as_deref() == feature);
    terms.map(|term| term.term.clone()).collect()
}

/// `mean of dep_delay over 1h`
fn made_of(feature: &Feature) -> String {
    let column = feature.column.as_ref().unwrap_or(&feature.name);
    let what = match (feature.aggregate, feature.quantile) {
        (Aggregate::Last, _) => "last".to_owned(),
        (Aggregate::Mean, _) => "mean of".to_owned(),
        (Aggregate::Sum, _) => "sum of".to_owned(),
        (Aggregate::Count, _) => "count of".to_owned(),
        (Aggregate::Min, _) => "least".to_owned(),
        (Aggregate::Max, _) => "greatest".to_owned(),
        (Aggregate::Std, _) => "standard deviation of".to_owned(),
        (Aggregate::Distinct, _) => "different values of".to_owned(),
        (Aggregate::Quantile, at) => format!("{} quantile of", at.unwrap_or(0.5)),
    };
    let window = feature.window.map(|window| format!(" over {window}")).unwrap_or_default();
    format!("{what} {column}{window}")
}

#[cfg(test)]
mod tests {
    use bedplate_types::Span;

    use super::*;

    #[track_caller]
    fn check(aggregate: Aggregate, column: Option<&str>, hours: Option<i64>, expect: &str) {
        let feature = Feature {
            name: "delay".into(),
            column: column.map(str::to_owned),
            aggregate,
            window: hours.map(|hours| Span::from_micros(hours * 3_600_000_000)),
            quantile: (aggregate == Aggregate::Quantile).then_some(0.95),
            description: String::new(),
        };
        assert_eq!(made_of(&feature), expect);
    }

    #[test]
    fn a_feature_says_what_it_is_made_of() {
        check(Aggregate::Last, None, None, "last delay");
        check(Aggregate::Mean, Some("dep_delay"), Some(1), "mean of dep_delay over 1h");
        check(Aggregate::Quantile, Some("dep_delay"), Some(48), "0.95 quantile of dep_delay over 2d");
    }
}
