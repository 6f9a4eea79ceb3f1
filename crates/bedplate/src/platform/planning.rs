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
    let (first, db, ours) = (spine.prices.clone(), spine.db.clone(), spine.db.clone());
    let wrong = |error: bedplate_ledger::LedgerError| PlanError::Ledger(error.to_string());
    Ledger {
        // The sheet the home begins with counts until there is any other.
        prices: Arc::new(move |now| {
            let sheet = db.read(|tx| bedplate_ledger::sheet_at(tx, now)).map_err(wrong)?;
            let sheet = sheet.unwrap_or_else(|| first.clone());
            Ok(Prices { currency: sheet.currency, units: sheet.prices })
        }),
        spent: Arc::new(move |namespace, now| {
            let Some(month) = Month::of(now) else { return Ok(Money(0)) };
            ours.read(|tx| bedplate_ledger::spent(tx, namespace, month.from, month.to)).map_err(wrong)
        }),
    }
}
