//! The feature protocol's port on the online store: what is pushed is durable and visible when it is acknowledged, and what
//! is read is what is known now.

mod cells;
mod frame;
mod history;
mod materialize;
mod memory;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bedplate_feast::{Cell, FeatureStore, Features, NamedView, Range, Selected, SelectedView, StoreError};
use bedplate_features::{EntityKey, ViewDefinition};
use bedplate_identity::Principal;
use bedplate_kinds::{DataTags, Dataset, Entity, FeatureService, FeatureView, Phase, ViewSelection};
use bedplate_online::{Dated, OnlineStore, Question};
use bedplate_policy::Tags;
use bedplate_statistics::Served;
use bedplate_types::{Clock, ErrorKind, Explained, NamespacedName, Problem, Timestamp};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

pub use self::history::History;

use self::cells::{cell, keys};
use self::frame::{as_written, with_created, with_times};
use self::memory::Memory;
use crate::platform::Leads;

pub struct Store {
    client: Client,
    online: OnlineStore,
    leads: Leads,
    served: Served,
    clock: Arc<dyn Clock>,
    fed: Memory<(String, String), Vec<Bound>>,
    selected: Memory<(String, Features), Selected>,
}

/// A view, and its rows in the online store.
struct Bound {
    online_id: String,
    definition: ViewDefinition,
    /// The query of its source.
    sql: String,
}

impl Store {
    /// Of replicas with an online store each, predictions read that of the one that leads: only that one takes rows.
    pub fn new(client: Client, online: OnlineStore, leads: Leads, served: Served, clock: Arc<dyn Clock>) -> Self {
        Self { client, online, leads, served, clock, fed: Memory::new(), selected: Memory::new() }
    }

    async fn fed(&self, namespace: &str, source: &str) -> Result<Arc<Vec<Bound>>, StoreError> {
        let key = (namespace.to_owned(), source.to_owned());
        self.fed.get(key, || self.look_up(namespace, source)).await
    }

    async fn look_up(&self, namespace: &str, source: &str) -> Result<Vec<Bound>, StoreError> {
        let views: Api<FeatureView> = Api::namespaced(self.client.clone(), namespace);
        let views = views.list(&ListParams::default()).await.map_err(|error| internal(&error.to_string()))?;
        let mut fed = Vec::new();
        for view in views.items.into_iter().filter(|view| view.spec.push_source.as_deref() == Some(source)) {
            fed.push(self.bind(namespace, &view).await?);
        }
        if fed.is_empty() { Err(StoreError::NoPushSource(source.to_owned())) } else { Ok(fed) }
    }

    async fn view(&self, namespace: &str, name: &str) -> Result<FeatureView, StoreError> {
        let views: Api<FeatureView> = Api::namespaced(self.client.clone(), namespace);
        let view = get(&views, name).await?;
        view.ok_or_else(|| StoreError::NoView(name.to_owned()))
    }

    async fn bind(&self, namespace: &str, view: &FeatureView) -> Result<Bound, StoreError> {
        let name = NamespacedName::new(namespace, view.name_any());
        if view.status.as_ref().is_none_or(|status| status.phase != Phase::Ready) {
            return Err(Problem::new(
                ErrorKind::NotReady,
                format!("feature view {name}"),
                "it is not materialised yet",
            )
            .into());
        }
        let entities: Api<Entity> = Api::namespaced(self.client.clone(), namespace);
        let entity = entities.get(&view.spec.entity).await.map_err(|error| internal(&error.to_string()))?;
        let definition =
            ViewDefinition::new(&name.name, &view.spec, &entity.spec).map_err(|error| of(&name, &error))?;
        let version = definition.version(&view.spec.source.sql);
        Ok(Bound {
            online_id: bedplate_controllers::online_id(&name, &version),
            definition,
            sql: view.spec.source.sql.clone(),
        })
    }

    async fn find(&self, namespace: &str, features: &Features) -> Result<Selected, StoreError> {
        let wanted: Vec<(String, Option<String>)> = match features {
            Features::Refs(refs) => refs.iter().map(|(view, feature)| (view.clone(), Some(feature.clone()))).collect(),
            Features::Service(name) => self.selections(namespace, name).await?.into_iter().flat_map(each).collect(),
        };
        let (mut views, mut bound, mut selected) = (Vec::<SelectedView>::new(), Vec::new(), Vec::new());
        for (name, feature) in wanted {
            let at = match views.iter().position(|view| view.asked == name) {
                Some(at) => at,
                None => {
                    let view = self.view(namespace, &name).await?;
                    let one = self.bind(namespace, &view).await?;
                    views.push(shown(&one.definition, &name, self.tags(namespace, &view).await?));
                    bound.push(one);
                    views.len() - 1
                }
            };
            let known = &views[at].features;
            match feature {
                None => selected.extend((0..known.len()).map(|feature| (at, feature))),
                Some(feature) => {
                    let position = known.iter().position(|one| *one == feature);
                    selected.push((at, position.ok_or(StoreError::NoFeature { view: name, feature })?));
                }
            }
        }
        Ok(Selected::new(views, selected, Box::new(bound)))
    }

