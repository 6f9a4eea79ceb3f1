//! Dataset: a table of the lake, where its rows come from and what is known of its columns.

use std::collections::BTreeMap;

use bedplate_types::Span;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::glossary_term::check_terms;
use crate::validate::{FieldError, Validate, duplicates, not_empty};
use crate::{
    ColumnMask, ColumnTerm, Condition, Constraint, DatasetSource, Phase, PiiSuggestion, RowFilter, Severity,
    constraint, data_tags, masking, partitioning,
};

/// A table of the lake: where its rows come from and what is known of its columns.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedplate.dev",
    version = "v1alpha1",
    kind = "Dataset",
    namespaced,
    status = "DatasetStatus",
    selectable = ".spec.owner",
    selectable = ".spec.classification",
    selectable = ".status.phase",
    shortname = "ds",
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Rows","type":"integer","jsonPath":".status.rows"}"#,
    printcolumn = r#"{"name":"Quarantined","type":"integer","jsonPath":".status.quarantined"}"#,
    printcolumn = r#"{"name":"Owner","type":"string","jsonPath":".spec.owner","priority":1}"#,
    printcolumn = r#"{"name":"Classification","type":"string","jsonPath":".spec.classification","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct DatasetSpec {
    /// The team that answers for it.
    pub owner: String,
    /// What a row is, in a sentence for people.
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub classification: Classification,
    /// Free tags: licence, and two that the policies read: `residency` (sites and regions the data may be in) and `purpose`
    /// (what it may be used for), each words with commas between them.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Where the rows come from.
    pub source: DatasetSource,
    /// The column that says when a row happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// The columns the source must have; other columns of files are refused, those of a database not read.
    pub schema: Vec<Column>,
    /// Columns of few different values, such as a day or a country: the rows of each combination of them are files in a folder
    /// of their own, and who asks for some combinations opens no other files. Four columns at most, none of them float64, and
    /// 4,000 combinations. Changed, all rows have to be loaded anew: `load: full` does, any other load is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
    /// The ExpectationSuite that every row must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// What is true of every row of the table, whoever writes it. A load, a release or a restore that brings a row of which one
    /// is not true fails as a whole; an expectation puts such rows aside. A new one must be true of the rows that are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// How columns are shown in SQL to whoever may not see them as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub column_masks: Vec<ColumnMask>,
    /// Which rows are there in SQL for whoever may not see them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub row_filters: Vec<RowFilter>,
    /// The terms of the glossary that it and its columns are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<ColumnTerm>,
    /// How long rows can still be read as they were, `FOR TIMESTAMP AS OF`: a vacuum keeps what younger versions need, and
    /// whatever a training set was made of. An hour at least; unsaid, seven days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Span>,
}

const RETENTION: Span = Span::from_micros(7 * 24 * 3_600_000_000);
/// A statement that is under way reads what was current when it began.
const LEAST_RETENTION: Span = Span::from_micros(3_600_000_000);

/// Who may see it, in rising order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Classification {
    Public,
    #[default]
    Internal,
    Confidential,
    Restricted,
    /// Protected health information: nothing is trained from it before it is de-identified.
    Phi,
}

impl Classification {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
            Self::Phi => "phi",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// As the source spells it.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub type_: ColumnType,
    /// Whether a value may be missing.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// It is known only after the event the row tells of: never a feature of that same row.
    #[serde(default)]
    pub outcome: bool,
    /// Unit and meaning, for people.
    #[serde(default)]
    pub description: String,
}

fn yes() -> bool {
    true
}

