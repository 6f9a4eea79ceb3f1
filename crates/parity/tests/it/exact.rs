//! Whatever the view and its rows: what was loaded is equal, and what was pushed is never called a difference.

use bedplate_features::ViewDefinition;
use bedplate_kinds::Aggregate;
use bedplate_parity::How;
use bedplate_types::Timestamp;
use proptest::prelude::*;

use crate::source::{Raw, Store, all, definition, feature};

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-0.0)),
        1 => Just(Some(f64::INFINITY)),
        3 => (-2..3_i8).prop_map(|value| Some(f64::from(value))),
        3 => (-1e3..1e3_f64).prop_map(Some),
        2 => (-1e-9..1e-9_f64).prop_map(Some),
    ]
}

fn raw() -> impl Strategy<Value = Raw> {
    let carrier = prop_oneof![1 => Just(None), 12 => "[ab]{0,2}".prop_map(Some)];
    let time = prop_oneof![1 => Just(None), 12 => (-15..400_i64).prop_map(Some), 4 => (-3..3_i64).prop_map(Some)];
    let id = prop_oneof![Just(None), (0..3_i64).prop_map(Some)];
    let made = (carrier, time, prop::option::of(-2..2_i64), id, number());
    made.prop_map(|(carrier, time, created, id, x)| Raw { carrier, time, created, id, x })
}

/// Few rows, or so many of one entity that their tiles are kept.
fn raws() -> impl Strategy<Value = Vec<Raw>> {
    let dense = raw().prop_map(|raw| Raw { carrier: Some("a".into()), ..raw });
    prop_oneof![4 => prop::collection::vec(raw(), 0..60), 1 => prop::collection::vec(dense, 100..200)]
}

fn view() -> impl Strategy<Value = ViewDefinition> {
    use Aggregate::{Count, Distinct, Last, Max, Mean, Min, Quantile, Std, Sum};
    let aggregates = vec![Last, Mean, Sum, Count, Min, Max, Std, Distinct, Quantile];
    let window = prop_oneof![2 => 1..20_i64, 1 => 20..4_000_i64];
    let features = prop::collection::vec((prop::sample::select(aggregates), window), 1..6).prop_map(|features| {
        let define = |(i, (aggregate, window)): (usize, (Aggregate, i64))| {
            feature(&format!("f{i}"), aggregate, (aggregate != Last).then_some(window))
        };
        features.into_iter().enumerate().map(define).collect::<Vec<_>>()
    });
    let ttl = prop_oneof![Just(None), (0..12_i64).prop_map(Some)];
    (ttl, features, prop::bool::weighted(0.9), any::<bool>()).prop_map(|(ttl, features, timed, created)| {
        let def = ViewDefinition { created: created.then(|| "written_at".into()), ..definition(ttl, features) };
        if timed { def } else { timeless(def) }
    })
}

fn timeless(mut def: ViewDefinition) -> ViewDefinition {
    def.features.iter_mut().for_each(|feature| {
        (feature.aggregate, feature.window, feature.quantile) = (Aggregate::Last, None, None);
    });
    ViewDefinition { timestamp: None, ttl: None, ..def }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_loaded_is_equal_to_the_last_bit(
        def in view(),
        source in raws(),
        seed in any::<u64>(),
        entities in 1..6_usize,
        at in prop::option::of(-20..420_i64),
    ) {
        let store = Store::loaded(def, source, None);
        let how = How { entities, seed, at: at.map(Timestamp::from_micros), ..all() };
        let found = store.verify(&how);
        prop_assert_eq!((found.equal, found.expected, found.different), (found.values, 0, 0), "{:?}", found);
        prop_assert_eq!((found.missing_entities, found.pushed_entities, found.left_out), (0, 0, 0));
        prop_assert!(found.entities <= entities as u64 && found.examples.is_empty());
        prop_assert_eq!(store.verify(&how), found, "the same sample again");
    }

    #[test]
    fn what_was_pushed_beyond_the_source_is_told_apart(
        def in view().prop_filter("without times nothing is beyond", |def| def.timestamp.is_some()),
        source in raws(),
        until in -20..420_i64,
        share in 0..4_usize,
        pushed in prop::collection::vec((raw(), 401..500_i64), 0..20),
    ) {
        let store = Store::loaded(def, source, Some(until));
        let is_late = |raw: &&Raw| raw.time.is_some_and(|time| time > until);
        let late: Vec<Raw> = store.source.iter().filter(is_late).cloned().collect();
        store.push(&late);
        let whole = store.verify(&all());
        prop_assert_eq!((whole.equal, whole.expected, whole.different), (whole.values, 0, 0), "all is there: {:?}", whole);
        // Some of the later rows are not there yet, and others are that the source will never have.
        let part = Store::loaded(store.subject.view.definition.clone(), store.source.clone(), Some(until));
        part.push(&late[..late.len() * share / 4]);
        part.push(&pushed.into_iter().map(|(raw, time)| Raw { time: Some(time), ..raw }).collect::<Vec<_>>());
        let found = part.verify(&all());
        prop_assert_eq!((found.different, found.equal + found.expected), (0, found.values), "{:?}", found);
    }
}
