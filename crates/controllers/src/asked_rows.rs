//! Rows of a range of time that somebody asked to be in the online store, whichever the view brings by itself.
//!
//! The range stands in the view's status, so that whoever is killed over it goes on with it: rows that are there already are
//! recognised, and none replaces a later one, since each has its own moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bedplate_features::SourceRow;
use bedplate_kinds::{FeatureView, FeatureViewStatus, RowsAsked, RowsBrought};
use bedplate_offline::{Source, View};
use bedplate_types::{Digest, Micros, Timestamp};
use serde_json::json;
use tokio::runtime::Handle;

use crate::core::{Facts, Platform, full_name};
use crate::feature_view::online_id;
use crate::hold::{Hold, failed};
use crate::source_rows::{self, SourceRows};

/// How often it is told how far it has come.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// Returns when all of them are in the store.
pub async fn bring(
    platform: &Arc<Platform>,
    view: &FeatureView,
    status: &mut FeatureViewStatus,
    source: View,
    version: &Digest,
    asked: &RowsAsked,
) -> Result<(), Hold> {
    let brought = |rows, complete| Some(RowsBrought { asked: asked.at, rows, complete });
    let rows = Arc::new(AtomicU64::new(0));
    let loading = load(platform, view, source, version, asked.clone(), rows.clone());
    tokio::pin!(loading);
    let took = loop {
        status.rows_brought = brought(rows.load(Ordering::Relaxed), false);
        platform.write_status(view, status).await?;
        tokio::select! {
            took = &mut loading => break took?,
            () = tokio::time::sleep(TOLD_EVERY) => {}
        }
    };
    let (name, now, rows) = (full_name(view), platform.now(), rows.load(Ordering::Relaxed));
    let detail = json!({ "version": version, "rows": rows, "from": asked.from, "until": asked.until, "by": asked.by });
    let facts = Facts::default().did(now, "materialize", format!("featureviews/{name}"), detail);
    platform.record(facts.worked("materialize", &name, &view.spec.owner, took, now)).await?;
    status.rows_brought = brought(rows, true);
    Ok(())
}

async fn load(
    platform: &Arc<Platform>,
    view: &FeatureView,
    source: View,
    version: &Digest,
    asked: RowsAsked,
    count: Arc<AtomicU64>,
) -> Result<Option<Micros>, Hold> {
    let (id, name) = (online_id(&full_name(view), version), full_name(view));
    let definition = source.definition.clone();
    let is_timeless = definition.timestamp.is_none();
    let (here, runtime) = (platform.clone(), Handle::current());
    let work = move || {
        let of = || format!("materialising feature view {name}");
        let source = runtime.block_on(Source::open(&here.lake, source)).map_err(failed(of()))?;
        let is_wanted = |row: &SourceRow| is_timeless || asked.holds(Timestamp::from_micros(row.time));
        let rows = SourceRows::new(source, runtime).filter(|row| row.as_ref().map_or(true, is_wanted));
        let rows = rows.inspect(|_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        source_rows::load(&here.online, &id, &definition, rows, of())
    };
    Ok(platform.measured(work).await?.1)
}
