//! Every way of adding up agrees to the last millionth, and so does the count from the postings.

use std::collections::BTreeMap;

use bedplate_ledger::{
    Dimension, LedgerError, Query, UsageEvent, in_cents, price_backlog, record, reverse, statement, verify,
};
use bedplate_types::{Money, Timestamp};
use proptest::prelude::*;

use crate::{RESOURCES, at, event, open, priced, sheet};

const DAY: i64 = 86_400_000_000;

/// (id, namespace, resource, team, day, amount)
type Used = (u8, usize, usize, usize, i64, i64);

fn events(used: &[Used]) -> Vec<UsageEvent> {
    let first = at("2026-10-30T00:00:00Z").micros();
    let one = |(id, namespace, resource, team, day, amount): &Used| UsageEvent {
        at: Timestamp::from_micros(first + day * DAY + amount.rem_euclid(DAY)),
        team: ["", "one", "two"][*team].into(),
        ..event(&format!("{id}"), ["a", "b", "c"][*namespace], RESOURCES[*resource], *amount)
    };
    let mut events: Vec<UsageEvent> = used.iter().map(one).collect();
    // The first event of an id is the one that counts.
    let mut seen = std::collections::BTreeSet::new();
    events.retain(|event| seen.insert(event.id.clone()));
    events
}

/// Every set of dimensions.
fn groupings() -> impl Iterator<Item = Vec<Dimension>> {
    (0..1_u32 << Dimension::ALL.len()).map(|set| {
        let in_set = |(place, _): &(usize, &Dimension)| set & (1 << place) != 0;
        Dimension::ALL.iter().enumerate().filter(in_set).map(|(_, dimension)| *dimension).collect()
    })
}

/// Another way to the same figures: exact prices of whole micros, in wide numbers.
fn oracle(event: &UsageEvent) -> i64 {
    let unit = sheet("x", "EUR").prices[&event.resource].0;
    let exact = i128::from(event.amount_micro) * i128::from(unit);
    let (mut whole, rest) = (exact / 1_000_000, exact % 1_000_000);
    if rest.abs() > 500_000 || (rest.abs() == 500_000 && whole % 2 != 0) {
        whole += rest.signum();
    }
    i64::try_from(whole).unwrap()
}

fn key(event: &UsageEvent, by: &[Dimension]) -> Vec<String> {
    let date = event.at.to_string();
    let value = |dimension: &Dimension| match dimension {
        Dimension::Namespace => event.namespace.clone(),
        Dimension::Team if event.team.is_empty() => event.namespace.clone(),
        Dimension::Team => event.team.clone(),
        Dimension::Subject => event.subject.clone(),
        Dimension::Resource => event.resource.clone(),
        Dimension::Day => date[..10].to_owned(),
        Dimension::Month => date[..7].to_owned(),
    };
    by.iter().map(value).collect()
}

