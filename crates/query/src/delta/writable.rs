//! What a table asks of those who write to it: what is known here is met, anything else is told before a row is read.
//!
//! The Delta library lets through what its own writer meets, which is more than is met here. Features by their names:
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#valid-feature-names-in-table-features>.

use std::collections::HashMap;

use deltalake_core::kernel::transaction::PROTOCOL;
use deltalake_core::table::state::DeltaTableState;
use serde_json::Value;

use super::{Table, TableError};
use crate::constraint::Demands;

/// Features that ask nothing of a writer who does not use them, or whose use is looked for below. The library sees to
/// `appendOnly`, checkpoints and types.
const FEATURES: [&str; 12] = [
    "appendOnly",
    "changeDataFeed",
    "checkConstraints",
    "checkpointProtection",
    "columnMapping",
    "deletionVectors",
    "generatedColumns",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
    "variantType",
    "variantType-preview",
];
/// What the metadata of a column may ask of its values.
const OF_COLUMNS: [(&str, &str); 4] = [
    ("delta.invariants", "has an invariant"),
    ("delta.generationExpression", "is generated from others"),
    ("delta.identity.start", "is numbered by who writes"),
    ("CURRENT_DEFAULT", "has a default"),
];
const CONSTRAINT: &str = "delta.constraints.";

impl Table {
    /// Refuses a table whose writers must do what is not done here.
    pub fn check_writable(&self) -> Result<(), TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        PROTOCOL.can_write_to(state).map_err(|error| self.not_writable(error.to_string()))?;
        unmet(state).map_or(Ok(()), |why| Err(self.not_writable(why)))
    }

    /// As [`check_writable`](Self::check_writable), of a table that takes any row.
    pub fn check_writable_freely(&self) -> Result<(), TableError> {
        self.check_writable()?;
        let demands = self.demands()?;
        match demands.checks.keys().chain(&demands.not_null).next() {
            Some(name) => {
                Err(self
                    .not_writable(format!("a quarantine takes rows as they come, and {name:?} is a constraint of it")))
            }
            None => Ok(()),
        }
    }

    pub fn not_writable(&self, why: String) -> TableError {
        TableError::NotWritable { location: self.location.clone(), why }
    }

    /// What the version demands of its rows.
    pub fn demands(&self) -> Result<Demands, TableError> {
        let state = self.delta.snapshot().map_err(TableError::delta("read", &self.location))?;
        let checks = state.metadata().configuration().iter().filter_map(|(key, expression)| {
            let (start, name) = key.split_at_checked(CONSTRAINT.len())?;
            start.eq_ignore_ascii_case(CONSTRAINT).then(|| (name.to_owned(), expression.clone()))
        });
        let not_null =
            state.schema().fields().filter(|field| !field.nullable).map(|field| field.name.clone()).collect();
        Ok(Demands { checks: checks.collect(), not_null })
    }
}

/// The key a constraint has in the table's configuration.
pub(super) fn key_of(constraint: &str) -> String {
    format!("{CONSTRAINT}{constraint}")
}

/// What is asked for and not done here.
fn unmet(state: &DeltaTableState) -> Option<String> {
    let settings: &HashMap<String, String> = state.metadata().configuration();
    let set = |name: &str| settings.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let protocol = match serde_json::to_value(state.protocol()) {
        Ok(protocol) => protocol,
        Err(error) => return Some(format!("its protocol cannot be told: {error}")),
    };
    if let Some(feature) = unknown_feature(&protocol) {
        return Some(format!("it has the feature {feature}"));
    }
    if set("delta.enableChangeDataFeed") {
        return Some("each change of a row is to be written down as well (delta.enableChangeDataFeed)".to_owned());
    }
    if settings.get("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
        return Some("its columns have other names in its files (delta.columnMapping.mode)".to_owned());
    }
    for field in state.schema().fields() {
        let asked = OF_COLUMNS.iter().find(|(key, _)| field.metadata.contains_key(*key));
        if let Some((key, what)) = asked {
            return Some(format!("its column {:?} {what} ({key})", field.name));
        }
    }
    let marked = state.log_data().into_iter().any(|file| file.deletion_vector_descriptor().is_some());
    marked.then(|| "rows of its files are marked as deleted (delta.enableDeletionVectors)".to_owned())
}

/// The library knows features of which it sees to its own writers only.
fn unknown_feature(protocol: &Value) -> Option<&str> {
    let features = protocol.get("writerFeatures")?.as_array()?;
    features.iter().filter_map(Value::as_str).find(|name| !FEATURES.contains(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_feature_that_the_library_may_come_to_know_is_unknown_here() {
        let of = |features: Value| json!({ "minWriterVersion": 7, "writerFeatures": features });
        assert_eq!(unknown_feature(&json!({ "minWriterVersion": 3 })), None);
        assert_eq!(unknown_feature(&of(json!(["appendOnly", "checkConstraints"]))), None);
        assert_eq!(unknown_feature(&of(json!(["appendOnly", "rowTracking"]))), Some("rowTracking"));
    }
}
