//! Which site takes something, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use bedplate_kinds::SiteState;
use bedplate_types::{Bytes, Money, Timestamp};

use crate::cost::{Cost, Prices, cost_of, transfer};
use crate::demand::{Demand, Lifetime};
use crate::site::Site;

/// Something that is to be put somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// `Endpoint prod/late`
    pub name: String,
    pub demand: Demand,
    /// Jurisdictions it must stay in, all of them: its own and those of the data it reads.
    pub residency: BTreeSet<String>,
    /// Labels a site must have.
    pub labels: BTreeMap<String, String>,
    /// The one site it may be on, where it is bound to one.
    pub only: Option<String>,
    /// The data it reads, by name.
    pub reads: Vec<String>,
}

/// Rows that lie somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    pub name: String,
    pub bytes: u64,
    /// Where they lie.
    pub site: String,
}

/// What one site is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    pub cost: Cost,
    /// Bytes that would have to be moved there.
    pub moved: u64,
    /// What moving them costs, once; `None` when moving has no price.
    pub transfer: Option<Money>,
    /// Bytes that lie there or in its region already, in percent of all that is read; 100 when nothing is.
    pub near_percent: u8,
}

/// What came out for one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub site: String,
    /// `None` when it cannot be put there.
    pub score: Option<Score>,
    /// Why not, or what speaks for and against it.
    pub why: Vec<String>,
}

/// Where something goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub workload: String,
    /// `None` when it fits nowhere.
    pub site: Option<String>,
    /// The best first, then those that cannot, by name.
    pub verdicts: Vec<Verdict>,
}

impl Placement {
    /// The verdict of the site it goes to.
    #[must_use]
    pub fn chosen(&self) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| Some(&verdict.site) == self.site.as_ref())
    }
}

/// Decides where `workload` goes at `now`.
#[must_use]
pub fn place(workload: &Workload, sites: &[Site], data: &[Data], prices: &Prices, now: Timestamp) -> Placement {
    let mut verdicts: Vec<Verdict> = sites.iter().map(|site| judge(workload, site, sites, data, prices, now)).collect();
    verdicts.sort_by_cached_key(rank);
    let site = verdicts.first().filter(|best| best.score.is_some()).map(|best| best.site.clone());
    Placement { workload: workload.name.clone(), site, verdicts }
}

/// Puts one after the other; what stands takes its room, what runs once waits for it.
#[must_use]
pub fn place_all(
    workloads: &[Workload],
    mut sites: Vec<Site>,
    data: &[Data],
    prices: &Prices,
    now: Timestamp,
) -> Vec<Placement> {
    let put = |workload: &Workload| {
        let placement = place(workload, &sites, data, prices, now);
        let stands = workload.demand.lifetime == Lifetime::Standing;
        if let Some(site) = sites.iter_mut().find(|site| stands && Some(&site.name) == placement.site.as_ref()) {
            site.used.take(&workload.demand);
        }
        placement
    };
    workloads.iter().map(put).collect()
}

/// What it costs with the transfer, less of the data near, then the name; those that cannot come last.
fn rank(verdict: &Verdict) -> (bool, i64, u8, String) {
    let Some(score) = &verdict.score else { return (true, 0, 0, verdict.site.clone()) };
    let all = score.cost.monthly + score.transfer.unwrap_or_default();
    (false, all.0, 100 - score.near_percent, verdict.site.clone())
}

fn judge(workload: &Workload, site: &Site, sites: &[Site], data: &[Data], prices: &Prices, now: Timestamp) -> Verdict {
    let against = against(workload, site, now);
    if !against.is_empty() {
        return Verdict { site: site.name.clone(), score: None, why: against };
    }
    let score = score(workload, site, sites, data, prices);
    let why = speaks(&score, prices);
    Verdict { site: site.name.clone(), score: Some(score), why }
}

/// Why it cannot be put there.
fn against(workload: &Workload, site: &Site, now: Timestamp) -> Vec<String> {
    let mut why = Vec::new();
    if site.spec.state != SiteState::Active {
        why.push(format!("it is {}", site.spec.state.as_str()));
    }
    if let Some(only) = workload.only.as_ref().filter(|only| **only != site.name) {
        why.push(format!("it is bound to site {only}"));
    }
    if let Some(from) = site.spec.drain_from.filter(|from| *from <= now) {
        why.push(format!("it takes nothing new since {from}"));
    }
    for place in workload.residency.iter().filter(|place| !site.spec.residency.contains(place)) {
        why.push(match site.spec.residency.as_slice() {
            [] => format!("must stay in {place}, and it names no jurisdiction"),
            known => format!("must stay in {place}, and it lies in {}", known.join(", ")),
        });
    }
    for (label, value) in workload.labels.iter().filter(|(label, value)| site.labels.get(*label) != Some(value)) {
        why.push(format!("it has no label {label}={value}"));
    }
    why.extend(site.wanting(&workload.demand));
    why
}

