//! How many wrong credentials are borne from one side, and what happens then: a pure decision over a bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use bedplate_types::{Span, Timestamp};

/// Where credentials come from: who is guessing, and at what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// An IPv4 address, or the /64 of an IPv6 one, which is what one machine usually has.
    Address(IpAddr),
    /// The first characters of a token: the same one is tried on from many sides.
    Prefix(String),
    /// The id of an access key and an address as above. The id is no secret: who tries it out elsewhere must not shut its
    /// holder out.
    Key(String, IpAddr),
}

/// Failures before a source is locked out.
const BORNE: u32 = 10;
/// A failure is forgotten after so long.
const FORGOTTEN: i64 = 60_000_000;
/// The first lock-out; it doubles each time.
const SHORTEST: i64 = 5_000_000;
const LONGEST: i64 = 15 * 60_000_000;
/// Sources remembered at once; whoever was quiet the longest makes room.
const MOST: usize = 10_000;
/// `bp_` and 78 bits: who knows so many of a token has seen it.
const PREFIX: usize = 16;

impl Source {
    #[must_use]
    pub fn address(ip: IpAddr) -> Self {
        Self::Address(machine(ip))
    }

    #[must_use]
    pub fn key(id: &str, ip: IpAddr) -> Self {
        Self::Key(id.to_owned(), machine(ip))
    }

    /// The front of what was shown as a token; too little of one is no source.
    #[must_use]
    pub fn prefix(token: &str) -> Option<Self> {
        token.get(..PREFIX).map(|prefix| Self::Prefix(prefix.to_owned()))
    }
}

fn machine(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => {
                let mut segments = v6.segments();
                segments[4..].fill(0);
                std::net::Ipv6Addr::from(segments).into()
            }
        },
    }
}

/// Who failed lately, and who is locked out.
#[derive(Debug, Default)]
pub struct Lockout {
    sources: HashMap<Source, Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    last: Timestamp,
    locked_until: Timestamp,
    lock: i64,
}

impl Lockout {
    /// How long until anything is looked at again from one of these; `None`: it is looked at now.
    #[must_use]
    pub fn remaining(&self, sources: &[Source], now: Timestamp) -> Option<Span> {
        let left = sources.iter().filter_map(|source| self.sources.get(source)).map(|record| record.locked_until);
        let longest = left.map(|until| until.micros_since(now)).max().unwrap_or_default();
        (longest > 0).then(|| Span::from_micros(longest))
    }

    /// A wrong credential came from these.
    pub fn failed(&mut self, sources: &[Source], now: Timestamp) {
        for source in sources {
            self.make_room(source, now);
            let record = self.sources.entry(source.clone()).or_insert_with(|| Record::new(now));
            record.fail(now);
        }
    }

    /// A tenth at once, so that room is not made for every single one.
    fn make_room(&mut self, wanted: &Source, now: Timestamp) {
        if self.sources.len() < MOST || self.sources.contains_key(wanted) {
            return;
        }
        self.sources.retain(|_, record| !record.is_over(now));
        let surplus = (self.sources.len() + MOST / 10).saturating_sub(MOST);
        let mut order: Vec<_> = self
            .sources
            .iter()
            .map(|(source, record)| (record.locked_until > now, record.last, source.clone()))
            .collect();
        // Those that are not locked out first, of these the quietest.
        order.sort_by_key(|(is_locked, last, _)| (*is_locked, *last));
        for (_, _, source) in order.into_iter().take(surplus) {
            self.sources.remove(&source);
        }
    }
}

impl Record {
    fn new(now: Timestamp) -> Self {
        Self { failures: 0, last: now, locked_until: Timestamp::from_micros(i64::MIN), lock: SHORTEST }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.micros_since(self.last) >= FORGOTTEN.max(self.lock) && self.locked_until <= now
    }

    fn fail(&mut self, now: Timestamp) {
        if self.is_over(now) {
            *self = Self::new(now);
        }
        self.failures += 1;
        self.last = now;
        if self.failures >= BORNE {
            self.locked_until = Timestamp::from_micros(now.micros().saturating_add(self.lock));
            self.lock = (self.lock * 2).min(LONGEST);
            self.failures = BORNE / 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn from(last: u8) -> [Source; 1] {
        [Source::address(IpAddr::from([10, 0, 0, last]))]
    }

    #[test]
    fn ten_failures_lock_out_one_source_and_no_other_and_it_ends() {
        let mut lockout = Lockout::default();
        for _ in 0..BORNE - 1 {
            lockout.failed(&from(1), at(0));
        }
        assert_eq!(lockout.remaining(&from(1), at(0)), None);
        lockout.failed(&from(1), at(0));
        assert_eq!(lockout.remaining(&from(1), at(0)), Some(Span::from_micros(SHORTEST)));
        assert_eq!(lockout.remaining(&from(2), at(0)), None);
        assert_eq!(
            lockout.remaining(&[from(2)[0].clone(), from(1)[0].clone()], at(4)),
            Some(Span::from_micros(1_000_000))
        );
        assert_eq!(lockout.remaining(&from(1), at(5)), None);
    }

    #[test]
    fn who_goes_on_is_locked_out_sooner_and_for_longer_and_who_stops_is_forgiven() {
        let mut lockout = Lockout::default();
        let fail = |lockout: &mut Lockout, times, now| (0..times).for_each(|_| lockout.failed(&from(1), at(now)));
        fail(&mut lockout, 10, 0);
        fail(&mut lockout, 5, 6);
        assert_eq!(lockout.remaining(&from(1), at(6)), Some(Span::from_micros(2 * SHORTEST)));
        for round in 0..20 {
            fail(&mut lockout, 5, 20 + round);
        }
        assert!(lockout.remaining(&from(1), at(40)).unwrap().micros() <= LONGEST);
        fail(&mut lockout, 9, 100_000);
        assert_eq!(lockout.remaining(&from(1), at(100_000)), None, "it began anew");
    }

    #[test]
    fn failures_now_and_then_are_borne() {
        let mut lockout = Lockout::default();
        for minute in 0..50 {
            lockout.failed(&from(1), at(minute * 61));
            assert_eq!(lockout.remaining(&from(1), at(minute * 61)), None);
        }
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_who_is_locked_out() {
        let mut lockout = Lockout::default();
        for _ in 0..BORNE {
            lockout.failed(&from(1), at(1_000_000));
        }
        for i in 0..2 * MOST {
            lockout.failed(&[Source::Prefix(i.to_string())], at(1_000_000));
        }
        assert!(lockout.sources.len() <= MOST && lockout.sources.len() > MOST / 2);
        assert!(lockout.remaining(&from(1), at(1_000_000)).is_some(), "many others freed it");
    }

    #[test]
    fn one_machine_is_one_source() {
        let source = |text: &str| Source::address(text.parse().unwrap());
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
        assert_eq!(
            Source::key("id", "::ffff:10.0.0.1".parse().unwrap()),
            Source::key("id", "10.0.0.1".parse().unwrap())
        );
        assert_eq!(Source::prefix("bp_short"), None);
        assert_eq!(Source::prefix("bp_0123456789abcdef"), Some(Source::Prefix("bp_0123456789abc".into())));
        assert_eq!(
            Source::prefix("bp_\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"),
            None,
            "not cut within a letter"
        );
    }
}
