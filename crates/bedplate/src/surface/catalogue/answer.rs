//! A question to the catalogue, answered for somebody.

use std::collections::{BTreeMap, HashMap};

use bedplate_catalogue::{Entry, EntryKind, ObjectKind};
use bedplate_identity::Principal;
use bedplate_search::Found;
use bedplate_types::Problem;
use serde::Serialize;

use super::{Catalogue, Known, Place};

/// The most that one answer tells.
pub const MOST: usize = 200;
/// Of the best so many, what is used most comes further up.
const RANKED: usize = 500;
/// Bytes of a question.
const LONGEST: usize = 400;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Words; everything there is when there are none.
    pub text: String,
    /// All, when none is named.
    pub namespace: Option<String>,
    pub kind: Option<EntryKind>,
    pub owner: Option<String>,
    pub classification: Option<String>,
    /// `pii:email`
    pub tag: Option<String>,
    /// At most 200.
    pub limit: usize,
}

/// The best that the caller may know of.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Answer {
    /// How many match.
    pub total: usize,
    /// And of which kinds.
    pub kinds: BTreeMap<EntryKind, usize>,
    pub results: Vec<Hit>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    pub kind: EntryKind,
    #[serde(skip)]
    pub of: ObjectKind,
    pub namespace: String,
    /// `weather`, `weather.temp`, `wind:gust`, `late@3`
    pub name: String,
    /// The object it is or is a part of.
    pub object: String,
    pub owner: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    pub tags: Vec<String>,
    pub terms: Vec<String>,
    /// What stands on it, directly or through others.
    pub used_by: Vec<UsedBy>,
    /// Of a feature, those that are computed alike: `wind:gust`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsedBy {
    pub kind: ObjectKind,
    pub name: String,
}

impl Catalogue {
    /// Waits a little for the objects after a start.
    ///
    /// # Errors
    /// The objects were not listed yet, or the index failed.
    pub async fn search(&self, who: &Principal, wanted: &Wanted) -> Result<Answer, Problem> {
        self.begun().await?;
        let text = &wanted.text[..wanted.text.floor_char_boundary(LONGEST)];
        let found = self.index.find(text).map_err(|error| Problem::of("searching the catalogue", &error))?;
        let known = self.known.read();
        let mut eyes = Eyes { catalogue: self, who, known: &known, seen: HashMap::new() };
        let found: Vec<Found<Entry>> =
            found.into_iter().filter(|one| fits(&one.thing, wanted) && eyes.see(&one.thing)).collect();
        let mut answer = Answer { total: found.len(), ..Answer::default() };
        for one in &found {
            *answer.kinds.entry(one.thing.kind).or_default() += 1;
        }
        answer.results = ranked(found, &mut eyes, wanted.limit.clamp(1, MOST));
        Ok(answer)
    }

    /// What stands on an object, as far as the caller may get it.
    pub fn used_by(&self, who: &Principal, kind: ObjectKind, namespace: &str, name: &str) -> Vec<UsedBy> {
        let known = self.known.read();
        let object = known.namespaces.get(namespace).and_then(|all| all.get(kind, name));
        let entry = object.and_then(|object| object.entries().into_iter().next());
        let mut eyes = Eyes { catalogue: self, who, known: &known, seen: HashMap::new() };
        entry.map(|entry| eyes.used_by(&entry)).unwrap_or_default()
    }
}

fn fits(entry: &Entry, wanted: &Wanted) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    let has = |tag: &String| entry.tags.iter().any(|one| one.eq_ignore_ascii_case(tag));
    is(&wanted.namespace, &entry.namespace)
        && wanted.kind.is_none_or(|kind| kind == entry.kind)
        && is(&wanted.owner, &entry.owner)
        && is(&wanted.classification, entry.classification.as_deref().unwrap_or_default())
        && wanted.tag.as_ref().is_none_or(has)
}

/// What somebody may get; each object is asked about once.
struct Eyes<'a> {
    catalogue: &'a Catalogue,
    who: &'a Principal,
    known: &'a Known,
    seen: HashMap<Place, bool>,
}

impl Eyes<'_> {
    fn see(&mut self, entry: &Entry) -> bool {
        self.sees(Place { kind: entry.of, namespace: entry.namespace.clone(), name: entry.object.clone() })
    }

    fn sees(&mut self, place: Place) -> bool {
        if let Some(seen) = self.seen.get(&place) {
            return *seen;
        }
        let sees = self.catalogue.sees(self.who, self.known, &place);
        self.seen.insert(place, sees);
        sees
    }

    fn same_as(&mut self, entry: &Entry) -> Vec<String> {
        let feature = entry.part.as_ref().filter(|_| entry.kind == EntryKind::Feature);
        let namespace = self.known.namespaces.get(&entry.namespace);
        let (Some(feature), Some(namespace)) = (feature, namespace) else { return Vec::new() };
        let same = namespace.same_features(&entry.object, feature).into_iter().filter(|(view, _)| {
            let (kind, namespace) = (ObjectKind::FeatureView, entry.namespace.clone());
            self.sees(Place { kind, namespace, name: view.clone() })
        });
        same.map(|(view, feature)| format!("{view}:{feature}")).collect()
    }

    fn used_by(&mut self, entry: &Entry) -> Vec<UsedBy> {
        let Some(namespace) = self.known.namespaces.get(&entry.namespace) else { return Vec::new() };
        let uses = namespace.uses(entry).into_iter().filter(|one| {
            self.sees(Place { kind: one.kind, namespace: entry.namespace.clone(), name: one.name.clone() })
        });
        uses.map(|one| UsedBy { kind: one.kind, name: one.name }).collect()
    }
}

/// The best first; of those that match as well, what is used more often, then by kind and name.
fn ranked(found: Vec<Found<Entry>>, eyes: &mut Eyes<'_>, limit: usize) -> Vec<Hit> {
    let mut by_score = found;
    let place = |entry: &Entry| (entry.kind, entry.namespace.clone(), entry.object.clone(), entry.part.clone());
    by_score.sort_by(|one, other| {
        other.score.total_cmp(&one.score).then_with(|| place(&one.thing).cmp(&place(&other.thing)))
    });
    by_score.truncate(RANKED.max(limit));
    let with_uses = by_score.into_iter().map(|one| {
        let used_by = eyes.used_by(&one.thing);
        (weight(one.score, used_by.len()), one.thing, used_by)
    });
    let mut ranked: Vec<_> = with_uses.collect();
    // Stable: what weighs the same stays in the order of its kind and name.
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, entry, used_by)| hit(&entry, used_by, eyes.same_as(&entry))).collect()
}

/// What is used a lot counts up to a half more: never so much that a mention comes before a name.
fn weight(score: f32, uses: usize) -> f32 {
    score * (1.0 + ((1 + uses) as f32).ln().min(3.0) / 6.0)
}

fn hit(entry: &Entry, used_by: Vec<UsedBy>, same_as: Vec<String>) -> Hit {
    Hit {
        kind: entry.kind,
        of: entry.of,
        namespace: entry.namespace.clone(),
        name: entry.name(),
        object: entry.object.clone(),
        owner: entry.owner.clone(),
        description: entry.description.clone(),
        classification: entry.classification.clone(),
        tags: entry.tags.clone(),
        terms: entry.terms.clone(),
        used_by,
        same_as,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_never_bring_a_mention_before_a_name() {
        assert!(weight(10.0, 0) > weight(5.0, 1_000_000));
        assert!(weight(5.0, 3) > weight(5.0, 0));
    }
}
