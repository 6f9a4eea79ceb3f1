//! What something needs while it is there.

use std::collections::BTreeMap;

use bedplate_kinds::{EndpointCapacity, Resources};

/// What is reckoned for something that asks for no CPU: one core.
pub const USUAL_MILLI_CPU: u64 = 1_000;
/// What is reckoned for something that asks for no memory.
pub const USUAL_MEMORY_MIB: u64 = 512;
/// How long a run may take when it says nothing: the platform ends it then.
const USUAL_RUN_SECONDS: u64 = 3_600;

/// What is asked for, all replicas together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub milli_cpu: u64,
    pub memory_mib: u64,
    pub accelerators: BTreeMap<String, u32>,
    pub storage_bytes: u64,
    pub lifetime: Lifetime,
    /// What was reckoned because nothing was declared, for people.
    pub assumed: Vec<String>,
}

/// How long it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Until somebody takes it away.
    #[default]
    Standing,
    /// It runs once, for so many seconds at most.
    Run { seconds: u64 },
}

impl Demand {
    /// Of a process that runs once.
    #[must_use]
    pub fn of_run(resources: &Resources) -> Self {
        let mut demand = Self { accelerators: resources.accelerators.clone(), ..Self::default() };
        demand.reckon(resources.milli_cpu, resources.memory_mib, 1);
        let timeout =
            resources.timeout.map(|span| u64::try_from(span.micros()).unwrap_or_default().div_ceil(1_000_000));
        let busy = resources.cpu_seconds.map(|seconds| (seconds * 1_000).div_ceil(demand.milli_cpu.max(1)));
        let seconds = timeout.unwrap_or(USUAL_RUN_SECONDS).min(busy.unwrap_or(u64::MAX));
        if timeout.is_none() && busy.is_none() {
            demand.assumed.push("a run of one hour".to_owned());
        }
        demand.lifetime = Lifetime::Run { seconds };
        demand
    }

    /// Of an endpoint, with so many replicas instead of those it declares where `replicas` is given.
    #[must_use]
    pub fn of_endpoint(capacity: Option<&EndpointCapacity>, replicas: Option<u32>) -> Self {
        let usual = EndpointCapacity::default();
        let capacity = capacity.unwrap_or(&usual);
        let replicas = replicas.or(capacity.replicas).unwrap_or(1);
        let each = capacity.accelerators.iter().map(|(type_, count)| (type_.clone(), count.saturating_mul(replicas)));
        let mut demand = Self { accelerators: each.collect(), ..Self::default() };
        demand.reckon(capacity.milli_cpu, capacity.memory_mib, u64::from(replicas));
        demand
    }

    /// Of rows that lie somewhere.
    #[must_use]
    pub fn of_data(bytes: u64) -> Self {
        Self { storage_bytes: bytes, ..Self::default() }
    }

    fn reckon(&mut self, milli_cpu: Option<u64>, memory_mib: Option<u64>, replicas: u64) {
        if milli_cpu.is_none() {
            self.assumed.push("one core".to_owned());
        }
        if memory_mib.is_none() {
            self.assumed.push(format!("{USUAL_MEMORY_MIB} MiB"));
        }
        self.milli_cpu = milli_cpu.unwrap_or(USUAL_MILLI_CPU).saturating_mul(replicas);
        self.memory_mib = memory_mib.unwrap_or(USUAL_MEMORY_MIB).saturating_mul(replicas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lasts_as_long_as_its_limits_let_it() {
        let seconds = |cpu: Option<u64>, timeout: Option<&str>, milli: Option<u64>| {
            let resources = Resources {
                cpu_seconds: cpu,
                timeout: timeout.map(|text| text.parse().unwrap()),
                milli_cpu: milli,
                ..Resources::default()
            };
            match Demand::of_run(&resources).lifetime {
                Lifetime::Run { seconds } => seconds,
                Lifetime::Standing => panic!("a run ends"),
            }
        };
        assert_eq!(seconds(None, None, None), 3_600);
        assert_eq!(seconds(None, Some("10m"), None), 600);
        assert_eq!(seconds(Some(100), Some("10m"), Some(2_000)), 50);
    }

    #[test]
    fn replicas_multiply_and_what_is_not_declared_is_said() {
        let capacity =
            EndpointCapacity { milli_cpu: Some(500), accelerators: [("h100".into(), 1)].into(), ..Default::default() };
        let demand = Demand::of_endpoint(Some(&capacity), Some(4));
        assert_eq!((demand.milli_cpu, demand.memory_mib, demand.accelerators["h100"]), (2_000, 2_048, 4));
        assert_eq!(demand.assumed, ["512 MiB"]);
    }
}
