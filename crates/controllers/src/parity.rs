//! Whether the online store says of a view what its source does, and how that is told in its status.

use std::sync::Arc;

use bedplate_features::Brought;
use bedplate_kinds::{
    Condition, FeatureView, FeatureViewStatus, ParityResult, ViewFreshness, ViewParity, set_condition,
};
use bedplate_offline::View;
use bedplate_parity::{How, Subject, Verified, verify};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};

use crate::core::{Platform, full_name};
use crate::feature_view::{self, online_id};
use crate::hold::Hold;

const CONDITION: &str = "Parity";
/// How often a view is looked at again whose source changed meanwhile.
const TRIES: usize = 3;

/// One look at a view.
#[derive(Clone, Debug)]
pub struct Look {
    pub version: String,
    /// What the online store was loaded from.
    pub materialized: String,
    /// The source has changed since, and the online store has not followed yet.
    pub stale: bool,
    /// The view with the versions of the tables that were read.
    pub view: View,
    pub verified: Verified,
}

/// Compares a sample of what the online store says with the source, on the verifier's thread, one view at a time.
///
/// # Errors
/// `NotReady` when the view is not loaded, or its source is not ready; what fails while it is read.
pub async fn look(platform: &Platform, view: &FeatureView, how: How) -> Result<Look, Problem> {
    let (platform, view) = (Arc::new(platform.clone()), view.clone());
    let verifier = platform.verifier.clone();
    verifier.run(async move { looked(&platform, &view, how).await }).await?
}

async fn looked(platform: &Arc<Platform>, view: &FeatureView, how: How) -> Result<Look, Problem> {
    let name = full_name(view);
    let mut view = view.clone();
    let mut look = one(platform, &view, how).await?;
    for _ in 1..TRIES {
        if look.verified.different == 0 {
            break;
        }
        // What was loaded while it was looked at is no difference.
        let now = platform
            .need::<FeatureView>(&name.namespace, &name.name)
            .await
            .map_err(|hold| problem(what(&name), &name, hold))?;
        let is_as_it_was =
            marker_of(&now) == look.materialized && versions(platform, &now).await == Some(look.view.tables.clone());
        if is_as_it_was {
            break;
        }
        view = now;
        look = one(platform, &view, how).await?;
    }
    Ok(look)
}

async fn versions(platform: &Platform, view: &FeatureView) -> Option<Vec<bedplate_query::TableRef>> {
    let namespace = full_name(view).namespace;
    feature_view::tables(platform, &namespace, &view.spec.source.datasets).await.ok().map(|tables| tables.refs)
}

fn marker_of(view: &FeatureView) -> String {
    view.status.as_ref().map(|status| status.materialized.clone()).unwrap_or_default()
}

async fn one(platform: &Arc<Platform>, view: &FeatureView, how: How) -> Result<Look, Problem> {
    let name = full_name(view);
    let of = |hold: Hold| problem(what(&name), &name, hold);
    let definition = feature_view::definition(platform, view, &name).await.map_err(of)?;
    let version = definition.version(&view.spec.source.sql);
    let (id, materialized) = (online_id(&name, &version), marker_of(view));
    let is_loaded = platform.online.is_loaded(&id, &materialized);
    if materialized.is_empty() || !is_loaded.map_err(|error| Problem::of(what(&name), &error))? {
        return Err(not_loaded(&name));
    }
    let tables = feature_view::tables(platform, &name.namespace, &view.spec.source.datasets).await.map_err(of)?;
    let stale = feature_view::marker(view, &version, &tables).to_string() != materialized;
    let source = feature_view::source(view, definition, tables.refs);
    let subject = Subject { view: source, online_id: id, brought: brought(view) };
    let verified = verify(&platform.lake, &platform.online, &subject, &how).await;
    let verified = verified.map_err(|error| Problem::of(what(&name), &error))?;
    Ok(Look { version: version.to_string(), materialized, stale, view: subject.view, verified })
}

/// The rows that are said to be online: those that come by themselves, and those that somebody asked for.
fn brought(view: &FeatureView) -> Brought {
    let brought = Brought::until(view.spec.materialize_until);
    let status = view.status.as_ref();
    match status.filter(|status| status.rows_wanted().is_none()).and_then(|status| status.rows_asked.as_ref()) {
        Some(asked) => brought.and(asked.from, asked.until),
        None => brought,
    }
}

fn what(name: &NamespacedName) -> String {
    format!("verifying feature view {name}")
}

fn not_loaded(name: &NamespacedName) -> Problem {
    Problem::new(ErrorKind::NotReady, what(name), "it is not loaded into the online store yet")
        .with_fix(format!("bedplate describe featureview {} -n {}", name.name, name.namespace))
}

/// For who asks: what it waits for is an answer.
pub fn problem(what: String, name: &NamespacedName, hold: Hold) -> Problem {
    match hold {
        Hold::Waiting(why) | Hold::Stopped(why) => Problem::new(ErrorKind::NotReady, what, why)
            .with_fix(format!("bedplate describe featureview {} -n {}", name.name, name.namespace)),
        Hold::Failed(problem) | Hold::Unreached(problem) => problem,
        Hold::Retry(error) => Problem::new(ErrorKind::Internal, what, error.to_string()),
    }
}

