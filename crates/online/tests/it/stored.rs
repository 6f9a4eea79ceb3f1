//! The rows themselves, as whoever compares them with their source sees them.

use std::collections::BTreeSet;

use bedplate_features::{RowId, SourceRow};
use bedplate_kinds::Aggregate;
use bedplate_online::{Go, OnlineError, OnlineStore};

use crate::engine::{Engine, on_each_engine};
use crate::source::{carrier, feature, row, view};

fn every_row(store: &OnlineStore) -> BTreeSet<(Vec<u8>, i64)> {
    let mut found = BTreeSet::new();
    let give = |entity: &[u8], time| {
        assert!(found.insert((entity.to_vec(), time)), "a row is given once");
        Go::On
    };
    store.each_row("v", 1, give).unwrap();
    found
}

fn each_row_is_given_once_wherever_it_came_from(engine: &Engine) {
    let store = engine.open();
    assert_eq!(every_row(&store), BTreeSet::new());
    let names: Vec<String> = (0..600).map(|number| format!("C{number}")).collect();
    store.put("v", &[row("C1", 1, None, 1.0), row("C1", 7, None, 1.0), row("pushed", 3, None, 2.0)]).unwrap();
    let loaded = names.iter().flat_map(|name| [row(name, 1, None, 1.0), row(name, 2, None, 2.0)]);
    store.try_load("v", None, loaded.map(Ok::<_, OnlineError>)).unwrap();
    store.put("other", &[row("C1", 9, None, 1.0)]).unwrap();
    let rows = names.iter().flat_map(|name| [1, 2].map(|time| (carrier(name).as_bytes().to_vec(), time)));
    let more = [("C1", 7), ("pushed", 3)].map(|(name, time)| (carrier(name).as_bytes().to_vec(), time));
    assert_eq!(every_row(&store), rows.chain(more).collect());
    let mut given = 0;
    let some = |_: &[u8], _| {
        given += 1;
        if given == 300 { Go::NoFurther } else { Go::On }
    };
    store.each_row("v", 1, some).unwrap();
    assert_eq!(given, 300);
}

fn rows_come_back_as_they_were_put(engine: &Engine) {
    let store = engine.open();
    let mut definition = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    let created = |row: SourceRow, created| SourceRow { created: Some(created), ..row };
    let text = |row: SourceRow| SourceRow { id: Some(RowId::Text("an id".into())), ..row };
    let stored = |range, most| store.stored(&definition, "v", &carrier("UA"), range, most).unwrap();
    let rows = [row("UA", -4, None, 1.5), row("UA", 0, Some(-7), 2.0), text(row("UA", 3, None, 4.0))];
    store.put("v", &rows).unwrap();
    store.put("v", &[row("AA", 1, None, 9.0)]).unwrap();
    assert_eq!(stored((i64::MIN, i64::MAX), 10), rows);
    assert_eq!(
        (stored((-3, 2), 10), stored((-4, 3), 1), stored((3, 0), 9)),
        (vec![rows[1].clone()], vec![rows[0].clone()], vec![])
    );
    definition.created = Some("written".into());
    let row = created(row("UA", 5, Some(1), 1.0), -3);
    store.put("w", std::slice::from_ref(&row)).unwrap();
    assert_eq!(store.stored(&definition, "w", &carrier("UA"), (0, 9), 9).unwrap(), [row]);
}

on_each_engine!(each_row_is_given_once_wherever_it_came_from, rows_come_back_as_they_were_put);