fn score(workload: &Workload, site: &Site, sites: &[Site], data: &[Data], prices: &Prices) -> Score {
    let region = |name: &str| sites.iter().find(|one| one.name == name).map(|one| one.spec.region.as_str());
    let read: Vec<&Data> = data.iter().filter(|one| workload.reads.contains(&one.name)).collect();
    let sum = |near: &dyn Fn(&Data) -> bool| read.iter().filter(|one| near(one)).map(|one| one.bytes).sum::<u64>();
    let all = sum(&|_| true);
    let here = sum(&|one| one.site == site.name);
    let in_region = |one: &Data| {
        one.site == site.name || (!site.spec.region.is_empty() && region(&one.site) == Some(&site.spec.region))
    };
    let near = sum(&in_region);
    let near_percent = match all {
        0 => 100,
        all => u8::try_from(u128::from(near) * 100 / u128::from(all)).unwrap_or(100),
    };
    let moved = all - here;
    Score {
        cost: cost_of(&workload.demand, prices, &site.spec.price_factors),
        moved,
        transfer: transfer(moved, prices, &site.spec.price_factors),
        near_percent,
    }
}

fn speaks(score: &Score, prices: &Prices) -> Vec<String> {
    let currency = &prices.currency;
    let mut why = vec![format!("costs {} {currency} a month", cents(score.cost.monthly))];
    if score.moved > 0 {
        why.push(match score.transfer {
            Some(cost) => format!("{} must be moved there, for {} {currency}", Bytes(score.moved), cents(cost)),
            None => format!("{} must be moved there, which has no price", Bytes(score.moved)),
        });
        why.push(format!("{}% of the data is near", score.near_percent));
    }
    if !score.cost.unpriced.is_empty() {
        why.push(format!("without {}, which has no price", score.cost.unpriced.join(", ")));
    }
    why
}

/// To the cent, or to the millionth when a cent is too coarse.
fn cents(money: Money) -> String {
    let text = money.to_string();
    if money.0 != 0 && money.0.abs() < 10_000 { text } else { text[..text.len() - 4].to_owned() }
}

