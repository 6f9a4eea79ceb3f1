//! The feature protocol's port on the online store: what is pushed is durable and visible when it is acknowledged, and what
//! is read is what is known now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int64Type};
use bedplate_feast::{Cell, FeatureStore, Features, Selected, SelectedView, Status, StoreError};
use bedplate_features::{EntityKey, KeyValue, ViewDefinition};
use bedplate_identity::Principal;
use bedplate_kinds::{DataTags, Dataset, Entity, FeatureService, FeatureView, Phase, ViewSelection};
use bedplate_online::{Dated, OnlineStore};
use bedplate_policy::Tags;
use bedplate_types::{Clock, ErrorKind, Explained, NamespacedName, Problem, Timestamp};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use parking_lot::Mutex;

use crate::platform::Leads;

/// How long it is remembered what a push source feeds and where features are: a changed view counts within this time.
const REMEMBERED: Duration = Duration::from_secs(1);
/// What Feast's client calls the moment of a row it writes into a view.
const EVENT_TIMESTAMP: &str = "event_timestamp";

pub struct Store {
    client: Client,
    online: OnlineStore,
    leads: Leads,
    clock: Arc<dyn Clock>,
    fed: Memory<(String, String), Vec<Bound>>,
    selected: Memory<(String, Features), Selected>,
}

/// What was looked up lately.
struct Memory<K, V>(Mutex<HashMap<K, (Instant, Arc<V>)>>);

impl<K: std::hash::Hash + Eq, V> Memory<K, V> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn get(&self, key: &K) -> Option<Arc<V>> {
        self.0.lock().get(key).filter(|(at, _)| at.elapsed() < REMEMBERED).map(|(_, value)| Arc::clone(value))
    }

    fn keep(&self, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut remembered = self.0.lock();
        remembered.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        remembered.insert(key, (Instant::now(), Arc::clone(&value)));
        value
    }
}

/// A view, and its rows in the online store.
struct Bound {
    online_id: String,
    definition: ViewDefinition,
}

impl Store {
    /// Predictions read the online store of the replica that leads: only that one takes rows.
    pub fn new(client: Client, online: OnlineStore, leads: Leads, clock: Arc<dyn Clock>) -> Self {
        Self { client, online, leads, clock, fed: Memory::new(), selected: Memory::new() }
    }

    async fn fed(&self, namespace: &str, source: &str) -> Result<Arc<Vec<Bound>>, StoreError> {
        let key = (namespace.to_owned(), source.to_owned());
        if let Some(fed) = self.fed.get(&key) {
            return Ok(fed);
        }
        let fed = self.look_up(namespace, source).await?;
        Ok(self.fed.keep(key, fed))
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
        let view = views.get_opt(&object_name(name)).await.map_err(|error| internal(&error.to_string()))?;
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
        Ok(Bound { online_id: bedplate_controllers::online_id(&name, &version), definition })
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
        Ok(Selected { views, features: selected, inner: Box::new(bound) })
    }

    async fn selections(&self, namespace: &str, name: &str) -> Result<Vec<ViewSelection>, StoreError> {
        let services: Api<FeatureService> = Api::namespaced(self.client.clone(), namespace);
        let service = services.get_opt(&object_name(name)).await.map_err(|error| internal(&error.to_string()))?;
        Ok(service.ok_or_else(|| StoreError::NoService(name.to_owned()))?.spec.views)
    }

