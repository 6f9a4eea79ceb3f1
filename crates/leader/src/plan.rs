//! What a replica does next.

use bedplate_types::{Span, Timestamp};

use crate::Seen;

/// What to do about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write it as one's own, as the so manieth taking; whoever else does so at the same time must fail, or we.
    Take { transitions: i64 },
    /// It is ours: write it again, so that the others see that we are there.
    Renew { transitions: i64 },
    /// Somebody else leads, at least until then.
    Follow { until: Timestamp },
}

/// The next step of the replica called `me`, which no other replica and no earlier process is called.
#[must_use]
pub fn plan(seen: &Seen, me: &str, now: Timestamp) -> Step {
    let Some(lease) = &seen.lease else { return Step::Take { transitions: 0 } };
    let until = after(seen.since, lease.duration);
    match lease.holder.as_deref() {
        Some(holder) if holder == me => Step::Renew { transitions: lease.transitions },
        Some(_) if now < until => Step::Follow { until },
        // Nobody holds it, or nobody has heard of its holder for too long.
        None | Some(_) => Step::Take { transitions: lease.transitions.saturating_add(1) },
    }
}

/// Whether a leader whose last renewal was begun at `renewed` may still act: it stops before the others may take over.
#[must_use]
pub fn may_go_on(renewed: Timestamp, duration: Span, now: Timestamp) -> bool {
    now.micros_since(renewed) < duration.micros() / 5 * 4
}

fn after(moment: Timestamp, span: Span) -> Timestamp {
    Timestamp::from_micros(moment.micros().saturating_add(span.micros()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Lease;

    const DURATION: Span = Span::from_micros(6_000_000);

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn seen(holder: Option<&str>, transitions: i64, since: i64) -> Seen {
        let lease =
            Lease { holder: holder.map(str::to_owned), duration: DURATION, transitions, renewal: String::new() };
        Seen { lease: Some(lease), since: at(since) }
    }

    #[test]
    fn a_lease_is_taken_when_there_is_none_when_it_is_free_and_when_it_has_run_out() {
        assert_eq!(plan(&Seen { lease: None, since: at(0) }, "a", at(0)), Step::Take { transitions: 0 });
        assert_eq!(plan(&seen(None, 4, 0), "a", at(0)), Step::Take { transitions: 5 });
        assert_eq!(plan(&seen(Some("b"), 4, 10), "a", at(6_000_009)), Step::Follow { until: at(6_000_010) });
        assert_eq!(plan(&seen(Some("b"), 4, 10), "a", at(6_000_010)), Step::Take { transitions: 5 });
        assert_eq!(plan(&seen(Some("a"), 4, 10), "a", at(i64::MAX)), Step::Renew { transitions: 4 });
    }

    #[test]
    fn every_renewal_that_is_seen_makes_it_last_anew() {
        let mut seen = seen(Some("b"), 0, 0);
        for second in 1..60 {
            let mut lease = seen.lease.clone();
            if let Some(lease) = &mut lease {
                lease.renewal = second.to_string();
            }
            seen = seen.again(lease, at(second * 1_000_000));
            assert!(matches!(plan(&seen, "a", at(second * 1_000_000 + 1)), Step::Follow { .. }));
        }
        let unchanged = seen.clone().again(seen.lease.clone(), at(99_000_000));
        assert_eq!(unchanged.since, at(59_000_000));
        assert_eq!(plan(&unchanged, "a", at(65_000_000)), Step::Take { transitions: 1 });
    }

    /// Three replicas with clocks of their own, stopped and woken at random, on one lease that is written by compare and
    /// swap. The one who may write is the one whose name and epoch are in the lease: there is never more than one.
    #[derive(Clone, Debug)]
    struct Replica {
        name: &'static str,
        offset: i64,
        asleep_until: i64,
        seen: Seen,
        epoch: Option<i64>,
        renewed: i64,
    }

    proptest! {
        #[test]
        fn epochs_never_go_back_and_a_dead_leader_is_replaced(
            sleeps in prop::collection::vec((0..3usize, 0..400u32, 0..200u32), 0..12),
            offsets in prop::array::uniform3(-1_000_000_000..1_000_000_000i64),
        ) {
            let mut lease: Option<Lease> = None;
            let mut taken: Vec<(i64, &str)> = Vec::new();
            let fresh = |name, offset| Replica {
                name, offset, asleep_until: 0, seen: Seen { lease: None, since: at(offset) }, epoch: None, renewed: 0,
            };
            let mut replicas = [fresh("a", offsets[0]), fresh("b", offsets[1]), fresh("c", offsets[2])];
            let mut idle = 0;
            let mut awake = [true; 3];
            for tick in 0..600_i64 {
                let now = tick * 100_000;
                for (who, from, length) in &sleeps {
                    if i64::from(*from) == tick {
                        replicas[*who].asleep_until = tick + i64::from(*length);
                    }
                }
                for replica in &mut replicas {
                    if tick < replica.asleep_until || tick % 10 != 0 {
                        continue;
                    }
                    let mine = at(now + replica.offset);
                    replica.seen = replica.seen.clone().again(lease.clone(), mine);
                    let written = |transitions| Some(Lease {
                        holder: Some(replica.name.into()), duration: DURATION, transitions, renewal: now.to_string(),
                    });
                    match plan(&replica.seen, replica.name, mine) {
                        Step::Take { transitions } => {
                            prop_assert!(taken.iter().all(|(epoch, _)| *epoch < transitions), "{taken:?}");
                            taken.push((transitions, replica.name));
                            lease = written(transitions);
                            (replica.epoch, replica.renewed) = (Some(transitions), now);
                        }
                        Step::Renew { transitions } => {
                            lease = written(transitions);
                            (replica.epoch, replica.renewed) = (Some(transitions), now);
                        }
                        Step::Follow { .. } => replica.epoch = None,
                    }
                }
                // Of those that believe they lead and act, only one is in the lease; the others are kept out by it.
                let believes = |replica: &&Replica| {
                    replica.epoch.is_some() && may_go_on(at(replica.renewed), DURATION, at(now))
                };
                prop_assert!(replicas.iter().filter(believes).count() <= 1);
                let leads = |replica: &Replica| tick >= replica.asleep_until
                    && lease.as_ref().is_some_and(|lease| lease.holder.as_deref() == Some(replica.name));
                // Who just woke has to wait and see first.
                let were = std::mem::replace(&mut awake, replicas.each_ref().map(|one| tick >= one.asleep_until));
                let waits = were == awake && awake != [false; 3] && !replicas.iter().any(leads);
                idle = if waits { idle + 1 } else { 0 };
                prop_assert!(idle <= 80, "for eight seconds nobody led");
            }
        }
    }
}