impl Look {
    #[must_use]
    pub fn result(&self) -> ParityResult {
        if self.verified.different == 0 { ParityResult::Equal } else { ParityResult::Different }
    }

    /// As a status has it.
    pub fn parity(&self, at: Timestamp, seed: u32) -> ViewParity {
        let Verified { entities, values, equal, expected, different, missing_entities, .. } = self.verified;
        ViewParity {
            result: self.result(),
            at,
            version: self.version.clone(),
            materialized: self.materialized.clone(),
            seed,
            entities,
            values,
            equal,
            expected,
            different,
            missing_entities,
        }
    }

    pub fn freshness(&self, at: Timestamp) -> ViewFreshness {
        let Verified { newest_online, newest_source, .. } = self.verified;
        let is_over = |newest: Timestamp| {
            self.view.definition.ttl.is_some_and(|ttl| at.micros().saturating_sub(newest.micros()) > ttl.micros())
        };
        ViewFreshness { at, newest_online, newest_source, expired: newest_online.is_some_and(is_over) }
    }
}

/// The condition that tells of the last look, as long as that was of what is materialised now.
pub fn stand(name: &NamespacedName, status: &mut FeatureViewStatus) {
    let Some(parity) = status.parity.clone().filter(|parity| parity.materialized == status.materialized) else {
        return status.conditions.retain(|condition| condition.type_ != CONDITION);
    };
    let is_equal = parity.result == ParityResult::Equal;
    let condition = Condition {
        type_: CONDITION.into(),
        status: if is_equal { "True" } else { "False" }.into(),
        reason: format!("{:?}", parity.result),
        message: if is_equal {
            parity.told()
        } else {
            format!("{}. To see them: {}", parity.told(), command(name, parity.seed))
        },
        last_transition_time: parity.at.to_string(),
        observed_generation: None,
    };
    set_condition(&mut status.conditions, condition);
}

/// Which looks at the same sample again.
pub fn command(name: &NamespacedName, seed: u32) -> String {
    format!("bedplate features verify {} -n {} --seed {seed}", name.name, name.namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parity(result: ParityResult, materialized: &str) -> ViewParity {
        ViewParity {
            result,
            at: Timestamp::from_micros(0),
            version: "sha256:1".into(),
            materialized: materialized.into(),
            seed: 7,
            entities: 4,
            values: 24,
            equal: 20,
            expected: 1,
            different: if result == ParityResult::Equal { 0 } else { 3 },
            missing_entities: 0,
        }
    }

    #[test]
    fn a_condition_tells_of_what_is_materialised_now() {
        let name = NamespacedName::new("flights", "weather");
        let mut status = FeatureViewStatus { materialized: "now".into(), ..FeatureViewStatus::default() };
        stand(&name, &mut status);
        assert_eq!(status.conditions, []);
        status.parity = Some(parity(ParityResult::Equal, "now"));
        stand(&name, &mut status);
        let told = |status: &FeatureViewStatus| {
            status
                .conditions
                .iter()
                .map(|one| format!("{} {} {}", one.status, one.reason, one.message))
                .collect::<Vec<_>>()
        };
        let equal = "True Equal online = offline for 23 values of 4 entities; 1 values differ by rows that were pushed, or are still to be";
        assert_eq!(told(&status), [equal]);
        status.parity = Some(parity(ParityResult::Different, "now"));
        stand(&name, &mut status);
        assert!(told(&status)[0].starts_with("False Different 3 of 24 values of 4 entities differ"), "{status:?}");
        assert!(told(&status)[0].ends_with("bedplate features verify weather -n flights --seed 7"), "{status:?}");
        status.materialized = "something else".into();
        stand(&name, &mut status);
        assert_eq!(status.conditions, []);
    }

    #[test]
    fn what_somebody_asked_for_is_said_to_be_there_once_it_is() {
        let view = |complete: bool| -> FeatureView {
            let asked =
                serde_json::json!({ "at": "2013-01-03T00:00:00Z", "from": "2013-01-02T00:00:00Z", "by": "user:ana" });
            let brought = serde_json::json!({ "asked": "2013-01-03T00:00:00Z", "rows": 3, "complete": complete });
            let spec = serde_json::json!({ "entity": "e", "source": { "datasets": [], "sql": "" }, "features": [],
                "materializeUntil": "2013-01-01T00:00:00Z" });
            serde_json::from_value(serde_json::json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "FeatureView",
                "metadata": { "name": "v" }, "spec": spec, "status": { "rowsAsked": asked, "rowsBrought": brought } }))
            .unwrap()
        };
        let at = |text: &str| text.parse::<Timestamp>().unwrap().micros();
        let [first, second, third] = ["2013-01-01T00:00:00Z", "2013-01-01T12:00:00Z", "2013-01-02T00:00:00Z"].map(at);
        assert_eq!([first, second, third].map(|time| brought(&view(true)).holds(time)), [true, false, true]);
        assert_eq!([first, second, third].map(|time| brought(&view(false)).holds(time)), [true, false, false]);
    }
}
