//! Where a dataset's rows come from: which files, how they are written, and which of them are read again.

use bedplate_types::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object_store::{self, ObjectStore};
use crate::postgres_source::PostgresSource;
use crate::validate::{FieldError, duplicates};
use crate::{ColumnType, DatasetSpec};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasetSource {
    /// A file; a folder, for the files directly in it; a glob (`data/2013/*.csv`, `data/**/*.parquet`); or the folder of a
    /// Delta table. Files are read in the order of their paths. `bedplate apply` resolves a relative path against the
    /// manifest's folder. Or objects of a store, `s3://bucket/2013/*.csv`, or one file, `https://host/file.parquet`, of a host
    /// that `--source-host` names.
    #[serde(default)]
    pub path: String,
    /// A table or a query of a PostgreSQL database, in place of a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<PostgresSource>,
    /// How the store of a path that is a URL is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<ObjectStore>,
    /// How often a database or a URL is looked at; unsaid, every hour a database, and every five minutes a URL.
    /// `bedplate data load` looks now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// How the files are written; unsaid, their names tell (`.parquet`, `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.arrow`,
    /// `.arrows`, `.feather`), and `_delta_log` a Delta table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// What CSV and JSON lines are compressed with; unsaid, the names tell (`.gz`, `.zst`, `.bz2`, `.xz`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// How CSV is spelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvOptions>,
    /// The time zone of times that CSV and JSON lines tell without one: `UTC`, `America/New_York`. Unsaid, a row with such a time
    /// is rejected. In a database, of `date` and of `timestamp` without time zone; unsaid, such a column is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The version of a Delta table; the latest when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    #[serde(default)]
    pub load: Load,
    /// With `load: watermark`: the column that rises with every new or changed row. A timestamp, an int32 or an int64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark_column: Option<String>,
    /// With `load: merge`: the columns that tell one row from another. Rows in which one of them is null are rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// With `load: merge`: the column whose greatest value is a key's last row, within a load and against the table. A timestamp,
    /// an int32 or an int64. Unsaid, the row that is read last counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_by: Option<String>,
    #[serde(default)]
    pub schema_evolution: SchemaEvolution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Parquet,
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Arrow IPC, file or stream.
    Arrow,
    Delta,
}

impl Format {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::Jsonl => "JSON lines",
            Self::Arrow => "Arrow IPC",
            Self::Delta => "a Delta table",
        }
    }

    /// Whether values are text that may or may not say what is declared, row by row.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CsvOptions {
    /// What stands between two fields: one ASCII character. Unsaid, a comma, and a tab in `.tsv` files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What a field may be enclosed in, and is doubled within one; empty when fields are never quoted.
    pub quote: String,
    /// Whether the first line names the columns. Without one the columns come in the order of spec.schema.
    pub header: bool,
    /// What is written where there is no value.
    pub null_values: Vec<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: None, quote: "\"".into(), header: true, null_values: vec![String::new()] }
    }
}

/// Which rows a load reads, and what it does with those that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Load {
    /// All rows of all files take the place of the table's rows.
    #[default]
    Full,
    /// Files that were not loaded yet are appended.
    NewFiles,
    /// Rows above the highest value of `watermarkColumn` in the table are appended.
    Watermark,
    /// Rows of files that were not loaded yet take the place of those with the same `key`; others are added.
    Merge,
}

impl Load {
    /// Whether it goes by files, each of which is read once.
    #[must_use]
    pub const fn is_by_files(self) -> bool {
        matches!(self, Self::NewFiles | Self::Merge)
    }
}

/// What becomes of a column that older files or the table do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SchemaEvolution {
    /// Every file has every column, and so has the table that is appended to.
    #[default]
    Refuse,
    /// A nullable column may be added to spec.schema: it is null where a file or the table does not have it.
    AddColumns,
}

const SHORTEST: Span = Span::from_micros(10_000_000);
const FIVE_MINUTES: Span = Span::from_micros(300_000_000);
const AN_HOUR: Span = Span::from_micros(3_600_000_000);

