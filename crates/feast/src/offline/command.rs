//! What is asked for, as Feast's client writes it into the descriptor.

use bedplate_types::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Pull;
use crate::error::FeastError;

/// What is answered with a table.
#[derive(Debug, Deserialize)]
#[serde(tag = "api", rename_all = "snake_case")]
pub(super) enum Exchange {
    GetHistoricalFeatures(Historical),
    PullLatestFromTableOrQuery(PullRows),
    PullAllFromTableOrQuery(PullRows),
    GetTableColumnNamesAndTypesFromDataSource(Source),
}

/// What brings rows, or only asks whether something is well.
#[derive(Debug, Deserialize)]
#[serde(tag = "api", rename_all = "snake_case")]
pub(super) enum Put {
    OfflineWriteBatch(Write),
    WriteLoggedFeatures(Logged),
    Persist,
    ValidateDataSource(Source),
}

#[derive(Debug, Deserialize)]
pub(super) struct Historical {
    pub feature_view_names: Vec<String>,
    /// One for each view: what references call it, where that is not its name.
    pub name_aliases: Vec<Option<String>>,
    /// `view:feature`
    pub feature_refs: Vec<String>,
    pub project: String,
    pub full_feature_names: bool,
    #[serde(default)]
    pub entity_df_sql: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRows {
    data_source_name: String,
    join_key_columns: Vec<String>,
    feature_name_columns: Vec<String>,
    timestamp_field: String,
    #[serde(default)]
    created_timestamp_column: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
}

/// Feast's client sends the source's whole definition, as JSON.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    data_source_proto: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Write {
    pub feature_view_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Logged {
    pub feature_service_name: String,
}

/// # Errors
/// When it is not JSON, or lacks something.
pub(super) fn parse<T: DeserializeOwned>(command: &[u8]) -> Result<T, FeastError> {
    serde_json::from_slice(command)
        .map_err(|error| FeastError::body("command", format!("is not what Feast's client sends: {error}")))
}

impl PullRows {
    pub fn into_pull(self, only_latest: bool) -> Result<Pull, FeastError> {
        let moment = |field: &str, text: Option<String>| text.map(|text| moment(field, &text)).transpose();
        Ok(Pull {
            source: self.data_source_name,
            join_keys: self.join_key_columns,
            features: self.feature_name_columns,
            timestamp: self.timestamp_field,
            created: self.created_timestamp_column.filter(|column| !column.is_empty()),
            from: moment("start_date", self.start_date)?,
            until: moment("end_date", self.end_date)?,
            only_latest,
        })
    }
}

impl Source {
    pub fn name(&self) -> Result<String, FeastError> {
        let wrong = || FeastError::body("data_source_proto", "is not a data source with a name");
        let source: Value = serde_json::from_str(&self.data_source_proto).map_err(|_| wrong())?;
        source["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned).ok_or_else(wrong)
    }
}

/// As Python writes it; one without a zone is UTC.
pub(crate) fn moment(field: &str, text: &str) -> Result<Timestamp, FeastError> {
    let text = text.trim().replacen(' ', "T", 1);
    let whole = if text.len() == "2013-07-01".len() { format!("{text}T00:00:00") } else { text };
    let parsed = whole.parse().or_else(|_| format!("{whole}Z").parse());
    parsed.map_err(|_| FeastError::body(field, format!("{whole:?} is not a moment; write it as 2013-07-01T04:00:00Z")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_read_as_python_writes_them() {
        let check = |text: &str, expect: &str| assert_eq!(moment("f", text).unwrap().to_string(), expect, "{text}");
        check("2013-07-01T04:00:00", "2013-07-01T04:00:00Z");
        check("2013-07-01 04:00:00.5+02:00", "2013-07-01T02:00:00.5Z");
        check("2013-07-01", "2013-07-01T00:00:00Z");
        assert!(moment("f", "soon").unwrap_err().to_string().contains("\"soon\" is not a moment"));
    }

    #[test]
    fn a_command_is_what_the_client_sends() {
        let sent = json!({ "command_id": "1", "api": "get_historical_features", "feature_view_names": ["driver_stats"],
            "feature_refs": ["driver_stats:trips"], "project": "drivers", "full_feature_names": false,
            "name_aliases": [null] });
        let Exchange::GetHistoricalFeatures(asked) = parse(sent.to_string().as_bytes()).unwrap() else { panic!() };
        assert_eq!((asked.name_aliases, asked.entity_df_sql), (vec![None], None));
        let error = parse::<Exchange>(json!({ "api": "drop_everything" }).to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains("drop_everything"), "{error}");
        let source = Source { data_source_proto: json!({ "name": "trips", "type": "BATCH_FILE" }).to_string() };
        assert_eq!(source.name().unwrap(), "trips");
        assert!(Source { data_source_proto: "name: \"trips\"".into() }.name().is_err());
    }
}