    async fn selections(&self, namespace: &str, name: &str) -> Result<Vec<ViewSelection>, StoreError> {
        let services: Api<FeatureService> = Api::namespaced(self.client.clone(), namespace);
        let service = get(&services, name).await?;
        Ok(service.ok_or_else(|| StoreError::NoService(name.to_owned()))?.spec.views)
    }

    /// Of all datasets a view is made of: as secret as the most secret one, and allowed only what all allow.
    pub async fn tags(&self, namespace: &str, view: &FeatureView) -> Result<Tags, StoreError> {
        let datasets: Api<Dataset> = Api::namespaced(self.client.clone(), namespace);
        let mut made: Option<DataTags> = None;
        for name in &view.spec.source.datasets {
            let found = datasets.get_opt(name).await.map_err(|error| internal(&error.to_string()))?;
            let gone = || Problem::new(ErrorKind::NotReady, format!("dataset {namespace}/{name}"), "it is not there");
            let dataset = found.ok_or_else(gone)?;
            let data = DataTags::of(&dataset.spec, dataset.status.as_ref().is_some_and(|status| status.deidentified));
            made = Some(made.map_or_else(|| data.clone(), |so_far| so_far.and(&data)));
        }
        let owner = Some(view.spec.owner.clone()).filter(|owner| !owner.is_empty());
        Ok(Tags { owner, ..made.as_ref().map(Tags::from).unwrap_or_default() })
    }

    /// Unless replicas share a store, only that of the one that leads has rows.
    fn has_rows(&self) -> Result<(), StoreError> {
        if self.online.shared_at().is_some() {
            return Ok(());
        }
        let why =
            "what is pushed goes to the one that does, and is read there, unless replicas share a Redis (--online)";
        Ok(self.leads.must("the online store", why)?)
    }

    async fn put(&self, namespace: &str, bound: Arc<Vec<Bound>>, frame: RecordBatch) -> Result<(), StoreError> {
        let (online, namespace) = (self.online.clone(), namespace.to_owned());
        in_background(move || {
            for view in bound.iter() {
                let name = NamespacedName::new(&namespace, &view.definition.name);
                let frame = with_times(&frame, view.definition.timestamp.as_deref())?;
                let frame = with_created(&frame, view.definition.created.as_deref())?;
                let rows = bedplate_features::rows(&view.definition, &frame).map_err(|error| of(&name, &error))?;
                online.put(&view.online_id, &rows).map_err(|error| of(&name, &error))?;
            }
            Ok(())
        })
        .await
    }
}

/// What [`Store::find`] put there.
fn bound(selected: &Selected) -> Result<&Vec<Bound>, StoreError> {
    selected.inner.downcast_ref().ok_or_else(|| internal("it was asked to read what another store selected"))
}

/// Every feature of a service's view, or those it names.
fn each(selection: ViewSelection) -> Vec<(String, Option<String>)> {
    if selection.features.is_empty() {
        return vec![(selection.view, None)];
    }
    selection.features.into_iter().map(|feature| (selection.view.clone(), Some(feature))).collect()
}

/// The object of Feast's name; nothing is called nothing, which the client would not even ask for.
async fn get<K>(api: &Api<K>, name: &str) -> Result<Option<K>, StoreError>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    if name.is_empty() {
        return Ok(None);
    }
    api.get_opt(&object_name(name)).await.map_err(|error| internal(&error.to_string()))
}

/// Feast's names may have underscores, an object's may not: `driver_stats` is the object `driver-stats`.
fn object_name(name: &str) -> String {
    name.replace('_', "-")
}

fn shown(definition: &ViewDefinition, asked: &str, tags: Tags) -> SelectedView {
    SelectedView {
        name: definition.name.clone(),
        asked: asked.to_owned(),
        join_keys: definition.join_keys.iter().map(|key| key.name.clone()).collect(),
        features: definition.features.iter().map(|feature| feature.name.clone()).collect(),
        tags,
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(internal(&error.to_string())))
}

