//! The feature protocol's port on the online store: what is pushed is durable and visible when it is acknowledged.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int64Type};
use bedplate_feast::{FeatureStore, StoreError};
use bedplate_features::ViewDefinition;
use bedplate_identity::Principal;
use bedplate_kinds::{Entity, FeatureView, Phase};
use bedplate_online::OnlineStore;
use bedplate_types::{ErrorKind, Explained, NamespacedName, Problem, Timestamp};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use parking_lot::Mutex;

use crate::platform::Leads;

/// How long what a push source feeds is remembered: a changed view is fed within this time.
const REMEMBERED: Duration = Duration::from_secs(1);

pub struct Store {
    client: Client,
    online: OnlineStore,
    leads: Leads,
    fed: Mutex<HashMap<(String, String), Remembered>>,
}

/// What a push source feeds, and since when that is known.
type Remembered = (Instant, Arc<Vec<Fed>>);

/// A view that a push source feeds.
struct Fed {
    online_id: String,
    definition: ViewDefinition,
}

impl Store {
    /// Predictions read the online store of the replica that leads: only that one takes rows.
    pub fn new(client: Client, online: OnlineStore, leads: Leads) -> Self {
        Self { client, online, leads, fed: Mutex::default() }
    }

    async fn fed(&self, namespace: &str, source: &str) -> Result<Arc<Vec<Fed>>, StoreError> {
        let key = (namespace.to_owned(), source.to_owned());
        if let Some((_, fed)) = self.fed.lock().get(&key).filter(|(at, _)| at.elapsed() < REMEMBERED) {
            return Ok(fed.clone());
        }
        let fed = Arc::new(self.look_up(namespace, source).await?);
        let mut remembered = self.fed.lock();
        remembered.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        remembered.insert(key, (Instant::now(), fed.clone()));
        Ok(fed)
    }

    async fn look_up(&self, namespace: &str, source: &str) -> Result<Vec<Fed>, StoreError> {
        let views: Api<FeatureView> = Api::namespaced(self.client.clone(), namespace);
        let views = views.list(&ListParams::default()).await.map_err(|error| internal(&error.to_string()))?;
        let mut fed = Vec::new();
        for view in views.items.into_iter().filter(|view| view.spec.push_source.as_deref() == Some(source)) {
            fed.push(self.feed(namespace, &view).await?);
        }
        if fed.is_empty() { Err(StoreError::NoPushSource(source.to_owned())) } else { Ok(fed) }
    }

    async fn feed(&self, namespace: &str, view: &FeatureView) -> Result<Fed, StoreError> {
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
        Ok(Fed { online_id: bedplate_controllers::online_id(&name, &version), definition })
    }
}

#[async_trait::async_trait]
impl FeatureStore for Store {
    async fn push(&self, _: &Principal, namespace: &str, source: &str, frame: RecordBatch) -> Result<(), StoreError> {
        if !self.leads.now() {
            let why = "this replica does not lead, and no prediction would see what is pushed here";
            let fix = "push to the replica that holds the Lease controllers in bedplate-system";
            return Err(Problem::new(ErrorKind::NotReady, "the online store", why).with_fix(fix).into());
        }
        let fed = self.fed(namespace, source).await?;
        let online = self.online.clone();
        let namespace = namespace.to_owned();
        let put = move || -> Result<(), StoreError> {
            for view in fed.iter() {
                let name = NamespacedName::new(&namespace, &view.definition.name);
                let frame = with_times(&frame, view.definition.timestamp.as_deref())?;
                let rows = bedplate_features::rows(&view.definition, &frame).map_err(|error| of(&name, &error))?;
                online.put(&view.online_id, &rows).map_err(|error| of(&name, &error))?;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(put).await.unwrap_or_else(|error| Err(internal(&error.to_string())))
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
