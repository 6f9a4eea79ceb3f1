//! Which of a view's features somebody may see values of, who may read the datasets it is made of in part.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_features::ViewDefinition;
use bedplate_query::OutputColumn;

/// The features that are made of columns alone which `in_the_clear` gives of their datasets: what their values come of, their
/// entities and their times, and what decides which rows there are.
pub fn clear_features(
    def: &ViewDefinition,
    columns: &[OutputColumn],
    in_the_clear: impl Fn(&str) -> BTreeSet<String>,
) -> BTreeSet<String> {
    let tables: BTreeSet<&str> =
        columns.iter().flat_map(|column| column.of.keys()).map(|of| of.table.as_str()).collect();
    let clear: BTreeMap<&str, BTreeSet<String>> =
        tables.into_iter().map(|table| (table, in_the_clear(table))).collect();
    let is_clear = |name: &str| {
        let column = columns.iter().find(|column| column.name == name);
        column.is_some_and(|column| {
            column.of.keys().all(|of| clear.get(of.table.as_str()).is_some_and(|clear| clear.contains(&of.column)))
        })
    };
    let keys = def.join_keys.iter().map(|key| key.name.as_str());
    let common: Vec<&str> = keys.chain(def.timestamp.as_deref()).chain(def.created.as_deref()).collect();
    if !common.iter().all(|name| is_clear(name)) {
        return BTreeSet::new();
    }
    def.features.iter().filter(|feature| is_clear(&feature.column)).map(|feature| feature.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use bedplate_features::FeatureDef;
    use bedplate_kinds::{Aggregate, ColumnType, JoinKey};
    use bedplate_lineage::How;
    use bedplate_query::TableColumn;

    use super::*;

    fn column(name: &str, of: &[(&str, &str)]) -> OutputColumn {
        let of = of
            .iter()
            .map(|(table, column)| (TableColumn { table: (*table).into(), column: (*column).into() }, How::Identity));
        OutputColumn { name: name.into(), of: of.collect() }
    }

    #[test]
    fn a_value_is_shown_to_who_may_read_all_it_comes_of() {
        let feature = |name: &str| FeatureDef {
            name: name.into(),
            column: name.into(),
            aggregate: Aggregate::Last,
            window: None,
            quantile: None,
        };
        let def = ViewDefinition {
            name: "v".into(),
            join_keys: vec![JoinKey { name: "k".into(), type_: ColumnType::Int64 }],
            timestamp: Some("at".into()),
            created: None,
            ttl: None,
            features: vec![feature("age"), feature("fee")],
        };
        let columns = [
            column("k", &[("people", "id")]),
            column("at", &[("people", "at")]),
            column("age", &[("people", "born"), ("people", "consent")]),
            column("fee", &[("fees", "fee")]),
        ];
        let seen = |people: &'static [&'static str], fees: &'static [&'static str]| {
            let found = clear_features(&def, &columns, |table| {
                let names = if table == "people" { people } else { fees };
                names.iter().map(|name| (*name).to_owned()).collect()
            });
            found.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(seen(&["id", "at", "born", "consent"], &["fee"]), ["age", "fee"]);
        assert_eq!(seen(&["id", "at", "born"], &["fee"]), ["fee"], "what decides over rows is masked");
        assert_eq!(seen(&["id", "at", "born", "consent"], &[]), ["age"]);
        assert_eq!(seen(&["at", "born", "consent"], &["fee"]), [""; 0], "the entities are masked");
    }
}
