//! A view and what was served of it in the last day, for who looks again and again: no leaf is written, and figures are worked out
//! once a minute, which is how often what was served is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use bedplate_controllers::declared;
use bedplate_kinds::{FeatureView, Window};
use bedplate_policy::Action;
use bedplate_statistics::FeatureStatistics;
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};
use parking_lot::Mutex;

use super::statistics::Shown;
use super::{Features, KIND, not_there};
use crate::surface::api::Failed;
use crate::surface::sql::Caller;

/// What was served is kept once a minute.
const STANDS: i64 = 60_000_000;
/// Versions of views that are kept in mind.
const MOST: usize = 64;

/// What was served of a version of a view in the last day.
#[derive(Clone, Debug)]
pub struct Lately {
    pub rows: u64,
    /// Rows that the statistics are of.
    pub looked_at: u64,
    pub features: Vec<FeatureStatistics>,
}

/// What was worked out, and when. Clones share one.
#[derive(Clone, Default)]
pub struct LatelyCache(Arc<Mutex<BTreeMap<String, (Timestamp, Lately)>>>);

impl LatelyCache {
    fn get(&self, id: &str, now: Timestamp) -> Option<Lately> {
        let known = self.0.lock();
        known.get(id).filter(|(at, _)| now.micros_since(*at) < STANDS).map(|(_, lately)| lately.clone())
    }

    fn keep(&self, id: String, now: Timestamp, lately: &Lately) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, (now, lately.clone()));
    }
}

impl Features {
    /// The view, for who may get it, and what was served of it: of features whose values the caller may know. None of that for who may not
    /// read what the view holds, or while it is not ready.
    pub async fn seen(&self, caller: &Caller, name: &NamespacedName) -> Result<(FeatureView, Option<Lately>), Problem> {
        let in_namespace = self.facts.may(&caller.principal, Action::Get, Some(&name.namespace), KIND);
        in_namespace.map_err(|Failed(problem)| problem)?;
        let (view, tags) = self.found(name).await?;
        let may = |action| self.decision(caller, name, &tags, action).allowed;
        if !may(Action::Get) {
            return Err(not_there(name));
        }
        let lately = if may(Action::ReadData) { self.lately(caller, &view).await } else { Ok(None) };
        Ok((view, lately?))
    }

    async fn lately(&self, caller: &Caller, view: &FeatureView) -> Result<Option<Lately>, Problem> {
        let shown = async {
            let declared = declared(&self.platform, view).await?;
            let datasets = self.datasets(caller, &view.spec.source.datasets).await?;
            self.cleared(caller, declared, &datasets).await
        };
        match shown.await {
            Ok(shown) => self.lately_of(&shown).await.map(Some),
            Err(Problem { kind: ErrorKind::NotReady, .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    async fn lately_of(&self, shown: &Shown) -> Result<Lately, Problem> {
        let (id, now) = (shown.declared.online_id(), self.facts.clock.now());
        let lately = match self.lately.get(&id, now) {
            Some(lately) => lately,
            None => {
                let lately = self.worked_out(shown).await?;
                self.lately.keep(id, now, &lately);
                lately
            }
        };
        let features = lately.features.into_iter().filter(|feature| shown.clear.contains(&feature.profile.name));
        Ok(Lately { features: features.collect(), ..lately })
    }

    async fn worked_out(&self, shown: &Shown) -> Result<Lately, Problem> {
        let served = self.kept_in(&shown.declared, &Window::default()).await?;
        let features = served.told(shown.names()).map_err(|error| Problem::of("what was served", &error))?;
        Ok(Lately { rows: served.served, looked_at: served.sample.len() as u64, features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_for_a_minute_and_not_of_every_view_there_ever_was() {
        let (known, at) = (LatelyCache::default(), |second: i64| Timestamp::from_micros(second * 1_000_000));
        let lately = Lately { rows: 7, looked_at: 7, features: Vec::new() };
        known.keep("a".into(), at(0), &lately);
        assert_eq!(known.get("a", at(59)).map(|lately| lately.rows), Some(7));
        assert!(known.get("a", at(60)).is_none() && known.get("b", at(0)).is_none());
        (0..MOST).for_each(|n| known.keep(format!("v{n}"), at(1), &lately));
        assert!(known.0.lock().len() <= MOST);
        assert!(known.get(&format!("v{}", MOST - 1), at(2)).is_some());
    }
}
