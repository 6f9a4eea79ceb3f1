//! What a column may hold of persons, as far as rules can tell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A column that may hold what tells of a person. Nothing follows from it until somebody declares a mask, a tag or a
/// classification for the column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PiiSuggestion {
    pub column: String,
    /// email, phone, iban, credit-card, ip-address, national-id, date-of-birth, person-name, address.
    pub kind: String,
    /// From 0 to 1; 0.5: its name alone.
    pub confidence: f64,
    /// Why, without a value.
    pub evidence: String,
}