#[async_trait::async_trait]
impl FeatureStore for Store {
    async fn push(&self, _: &Principal, namespace: &str, source: &str, frame: RecordBatch) -> Result<(), StoreError> {
        self.has_rows()?;
        let fed = self.fed(namespace, source).await?;
        self.put(namespace, fed, frame).await
    }

    async fn write(&self, _: &Principal, namespace: &str, view: &str, frame: RecordBatch) -> Result<(), StoreError> {
        self.has_rows()?;
        let view = self.view(namespace, view).await?;
        let bound = self.bind(namespace, &view).await?;
        let frame = as_written(&frame, bound.definition.timestamp.as_deref())?;
        self.put(namespace, Arc::new(vec![bound]), frame).await
    }

    async fn named(&self, namespace: &str, names: Option<&[String]>) -> Result<Vec<NamedView>, StoreError> {
        self.named_views(namespace, names).await
    }

    async fn is_materializing(&self, namespace: &str, view: &NamedView) -> Result<bool, StoreError> {
        self.is_wanted(namespace, view).await
    }

    async fn materialize(
        &self,
        principal: &Principal,
        namespace: &str,
        view: &NamedView,
        range: Range,
    ) -> Result<Timestamp, StoreError> {
        self.ask(principal, namespace, view, range).await
    }

    async fn materialized(&self, namespace: &str, view: &NamedView, asked: Timestamp) -> Result<(), StoreError> {
        self.brought(namespace, view, asked).await
    }

    async fn select(&self, namespace: &str, features: &Features) -> Result<Arc<Selected>, StoreError> {
        self.selected.get((namespace.to_owned(), features.clone()), || self.find(namespace, features)).await
    }

    async fn read(
        &self,
        selected: &Arc<Selected>,
        entities: &BTreeMap<String, Vec<serde_json::Value>>,
        rows: usize,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.has_rows()?;
        let (selected, online, now) = (Arc::clone(selected), self.online.clone(), self.clock.now());
        let asked: Vec<Asked> = bound(&selected)?
            .iter()
            .map(|view| Ok(keys(&view.definition, entities, rows)?.into_iter().map(|key| (key, now)).collect()))
            .collect::<Result<_, StoreError>>()?;
        // What is in memory is answered at once: another thread would cost more than the answer.
        if let Some(found) = remembered(bound(&selected)?, &online, &asked) {
            look(&self.served, bound(&selected)?, &found, now);
            return Ok(cells(&selected, bound(&selected)?, &found, now));
        }
        let served = self.served.clone();
        in_background(move || {
            let views = bound(&selected)?.iter().zip(&asked);
            let questions: Vec<_> = views
                .map(|(view, asked)| Question { definition: &view.definition, view_id: &view.online_id, asked })
                .collect();
            let found = online.read_all_dated(&questions).map_err(|error| Problem::of("the online store", &error))?;
            look(&served, bound(&selected)?, &found, now);
            Ok(cells(&selected, bound(&selected)?, &found, now))
        })
        .await
    }
}

/// For each view, the entities asked for.
type Asked = Vec<(Option<EntityKey>, Timestamp)>;

fn remembered(views: &[Bound], online: &OnlineStore, asked: &[Asked]) -> Option<Vec<Dated>> {
    let one = |(view, asked): (&Bound, &Asked)| online.remembered(&view.definition, &view.online_id, asked);
    views.iter().zip(asked).map(one).collect()
}

/// For the statistics of what is served: all features of the views, whichever are asked for.
fn look(served: &Served, views: &[Bound], found: &[Dated], now: Timestamp) {
    for (view, dated) in views.iter().zip(found) {
        let size = (dated.entities(), view.definition.features.len());
        served.offer(&view.online_id, size, now, |row, feature| dated.value(row, feature));
    }
}

/// The answer by feature, from what was found by view.
fn cells(selected: &Selected, views: &[Bound], found: &[Dated], now: Timestamp) -> Vec<Vec<Cell>> {
    let column = |(view, feature): &(usize, usize)| {
        let (definition, dated) = (&views[*view].definition, &found[*view]);
        (0..dated.entities()).map(|entity| cell(definition, dated, (entity, *feature), now)).collect()
    };
    selected.features.iter().map(column).collect()
}

fn of(view: &NamespacedName, error: &dyn Explained) -> StoreError {
    Problem::of(format!("feature view {view}"), error).into()
}

fn internal(why: &str) -> StoreError {
    Problem::new(ErrorKind::Internal, "the feature store", why).into()
}
