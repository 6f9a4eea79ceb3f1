//! A session of one statement: the tables that were opened to it, and nothing that reaches further.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::cluster;
use super::guarded::Guarded;
use super::mask::Key;
use super::{ReadError, Readable};
use crate::Lake;
use crate::delta::Table;
use crate::sql::session;

/// What stands before a namespace in a full name.
pub(super) const CATALOG: &str = "bedplate";

/// A state in which the tables of `readable` are known, by their names and by those of `namespace` and [`CATALOG`] before
/// them; `is_sent`: what is planned with it goes to a cluster.
pub(super) async fn open(
    lake: &Lake,
    runtime: Arc<RuntimeEnv>,
    namespace: &str,
    readable: &[Readable],
    key: &Key,
    is_sent: bool,
) -> Result<SessionState, ReadError> {
    let context = SessionContext::new_with_config_rt(config(namespace, is_sent), runtime);
    // They make rows of nothing, as many as one asks for.
    let functions: Vec<String> = context.state().table_functions().keys().cloned().collect();
    functions.iter().for_each(|function| context.deregister_udtf(function));
    let state = context.state();
    for table in readable {
        let location = lake.location(namespace, &table.dataset)?;
        let whole = session::provider(&Table::open(&location, Some(table.version)).await?)?;
        let guarded = Guarded::new(whole, table, &state, key)?;
        let name = TableReference::bare(table.table.as_str());
        context.register_table(name, Arc::new(guarded)).map_err(ReadError::of)?;
    }
    Ok(context.state())
}

fn config(namespace: &str, is_sent: bool) -> SessionConfig {
    let config = if is_sent { cluster::config(session::config()) } else { session::config() };
    config.with_default_catalog_and_schema(CATALOG, namespace)
}
