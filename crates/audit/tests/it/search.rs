//! Looking for entries.

use bedplate_audit::{Filter, append, search};
use bedplate_types::Timestamp;

use crate::{Log, entry};

fn leaves(log: &Log, filter: &Filter, from: u64, limit: u32) -> (Vec<u64>, Option<u64>) {
    let page = log.db.read(|tx| search(tx, filter, from, limit)).unwrap();
    (page.entries.into_iter().map(|(leaf, _)| leaf).collect(), page.next)
}

#[test]
fn finds_by_who_what_and_when_page_by_page() {
    let log = Log::new(2_500, &[]);
    log.db
        .write(|tx| {
            let mut one = entry(2_500);
            (one.actor, one.action) = ("user:ana".into(), "delete".into());
            append(tx, &one)
        })
        .unwrap();
    let all = Filter::default();
    assert_eq!(leaves(&log, &all, 2_499, 10), (vec![2_499, 2_500], None));
    let ana = Filter { actor: Some("user:ana".into()), ..Filter::default() };
    assert_eq!(leaves(&log, &ana, 0, 10), (vec![2_500], None));
    assert_eq!(leaves(&log, &Filter { actor: Some("user:an".into()), ..all.clone() }, 0, 10).0, Vec::<u64>::new());
    assert_eq!(leaves(&log, &Filter { action: Some("delete".into()), ..all.clone() }, 0, 10).0, [2_500]);
    let hundreds = Filter { object: Some("flights/d12".into()), ..Filter::default() };
    let (first, next) = leaves(&log, &hundreds, 0, 3);
    assert_eq!((first, next), (vec![12, 120, 121], Some(122)));
    assert_eq!(leaves(&log, &hundreds, 122, 1_000).0.len(), 111 - 3);
    let late = Filter { since: Some(Timestamp::from_micros(2_499)), ..Filter::default() };
    assert_eq!(leaves(&log, &late, 0, 10), (vec![2_499, 2_500], None));
    assert_eq!(leaves(&log, &all, 9_999, 10), (vec![], None));
    assert_eq!(leaves(&log, &all, 0, 0), (vec![], Some(0)));
}

#[test]
fn a_long_search_hands_back_what_it_has() {
    let log = crate::big();
    let nobody = Filter { actor: Some("nobody".into()), ..Filter::default() };
    assert_eq!(leaves(log, &nobody, 0, 10), (vec![], Some(50_000)));
    assert_eq!(leaves(log, &nobody, 50_000, 10), (vec![], None));
}
