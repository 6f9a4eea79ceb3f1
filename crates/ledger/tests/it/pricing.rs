//! One price for one event, by the sheet of its own time.

use bedplate_ledger::{
    Dimension, LedgerError, PriceSheet, Query, Recorded, UsageEvent, entry, month_to_date, price_backlog, put_sheet,
    remove_sheet, reverse, sheet_at, sheets, spent, statement, total, unpriced, verify,
};
use bedplate_types::{Explained, Money};

use crate::{Ledger, at, event, open, priced, sheet};

fn total_of(ledger: &Ledger) -> Money {
    ledger.db.read(|tx| total(tx, None, "EUR")).unwrap()
}

#[test]
fn the_same_event_again_changes_nothing_and_another_of_its_id_is_refused_by_name() {
    let ledger = priced();
    let used = event("e1", "flights", "cpu_seconds", 10_000_000);
    assert_eq!(ledger.put(used.clone()).unwrap(), Recorded::Priced);
    let later = UsageEvent { at: at("2026-12-24T10:00:00Z"), team: "others".into(), ..used.clone() };
    assert_eq!(ledger.put(later).unwrap(), Recorded::Before);
    let mut dearer = sheet("standard", "EUR");
    (dearer.generation, dearer.prices) = (2, [("cpu_seconds".to_owned(), Money(1_000))].into());
    ledger.declare(dearer).unwrap();
    assert_eq!(ledger.put(used.clone()).unwrap(), Recorded::Before);
    for other in [
        UsageEvent { amount_micro: 1, ..used.clone() },
        UsageEvent { namespace: "other".into(), ..used.clone() },
        UsageEvent { subject: "other".into(), ..used.clone() },
        UsageEvent { resource: "predictions".into(), ..used.clone() },
    ] {
        let error = ledger.put(other).unwrap_err();
        assert!(matches!(&error, LedgerError::Conflict { id, .. } if id == "e1"), "{error}");
        assert!(error.to_string().contains("10000000 millionths of cpu_seconds") && error.fix().is_some(), "{error}");
    }
    assert_eq!(total_of(&ledger), Money(130), "one event, at the price it was first given");
    let posted = ledger.db.read(|tx| entry(tx, "usage:e1")).unwrap().unwrap();
    assert_eq!(
        (posted.sheet.as_str(), posted.generation, posted.price, posted.cost),
        ("standard", 1, Money(13), Money(130))
    );
    ledger.db.read(verify).unwrap();
}

#[test]
fn an_event_is_priced_by_the_sheet_of_its_own_time() {
    let ledger = open();
    let noon = at("2026-11-24T12:00:00Z");
    let (mut old, mut new) = (sheet("old", "EUR"), sheet("new", "EUR"));
    (old.valid_to, new.valid_from) = (Some(noon), Some(noon));
    new.prices.insert("cpu_seconds".into(), Money(1_000));
    ledger.declare(old).unwrap();
    ledger.declare(new).unwrap();
    for (id, time, sheet, cost) in [
        ("before", "2026-11-24T11:59:59.999999Z", "old", 13),
        ("at", "2026-11-24T12:00:00Z", "new", 1_000),
        ("long ago", "1999-01-01T00:00:00Z", "old", 13),
    ] {
        let used = UsageEvent { at: at(time), ..event(id, "flights", "cpu_seconds", 1_000_000) };
        assert_eq!(ledger.put(used).unwrap(), Recorded::Priced);
        let posted = ledger.db.read(|tx| entry(tx, &format!("usage:{id}"))).unwrap().unwrap();
        assert_eq!((posted.sheet.as_str(), posted.cost), (sheet, Money(cost)), "{id}");
    }
    assert_eq!(ledger.db.read(|tx| sheet_at(tx, noon)).unwrap().unwrap().name, "new");
    let names: Vec<_> = ledger.db.read(sheets).unwrap().into_iter().map(|sheet| sheet.name).collect();
    assert_eq!(names, ["old", "new"]);
}

