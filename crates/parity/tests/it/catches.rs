//! What is not as it should be online is told, and what it comes from.

use bedplate_features::ViewDefinition;
use bedplate_kinds::Aggregate;
use bedplate_parity::{Cause, Example, How};
use bedplate_types::Timestamp;
use serde_json::json;

use crate::source::{Raw, Store, all, definition, feature, raw};

fn views() -> [ViewDefinition; 2] {
    let last = definition(None, vec![feature("last", Aggregate::Last, None)]);
    let windows = [Aggregate::Mean, Aggregate::Std, Aggregate::Distinct, Aggregate::Quantile, Aggregate::Sum];
    let windows = windows.map(|aggregate| feature(&format!("{aggregate:?}"), aggregate, Some(200)));
    [last, definition(Some(500), windows.to_vec())]
}

fn source() -> Vec<Raw> {
    let of = |carrier: &'static str| (0..30).map(move |i| raw(carrier, i * 10, (i * i % 17) as f64));
    ["UA", "DL", "AA"].into_iter().flat_map(of).collect()
}

/// The store holds these rows of a source that has others.
fn holding(definition: ViewDefinition, rows: Vec<Raw>) -> Store {
    let mut store = Store::loaded(definition, rows, None);
    store.source = source();
    store
}

#[track_caller]
fn check(rows: impl Fn(Vec<Raw>) -> Vec<Raw>, cause: Cause) -> Vec<Vec<Example>> {
    let each = |definition| {
        let store = holding(definition, rows(source()));
        let found = store.verify(&How { at: Some(Timestamp::from_micros(295)), ..all() });
        assert!(found.different > 0 && found.different < found.values, "{found:?}");
        assert_eq!(found.equal + found.different, found.values, "{found:?}");
        assert!(found.examples.iter().all(|example| example.cause == cause), "{found:?}");
        assert!(found.examples.iter().all(|example| example.entity["carrier"] == json!("DL")), "{found:?}");
        found.examples
    };
    views().into_iter().map(each).collect()
}

fn is_newest_of_dl(raw: &Raw) -> bool {
    raw.carrier.as_deref() == Some("DL") && raw.time == Some(290)
}

#[test]
fn a_row_that_was_altered() {
    let altered = |mut rows: Vec<Raw>| {
        rows.iter_mut().filter(|raw| is_newest_of_dl(raw)).for_each(|raw| raw.x = Some(100.5));
        rows
    };
    let examples = check(altered, Cause::OtherRows);
    let last = &examples[0][0];
    assert_eq!((last.feature.as_str(), last.online, last.offline), ("last", Some(100.5), Some((29 * 29 % 17) as f64)));
    let known = Some(Timestamp::from_micros(290));
    assert_eq!((last.at.micros(), last.online_known, last.offline_known), (295, known, known));
    assert!(examples[1].iter().any(|example| example.feature == "Std"), "{examples:?}");
}

#[test]
fn a_row_that_is_missing() {
    let examples = check(|rows| rows.into_iter().filter(|raw| !is_newest_of_dl(raw)).collect(), Cause::Behind);
    assert_eq!(examples[0][0].online_known, Some(Timestamp::from_micros(280)));
    assert_eq!(examples[0][0].offline_known, Some(Timestamp::from_micros(290)));
}

#[test]
fn an_entity_that_is_missing() {
    for definition in views() {
        let rows = source().into_iter().filter(|raw| raw.carrier.as_deref() != Some("DL")).collect();
        let found = holding(definition, rows).verify(&all());
        assert_eq!((found.entities, found.missing_entities), (3, 1), "{found:?}");
        assert!(found.different > 0);
        assert!(found.examples.iter().all(|example| example.cause == Cause::Missing), "{found:?}");
    }
}

#[test]
fn a_view_that_is_stale() {
    for definition in views() {
        let rows = source().into_iter().filter(|raw| raw.time < Some(200)).collect();
        let found = holding(definition, rows).verify(&all());
        assert!(found.different > 0, "{found:?}");
        assert_eq!(
            found.newest_online.zip(found.newest_source),
            Some((Timestamp::from_micros(190), Timestamp::from_micros(290)))
        );
    }
}

#[test]
fn a_row_that_the_source_does_not_have_is_told_apart_from_one_that_came_after_it() {
    for definition in views() {
        let mut store = holding(definition, source());
        store.push(&[raw("DL", 293, 55.0)]);
        let how = How { at: Some(Timestamp::from_micros(295)), ..all() };
        let found = store.verify(&how);
        assert!(found.different == 0 && found.expected > 0 && found.examples.is_empty(), "{found:?}");
        // The source goes on past that moment without it: it was pushed late, or is gone.
        let next = raw("AA", 294, 13.0);
        store.push(std::slice::from_ref(&next));
        store.source.push(next);
        let found = store.verify(&how);
        assert!(found.different > 0 && found.expected == 0, "{found:?}");
        assert!(found.examples.iter().all(|example| example.cause == Cause::NotInSource), "{found:?}");
    }
}

#[test]
fn the_worst_come_first_and_there_are_ten_of_them() {
    let [last, _] = views();
    let rows = source().into_iter().map(|raw| Raw { x: raw.x.map(|x| x + raw.time.unwrap() as f64), ..raw }).collect();
    let found = holding(last, rows).verify(&all());
    let away: Vec<f64> = found.examples.iter().map(|one| (one.online.unwrap() - one.offline.unwrap()).abs()).collect();
    assert!(away.is_sorted_by(|a, b| a >= b) && away[0] == 290.0, "{away:?}");
    assert!(found.examples.len() <= 10);
}
