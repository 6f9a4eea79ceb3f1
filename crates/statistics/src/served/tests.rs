use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * SECOND)
}

fn offer(served: &Served, view: &str, rows: usize, second: i64) {
    served.offer(view, (rows, 2), at(second), |row, feature| (feature == 0).then_some(row as f64));
}

#[test]
fn a_seconds_share_is_taken_and_all_are_counted() {
    let served = Served::new(7);
    // A large request is looked at from one end to the other.
    offer(&served, "a@1", 1_000, 1);
    offer(&served, "a@1", 50, 1);
    offer(&served, "a@1", 30, 2);
    offer(&served, "b@1", 3, 2);
    offer(&served, "b@1", 0, 2);
    let mut changed = served.changed(at(3));
    changed.sort_by(|one, other| one.view.cmp(&other.view));
    let told: Vec<_> =
        changed.iter().map(|hour| (hour.view.as_str(), hour.hour, hour.served, hour.sample.seen())).collect();
    assert_eq!(told, [("a@1", 0, 1_080, 130), ("b@1", 0, 3, 3)]);
    let rows = changed[0].sample.column(0);
    assert!(rows.contains(&0.0) && rows.contains(&990.0) && changed[0].sample.column(1).iter().all(|one| one.is_nan()));
}

#[test]
fn an_hour_is_told_until_it_is_kept_and_ends_with_what_it_had() {
    let served = Served::new(7);
    offer(&served, "a@1", 5, 10);
    let first = served.changed(at(20));
    assert_eq!((first.len(), served.changed(at(20)).len()), (1, 1), "it was not kept");
    served.kept(&first);
    assert_eq!(served.changed(at(20)).len(), 0);
    offer(&served, "a@1", 2, 30);
    offer(&served, "a@1", 4, 3_700);
    let told =
        |hours: &[ServedHour]| hours.iter().map(|hour| (hour.hour, hour.served, hour.sample.len())).collect::<Vec<_>>();
    let both = served.changed(at(3_800));
    assert_eq!(told(&both), [(0, 7, 7), (HOUR, 4, 4)]);
    served.kept(&both);
    assert_eq!(told(&served.changed(at(3_900))), []);
    // Nobody asks for it any more.
    assert_eq!((told(&served.changed(at(8_000))), served.0.views.read().len()), (vec![], 0));
    offer(&served, "a@1", 1, 8_001);
    assert_eq!(told(&served.changed(at(8_002))), [(2 * HOUR, 1, 1)]);
}

#[test]
fn what_it_holds_is_bounded() {
    let served = Served::new(7);
    for view in 0..MOST_VIEWS + 10 {
        offer(&served, &format!("v{view}@1"), 1, 1);
    }
    assert_eq!(served.changed(at(2)).len(), MOST_VIEWS);
    // A busy hour, of a view that was known before.
    (0..200).for_each(|second| offer(&served, "v0@1", 1_000, second));
    let hour = served.changed(at(201)).into_iter().find(|hour| hour.view == "v0@1").unwrap();
    assert_eq!((hour.served, hour.sample.len()), (200_001, 1_024));
    // Of a database that is away for days, the last day's.
    (0..40).for_each(|hour| offer(&served, "v0@1", 1, hour * 3_600));
    let hours = served.changed(at(40 * 3_600)).into_iter().filter(|hour| hour.view == "v0@1");
    assert_eq!(hours.count(), 24);
}

#[test]
fn who_is_not_let_in_is_counted_and_goes_on() {
    let served = Served::new(7);
    offer(&served, "a@1", 1, 1);
    let view = served.0.views.read()["a@1"].clone();
    let held = view.slot.lock();
    offer(&served, "a@1", 5, 1);
    drop(held);
    // Another number of features than the version has is not looked at.
    served.offer("a@1", (2, 3), at(1), |_, _| Some(1.0));
    let hour = &served.changed(at(1))[0];
    assert_eq!((hour.served, hour.sample.seen()), (8, 1));
}
