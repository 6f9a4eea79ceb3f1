//! PriceSheet: prices what was waiting for it. That it counts is seen to where it is stored.

use std::sync::Arc;

use bedplate_kinds::{Phase, PriceSheet, PriceSheetStatus};
use serde_json::json;

use crate::core::{Facts, Platform, full_name};
use crate::hold::{Hold, failed};
use crate::run::Reconcile;

/// So many events are priced in one transaction.
const BATCH: u32 = 500;

impl Reconcile for PriceSheet {
    async fn bring(platform: &Arc<Platform>, object: &Arc<Self>, status: &mut PriceSheetStatus) -> Result<Phase, Hold> {
        let priced = price_backlog(platform).await?;
        if priced > 0 {
            let detail = json!({ "events": priced });
            let name = full_name(&**object);
            let facts = Facts::default().did(platform.now(), "price", format!("pricesheets/{name}"), detail);
            platform.record(facts).await?;
        }
        let left = platform.db.read(|tx| bedplate_ledger::unpriced(tx, None)).map_err(failed("the unpriced usage"))?;
        status.unpriced = left.iter().map(|line| line.events.unsigned_abs()).sum();
        Ok(Phase::Ready)
    }
}

/// Every sheet prices what any sheet can: the ledger decides by the event's own time.
async fn price_backlog(platform: &Platform) -> Result<u64, Hold> {
    let mut priced = 0;
    loop {
        let batch = platform.db.write_async(|tx| bedplate_ledger::price_backlog(tx, BATCH)).await;
        let batch = batch.map_err(failed("pricing the usage that waited for a price"))?;
        priced += batch;
        if batch < u64::from(BATCH) || platform.cancel.is_cancelled() {
            return Ok(priced);
        }
    }
}
