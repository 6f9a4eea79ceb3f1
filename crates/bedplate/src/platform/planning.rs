//! What plans are made with: the API server, whoever governs, the ledger's prices and sums, and this machine.

use std::sync::Arc;

use bedplate_apiserver::ApiServer;
use bedplate_fabric::Prices;
use bedplate_govern::Month;
use bedplate_plan::{Governor, Ledger, PlanError, Planner};
use bedplate_types::Money;

use super::machine;
use super::spine::Spine;

pub fn planner(spine: &Spine, apiserver: &ApiServer, governor: &Arc<Governor>) -> Planner {
    Planner {
        server: apiserver.clone(),
        governor: governor.clone(),
        ledger: ledger(spine),
        machine: machine::capacity(),
        clock: spine.clock.clone(),
    }
}

fn ledger(spine: &Spine) -> Ledger {
    let (sheet, db) = (spine.prices.clone(), spine.db.clone());
    Ledger {
        prices: Arc::new(move |_| Ok(Prices { currency: sheet.currency.clone(), units: sheet.prices.clone() })),
        spent: Arc::new(move |namespace, now| {
            let Some(month) = Month::of(now) else { return Ok(Money(0)) };
            let spent = db.read(|tx| bedplate_ledger::spent(tx, namespace, month.from, month.to));
            spent.map_err(|error| PlanError::Ledger(error.to_string()))
        }),
    }
}
