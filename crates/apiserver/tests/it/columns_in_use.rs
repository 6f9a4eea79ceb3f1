//! A Dataset's columns that something stands on: taking them away is warned of, and what is gone stands on nothing.

use bedplate_lineage::{ColumnEdge, Edge, How, Named, lead, link, link_column};
use bedplate_types::Timestamp;
use serde_json::{Value, json};

use crate::support::{DATASETS, House, dataset, raw};

const SET: &str = "snapshot:sha256:abababababababababababababababababababababababababababababababab";

fn with_columns(names: &[&str]) -> Value {
    let mut object = dataset("flights");
    object["spec"]["schema"] = names.iter().map(|name| json!({ "name": name, "type": "int64" })).collect();
    object
}

async fn house() -> House {
    let house = House::new();
    // By the manager of the later applies: a column that another one wants too would stay.
    assert!(applied(&house, &with_columns(&["delay", "year"])).await.is_empty());
    let column = |from: &str, to: &str| ColumnEdge {
        from: from.replace("SET", SET).parse().unwrap(),
        to: to.replace("SET", SET).parse().unwrap(),
        how: How::Identity,
        by: "run".into(),
        at: Timestamp::from_micros(1),
    };
    let columns = [
        column(
            "column:source:sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd#year",
            "column:table:default/flights@0#year",
        ),
        column("column:table:default/flights@0#delay", "feature:default/history@d#last"),
        column("feature:default/history@d#last", "column:SET#feature.history__last"),
        column("column:SET#feature.history__last", "column:model:default/late@1#history__last"),
    ];
    let edge = |from: &str, to: &str| Edge {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        by: "run".into(),
        at: Timestamp::from_micros(1),
    };
    let edges = [edge("model:default/late@1", "endpoint:default/late"), edge(SET, "monitor:default/december")];
    house
        .db
        .write(move |tx| {
            columns.iter().try_for_each(|edge| link_column(tx, edge))?;
            edges.iter().try_for_each(|edge| link(tx, edge))?;
            lead(tx, &Named::new("endpoint", "default", "late"), &"model:default/late@1".parse().unwrap())
        })
        .unwrap();
    house
}

/// What applying it warns of.
async fn applied(house: &House, object: &Value) -> Vec<String> {
    let headers = [("content-type", "application/apply-patch+yaml")];
    let path = format!("{DATASETS}/flights?fieldManager=test&force=true");
    let response = raw(&house.admin, "PATCH", &path, &headers, object).await;
    assert!(response.status().is_success(), "{response:?}");
    let warnings = response.headers().get_all("warning").iter();
    warnings.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_column_in_use_that_goes_is_warned_of_with_all_that_stands_on_it() {
    let house = house().await;
    assert!(applied(&house, &with_columns(&["delay"])).await.is_empty(), "nothing stands on the year");
    let warned = applied(&house, &with_columns(&["delayed"])).await;
    assert_eq!(
        warned,
        [
            "299 - \"column delay of dataset flights is used by feature history.last, model late@1, endpoint late, monitor \
          december; they fail without it\""
        ]
    );
    assert!(applied(&house, &with_columns(&["delayed"])).await.is_empty(), "told when it goes");
    let stored = house.get(&format!("{DATASETS}/flights")).await.1;
    assert_eq!(stored["spec"]["schema"][0]["name"], "delayed", "a warning refuses nothing");
}

#[tokio::test]
async fn a_dataset_in_use_that_is_deleted_is_warned_of_unless_what_used_it_is_gone() {
    for (gone, expected) in [(false, 1), (true, 0)] {
        let house = house().await;
        if gone {
            let features = ["FeatureView", "Model", "Monitor", "Endpoint"];
            for (kind, plural, name) in [
                (features[0], "featureviews", "history"),
                (features[1], "models", "late"),
                (features[2], "monitors", "december"),
                (features[3], "endpoints", "late"),
            ] {
                let spec = match kind {
                    "FeatureView" => json!({ "entity": "e", "source": { "datasets": ["flights"], "sql": "SELECT 1" },
                                             "features": [{ "name": "last" }] }),
                    "Model" => json!({ "owner": "o", "description": "d" }),
                    "Monitor" => json!({ "recipe": "r", "current": {} }),
                    _ => json!({ "model": "late" }),
                };
                let path = DATASETS.replace("datasets", plural);
                let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec });
                house.made(&path, &object).await;
                assert!(house.delete(&format!("{path}/{name}")).await.0.is_success());
            }
        }
        let response = raw(&house.admin, "DELETE", &format!("{DATASETS}/flights"), &[], &Value::Null).await;
        assert!(response.status().is_success());
        assert_eq!(response.headers().get_all("warning").iter().count(), expected, "{:?}", response.headers());
    }
}
