//! What is particular about PriceSheets: they count in the transaction that stores them, one at most for every moment.

use bedplate_db::Tx;
use bedplate_kinds::PriceSheetSpec;
use bedplate_ledger::{LedgerError, PriceSheet};
use bedplate_types::Explained;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{ApiError, Cause};
use crate::key::Key;
use crate::store::Event;

/// The name they are stored under.
pub const RESOURCE: &str = "pricesheets.bedplate.dev";
/// Where what counts for the whole platform is declared.
const PLACE: &str = "bedplate-system";

/// Brings the ledger's sheets to what the object says now. What was priced stays as it was.
pub fn take_effect(tx: &mut dyn Tx, key: &Key, event: Event, object: &Value) -> Result<(), ApiError> {
    if event == Event::Deleted {
        return bedplate_ledger::remove_sheet(tx, &key.name).map_err(|error| refused(key, &error));
    }
    if key.namespace != PLACE {
        let why = format!("a PriceSheet counts for the whole platform: declare it in the namespace {PLACE}");
        return Err(invalid(key, "metadata.namespace", why));
    }
    let spec =
        PriceSheetSpec::deserialize(&object["spec"]).map_err(|error| ApiError::Unprocessable(error.to_string()))?;
    let sheet = PriceSheet {
        name: key.name.clone(),
        generation: object["metadata"]["generation"].as_i64().unwrap_or(1),
        currency: spec.currency,
        prices: spec.prices.into_iter().map(|(resource, price)| (resource, price.0)).collect(),
        valid_from: spec.valid_from,
        valid_to: spec.valid_to,
    };
    bedplate_ledger::put_sheet(tx, &sheet).map_err(|error| refused(key, &error))
}

fn refused(key: &Key, error: &LedgerError) -> ApiError {
    match error {
        LedgerError::Overlap { .. } | LedgerError::Span { .. } => {
            let fix = error.fix().map(|fix| format!("; {fix}")).unwrap_or_default();
            invalid(key, "spec.validFrom", format!("{error}{fix}"))
        }
        _ => ApiError::Internal(error.to_string()),
    }
}

fn invalid(key: &Key, field: &str, why: String) -> ApiError {
    let causes = vec![Cause::invalid(field, why)];
    ApiError::Invalid { kind: "PriceSheet.bedplate.dev".to_owned(), name: key.name.clone(), causes }
}
