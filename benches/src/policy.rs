//! What a decision costs: the built-in rules with their forbids, ten policies of people's, and 10, 100 or 1,000 grants.
//! Uncached, every question is a new one and is remembered; cached, the same questions are asked again.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bedplate_db::Db;
use bedplate_policy::{
    Action, Context, Grant, MIGRATIONS, Policy, Question, Resource, Role, Source, Tags, declare, grant,
};

use crate::table::{self, Limit, Line};

const GRANTS: [usize; 3] = [10, 100, 1_000];
const POLICIES: usize = 10;
const ASKED: usize = 20_000;
/// Remembered decisions are asked for so often at a time: a clock is slower than they are.
const AT_ONCE: u32 = 64;
const NAMESPACES: usize = 20;

pub fn run() -> Result<ExitCode> {
    let mut lines = Vec::new();
    for grants in GRANTS {
        let bench = Bench::open(grants)?;
        let promised = grants == 1_000;
        for (what, times, limit) in [("uncached", bench.uncached(), 15.0), ("cached", bench.cached(), 1.0)] {
            let limit = promised.then_some(Limit::AtMost(limit));
            lines.push(Line::new(format!("{what}, {grants} grants, p50"), at(&times, 50), "us", limit, None));
            lines.push(Line::new(format!("{what}, {grants} grants, p99"), at(&times, 99), "us", None, None));
        }
        lines.push(Line::new(format!("answers that allow, {grants} grants"), bench.allowed(), "%", None, None));
    }
    let title = format!("decisions, {POLICIES} policies of people's");
    Ok(if table::print(&title, "-", &lines) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench {
    policy: Policy,
    people: Vec<String>,
    groups: Vec<String>,
    tags: [Tags; 3],
    _folder: tempfile::TempDir,
}

impl Bench {
    fn open(grants: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let db = Db::open(&folder.path().join("bench.db"), MIGRATIONS)?;
        db.write(move |tx| {
            for n in 0..grants {
                let role = [Role::Viewer, Role::Editor, Role::Owner][n % 3];
                grant(tx, &Grant::new(person(n), namespace(n * 7), role))?;
            }
            policies().iter().try_for_each(|source| declare(tx, source))
        })?;
        let policy = Policy::load(db).context("the rules")?;
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>());
        let labelled = [("tier".to_owned(), "gold".to_owned())].into();
        let tags = [
            Tags::NONE,
            Tags { classification: Some("internal".into()), owner: Some("ops".into()), labels: labelled, ..Tags::NONE },
            Tags {
                classification: Some("phi".into()),
                purposes: words(&["care"]),
                residency: words(&["eu"]),
                ..Tags::NONE
            },
        ];
        let people = (0..grants).map(person).collect();
        Ok(Self { policy, people, groups: vec!["data".into(), "oncall".into()], tags, _folder: folder })
    }

    /// The question's number decides who asks what; the name makes it one of its own.
    fn question<'a>(&'a self, n: usize, name: &'a str, place: &'a str) -> Question<'a> {
        let (action, kind) = [
            (Action::Get, "Dataset"),
            (Action::List, "Model"),
            (Action::Patch, "FeatureView"),
            (Action::Train, "Dataset"),
            (Action::Predict, "Endpoint"),
        ][n % 5];
        let resource = Resource { namespace: Some(place), kind, name: Some(name) };
        let question = Question::new(&self.people[n % self.people.len()], &self.groups, action, resource);
        question.tagged(&self.tags[n % 3]).within(Context { purpose: Some("care"), site: Some("eu-west-1") })
    }

    /// Microseconds a question, sorted.
    fn uncached(&self) -> Vec<f64> {
        self.timed(|n| (format!("o{n}"), namespace(n % self.people.len() * 7)), 1)
    }

    fn cached(&self) -> Vec<f64> {
        self.timed(|n| (format!("o{}", n % 500), namespace(n % 500 % self.people.len() * 7)), AT_ONCE)
    }

    fn timed(&self, named: impl Fn(usize) -> (String, String), at_once: u32) -> Vec<f64> {
        let mut times = Vec::with_capacity(ASKED);
        for n in 0..ASKED {
            let (name, place) = named(n);
            let question = self.question(if at_once > 1 { n % 500 } else { n }, &name, &place);
            if at_once > 1 {
                // Known from here on.
                let _ = self.policy.ask(&question);
            }
            let started = Instant::now();
            for _ in 0..at_once {
                black_box(self.policy.ask(black_box(&question)));
            }
            times.push(micros(started.elapsed()) / f64::from(at_once));
            if n % 1_000 == 0 {
                // As the platform does, now and then.
                let _ = self.policy.given();
            }
        }
        times.sort_by(f64::total_cmp);
        times
    }

    fn allowed(&self) -> f64 {
        let asked = |n: usize| {
            let (name, place) = (format!("o{n}"), namespace(n % self.people.len() * 7));
            self.policy.ask(&self.question(n, &name, &place)).allowed
        };
        let allowed = (0..ASKED).filter(|n| asked(*n)).count();
        allowed as f64 / ASKED as f64 * 100.0
    }
}

fn person(n: usize) -> String {
    format!("user:person-{n}")
}

fn namespace(n: usize) -> String {
    format!("team-{}", n % NAMESPACES)
}

/// Half of them of the platform, half of one namespace that is asked about.
fn policies() -> Vec<Source> {
    (0..POLICIES)
        .map(|n| Source {
            namespace: if n % 2 == 0 { "bedplate-system".into() } else { "team-7".into() },
            name: format!("p{n}"),
            cedar: format!(
                "forbid (principal in Team::\"guests-{n}\", action in [Action::\"get\", Action::\"train\"], resource is Dataset)
                 when {{ resource has classification && resource.classification == \"restricted\" && context has purpose }};"
            ),
        })
        .collect()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_allowed_in_part_and_refused_in_part() {
        let bench = Bench::open(100).unwrap();
        let allowed = bench.allowed();
        assert!((10.0..90.0).contains(&allowed), "{allowed} %");
    }
}
