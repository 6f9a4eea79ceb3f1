//! What drivers ask of a server before they ask for rows: what it can, and what it has.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables, SqlInfo};

use crate::statements::Table;

/// The one catalog; its one schema is the caller's namespace.
pub(crate) const CATALOG: &str = "bedplate";
const TABLE: &str = "TABLE";

/// What the server says of itself.
pub(crate) fn server() -> Result<SqlInfoData, FlightError> {
    let mut info = SqlInfoDataBuilder::new();
    info.append(SqlInfo::FlightSqlServerName, "bedplate");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    info.append(SqlInfo::FlightSqlServerTransaction, 0i32);
    info.append(SqlInfo::FlightSqlServerCancel, false);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    info.build()
}

pub(crate) fn catalogs(query: CommandGetCatalogs) -> Result<RecordBatch, FlightError> {
    let mut catalogs = query.into_builder();
    catalogs.append(CATALOG);
    catalogs.build()
}

pub(crate) fn schemas(query: CommandGetDbSchemas, namespace: &str) -> Result<RecordBatch, FlightError> {
    let mut schemas = query.into_builder();
    schemas.append(CATALOG, namespace);
    schemas.build()
}

pub(crate) fn tables(query: CommandGetTables, namespace: &str, tables: &[Table]) -> Result<RecordBatch, FlightError> {
    let mut builder = query.into_builder();
    for table in tables {
        let none = Schema::empty();
        let schema = table.schema.as_deref().unwrap_or(&none);
        builder.append(CATALOG, namespace, &table.name, TABLE, schema)?;
    }
    builder.build()
}

pub(crate) fn table_types(query: CommandGetTableTypes) -> Result<RecordBatch, FlightError> {
    let mut types = query.into_builder();
    types.append(TABLE);
    types.build()
}

/// Nothing has keys.
pub(crate) fn primary_keys() -> Schema {
    use arrow::datatypes::{DataType, Field};
    Schema::new(vec![
        Field::new("catalog_name", DataType::Utf8, true),
        Field::new("db_schema_name", DataType::Utf8, true),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("column_name", DataType::Utf8, false),
        Field::new("key_sequence", DataType::Int32, false),
        Field::new("key_name", DataType::Utf8, true),
    ])
}
