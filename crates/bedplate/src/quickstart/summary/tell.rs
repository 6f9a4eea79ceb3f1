//! The summary as a person reads it, or as one JSON object.

use super::{Parity, Summary};
use crate::cli::Report;

impl Summary {
    pub fn print(&self, report: Report) {
        match report {
            Report::Json => println!("{}", serde_json::to_string_pretty(self).unwrap_or_default()),
            Report::Text => self.tell(),
        }
    }

    fn tell(&self) {
        let tables: Vec<_> = self.dataset.tables.iter().map(|(name, table)| format!("{name} {}", table.rows)).collect();
        println!(
            "data       {} rows: {}",
            self.dataset.tables.values().map(|t| t.rows).sum::<u64>(),
            tables.join(", ")
        );
        println!("quality    {} rows in quarantine", self.dataset.quarantined);
        for finding in &self.dataset.findings {
            println!("           {finding}");
        }
        println!(
            "training   {} rows, {} label rows dropped",
            self.training_set.rows, self.training_set.label_rows_dropped
        );
        for gate in &self.gates {
            println!("gate       {} {}: {}", gate.name, if gate.passed { "passed" } else { "failed" }, gate.detail);
        }
        let signed = if self.model.signed { "signed" } else { "not signed" };
        println!("model      {} version {}, {signed}, {}", self.model.name, self.model.version, self.model.digest);
        println!(
            "serving    {} predictions, {:.2} % equal to offline, p50 {:.2} ms, p99 {:.2} ms",
            self.serving.predictions,
            self.serving.parity_share * 100.0,
            self.serving.p50_ms,
            self.serving.p99_ms
        );
        println!("parity     {}", self.parity.told());
        let drifted: Vec<_> = self.drift.iter().filter(|one| one.drifted).map(|one| one.feature.as_str()).collect();
        println!("drift      {} of {} features: {}", drifted.len(), self.drift.len(), drifted.join(", "));
        println!("trace      {} hops back to {} source files", self.trace.hops, self.trace.sources);
        println!("audit      {} leaves verified", self.audit.leaves);
        println!("cost       {} {}", self.cost.total, self.cost.currency);
        for (resource, events) in &self.cost.unpriced {
            println!("           {events} events of {resource} have no price yet");
        }
        println!("           {:.1} s, peak {:.0} MB", self.seconds, self.peak_rss_mb);
        self.what_next();
    }

    fn what_next(&self) {
        if self.already_done {
            println!("\nEverything had been done by an earlier run: nothing was changed.");
        }
        println!("\nNext: bedplate up, then in another terminal");
        println!("  bedplate get models -n {}", self.namespace);
        println!("  bedplate trace {}", self.trace.prediction);
        println!(
            "  bedplate predict late-arrival -n {} -s tailnum=N14228 -s carrier=UA -s origin=EWR -s dest=IAH -s scheduled_time=2013-07-08T12:00:00Z",
            self.namespace
        );
        println!("  bedplate features verify -n {}", self.namespace);
        println!("  bedplate impact flights.arr_delay -n {}", self.namespace);
        println!("  bedplate costs --by resource -n {}", self.namespace);
        println!("  bedplate audit verify");
    }
}

impl Parity {
    fn told(&self) -> String {
        let Self { views, entities, values, expected, different, pushed_rows, .. } = self;
        let after = if *pushed_rows > 0 { format!(", after {pushed_rows} pushed rows") } else { String::new() };
        match different {
            0 => {
                let equal = values - expected;
                format!("online = offline for {equal} values of {entities} entities of {views} views{after}")
            }
            _ => format!("{different} of {values} values of {entities} entities differ: bedplate features verify"),
        }
    }
}