#[test]
fn sheets_that_overlap_are_refused_with_the_others_name() {
    let ledger = open();
    let span = |name: &str, from: Option<&str>, to: Option<&str>| PriceSheet {
        valid_from: from.map(at),
        valid_to: to.map(at),
        ..sheet(name, "EUR")
    };
    ledger.declare(span("summer", Some("2026-06-01T00:00:00Z"), Some("2026-09-01T00:00:00Z"))).unwrap();
    for (from, to) in [
        (None, None),
        (None, Some("2026-06-01T00:00:00.000001Z")),
        (Some("2026-08-31T23:59:59.999999Z"), None),
        (Some("2026-07-01T00:00:00Z"), Some("2026-07-02T00:00:00Z")),
    ] {
        let error = ledger.declare(span("other", from, to)).unwrap_err();
        assert!(matches!(&error, LedgerError::Overlap { other, .. } if other == "summer"), "{error}");
        assert!(error.to_string().contains("from 2026-06-01T00:00:00Z until 2026-09-01T00:00:00Z"), "{error}");
    }
    let backwards = span("other", Some("2026-09-02T00:00:00Z"), Some("2026-09-02T00:00:00Z"));
    assert!(matches!(ledger.declare(backwards), Err(LedgerError::Span { .. })));
    ledger.declare(span("autumn", Some("2026-09-01T00:00:00Z"), None)).unwrap();
    ledger.declare(span("spring", None, Some("2026-06-01T00:00:00Z"))).unwrap();
    ledger.declare(span("summer", Some("2026-06-01T00:00:00Z"), Some("2026-08-01T00:00:00Z"))).unwrap();
    ledger.db.write(|tx| remove_sheet(tx, "spring")).unwrap();
    ledger.declare(span("earlier", None, Some("2026-05-01T00:00:00Z"))).unwrap();
}

#[test]
fn an_event_without_a_price_waits_and_is_priced_once_a_sheet_appears() {
    let ledger = open();
    let used = |id: &str, time: &str| UsageEvent { at: at(time), ..event(id, "flights", "cpu_seconds", 2_000_000) };
    assert_eq!(ledger.put(used("a", "2026-01-01T00:00:00Z")).unwrap(), Recorded::Unpriced);
    assert_eq!(ledger.put(used("b", "2026-02-01T00:00:00Z")).unwrap(), Recorded::Unpriced);
    assert_eq!(ledger.put(event("c", "flights", "gpu_seconds", 5)).unwrap(), Recorded::Unpriced);
    assert_eq!(ledger.put(used("a", "2026-01-01T00:00:00Z")).unwrap(), Recorded::Before);
    let told = ledger.db.read(|tx| unpriced(tx, Some("flights"))).unwrap();
    assert_eq!(
        (told.len(), told[0].resource.as_str(), told[0].events, told[0].amount_micro),
        (2, "cpu_seconds", 2, 4_000_000)
    );
    assert!(ledger.db.read(|tx| unpriced(tx, Some("other"))).unwrap().is_empty());
    assert_eq!(ledger.db.write(|tx| price_backlog(tx, 10)).unwrap(), 0);
    let error = ledger.db.write(|tx| reverse(tx, "a", "mistake", at("2026-03-01T00:00:00Z"))).unwrap_err();
    assert!(matches!(error, LedgerError::NotPosted { .. }) && error.fix().is_some(), "{error}");
    ledger.db.read(verify).unwrap();

    ledger.declare(PriceSheet { valid_from: Some(at("2026-01-15T00:00:00Z")), ..sheet("standard", "EUR") }).unwrap();
    assert_eq!(ledger.db.write(|tx| price_backlog(tx, 10)).unwrap(), 1, "b alone lies in its time");
    assert_eq!(ledger.db.write(|tx| price_backlog(tx, 10)).unwrap(), 0, "once");
    assert_eq!(total_of(&ledger), Money(26));
    ledger.declare(PriceSheet { generation: 2, ..sheet("standard", "EUR") }).unwrap();
    assert_eq!(ledger.db.write(|tx| price_backlog(tx, 10)).unwrap(), 1);
    let generations = ["usage:b", "usage:a"].map(|id| ledger.db.read(|tx| entry(tx, id)).unwrap().unwrap().generation);
    assert_eq!((total_of(&ledger), generations), (Money(52), [1, 2]));
    let left = ledger.db.read(|tx| unpriced(tx, None)).unwrap();
    assert_eq!((left.len(), left[0].resource.as_str()), (1, "gpu_seconds"));
    assert_eq!(ledger.db.read(verify).unwrap().unpriced, 1);
}