impl DatasetSource {
    #[must_use]
    pub fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    pub(crate) fn check(&self, spec: &DatasetSpec) -> Vec<FieldError> {
        let mut errors = self.check_place();
        let wild = self.path.split('/').skip_while(|part| !part.contains(['*', '?', '[']));
        if wild.into_iter().any(|part| part == "..") {
            errors.push(FieldError::new("spec.source.path", "must not lead upwards after a wildcard"));
        }
        errors.extend(self.check_format());
        errors.extend(self.csv.iter().flat_map(CsvOptions::check));
        errors.extend(self.check_load(spec));
        errors.extend(self.check_merge(spec));
        errors
    }

    /// Whether the rows come from another machine.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.postgres.is_some() || object_store::is_url(&self.path)
    }

    /// How often it is looked at, when it is elsewhere.
    #[must_use]
    pub fn interval(&self) -> Span {
        let usual = if self.postgres.is_some() { AN_HOUR } else { FIVE_MINUTES };
        self.every.unwrap_or(usual)
    }

    /// Whether a load that adds reads no row again that an earlier one read.
    #[must_use]
    pub fn reads_once(&self) -> bool {
        self.load.is_by_files() || (self.postgres.is_some() && self.load == Load::Watermark)
    }

    fn check_place(&self) -> Vec<FieldError> {
        let mut errors = match &self.postgres {
            Some(_) if !self.path.is_empty() => {
                vec![FieldError::new("spec.source.postgres", "is in place of spec.source.path: name one of both")]
            }
            Some(postgres) => postgres.check(self),
            None if self.path.trim().is_empty() => {
                vec![FieldError::new("spec.source.path", "must not be empty, unless spec.source.postgres is there")]
            }
            None => object_store::check(self),
        };
        if self.every.is_some() && !self.is_elsewhere() {
            errors.push(FieldError::new("spec.source.every", "is for databases and URLs"));
        } else if self.interval() < SHORTEST {
            errors.push(FieldError::new("spec.source.every", "must be 10s at least"));
        }
        errors
    }

    fn check_format(&self) -> Vec<FieldError> {
        let Some(format) = self.format else { return Vec::new() };
        let is = format.as_str();
        let mut errors = Vec::new();
        if self.csv.is_some() && format != Format::Csv {
            errors.push(FieldError::new("spec.source.csv", format!("is for CSV, and the format is {is}")));
        }
        let compressed = self.compression.is_some_and(|with| with != Compression::None);
        if compressed && !format.is_text() {
            let why = format!("is for CSV and JSON lines; {is} is compressed within its files");
            errors.push(FieldError::new("spec.source.compression", why));
        }
        if self.time_zone.is_some() && !format.is_text() {
            let why = format!("is for CSV and JSON lines; {is} tells a time's zone itself");
            errors.push(FieldError::new("spec.source.timeZone", why));
        }
        if self.version.is_some() && format != Format::Delta {
            errors.push(FieldError::new("spec.source.version", format!("is for Delta tables, and the format is {is}")));
        }
        if format == Format::Delta && self.load.is_by_files() {
            errors.push(FieldError::new("spec.source.load", NEW_FILES_OF_DELTA));
        }
        errors
    }

    fn check_merge(&self, spec: &DatasetSpec) -> Vec<FieldError> {
        let mut errors = duplicates("spec.source.key", self.key.iter().map(String::as_str));
        let mut wrong = |field: &str, why: String| errors.push(FieldError::new(format!("spec.source.{field}"), why));
        match self.load {
            Load::Merge if self.key.is_empty() => wrong("key", "is needed by load: merge".into()),
            Load::Merge => {}
            _ if !self.key.is_empty() => wrong("key", "counts with load: merge only".into()),
            _ if self.sequence_by.is_some() => wrong("sequenceBy", "counts with load: merge only".into()),
            _ => {}
        }
        for name in &self.key {
            match spec.column(name).map(|column| column.type_) {
                None => wrong("key", format!("{name:?} is not a column of spec.schema")),
                Some(ColumnType::Float64) => wrong("key", format!("{name:?} is a float64, which is not a key")),
                Some(_) => {}
            }
        }
        match self.sequence_by.as_ref().map(|name| (name, spec.column(name).map(|column| column.type_))) {
            Some((name, None)) => wrong("sequenceBy", format!("{name:?} is not a column of spec.schema")),
            None | Some((_, Some(ColumnType::Timestamp | ColumnType::Int32 | ColumnType::Int64))) => {}
            Some((name, Some(_))) => wrong("sequenceBy", format!("{name:?} is not of type timestamp, int32 or int64")),
        }
        errors
    }

    fn check_load(&self, spec: &DatasetSpec) -> Option<FieldError> {
        let wrong = |why: String| Some(FieldError::new("spec.source.watermarkColumn", why));
        match (self.load, &self.watermark_column) {
            (Load::Watermark, None) => wrong("is needed by load: watermark".into()),
            (Load::Watermark, Some(name)) => match spec.column(name).map(|column| column.type_) {
                None => wrong(format!("{name:?} is not a column of spec.schema")),
                Some(ColumnType::Timestamp | ColumnType::Int32 | ColumnType::Int64) => None,
                Some(_) => wrong(format!("{name:?} is not of type timestamp, int32 or int64")),
            },
            (_, Some(_)) => wrong("counts with load: watermark only".into()),
            (_, None) => None,
        }
    }
}

