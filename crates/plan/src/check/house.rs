//! An API server of one suite's own, with what the suite says is there already.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bedplate_apiserver::{ApiServer, Batch, Failure, Options, Step, Wish};
use bedplate_db::{Db, DbError, Migration};
use bedplate_fabric::Prices;
use bedplate_identity::Authenticator;
use bedplate_kinds::SiteCapacity;
use bedplate_kinds::registry::MoreRules;
use bedplate_policy::Policy;
use bedplate_types::{Clock, FixedClock, Money};
use serde::Deserialize;

use super::suite::{As, Suite};
use crate::error::PlanError;
use crate::governor::Governor;
use crate::planner::{Ledger, MANAGER, Manifest, Planner};

/// The key of a database that is thrown away.
const KEY: [u8; 32] = [0; 32];

pub struct House {
    pub planner: Planner,
}

impl House {
    pub async fn open(
        suite: &Suite,
        given: &[Manifest],
        scratch: &Path,
        clock: Arc<dyn Clock>,
        more_rules: Option<MoreRules>,
    ) -> Result<Self, PlanError> {
        let invalid = |what: &str, why: &dyn std::fmt::Display| PlanError::Invalid(format!("{what}: {why}"));
        let clock = suite.now.map_or(clock, |now| Arc::new(FixedClock(now)));
        let path = scratch.join("check.db");
        let opened = tokio::task::spawn_blocking(move || Db::open(&path, &migrations()));
        let opened: Result<Db, DbError> = opened.await.map_err(|error| invalid("the database", &error))?;
        let db = opened.map_err(|error| invalid("the database of the test", &error))?;
        let policy = Policy::load(db.clone()).map_err(|error| invalid("the policies", &error))?;
        let governor = Arc::new(Governor::new(KEY));
        let server = ApiServer::open(Options {
            authenticator: Authenticator::new(db.clone(), clock.clone()),
            db: db.clone(),
            policy,
            clock: clock.clone(),
            secrets_key: KEY,
            seed: random,
            governance: Some(governor.clone()),
            more_rules,
        })?;
        let prices = prices(suite)?;
        let usual = SiteCapacity { milli_cpu: 8_000, memory_mib: 32_768, ..SiteCapacity::default() };
        let machine = suite.machine.clone().unwrap_or(usual);
        // Nothing was spent but what the suite says, which the scenario has.
        let ledger = Ledger { prices: Arc::new(move |_| Ok(prices.clone())), spent: Arc::new(|_, _| Ok(Money(0))) };
        let planner = Planner { server, governor, ledger, machine, clock };
        let house = Self { planner };
        house.give(suite, given).await?;
        Ok(house)
    }

    /// Stores what is there already, as the administrator.
    async fn give(&self, suite: &Suite, given: &[Manifest]) -> Result<(), PlanError> {
        let objects = given.iter().map(|manifest| (&manifest.object, manifest.source.as_str()));
        let inline = suite.objects.iter().map(|object| (object, "objects of the test"));
        let mut steps = Vec::new();
        for (object, source) in objects.chain(inline) {
            let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
            let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
            let (api_version, kind) = (text("apiVersion"), text("kind"));
            let resource = self.planner.server.resource_of(&api_version, &kind);
            let why = format!("no kind {kind:?} is served in {api_version:?}");
            let resource = resource.ok_or(PlanError::NoObject { source_: source.to_owned(), why })?;
            let namespace = Some(metadata("namespace")).filter(|namespace| !namespace.is_empty());
            let namespace = namespace.unwrap_or_else(|| suite.namespace.clone());
            let namespace = Some(namespace).filter(|_| resource.is_namespaced());
            steps.push(Step {
                api_version,
                kind,
                namespace,
                name: metadata("name"),
                wish: Wish::Apply(object.clone()),
            });
        }
        // What is given needs nobody's consent: the classes come last.
        steps.sort_by_key(|step| (step.kind != "Namespace", step.kind == "ChangeClass"));
        let names: Vec<String> = steps.iter().map(|step| format!("{} {}", step.kind, step.name)).collect();
        let batch = Batch { principal: As::default().principal(), manager: MANAGER.to_owned(), steps };
        let done = self.planner.server.perform(batch, Arc::new(|_, _| true), Arc::new(|_| Ok(()))).await;
        done.map(drop).map_err(|failure| match failure {
            Failure::Step(at, error) => PlanError::Step { object: names[at].clone(), error },
            Failure::Other(error) => error.into(),
            Failure::Moved(_) | Failure::Check(_) => PlanError::Invalid("what is given could not be stored".to_owned()),
        })
    }
}

/// As a price sheet is written: a currency, and millionths of it for a unit of each resource.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    currency: String,
    prices: BTreeMap<String, Money>,
}

fn prices(suite: &Suite) -> Result<Prices, PlanError> {
    let Some(prices) = &suite.prices else { return Ok(usual_prices()) };
    let sheet = Sheet::deserialize(prices).map_err(|error| PlanError::Invalid(format!("prices: {error}")))?;
    Ok(Prices { currency: sheet.currency, units: sheet.prices })
}

/// Prices a test is reckoned with when it brings none.
fn usual_prices() -> Prices {
    let units = [
        ("cpu_seconds", 14),
        ("memory_gigabyte_seconds", 2),
        ("accelerator_seconds", 700),
        ("storage_gigabyte_hours", 30),
        ("egress_gigabytes", 90_000),
    ];
    let units = units.map(|(resource, micros)| (resource.to_owned(), Money(micros)));
    Prices { currency: "EUR".to_owned(), units: units.into() }
}

fn migrations() -> Vec<Migration> {
    [
        bedplate_audit::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
    ]
    .concat()
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Without randomness uids would be equal, which a database that is thrown away survives.
    let _ = getrandom::fill(&mut bytes);
    bytes
}
