//! A site and the room it has.

use std::collections::BTreeMap;

use bedplate_kinds::SiteSpec;

use crate::demand::Demand;

/// A place things can be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub spec: SiteSpec,
    /// What lies there already.
    pub used: Room,
}

/// An amount of room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub milli_cpu: u64,
    pub memory_mib: u64,
    pub accelerators: BTreeMap<String, u32>,
}

impl Room {
    pub fn take(&mut self, demand: &Demand) {
        self.milli_cpu = self.milli_cpu.saturating_add(demand.milli_cpu);
        self.memory_mib = self.memory_mib.saturating_add(demand.memory_mib);
        for (type_, count) in &demand.accelerators {
            let used = self.accelerators.entry(type_.clone()).or_default();
            *used = used.saturating_add(*count);
        }
    }
}

impl Site {
    /// A site with nothing on it.
    #[must_use]
    pub fn new(name: impl Into<String>, labels: BTreeMap<String, String>, spec: SiteSpec) -> Self {
        Self { name: name.into(), labels, spec, used: Room::default() }
    }

    /// What is wanting for `demand`, one sentence each.
    pub(crate) fn wanting(&self, demand: &Demand) -> Vec<String> {
        let capacity = &self.spec.capacity;
        let mut wanting = Vec::new();
        let mut check = |what: &str, wanted: u64, all: u64, used: u64| {
            let free = all.saturating_sub(used);
            if wanted > free {
                wanting.push(format!("{wanted} {what} wanted, {free} of {all} free"));
            }
        };
        check("milli-CPU", demand.milli_cpu, capacity.milli_cpu, self.used.milli_cpu);
        check("MiB of memory", demand.memory_mib, capacity.memory_mib, self.used.memory_mib);
        for (type_, count) in &demand.accelerators {
            let of = |room: &BTreeMap<String, u32>| u64::from(room.get(type_).copied().unwrap_or_default());
            check(type_, u64::from(*count), of(&capacity.accelerators), of(&self.used.accelerators));
        }
        wanting
    }
}
