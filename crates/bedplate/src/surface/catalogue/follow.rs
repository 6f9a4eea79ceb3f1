//! Keeps the catalogue as the objects are: every kind is watched, and what came together is made findable together.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bedplate_catalogue::{Object, ObjectKind};
use bedplate_policy::Tags;
use futures::stream::{BoxStream, select_all};
use futures::{StreamExt, pin_mut};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{Catalogue, Place};

/// Changes that are taken in together.
const TOGETHER: usize = 1_000;
/// Between two times that what came is made findable.
const PAUSE: Duration = Duration::from_millis(50);
const KINDS: usize = 8;

/// What a watch told.
enum Change {
    /// A list begins.
    Begun(ObjectKind),
    Listed(Place, Box<(Object, Tags)>),
    /// It ends: what was not in it is gone.
    Ended(ObjectKind),
    Put(Place, Box<(Object, Tags)>),
    Gone(Place),
}

/// Runs until it is cancelled.
pub async fn follow(catalogue: Arc<Catalogue>, client: Client, cancel: CancellationToken) {
    let watches: [BoxStream<'static, Change>; KINDS] = [
        changes(&client, ObjectKind::Dataset, |dataset| Object::Dataset(Box::new(dataset))),
        changes(&client, ObjectKind::GlossaryTerm, Object::GlossaryTerm),
        changes(&client, ObjectKind::FeatureView, Object::FeatureView),
        changes(&client, ObjectKind::FeatureService, Object::FeatureService),
        changes(&client, ObjectKind::TrainingRecipe, Object::TrainingRecipe),
        changes(&client, ObjectKind::Model, Object::Model),
        changes(&client, ObjectKind::Endpoint, Object::Endpoint),
        changes(&client, ObjectKind::Entity, Object::Entity),
    ];
    let together = select_all(watches).ready_chunks(TOGETHER);
    pin_mut!(together);
    let mut followed = Followed { catalogue, listing: BTreeSet::new(), listed: BTreeSet::new() };
    loop {
        let some = tokio::select! {
            some = together.next() => some,
            () = cancel.cancelled() => return,
        };
        let Some(some) = some else { return };
        followed.take_in(some).await;
        tokio::time::sleep(PAUSE).await;
    }
}

struct Followed {
    catalogue: Arc<Catalogue>,
    /// What the lists under way have named so far.
    listing: BTreeSet<Place>,
    /// Kinds that were listed.
    listed: BTreeSet<ObjectKind>,
}

impl Followed {
    async fn take_in(&mut self, changes: Vec<Change>) {
        let mut changed = false;
        for change in changes {
            changed |= match change {
                Change::Begun(kind) => {
                    self.listing.retain(|place| place.kind != kind);
                    false
                }
                Change::Listed(place, what) => {
                    self.listing.insert(place.clone());
                    self.put(place, *what)
                }
                Change::Put(place, what) => self.put(place, *what),
                Change::Gone(place) => self.remove(&place),
                Change::Ended(kind) => self.ended(kind),
            };
        }
        let catalogue = self.catalogue.clone();
        let done = tokio::task::spawn_blocking(move || if changed { catalogue.index.commit() } else { Ok(()) }).await;
        match done {
            Ok(Ok(())) if self.listed.len() == KINDS => drop(self.catalogue.listed.send_replace(true)),
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::error!(%error, "what was declared is not found yet"),
        }
    }

    fn put(&self, place: Place, (object, tags): (Object, Tags)) -> bool {
        match self.catalogue.put(place, object, tags) {
            Ok(changed) => changed,
            Err(error) => {
                tracing::error!(%error, "an object is not in the catalogue");
                true
            }
        }
    }

    fn remove(&self, place: &Place) -> bool {
        self.catalogue.remove(place);
        true
    }

    fn ended(&mut self, kind: ObjectKind) -> bool {
        self.listed.insert(kind);
        let gone = self.catalogue.places(kind).into_iter().filter(|place| !self.listing.contains(place));
        let gone: Vec<Place> = gone.collect();
        self.listing.retain(|place| place.kind != kind);
        gone.iter().fold(false, |_, place| self.remove(place))
    }
}

fn changes<K>(client: &Client, kind: ObjectKind, wrap: fn(K) -> Object) -> BoxStream<'static, Change>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let events = watcher(Api::<K>::all(client.clone()), watcher::Config::default().any_semantic()).default_backoff();
    let change = move |event: Result<watcher::Event<K>, watcher::Error>| match event {
        Ok(watcher::Event::Init) => Some(Change::Begun(kind)),
        Ok(watcher::Event::InitApply(object)) => {
            let (place, what) = known(kind, object, wrap);
            Some(Change::Listed(place, what))
        }
        Ok(watcher::Event::InitDone) => Some(Change::Ended(kind)),
        Ok(watcher::Event::Apply(object)) => {
            let (place, what) = known(kind, object, wrap);
            Some(Change::Put(place, what))
        }
        Ok(watcher::Event::Delete(object)) => Some(Change::Gone(place(kind, &object))),
        Err(error) => {
            tracing::debug!(%error, kind = kind.as_str(), "objects could not be watched and will be again");
            None
        }
    };
    events.filter_map(move |event| std::future::ready(change(event))).boxed()
}

fn known<K: Resource + Serialize>(kind: ObjectKind, object: K, wrap: fn(K) -> Object) -> (Place, Box<(Object, Tags)>) {
    let place = place(kind, &object);
    let tags = bedplate_apiserver::tags(kind.as_str(), &serde_json::to_value(&object).unwrap_or_default());
    (place, Box::new((wrap(object), tags)))
}

fn place<K: Resource>(kind: ObjectKind, object: &K) -> Place {
    Place { kind, namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
}
