//! A store that knows push source `arrivals` and remembers pushes, and knows two views of planes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use bedplate_feast::{Cell, FeatureStore, Features, NamedView, Range, Selected, SelectedView, Status, StoreError};
use bedplate_identity::Principal;
use bedplate_policy::Tags;
use bedplate_types::{ErrorKind, Problem, Timestamp};
use serde_json::Value;

#[derive(Default)]
pub struct Memory {
    pub pushed: Mutex<Vec<(String, String, RecordBatch)>>,
    /// Ranges of views that were asked for.
    pub asked: Mutex<Vec<(String, Range)>>,
    pub busy: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl FeatureStore for Memory {
    async fn push(&self, who: &Principal, namespace: &str, source: &str, frame: RecordBatch) -> Result<(), StoreError> {
        match source {
            "arrivals" if frame.column_by_name("tailnum").is_none() => {
                Err(StoreError::Column { column: "tailnum".into(), why: "is missing".into() })
            }
            "arrivals" => {
                self.pushed.lock().unwrap().push((who.name.clone(), namespace.to_owned(), frame));
                Ok(())
            }
            "full" => Err(Problem::new(ErrorKind::Internal, "/secret/path", "no space left").into()),
            _ => Err(StoreError::NoPushSource(source.to_owned())),
        }
    }

    async fn write(&self, who: &Principal, namespace: &str, view: &str, frame: RecordBatch) -> Result<(), StoreError> {
        if view != "seats" {
            return Err(StoreError::NoView(view.to_owned()));
        }
        self.pushed.lock().unwrap().push((who.name.clone(), namespace.to_owned(), frame));
        Ok(())
    }

    async fn named(&self, _: &str, names: Option<&[String]>) -> Result<Vec<NamedView>, StoreError> {
        let view = |name: &str, purposes: Option<&str>| NamedView {
            name: name.to_owned(),
            asked: name.to_owned(),
            tags: Tags { purposes: purposes.map(|one| [one.to_owned()].into()), ..Tags::NONE },
        };
        let all = vec![view("seats", None), view("crew", Some("rostering"))];
        let Some(names) = names else { return Ok(all) };
        let find = |name: &String| all.iter().find(|view| view.name == *name).cloned();
        names.iter().map(|name| find(name).ok_or_else(|| StoreError::NoView(name.clone()))).collect()
    }

    async fn is_materializing(&self, _: &str, view: &NamedView) -> Result<bool, StoreError> {
        Ok(self.busy.lock().unwrap().contains(&view.name))
    }

    async fn materialize(
        &self,
        _: &Principal,
        _: &str,
        view: &NamedView,
        range: Range,
    ) -> Result<Timestamp, StoreError> {
        self.asked.lock().unwrap().push((view.name.clone(), range));
        Ok(Timestamp::from_micros(1))
    }

    async fn materialized(&self, _: &str, _: &NamedView, asked: Timestamp) -> Result<(), StoreError> {
        assert_eq!(asked, Timestamp::from_micros(1));
        Ok(())
    }

    async fn select(&self, _: &str, features: &Features) -> Result<Arc<Selected>, StoreError> {
        let view = |name: &str, purposes: Option<&str>| SelectedView {
            name: name.to_owned(),
            asked: name.to_owned(),
            join_keys: vec!["tailnum".to_owned()],
            features: vec!["count".to_owned(), format!("{name}_mean")],
            tags: Tags { purposes: purposes.map(|one| [one.to_owned()].into()), ..Tags::NONE },
        };
        let views = vec![view("seats", None), view("crew", Some("rostering"))];
        let position = |(view, feature): &(String, String)| {
            let at = views.iter().position(|one| one.name == *view).ok_or_else(|| StoreError::NoView(view.clone()))?;
            let found = views[at].features.iter().position(|one| one == feature);
            Ok((at, found.ok_or(StoreError::NoFeature { view: view.clone(), feature: feature.clone() })?))
        };
        let asked = match features {
            Features::Refs(refs) => refs.iter().map(position).collect::<Result<Vec<_>, StoreError>>()?,
            Features::Service(name) if name == "planes" => vec![(0, 0), (0, 1)],
            Features::Service(name) => return Err(StoreError::NoService(name.clone())),
        };
        let needed = asked.iter().map(|(view, _)| view + 1).max().unwrap_or_default();
        let views = views.into_iter().take(needed).collect();
        Ok(Arc::new(Selected::new(views, asked, Box::new(()))))
    }

    /// Of the first plane all is known, of the second nothing, of the third too little and of the fourth too long ago.
    async fn read(
        &self,
        selected: &Arc<Selected>,
        entities: &BTreeMap<String, Vec<Value>>,
        rows: usize,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        if entities["tailnum"].iter().any(Value::is_f64) {
            return Err(StoreError::Column { column: "tailnum".into(), why: "is of another type".into() });
        }
        let known = Some(Timestamp::from_micros(1_372_669_200_000_000));
        let cells = [
            Cell { value: Some(1.5), status: Status::Present, known },
            Cell { value: None, status: Status::NotFound, known: None },
            Cell { value: None, status: Status::Null, known },
            Cell { value: None, status: Status::OutsideMaxAge, known },
        ];
        Ok(vec![cells.iter().copied().cycle().take(rows).collect(); selected.features.len()])
    }
}