    /// Of all datasets a view is made of: as secret as the most secret one, and allowed only what all allow.
    async fn tags(&self, namespace: &str, view: &FeatureView) -> Result<Tags, StoreError> {
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

    /// Only the store of the replica that leads has rows.
    fn must_lead(&self) -> Result<(), StoreError> {
        if self.leads.now() {
            return Ok(());
        }
        let why = "this replica does not lead: what is pushed goes to the one that does, and is read there";
        let fix = "ask the replica that holds the Lease controllers in bedplate-system";
        Err(Problem::new(ErrorKind::NotReady, "the online store", why).with_fix(fix).into())
    }

    async fn put(&self, namespace: &str, bound: Arc<Vec<Bound>>, frame: RecordBatch) -> Result<(), StoreError> {
        let (online, namespace) = (self.online.clone(), namespace.to_owned());
        in_background(move || {
            for view in bound.iter() {
                let name = NamespacedName::new(&namespace, &view.definition.name);
                let frame = with_times(&frame, view.definition.timestamp.as_deref())?;
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

/// The key of each of the rows; none where a part of it is null.
fn keys(
    definition: &ViewDefinition,
    entities: &BTreeMap<String, Vec<serde_json::Value>>,
    rows: usize,
) -> Result<Vec<Option<EntityKey>>, StoreError> {
    let part = |name: &str, row: usize| {
        let wrong = |why: &str| StoreError::Column { column: name.to_owned(), why: why.to_owned() };
        let value = entities.get(name).and_then(|column| column.get(row)).ok_or_else(|| wrong("is missing"))?;
        KeyValue::from_json(value).ok_or_else(|| wrong("has a value that is neither text nor a whole number"))
    };
    let key = |row| {
        let parts: Vec<_> =
            definition.join_keys.iter().map(|key| part(&key.name, row)).collect::<Result<_, StoreError>>()?;
        EntityKey::from_values(&definition.join_keys, &parts).map_err(|error| StoreError::Column {
            column: definition.join_keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", "),
            why: format!("is of another type: {error}"),
        })
    };
    (0..rows).map(key).collect()
}

fn cell(definition: &ViewDefinition, dated: &Dated, feature: usize, now: Timestamp) -> Cell {
    let (value, known) = (dated.values[feature], dated.newest);
    let is_old = |known: Timestamp| definition.ttl.is_some_and(|ttl| now.micros_since(known) > ttl.micros());
    let status = match (value, known) {
        (Some(_), _) => Status::Present,
        (None, None) => Status::NotFound,
        (None, Some(known)) if is_old(known) => Status::OutsideMaxAge,
        (None, Some(_)) => Status::Null,
    };
    // A view without times has rows that were always known.
    Cell { value, status, known: known.filter(|_| definition.timestamp.is_some()) }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(internal(&error.to_string())))
}

#[async_trait::async_trait]
impl FeatureStore for Store {
    async fn push(&self, _: &Principal, namespace: &str, source: &str, frame: RecordBatch) -> Result<(), StoreError> {
        self.must_lead()?;
        let fed = self.fed(namespace, source).await?;
        self.put(namespace, fed, frame).await
    }

    async fn write(&self, _: &Principal, namespace: &str, view: &str, frame: RecordBatch) -> Result<(), StoreError> {
        self.must_lead()?;
        let view = self.view(namespace, view).await?;
        let bound = self.bind(namespace, &view).await?;
        let frame = as_written(&frame, bound.definition.timestamp.as_deref())?;
        self.put(namespace, Arc::new(vec![bound]), frame).await
    }

    async fn select(&self, namespace: &str, features: &Features) -> Result<Arc<Selected>, StoreError> {
        let key = (namespace.to_owned(), features.clone());
        if let Some(selected) = self.selected.get(&key) {
            return Ok(selected);
        }
        let selected = self.find(namespace, features).await?;
        Ok(self.selected.keep(key, selected))
    }

    async fn read(
        &self,
        selected: &Arc<Selected>,
        entities: &BTreeMap<String, Vec<serde_json::Value>>,
        rows: usize,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.must_lead()?;
        let (selected, online, now) = (Arc::clone(selected), self.online.clone(), self.clock.now());
        let asked: Vec<Vec<_>> = bound(&selected)?
            .iter()
            .map(|view| Ok(keys(&view.definition, entities, rows)?.into_iter().map(|key| (key, now)).collect()))
            .collect::<Result<_, StoreError>>()?;
        in_background(move || {
            let mut found = Vec::with_capacity(asked.len());
            for (view, asked) in bound(&selected)?.iter().zip(&asked) {
                let read = online.read_dated(&view.definition, &view.online_id, asked);
                found.push((view, read.map_err(|error| Problem::of("the online store", &error))?));
            }
            let column = |(view, feature): &(usize, usize)| {
                let (view, rows) = &found[*view];
                rows.iter().map(|dated| cell(&view.definition, dated, *feature, now)).collect()
            };
            Ok(selected.features.iter().map(column).collect())
        })
        .await
    }
}

fn of(view: &NamespacedName, error: &dyn Explained) -> StoreError {
    Problem::of(format!("feature view {view}"), error).into()
}

fn internal(why: &str) -> StoreError {
    Problem::new(ErrorKind::Internal, "the feature store", why).into()
}

/// The frame with its time column as microseconds: it came as RFC 3339 text, or as whole microseconds since 1970.
fn with_times(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column else { return Ok(frame.clone()) };
    let wrong = |why: &str| StoreError::Column { column: column.to_owned(), why: why.to_owned() };
    let values = frame.column_by_name(column).ok_or_else(|| wrong("is missing"))?;
    let times: TimestampMicrosecondArray = match values.data_type() {
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().collect(),
        DataType::Utf8 => {
            let micros = |text: &str| text.parse::<Timestamp>().map(Timestamp::micros);
            let texts = values.as_string::<i32>().iter().map(|text| text.map(micros).transpose());
            texts.collect::<Result<_, _>>().map_err(|error| wrong(&error.to_string()))?
        }
        _ => return Err(wrong("must be RFC 3339 text or whole microseconds since 1970")),
    };
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    let fields = frame.schema_ref().fields().iter().zip(frame.columns());
    let columns = fields.map(|(field, values)| {
        (field.name().clone(), if field.name() == column { times.clone() } else { values.clone() }, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).map_err(|error| internal(&error.to_string()))
}

/// What Feast's client writes into a view: the moment under its own name and as naive UTC, which is taken as what it is.
fn as_written(frame: &RecordBatch, column: Option<&str>) -> Result<RecordBatch, StoreError> {
    let Some(column) = column.filter(|column| frame.column_by_name(column).is_none()) else { return Ok(frame.clone()) };
    let Some(times) = frame.column_by_name(EVENT_TIMESTAMP) else { return Ok(frame.clone()) };
    let wrong = || StoreError::Column { column: EVENT_TIMESTAMP.to_owned(), why: "must be ISO 8601 text".to_owned() };
    let times = times.as_string_opt::<i32>().ok_or_else(wrong)?;
    let times: StringArray = times.iter().map(|text| text.map(in_utc)).collect();
    let fields = frame.schema_ref().fields().iter().zip(frame.columns());
    let others = fields.map(|(field, values)| (field.name().clone(), values.clone(), true));
    let columns = others.chain([(column.to_owned(), Arc::new(times) as ArrayRef, true)]);
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).map_err(|error| internal(&error.to_string()))
}

/// `2013-07-01T09:00:00` is `2013-07-01T09:00:00Z`; what says its zone stays as it is.
fn in_utc(text: &str) -> String {
    let is_naive = text.parse::<Timestamp>().is_err() && format!("{text}Z").parse::<Timestamp>().is_ok();
    if is_naive { format!("{text}Z") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_types::Span;

    use super::*;

    fn view(ttl: Option<i64>) -> ViewDefinition {
        let feature = bedplate_features::FeatureDef {
            name: "d".into(),
            column: "d".into(),
            aggregate: Aggregate::Last,
            window: None,
        };
        ViewDefinition {
            name: "v".into(),
            join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
            timestamp: Some("at".into()),
            ttl: ttl.map(Span::from_micros),
            features: vec![feature],
        }
    }

    #[test]
    fn why_there_is_no_value_is_told() {
        let status = |ttl, value, newest: Option<i64>| {
            let dated = Dated { values: vec![value], newest: newest.map(Timestamp::from_micros) };
            cell(&view(ttl), &dated, 0, Timestamp::from_micros(100)).status
        };
        assert_eq!(status(None, Some(1.0), Some(5)), Status::Present);
        assert_eq!(status(None, None, None), Status::NotFound);
        assert_eq!(status(None, None, Some(5)), Status::Null);
        assert_eq!(status(Some(95), None, Some(5)), Status::Null);
        assert_eq!(status(Some(94), None, Some(5)), Status::OutsideMaxAge);
    }

    #[test]
    fn naive_moments_are_utc_and_others_stay() {
        assert_eq!(in_utc("2013-07-01T09:00:00"), "2013-07-01T09:00:00Z");
        assert_eq!(in_utc("2013-07-01T09:00:00+02:00"), "2013-07-01T09:00:00+02:00");
        assert_eq!(in_utc("soon"), "soon");
    }

    #[test]
    fn keys_of_another_type_are_refused_and_null_has_none() {
        let entities =
            |values: serde_json::Value| BTreeMap::from([("k".to_owned(), values.as_array().unwrap().clone())]);
        let made = keys(&view(None), &entities(serde_json::json!([1, null])), 2).unwrap();
        assert_eq!(made.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        for wrong in [serde_json::json!(["a"]), serde_json::json!([1.5]), serde_json::json!([[1]])] {
            let error = keys(&view(None), &entities(wrong.clone()), 1).unwrap_err();
            assert!(matches!(&error, StoreError::Column { column, .. } if column == "k"), "{wrong}: {error}");
        }
    }
}
