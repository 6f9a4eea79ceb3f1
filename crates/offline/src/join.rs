//! The features of label rows that are in memory.

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use bedplate_features::{FeatureError, PointInTime, Spine, SpineShape};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::{Batches, OfflineError, Sources, View};

/// One feature's values, as long as the label rows and in their order.
#[derive(Clone, Debug)]
pub struct Feature {
    /// As [`View::full_name`] says it.
    pub name: String,
    pub values: Float64Array,
}

/// The selected features of `views`, in their order, as they were known at each label row's moment.
///
/// One view's source is read after the other, as streams on the runtime's threads. Dropping the future ends them.
///
/// # Errors
/// When a query fails, or a column is missing or has a type that cannot be used.
pub async fn join(
    sources: &impl Sources,
    labels: &RecordBatch,
    time_column: &str,
    views: &[View],
) -> Result<Vec<Feature>, OfflineError> {
    let mut features = Vec::new();
    let mut last: Option<(SpineShape, Arc<Spine>)> = None;
    for view in views {
        let shape = SpineShape::of(&view.definition);
        // Views of one entity mostly stand together.
        let spine = match last.take().filter(|(of, _)| *of == shape) {
            Some((_, spine)) => spine,
            None => Arc::new(Spine::new(&shape, labels, time_column).map_err(|error| wrong(view, error))?),
        };
        features.extend(join_one(sources, spine.clone(), view).await?);
        last = Some((shape, spine));
    }
    Ok(features)
}

async fn join_one(sources: &impl Sources, spine: Arc<Spine>, view: &View) -> Result<Vec<Feature>, OfflineError> {
    let definition = Arc::new(view.definition.clone());
    let join = || {
        let join = PointInTime::new(definition.clone(), spine.clone());
        match view.as_known_at {
            Some(moment) => join.as_known_at(moment),
            None => join,
        }
    };
    let whole = gathered(sources, view, join, |join, batch| join.take(batch), PointInTime::merge).await?;
    let values = whole.finish();
    let feature = |position: &usize| Feature { name: view.full_name(*position), values: values[*position].clone() };
    Ok(view.selected.iter().map(feature).collect())
}

/// One pass over a view's source: each part is taken in by a state of its own, on the runtime's threads, and the states are
/// merged. Dropping the future ends it.
///
/// # Errors
/// When the query fails, and what `take` returns.
pub async fn gathered<S, Make, Take>(
    sources: &impl Sources,
    view: &View,
    make: Make,
    take: Take,
    merge: impl Fn(&mut S, S),
) -> Result<S, OfflineError>
where
    S: Send + 'static,
    Make: Fn() -> S,
    Take: Fn(&mut S, &RecordBatch) -> Result<(), FeatureError> + Clone + Send + 'static,
{
    let parts = sources.parts(view).await?;
    let mut taking: JoinSet<Result<S, OfflineError>> =
        parts.into_iter().map(|rows| taken(rows, make(), take.clone(), view.definition.name.clone())).collect();
    let mut whole = None::<S>;
    while let Some(part) = taking.join_next().await {
        let part = part.map_err(|_| OfflineError::Stopped { view: view.definition.name.clone() })??;
        match &mut whole {
            Some(whole) => merge(whole, part),
            None => whole = Some(part),
        }
    }
    Ok(whole.unwrap_or_else(make))
}

async fn taken<S>(
    mut rows: Batches,
    mut state: S,
    take: impl Fn(&mut S, &RecordBatch) -> Result<(), FeatureError>,
    view: String,
) -> Result<S, OfflineError> {
    while let Some(batch) = rows.next().await.transpose()? {
        take(&mut state, &batch).map_err(|source| OfflineError::Features { view: view.clone(), source })?;
    }
    Ok(state)
}

fn wrong(view: &View, source: FeatureError) -> OfflineError {
    OfflineError::Features { view: view.definition.name.clone(), source }
}
