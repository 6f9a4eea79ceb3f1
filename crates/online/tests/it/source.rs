//! A view and rows for the tests.

use bedplate_features::{EntityKey, FeatureDef, KeyValue, RowId, SourceRow, ViewDefinition};
use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
use bedplate_types::Span;

pub fn feature(name: &str, column: &str, aggregate: Aggregate, window: Option<i64>) -> FeatureDef {
    let quantile = (aggregate == Aggregate::Quantile).then_some(0.7);
    FeatureDef { name: name.into(), column: column.into(), aggregate, window: window.map(Span::from_micros), quantile }
}

pub fn view(ttl: Option<i64>, features: Vec<FeatureDef>) -> ViewDefinition {
    ViewDefinition {
        name: "carriers".into(),
        join_keys: vec![JoinKey { name: "carrier".into(), type_: ColumnType::String }],
        timestamp: Some("known_at".into()),
        created: None,
        ttl: ttl.map(Span::from_micros),
        features,
    }
}

/// The latest value of `x` and its sum over the last 100 microseconds.
pub fn last_and_sum() -> ViewDefinition {
    view(None, vec![feature("last", "x", Aggregate::Last, None), feature("sum", "x", Aggregate::Sum, Some(100))])
}

pub fn carrier(name: &str) -> EntityKey {
    let keys = [JoinKey { name: "carrier".into(), type_: ColumnType::String }];
    EntityKey::from_values(&keys, &[KeyValue::Text(name)]).unwrap().unwrap()
}

pub fn row(name: &str, time: i64, id: Option<i64>, x: f64) -> SourceRow {
    SourceRow { key: carrier(name), time, created: None, id: id.map(RowId::Int), values: vec![Some(x)] }
}
