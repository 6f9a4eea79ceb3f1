//! A fresh session: no state of an earlier query, no table but the registered ones.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::datasource::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};
use url::Url;

use super::QueryError;
use super::partitioned::Partitioned;
use crate::delta::{Table, TableError};

/// In how many parts rows are read side by side.
pub const PARTS: usize = 2;

pub(super) fn new(runtime: Arc<RuntimeEnv>) -> SessionContext {
    SessionContext::new_with_config_rt(config(), runtime)
}

/// One that only reads and plans expressions.
pub(crate) fn bare() -> SessionContext {
    SessionContext::new_with_config(config())
}

pub(crate) fn config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(PARTS).with_information_schema(false);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".into());
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.pushdown_filters = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    config
}

/// Registers the files of one table version; files of other versions are not seen.
pub(super) fn register(context: &SessionContext, alias: &str, table: &Table) -> Result<(), QueryError> {
    let name = TableReference::bare(alias);
    if context.table_exist(name.clone()).map_err(|error| engine(&error))? {
        return Err(QueryError::TwoTables { alias: alias.to_owned() });
    }
    context.register_table(name, provider(table)?).map_err(|error| engine(&error))?;
    Ok(())
}

/// The files of one table version.
pub(crate) fn provider(table: &Table) -> Result<Arc<dyn TableProvider>, QueryError> {
    let layout = table.layout()?;
    if !layout.partition_by.is_empty() {
        return Ok(Arc::new(Partitioned::new(table, layout)?));
    }
    let schema = layout.schema;
    let files = table.paths()?;
    if files.is_empty() {
        return Ok(Arc::new(MemTable::try_new(schema, vec![vec![]]).map_err(|error| engine(&error))?));
    }
    let urls = files.iter().map(|path| {
        let url = Url::from_file_path(path).map_err(|()| TableError::BadName { name: path.display().to_string() });
        ListingTableUrl::parse(url?).map_err(|error| engine(&error))
    });
    let urls = urls.collect::<Result<Vec<_>, QueryError>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config).map_err(|error| engine(&error))?))
}

fn engine(error: &datafusion::error::DataFusionError) -> QueryError {
    QueryError::Failed { why: error.strip_backtrace() }
}