/// The files of a Delta table are not rows that were added: they are written anew when it is compacted.
pub const NEW_FILES_OF_DELTA: &str = "newFiles and merge are not for Delta tables, whose files are written anew when they are compacted; use full or watermark";

impl CsvOptions {
    fn check(&self) -> Vec<FieldError> {
        let one = |text: &str| matches!(text.as_bytes(), [byte] if byte.is_ascii() && !b"\r\n\0".contains(byte));
        let mut errors = Vec::new();
        if self.delimiter.as_ref().is_some_and(|delimiter| !one(delimiter)) {
            errors.push(FieldError::new("spec.source.csv.delimiter", "must be one ASCII character"));
        }
        if !self.quote.is_empty() && !one(&self.quote) {
            errors.push(FieldError::new("spec.source.csv.quote", "must be one ASCII character, or empty"));
        }
        if self.delimiter.as_ref().is_some_and(|delimiter| *delimiter == self.quote) {
            errors.push(FieldError::new("spec.source.csv.quote", "must differ from the delimiter"));
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Validate;

    /// The fields that are wrong with this source, of a dataset with the columns n (int64) and s (string).
    fn check(source: serde_json::Value, wrong: &[&str]) {
        let spec = serde_json::json!({
            "owner": "a", "source": source, "schema": [{"name": "n", "type": "int64"}, {"name": "s", "type": "string"}]
        });
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let fields: Vec<String> = spec.validate().into_iter().map(|error| error.field).collect();
        let wrong: Vec<String> = wrong.iter().map(|field| format!("spec.source.{field}")).collect();
        assert_eq!(fields, wrong, "{:?}", spec.source);
    }

    #[test]
    fn a_source_says_what_goes_together() {
        use serde_json::json;
        check(json!({"path": "a/*.csv.gz", "csv": {"delimiter": ";", "nullValues": ["NA"]}, "load": "newFiles"}), &[]);
        check(json!({"path": "a", "load": "watermark", "watermarkColumn": "n"}), &[]);
        check(json!({"path": "a", "format": "delta", "version": 3}), &[]);
        check(json!({"path": " "}), &["path"]);
        check(json!({"path": "/data/*/../etc"}), &["path"]);
        check(json!({"path": "../data/*.csv"}), &[]);
        check(json!({"path": "a", "format": "parquet", "compression": "gzip", "csv": {}}), &["csv", "compression"]);
        check(json!({"path": "a", "format": "arrow", "timeZone": "UTC"}), &["timeZone"]);
        check(json!({"path": "a", "format": "csv", "version": 3}), &["version"]);
        check(json!({"path": "a", "format": "delta", "load": "newFiles"}), &["load"]);
        check(json!({"path": "a", "load": "watermark"}), &["watermarkColumn"]);
        check(json!({"path": "a", "load": "watermark", "watermarkColumn": "s"}), &["watermarkColumn"]);
        check(json!({"path": "a", "watermarkColumn": "n"}), &["watermarkColumn"]);
        check(json!({"path": "a", "every": "1h"}), &["every"]);
        check(json!({"path": "a", "store": {"region": "eu"}}), &["store"]);
        check(json!({"path": "a", "load": "merge", "key": ["n", "s"], "sequenceBy": "n"}), &[]);
        check(json!({"path": "a", "load": "merge"}), &["key"]);
        check(json!({"path": "a", "load": "merge", "key": ["n", "n"]}), &["key"]);
        check(json!({"path": "a", "load": "merge", "key": ["x"], "sequenceBy": "s"}), &["key", "sequenceBy"]);
        check(json!({"path": "a", "key": ["n"]}), &["key"]);
        check(json!({"path": "a", "sequenceBy": "n"}), &["sequenceBy"]);
        check(json!({"path": "a", "format": "delta", "load": "merge", "key": ["n"]}), &["load"]);
        check(json!({"path": "a", "csv": {"delimiter": "||", "quote": "ä"}}), &["csv.delimiter", "csv.quote"]);
        check(json!({"path": "a", "csv": {"delimiter": "\"",}}), &["csv.quote"]);
    }

    #[test]
    fn a_database_is_in_place_of_a_path() {
        use serde_json::json;
        let with = |more: serde_json::Value| {
            let mut source = json!({"postgres": {"connection": {"secret": "db"}, "table": "sales.orders"}});
            source.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            source
        };
        check(with(json!({"every": "10s", "timeZone": "UTC"})), &[]);
        check(with(json!({"load": "watermark", "watermarkColumn": "n"})), &[]);
        check(with(json!({"path": "a"})), &["postgres"]);
        check(json!({}), &["path"]);
        check(with(json!({"every": "9s"})), &["every"]);
        check(with(json!({"load": "newFiles"})), &["load"]);
        check(with(json!({"format": "csv", "csv": {}, "store": {}})), &["format", "csv", "store"]);
        check(with(json!({"load": "watermark"})), &["watermarkColumn"]);
        for (postgres, wrong) in [
            (json!({"connection": {"secret": " "}, "table": "a.b.c"}), &["connection.secret", "table"][..]),
            (json!({"connection": {"secret": "db", "key": ""}, "table": ".b"}), &["connection.key", "table"]),
            (json!({"connection": {"secret": "db"}, "table": "a", "query": "SELECT 1"}), &["query"]),
            (json!({"connection": {"secret": "db"}}), &["table"]),
            (json!({"connection": {"secret": "db"}, "query": " ", "timeout": "2d"}), &["query", "timeout"]),
        ] {
            let wrong: Vec<String> = wrong.iter().map(|field| format!("postgres.{field}")).collect();
            check(json!({ "postgres": postgres }), &wrong.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_url_tells_where_and_no_secret() {
        use serde_json::json;
        check(json!({"path": "s3://b/2013/*.csv", "load": "newFiles", "every": "1m"}), &[]);
        check(json!({"path": "s3://b/x", "store": {"endpoint": "http://127.0.0.1:7072", "region": "eu"}}), &[]);
        check(json!({"path": "https://host/a/b.csv", "store": {"credentials": "key"}}), &[]);
        for path in ["s3://", "s3:///x", "s3://b*/x", "s3://key:secret@b/x", "ftp://h/x", "gs://b/x", "https://h"] {
            check(json!({ "path": path }), &["path"]);
        }
        for path in ["https://a:b@h/x.csv", "https://h/x.csv?token=1", "https://h/*.csv"] {
            check(json!({ "path": path }), &["path"]);
        }
        check(json!({"path": "s3://b/t", "format": "delta"}), &["format"]);
        check(json!({"path": "https://h/x.csv", "store": {"endpoint": "https://h"}}), &["store.endpoint"]);
        for endpoint in ["h", "https://", "https://u@h", "ftp://h"] {
            check(json!({"path": "s3://b/x", "store": {"endpoint": endpoint}}), &["store.endpoint"]);
        }
    }
}