#[test]
fn a_correction_posts_the_opposite_at_its_own_day_and_price() {
    let ledger = priced();
    ledger.put(event("e1", "flights", "cpu_seconds", 10_000_000)).unwrap();
    let mut dearer = sheet("standard", "EUR");
    dearer.prices.insert("cpu_seconds".into(), Money(99));
    ledger.declare(dearer).unwrap();
    let december = at("2026-12-02T00:00:00Z");
    assert!(ledger.db.write(move |tx| reverse(tx, "e1", "measured twice", december)).unwrap());
    assert!(!ledger.db.write(move |tx| reverse(tx, "e1", "measured twice", december)).unwrap(), "once");
    let posted = ledger.db.read(|tx| entry(tx, "reversal:e1")).unwrap().unwrap();
    assert_eq!((posted.cost, posted.reason.as_str()), (Money(-130), "measured twice"));
    assert!(ledger.db.read(|tx| entry(tx, "usage:e1")).unwrap().is_some(), "what was wrong stays");
    let by_month = Query { by: vec![Dimension::Month], ..Query::default() };
    let lines = ledger.db.read(|tx| statement(tx, &by_month)).unwrap().lines;
    let told: Vec<_> = lines.iter().map(|line| (line.key[0].as_str(), line.cost.0, line.events)).collect();
    assert_eq!(told, [("2026-11", 130, 1), ("2026-12", -130, -1)]);
    assert_eq!(total_of(&ledger), Money(0));
    assert!(matches!(
        ledger.db.write(move |tx| reverse(tx, "nothing", "", december)),
        Err(LedgerError::Unknown { .. })
    ));
    let (early, late) = (at("2026-11-30T23:00:00Z"), at("2026-12-31T00:00:00Z"));
    assert_eq!(ledger.db.read(|tx| month_to_date(tx, Some("flights"), early)).unwrap()["EUR"], Money(130));
    assert_eq!(ledger.db.read(|tx| month_to_date(tx, Some("flights"), late)).unwrap()["EUR"], Money(-130));
    let spent_in = |from, to| ledger.db.read(|tx| spent(tx, "flights", at(from), at(to))).unwrap();
    assert_eq!(spent_in("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"), Money(130));
    assert_eq!(spent_in("2026-11-25T00:00:00Z", "2026-12-02T00:00:00.000001Z"), Money(-130));
    ledger.db.read(verify).unwrap();
}

#[test]
fn currencies_are_never_added_up_and_what_cannot_be_counted_is_refused() {
    let ledger = open();
    let year = at("2027-01-01T00:00:00Z");
    ledger.declare(PriceSheet { valid_to: Some(year), ..sheet("euros", "EUR") }).unwrap();
    ledger.declare(PriceSheet { valid_from: Some(year), ..sheet("dollars", "USD") }).unwrap();
    ledger.put(event("e1", "flights", "predictions", 1_000_000)).unwrap();
    ledger.put(UsageEvent { at: year, ..event("e2", "flights", "predictions", 2_000_000) }).unwrap();
    let told = ledger.db.read(|tx| statement(tx, &Query::default())).unwrap();
    assert_eq!(told.totals, [("EUR".to_owned(), Money(1)), ("USD".to_owned(), Money(2))].into());
    for (id, amount) in [("e3", i64::MAX), ("e4", i64::MIN)] {
        let error = ledger.put(event(id, "flights", "stored_gigabytes", amount)).unwrap_err();
        assert!(matches!(error, LedgerError::Overflow { .. }), "{error}");
    }
    ledger.put(event("e5", "sums", "cpu_seconds", i64::MAX / 14)).unwrap();
    let error = (6..40).find_map(|n| {
        ledger
            .put(UsageEvent { subject: "one".into(), ..event(&format!("e{n}"), "sums", "cpu_seconds", i64::MAX / 14) })
            .err()
    });
    assert!(matches!(error, Some(LedgerError::Overflow { .. })), "{error:?}");
    assert_eq!(ledger.db.read(verify).unwrap().unpriced, 0, "what was refused left nothing behind");
    assert!(ledger.db.write(|tx| put_sheet(tx, &sheet("more", "EUR"))).is_err());
}