fn used() -> impl Strategy<Value = Vec<Used>> {
    prop::collection::vec((0..60u8, 0..3usize, 0..3usize, 0..3usize, 0..40i64, -5_000_000..5_000_000_000i64), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_grouping_has_the_figures_of_the_events_and_sums_to_one_total(used in used(), late in any::<bool>()) {
        let (events, ledger) = (events(&used), if late { open() } else { priced() });
        let queued = events.clone();
        ledger.db.write(move |tx| queued.iter().try_for_each(|event| record(tx, event).map(drop))).unwrap();
        if late {
            ledger.declare(sheet("standard", "EUR")).unwrap();
            while ledger.db.write(|tx| price_backlog(tx, 7)).unwrap() == 7 {}
        }
        let total: i64 = events.iter().map(oracle).sum();
        for by in groupings() {
            let mut expected: BTreeMap<Vec<String>, i64> = BTreeMap::new();
            for event in &events {
                *expected.entry(key(event, &by)).or_default() += oracle(event);
            }
            let query = Query { by: by.clone(), ..Query::default() };
            let told = ledger.db.read(|tx| statement(tx, &query)).unwrap();
            let found: BTreeMap<Vec<String>, i64> = told.lines.iter().map(|line| (line.key.clone(), line.cost.0)).collect();
            prop_assert_eq!(found, expected, "{:?}", by);
            prop_assert_eq!(told.totals["EUR"], Money(total));
            let cents: i64 = in_cents(&told.lines.iter().map(|line| line.cost).collect::<Vec<_>>()).iter().sum();
            prop_assert_eq!(cents, in_cents(&[Money(total)])[0], "in cents too, whatever the grouping");
        }
        let counted = ledger.db.read(verify).unwrap();
        prop_assert_eq!((counted.entries, counted.postings), (events.len() as i64, 2 * events.len() as i64));
    }

    #[test]
    fn reversing_all_leaves_nothing_and_a_part_of_the_time_has_its_part(used in used(), from in 0..40i64, days in 0..40i64) {
        let (events, ledger) = (events(&used), priced());
        let queued = events.clone();
        ledger.db.write(move |tx| queued.iter().try_for_each(|event| record(tx, event).map(drop))).unwrap();
        let first = at("2026-10-30T00:00:00Z").micros();
        let (begin, end) = (first + from * DAY, first + (from + days) * DAY);
        let query = Query {
            from: Some(Timestamp::from_micros(begin)),
            to: Some(Timestamp::from_micros(end)),
            namespace: Some("a".into()),
            by: vec![Dimension::Subject],
        };
        let expected: i64 = events
            .iter()
            .filter(|event| event.namespace == "a" && (begin..end).contains(&event.at.micros()))
            .map(oracle)
            .sum();
        let told = ledger.db.read(|tx| statement(tx, &query)).unwrap();
        prop_assert_eq!(told.lines.iter().map(|line| line.cost.0).sum::<i64>(), expected);
        let ids: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
        let now = at("2026-12-24T00:00:00Z");
        ledger
            .db
            .write(move |tx| ids.iter().try_for_each(|id| reverse(tx, id, "all wrong", now).map(drop)))
            .unwrap();
        let told = ledger.db.read(|tx| statement(tx, &Query { by: vec![Dimension::Resource], ..Query::default() })).unwrap();
        prop_assert!(told.lines.iter().all(|line| (line.cost, line.events, line.amount_micro) == (Money(0), 0, Some(0))));
        ledger.db.read(verify).unwrap();
    }
}

#[test]
fn what_was_changed_behind_the_ledgers_back_is_found() {
    let changes = [
        (
            "UPDATE ledger_postings SET amount_micro = amount_micro + 1 WHERE entry = 'usage:e1' AND account LIKE 'centre:%'",
            "usage:e1",
        ),
        (
            "DELETE FROM ledger_postings WHERE entry = 'usage:e1' AND account LIKE 'provider:%' AND amount_micro <> 0",
            "usage:e1",
        ),
        ("DELETE FROM ledger_postings WHERE entry = 'usage:e1'", "usage:e1"),
        ("DELETE FROM ledger_entries WHERE id = 'usage:e1'", "usage:e1"),
        ("DELETE FROM ledger_usage WHERE id = 'e1'", "usage:e1"),
        ("UPDATE ledger_usage SET amount_micro = 5 WHERE id = 'e1'", "run:1"),
        ("UPDATE ledger_balances SET cost_micro = cost_micro - 1 WHERE subject = 'run:1'", "run:1"),
        ("DELETE FROM ledger_balances WHERE subject = 'run:1'", "run:1"),
        ("DELETE FROM ledger_unpriced", "e3"),
        ("INSERT INTO ledger_unpriced (usage_id, resource, at) VALUES ('e1', 'x', 1)", "e1"),
        ("UPDATE ledger_postings SET amount_micro = 2 * amount_micro WHERE entry = 'usage:e1'", "run:1"),
    ];
    for (change, named) in changes {
        let ledger = priced();
        ledger.put(event("e1", "flights", "cpu_seconds", 10_000_000)).unwrap();
        ledger.put(event("e2", "flights", "predictions", 2_000_000)).unwrap();
        ledger.put(event("e3", "flights", "gpu_seconds", 3_000_000)).unwrap();
        ledger.db.read(verify).unwrap();
        let changed = ledger.db.write(move |tx| tx.execute(change, &[])).unwrap();
        assert!(changed > 0, "{change}");
        let error = ledger.db.read(verify).unwrap_err();
        assert!(matches!(&error, LedgerError::Wrong(told) if told.contains(named)), "{change}: {error}");
    }
}
