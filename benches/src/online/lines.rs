//! The table: what was measured, and what it may be.

use super::ours::Memory;
use super::paced::Paced;
use super::{Measured, RATE, SECONDS, SIZES};
use crate::load::Done;
use crate::table::{Limit, Line};

const MIB: f64 = 1_048_576.0;

pub fn of_requests(ours: &Measured, theirs: Option<&Measured>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (at, size) in SIZES.iter().enumerate() {
        let (cpu, peer) = (ours.cpu_ms[at], theirs.map(|theirs| theirs.cpu_ms[at]));
        let limit = peer.map(|peer| Limit::AtMost((peer / 50.0 * 1_000.0).round() / 1_000.0));
        lines.push(Line::new(format!("{size} entities: CPU of the server a request"), cpu, "ms", limit, peer));
        let peer = |share| theirs.map(|theirs| theirs.closed[at].quantile_ms(share));
        lines.push(Line::new("  p50, one client", ours.closed[at].quantile_ms(0.5), "ms", None, peer(0.5)));
        lines.push(Line::new("  p99, one client", ours.closed[at].quantile_ms(0.99), "ms", None, peer(0.99)));
    }
    lines
}

pub fn of_rate(ours: &Paced, bare: &Paced, longest_pause: f64) -> Vec<Line> {
    let ms = |what: &str, value, limit| Line::new(what, value, "ms", limit, None);
    let below = ours.seconds_below(1.0) as f64;
    let all = format!("10 entities at {RATE} requests/s, on one core: p50");
    vec![
        ms(&all, ours.all.quantile_ms(0.5), None),
        ms("  p99", ours.all.quantile_ms(0.99), Some(Limit::AtMost(1.0))),
        ms("  p99 of the median second", ours.p99_of_the_median_second(), None),
        Line::new(format!("  seconds of {SECONDS} with a p99 below 1 ms"), below, "", None, None),
        Line::new("  answered", ours.all.a_second(), "/s", Some(Limit::AtLeast(0.98 * RATE as f64)), None),
        ms("  CPU of the server a request", ours.cpu_ms, None),
        ms("  (a bare loop in its place: CPU a request)", bare.cpu_ms, None),
        ms("  (  its p50)", bare.all.quantile_ms(0.5), None),
        ms("  (  its p99)", bare.all.quantile_ms(0.99), None),
        ms("  (  its p99 of the median second)", bare.p99_of_the_median_second(), None),
        ms("  (longest pause of that processor, unloaded)", longest_pause, None),
    ]
}

pub fn of_rows(pushes: &Done, materialised: Option<f64>) -> Vec<Line> {
    let rate = materialised.unwrap_or(f64::NAN);
    vec![
        Line::new("push until it is read, durable: p50", pushes.quantile_ms(0.5), "ms", None, None),
        Line::new("  p99", pushes.quantile_ms(0.99), "ms", Some(Limit::AtMost(5.0)), None),
        Line::new("(Feast materialises rows a CPU second)", rate, "", None, None),
    ]
}

pub fn of_memory(idle: Memory, loaded: Memory, again: Memory) -> Vec<Line> {
    let mib = |what, bytes: u64, limit| Line::new(what, bytes as f64 / MIB, "MiB", limit, None);
    let more = |what, then: Memory| {
        let resident = then.resident.saturating_sub(idle.resident);
        let own = then.own.saturating_sub(idle.own);
        let limit = Some(Limit::AtMost(100e6 / MIB));
        [mib(what, resident, limit), mib("  of this, not the program's own file", own, None)]
    };
    let mut lines = vec![mib("memory of the platform without views", idle.resident, None)];
    lines.extend(more("  more with them", loaded));
    lines.extend(more("  more after a restart, when each row was read", again));
    lines
}