#[cfg(test)]
mod tests {
    use bedplate_kinds::{SiteCapacity, SiteSpec};
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000);

    fn site(name: &str, change: impl FnOnce(&mut SiteSpec)) -> Site {
        let mut spec = SiteSpec {
            provider: "test".into(),
            region: name.split('-').next().unwrap_or_default().into(),
            residency: vec!["eu".into()],
            capacity: SiteCapacity { milli_cpu: 4_000, memory_mib: 8_192, accelerators: BTreeMap::new() },
            price_factors: BTreeMap::new(),
            state: SiteState::Active,
            drain_from: None,
        };
        change(&mut spec);
        Site::new(name, [("tier".to_owned(), "prod".to_owned())].into(), spec)
    }

    fn workload() -> Workload {
        let demand = Demand { milli_cpu: 1_000, memory_mib: 1_024, ..Demand::default() };
        Workload { name: "w".into(), demand, reads: vec!["rows".into()], ..Workload::default() }
    }

    fn prices() -> Prices {
        let units = [("cpu_seconds", 14), ("memory_gigabyte_seconds", 1), ("egress_gigabytes", 90_000)];
        Prices { currency: "EUR".into(), units: units.map(|(name, price)| (name.to_owned(), Money(price))).into() }
    }

    fn ask(workload: &Workload, sites: &[Site]) -> Placement {
        let rows = Data { name: "rows".into(), bytes: 1_000_000_000_000, site: "eu-1".into() };
        place(workload, sites, &[rows], &prices(), NOW)
    }

    #[track_caller]
    fn refused(workload: &Workload, site: Site, why: &str) {
        let placement = ask(workload, &[site]);
        assert_eq!(placement.site, None);
        assert!(placement.verdicts[0].why.join("; ").contains(why), "{:?}", placement.verdicts);
    }

    #[test]
    fn every_filter_says_why() {
        refused(&workload(), site("a", |spec| spec.state = SiteState::Down), "it is down");
        refused(&workload(), site("a", |spec| spec.drain_from = Some(NOW)), "takes nothing new since");
        refused(&workload(), site("a", |spec| spec.capacity.milli_cpu = 999), "1000 milli-CPU wanted, 999 of 999 free");
        let abroad = Workload { residency: ["us".to_owned()].into(), ..workload() };
        refused(&abroad, site("a", |_| {}), "must stay in us, and it lies in eu");
        let labelled = Workload { labels: [("tier".to_owned(), "test".to_owned())].into(), ..workload() };
        refused(&labelled, site("a", |_| {}), "no label tier=test");
        let bound = Workload { only: Some("b".to_owned()), ..workload() };
        refused(&bound, site("a", |_| {}), "bound to site b");
        let mut fast = workload();
        fast.demand.accelerators = [("h100".to_owned(), 1)].into();
        refused(&fast, site("a", |_| {}), "1 h100 wanted, 0 of 0 free");
    }

    #[test]
    fn the_data_pulls_until_the_price_pulls_harder() {
        let cheap = |percent| site("us-1", move |spec| spec.price_factors = [("cpu_seconds".into(), percent)].into());
        let sites = [site("eu-1", |_| {}), cheap(50)];
        assert_eq!(
            ask(&workload(), &sites).site.as_deref(),
            Some("eu-1"),
            "moving a terabyte costs more than it saves"
        );
        let mut big = workload();
        big.demand.milli_cpu = 4_000;
        big.reads.clear();
        assert_eq!(ask(&big, &sites).site.as_deref(), Some("us-1"), "nothing is moved");
    }

    #[test]
    fn among_equals_the_one_near_the_data_wins() {
        let mut free = prices();
        free.units.remove("egress_gigabytes");
        let rows = Data { name: "rows".into(), bytes: 10, site: "eu-9".into() };
        let sites = [site("as-1", |_| {}), site("eu-1", |_| {}), site("eu-9", |spec| spec.state = SiteState::Draining)];
        let placement = place(&workload(), &sites, &[rows], &free, NOW);
        assert_eq!(placement.site.as_deref(), Some("eu-1"), "{placement:?}");
        assert!(placement.chosen().unwrap().why.iter().any(|why| why.contains("has no price")), "{placement:?}");
    }

    #[test]
    fn what_was_put_takes_its_room() {
        let many = vec![workload(); 6];
        let sites = vec![site("eu-1", |_| {}), site("eu-2", |spec| spec.capacity.milli_cpu = 1_000)];
        let placed: Vec<_> =
            place_all(&many, sites, &[], &prices(), NOW).into_iter().map(|placement| placement.site).collect();
        let on = |name: &str| placed.iter().filter(|site| site.as_deref() == Some(name)).count();
        assert_eq!((on("eu-1"), on("eu-2"), placed.iter().filter(|site| site.is_none()).count()), (4, 1, 1));
    }

    proptest! {
        #[test]
        fn nothing_is_put_where_it_may_not_be_and_no_site_is_overfull(
            sites in proptest::collection::vec((0..3_u8, 0..5_000_u64, any::<bool>(), 50..200_u32), 0..5),
            wanted in proptest::collection::vec((0..3_000_u64, any::<bool>()), 0..8),
        ) {
            let sites: Vec<Site> = sites.iter().enumerate().map(|(at, (state, cpu, eu, percent))| {
                site(&format!("s{at}"), |spec| {
                    spec.state = [SiteState::Active, SiteState::Draining, SiteState::Down][usize::from(*state)];
                    spec.capacity.milli_cpu = *cpu;
                    if !eu { spec.residency.clear(); }
                    spec.price_factors = [("cpu_seconds".to_owned(), *percent)].into();
                })
            }).collect();
            let workloads: Vec<Workload> = wanted.iter().map(|(cpu, eu)| {
                let mut one = workload();
                one.demand.milli_cpu = *cpu;
                one.demand.memory_mib = 0;
                if *eu { one.residency.insert("eu".into()); }
                one
            }).collect();
            let placed = place_all(&workloads, sites.clone(), &[], &prices(), NOW);
            for site in &sites {
                let there = || workloads.iter().zip(&placed).filter(|(_, to)| to.site.as_deref() == Some(&site.name));
                prop_assert!(there().map(|(one, _)| one.demand.milli_cpu).sum::<u64>() <= site.spec.capacity.milli_cpu);
                prop_assert!(there().next().is_none() || site.spec.state == SiteState::Active);
                prop_assert!(there().all(|(one, _)| one.residency.is_empty() || !site.spec.residency.is_empty()));
            }
            prop_assert!(placed.iter().all(|one| one.verdicts.len() == sites.len() && one.verdicts.iter().all(|v| !v.why.is_empty())));
        }
    }
}
