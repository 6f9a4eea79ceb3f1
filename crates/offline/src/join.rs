//! The features of label rows that are in memory.

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use bedplate_features::{FeatureError, PointInTime};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use crate::spines::Spines;
use crate::{Batches, OfflineError, Sources, View};

/// How many views' sources are read at the same time. While label rows are arranged for a view, which takes one thread, another
/// view is read; but its query takes memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
    One = 1,
    Two = 2,
}

impl AtOnce {
    /// Does what takes one thread: on another while something else goes on, else here. What a thread made and others let go of is its own
    /// for a while, which counts where there is little.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match self {
            Self::One => Ok(work()),
            Self::Two => spawn_blocking(work).await,
        }
    }
}

/// One feature's values, as long as the label rows and in their order.
#[derive(Clone, Debug)]
pub struct Feature {
    /// As [`View::full_name`] says it.
    pub name: String,
    pub values: Float64Array,
}

/// The selected features of `views`, in their order, as they were known at each label row's moment.
///
/// The sources of two views are read at once, as streams on the runtime's threads. Dropping the future ends them.
///
/// # Errors
/// When a query fails, or a column is missing or has a type that cannot be used.
pub async fn join(
    sources: &impl Sources,
    labels: &RecordBatch,
    time_column: &str,
    views: &[View],
) -> Result<Vec<Feature>, OfflineError> {
    join_views(sources, labels, time_column, views, AtOnce::Two).await
}

pub(crate) async fn join_views(
    sources: &impl Sources,
    labels: &RecordBatch,
    time_column: &str,
    views: &[View],
    at_once: AtOnce,
) -> Result<Vec<Feature>, OfflineError> {
    let spines = &Spines::new(labels, time_column);
    let joining: Vec<_> = views.iter().map(|view| join_one(sources, spines, view, at_once)).collect();
    Ok(stream::iter(joining).buffered(at_once as usize).try_collect::<Vec<_>>().await?.concat())
}

async fn join_one(
    sources: &impl Sources,
    spines: &Spines<'_>,
    view: &View,
    at_once: AtOnce,
) -> Result<Vec<Feature>, OfflineError> {
    let shared = spines.shared(&view.definition);
    let spine = shared.get_or_try_init(|| spines.make(view, at_once)).await?;
    let definition = Arc::new(view.definition.clone());
    let join = || {
        let join = PointInTime::new(definition.clone(), spine.clone());
        match view.as_known_at {
            Some(moment) => join.as_known_at(moment),
            None => join,
        }
    };
    let whole = gathered(sources, view, join, |join, batch| join.take(batch), PointInTime::merge).await?;
    let values = at_once.run(move || whole.finish()).await.map_err(|_| stopped(view))?;
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
        let part = part.map_err(|_| stopped(view))??;
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

fn stopped(view: &View) -> OfflineError {
    OfflineError::Stopped { view: view.definition.name.clone() }
}
