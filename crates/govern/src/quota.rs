//! What a namespace holds, against what it may hold; told in Kubernetes' words (apiserver, `plugin/resourcequota`).

use std::collections::BTreeMap;

use bedplate_kinds::QuotaSpec;

/// What is held, or asked for on top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// By plural.
    pub objects: BTreeMap<String, u64>,
    pub milli_cpu: u64,
    pub memory_mib: u64,
}

impl std::ops::AddAssign<&Holding> for Holding {
    fn add_assign(&mut self, other: &Holding) {
        for (plural, count) in &other.objects {
            *self.objects.entry(plural.clone()).or_default() += count;
        }
        self.milli_cpu = self.milli_cpu.saturating_add(other.milli_cpu);
        self.memory_mib = self.memory_mib.saturating_add(other.memory_mib);
    }
}

/// `exceeded quota: team, requested: …, used: …, limited: …` when `used` and `requested` together are more than the quota
/// called `name` allows. What is not asked for is not held against anybody: who is over the quota may still shrink.
#[must_use]
pub fn exceeded(name: &str, quota: &QuotaSpec, used: &Holding, requested: &Holding) -> Option<String> {
    let of = |holding: &Holding, plural: &str| holding.objects.get(plural).copied().unwrap_or_default();
    let mut lines = Vec::new();
    for (plural, limit) in &quota.objects {
        lines.push((format!("count/{plural}"), of(requested, plural), of(used, plural), *limit));
    }
    let cpu = quota.milli_cpu.map(|limit| ("requests.milliCpu".to_owned(), requested.milli_cpu, used.milli_cpu, limit));
    let memory =
        quota.memory_mib.map(|limit| ("requests.memoryMib".to_owned(), requested.memory_mib, used.memory_mib, limit));
    lines.extend([cpu, memory].into_iter().flatten());
    lines.retain(|(_, requested, used, limit)| *requested > 0 && used.saturating_add(*requested) > *limit);
    if lines.is_empty() {
        return None;
    }
    let told = |pick: fn(&(String, u64, u64, u64)) -> u64| {
        lines.iter().map(|line| format!("{}={}", line.0, pick(line))).collect::<Vec<_>>().join(",")
    };
    let (requested, used, limited) = (told(|line| line.1), told(|line| line.2), told(|line| line.3));
    Some(format!("exceeded quota: {name}, requested: {requested}, used: {used}, limited: {limited}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(endpoints: u64, milli_cpu: u64) -> Holding {
        Holding { objects: [("endpoints".to_owned(), endpoints)].into(), milli_cpu, memory_mib: 0 }
    }

    #[test]
    fn what_goes_beyond_is_told_as_kubernetes_tells_it() {
        let quota = QuotaSpec {
            namespace: "team".into(),
            objects: [("endpoints".to_owned(), 2)].into(),
            milli_cpu: Some(3_000),
            memory_mib: None,
        };
        assert_eq!(exceeded("q", &quota, &holding(1, 2_000), &holding(1, 1_000)), None);
        let told = exceeded("q", &quota, &holding(2, 2_500), &holding(1, 1_000)).unwrap();
        assert_eq!(
            told,
            "exceeded quota: q, requested: count/endpoints=1,requests.milliCpu=1000, \
             used: count/endpoints=2,requests.milliCpu=2500, limited: count/endpoints=2,requests.milliCpu=3000"
        );
        assert_eq!(exceeded("q", &quota, &holding(9, 9_000), &holding(0, 0)), None, "nothing is asked for");
    }
}
