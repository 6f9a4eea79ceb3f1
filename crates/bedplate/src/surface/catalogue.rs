//! The catalogue of what is declared: an index in memory that follows the API server's objects, and answers about it that
//! hold what the caller may get, and nothing of the rest: no name, no count, no order.

mod answer;
mod follow;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bedplate_catalogue::{Entry, EntryKind, Namespace, Object, ObjectKind};
use bedplate_identity::Principal;
use bedplate_policy::{Action, Policy, Question, Resource, Tags};
use bedplate_search::{SearchError, TextIndex, Texts};
use bedplate_types::{ErrorKind, Problem};
use parking_lot::RwLock;
use tokio::sync::watch;

pub use self::answer::{Answer, Hit, UsedBy, Wanted};
pub use self::follow::follow;

/// How long a question waits for the first list of objects.
const PATIENCE: Duration = Duration::from_secs(10);

/// Share it by `Arc`.
pub struct Catalogue {
    policy: Policy,
    index: TextIndex<Entry>,
    known: RwLock<Known>,
    /// Whether all kinds were listed once.
    listed: watch::Sender<bool>,
}

#[derive(Default)]
struct Known {
    namespaces: HashMap<String, Namespace>,
    tags: HashMap<Place, Tags>,
}

/// An object: its kind, its namespace and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    kind: ObjectKind,
    namespace: String,
    name: String,
}

impl Place {
    fn key(&self) -> String {
        format!("{}/{}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

impl Catalogue {
    /// An empty one; [`follow`] fills it.
    pub fn new(policy: Policy) -> Result<Self, Problem> {
        let index = TextIndex::new().map_err(|error| Problem::of("the catalogue", &error))?;
        Ok(Self { policy, index, known: RwLock::default(), listed: watch::Sender::new(false) })
    }

    /// Asked again and again, and so not written down each time.
    fn sees(&self, who: &Principal, known: &Known, place: &Place) -> bool {
        let Some(tags) = known.tags.get(place) else { return false };
        let (namespace, name) = (Some(place.namespace.as_str()), Some(place.name.as_str()));
        let resource = Resource { namespace, kind: place.kind.as_str(), name };
        self.policy.still(&Question::new(&who.name, &who.groups, Action::Get, resource).tagged(tags)).allowed
    }

    fn put(&self, place: Place, object: Object, tags: Tags) -> Result<bool, SearchError> {
        let entries = object.entries();
        let mut known = self.known.write();
        known.tags.insert(place.clone(), tags);
        known.namespaces.entry(place.namespace.clone()).or_default().put(&place.name, Arc::new(object));
        drop(known);
        self.index.put(&place.key(), entries.into_iter().map(|entry| (texts(&entry), entry)).collect())
    }

    fn remove(&self, place: &Place) {
        self.index.remove(&place.key());
        let mut known = self.known.write();
        known.tags.remove(place);
        if let Some(namespace) = known.namespaces.get_mut(&place.namespace) {
            namespace.remove(place.kind, &place.name);
            if namespace.is_empty() {
                known.namespaces.remove(&place.namespace);
            }
        }
    }

    fn places(&self, kind: ObjectKind) -> Vec<Place> {
        self.known.read().tags.keys().filter(|place| place.kind == kind).cloned().collect()
    }

    async fn begun(&self) -> Result<(), Problem> {
        let mut listed = self.listed.subscribe();
        match tokio::time::timeout(PATIENCE, listed.wait_for(|listed| *listed)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::new(ErrorKind::NotReady, "the catalogue", "the objects have not been listed yet")
                .with_fix("ask again in a moment")),
        }
    }
}

fn texts(entry: &Entry) -> Texts {
    let name = entry.name();
    // A version's number is no name.
    let part = entry.part.as_ref().filter(|_| entry.kind != EntryKind::ModelVersion);
    let said = [("kind", Some(entry.kind.as_str())), ("owner", Some(entry.owner.as_str()))];
    let said = said.into_iter().chain([("classification", entry.classification.as_deref())]);
    let said = said.filter_map(|(key, value)| Some(format!("{key}:{}", value.filter(|value| !value.is_empty())?)));
    let terms = entry.terms.iter().map(|term| format!("term:{term}"));
    Texts {
        words: entry.words.iter().chain(part.map(|_| &name)).cloned().collect(),
        names: vec![part.unwrap_or(&name).clone()],
        owner: entry.owner.clone(),
        description: entry.description.clone(),
        tags: entry.tags.iter().cloned().chain(said).chain(terms).collect(),
    }
}