/// The logical types of the lake. Times are UTC with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    String,
    Int32,
    Int64,
    Float64,
    Boolean,
    Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DatasetStatus {
    pub phase: Phase,
    /// Rows read from the source: by all loads with `load: newFiles`, else by the last.
    pub rows_read: u64,
    /// Rows in the table.
    pub rows: u64,
    /// Rows in the quarantine table, with their reasons.
    pub quarantined: u64,
    /// Files the table's rows were read from.
    pub files: u64,
    /// With `load: watermark`: what the next load's rows lie above, a time or a number.
    pub watermark: String,
    /// Bytes of the table's data files.
    pub bytes: u64,
    /// When a source elsewhere was last looked at, with success.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub looked_at: String,
    /// Digest of what it was looked at for: another description is looked at anew.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub looked_for: String,
    /// The table's data files.
    pub data_files: u64,
    /// The Delta table's version.
    pub version: Option<i64>,
    /// The newest version in the table's log: `version` follows once audit log and lineage tell of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
    /// Folder of the Delta table.
    pub location: String,
    /// Digest of the bytes that the last load read: of the one file, or of the digests of several.
    pub source_digest: String,
    /// Digest of source, schema and suite together: the same inputs are ingested once.
    pub input_digest: String,
    /// The input digest that was refused by an expectation that blocks: the same inputs are not judged again. Empty when
    /// the last ingest was taken.
    pub refused_input: String,
    /// Rows of the quarantine that were released into the table since it was ingested.
    pub released: u64,
    /// The version that first had the table's rows: later ones have the same, in fewer files.
    pub rows_of: Option<i64>,
    /// Rows of an earlier version were brought back, and not all were replaced since.
    pub restored: bool,
    /// What tells of a person was taken out. Only the platform sets it.
    pub deidentified: bool,
    /// How each expectation of the suite fared on the last ingest, refused or not; `bedplate data history` shows earlier ones.
    pub expectations: Vec<ExpectationOutcome>,
    /// Columns that may hold what tells of persons, as far as rules can tell from their names and a sample of their values.
    pub pii_suggestions: Vec<PiiSuggestion>,
    /// Where it stands, aspect by aspect.
    pub conditions: Vec<Condition>,
    /// The generation of the spec this status tells of.
    pub observed_generation: i64,
}

/// How one expectation fared on the last ingest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExpectationOutcome {
    /// The expectation.
    pub name: String,
    pub severity: Severity,
    /// Whether it was met.
    pub passed: bool,
    /// Rows, values or slots that did not meet it.
    pub failing: u64,
    /// What was looked at: rows for most checks.
    pub observed: u64,
    /// What was observed, as one number: the failing share of a check on rows; the mean, the quantile, the distance …
    /// of a check on the whole. None when there was nothing to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A sentence with the evidence.
    #[serde(default)]
    pub detail: String,
}

impl Validate for DatasetSpec {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = duplicates("spec.schema", self.schema.iter().map(|column| column.name.as_str()));
        errors.extend(not_empty("spec.owner", &self.owner));
        errors.extend(data_tags::check(&self.tags));
        errors.extend(self.source.check(self));
        if self.schema.is_empty() {
            errors.push(FieldError::new("spec.schema", "must name at least one column"));
        }
        if self.retention.is_some_and(|retention| retention < LEAST_RETENTION) {
            errors.push(FieldError::new("spec.retention", format!("must be {LEAST_RETENTION} at least")));
        }
        if let Some(time) = &self.time_column {
            errors.extend(self.check_time_column(time));
        }
        errors.extend(partitioning::check(self));
        errors.extend(constraint::check(self));
        errors.extend(masking::check(self));
        let terms = self.terms.iter().map(|term| (term.term.as_str(), term.column.as_deref()));
        let columns: Vec<&str> = self.schema.iter().map(|column| column.name.as_str()).collect();
        errors.extend(check_terms(terms, "column", &columns));
        errors
    }
}

impl Dataset {
    /// What is suggested of a column that nobody has answered: a mask with what it says of the column is an answer.
    #[must_use]
    pub fn open_suggestion(&self, column: &str) -> Option<&PiiSuggestion> {
        let suggestions = &self.status.as_ref()?.pii_suggestions;
        suggestions.iter().find(|one| one.column == column && self.spec.mask(column).is_none())
    }
}

impl DatasetSpec {
    /// How long what is not current any more is kept.
    #[must_use]
    pub fn kept_for(&self) -> Span {
        self.retention.unwrap_or(RETENTION)
    }

    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.schema.iter().find(|column| column.name == name)
    }

    #[must_use]
    pub fn mask(&self, column: &str) -> Option<&ColumnMask> {
        self.column_masks.iter().find(|mask| mask.column == column)
    }

    fn check_time_column(&self, name: &str) -> Option<FieldError> {
        match self.column(name) {
            None => Some(FieldError::new("spec.timeColumn", format!("{name:?} is not a column of spec.schema"))),
            Some(column) if column.type_ != ColumnType::Timestamp => {
                Some(FieldError::new("spec.timeColumn", format!("{name:?} is not of type timestamp")))
            }
            Some(_) => None,
        }
    }
}
