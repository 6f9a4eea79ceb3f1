//! The sample: entities of both sides, and which of their moments are asked about.

use bedplate_features::{EntityKey, EntitySample, NewestKnown};
use bedplate_offline::{Sources, gathered};
use bedplate_online::{Go, OnlineStore};
use tokio_util::sync::CancellationToken;

use crate::subject::MOST_ROWS;
use crate::{How, ParityError, Subject};

/// What the two sides have.
pub struct Sampled {
    pub source: EntitySample,
    pub online: EntitySample,
    /// The entities that are looked at.
    pub asked: Vec<Asked>,
    /// How many were drawn and have too many rows.
    pub left_out: u64,
}

/// An entity and the moments it is asked about, rising.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: EntityKey,
    pub moments: Vec<i64>,
    /// Whether the source has rows of it that are said to be online, and whether there are rows online.
    pub in_source: bool,
    pub online: bool,
}

/// Rows between two looks at whether anybody still waits.
const LOOK: u64 = 4_096;

/// One pass over the source, and one over what is stored of the view.
pub async fn sample(
    sources: &impl Sources,
    online: &OnlineStore,
    subject: &Subject,
    how: &How,
    cancel: &CancellationToken,
) -> Result<Sampled, ParityError> {
    let fresh = || EntitySample::new(how.seed, how.entities);
    let (definition, brought) = (subject.view.definition.clone(), subject.brought);
    let take = move |sample: &mut EntitySample, batch: &_| sample.take(&definition, batch, brought);
    let source = gathered(sources, &subject.view, fresh, take, EntitySample::merge).await?;
    let stored = stored(online.clone(), subject.clone(), fresh(), cancel.clone());
    let online = tokio::task::spawn_blocking(stored).await.map_err(|_| ParityError::Stopped)??;
    Ok(drawn(subject, how, source, online))
}

fn stored(
    online: OnlineStore,
    subject: Subject,
    mut sample: EntitySample,
    cancel: CancellationToken,
) -> impl FnOnce() -> Result<EntitySample, ParityError> {
    move || {
        let join_keys = subject.view.definition.join_keys.len();
        online.each_row(&subject.online_id, join_keys, |key, time| {
            sample.take_row(key, time);
            let is_over = sample.rows().is_multiple_of(LOOK) && cancel.is_cancelled();
            if is_over { Go::NoFurther } else { Go::On }
        })?;
        if cancel.is_cancelled() { Err(ParityError::Stopped) } else { Ok(sample) }
    }
}

/// The entities of the lowest places in both, with their moments, as long as their rows may be held.
fn drawn(subject: &Subject, how: &How, source: EntitySample, online: EntitySample) -> Sampled {
    let mut keys: Vec<(u64, EntityKey)> =
        source.drawn().chain(online.drawn()).map(|drawn| (source.place_of(&drawn.key), drawn.key.clone())).collect();
    keys.sort();
    keys.dedup();
    keys.truncate(how.entities);
    let newest = source.newest_brought().max(online.newest());
    let has_windows = subject.view.definition.longest_window().is_some();
    let (mut asked, mut left_out, mut rows) = (Vec::new(), 0, 0);
    for (_, key) in keys {
        let (here, there) = (source.get(&key), online.get(&key));
        let more = if has_windows { here.map_or(0, |drawn| drawn.rows) } else { 0 };
        if rows + more > MOST_ROWS {
            left_out += 1;
            continue;
        }
        rows += more;
        let mut moments = match (how.at, &subject.view.definition.timestamp) {
            (Some(at), _) => vec![at.micros()],
            (None, None) => vec![how.now.micros()],
            (None, Some(_)) => [here.map(|drawn| drawn.moment), there.map(|drawn| drawn.moment), newest]
                .into_iter()
                .flatten()
                .collect(),
        };
        moments.sort_unstable();
        moments.dedup();
        asked.push(Asked { moments, in_source: here.is_some(), online: there.is_some(), key });
    }
    Sampled { source, online, asked, left_out }
}

/// When the newest row that is said to be online became known in the source, for a few entities and moments.
pub async fn known(
    sources: &impl Sources,
    subject: &Subject,
    asked: &[(EntityKey, i64)],
) -> Result<Vec<Option<i64>>, ParityError> {
    let (definition, brought) = (subject.view.definition.clone(), subject.brought);
    let take = move |known: &mut NewestKnown, batch: &_| known.take(&definition, batch, brought);
    let known = gathered(sources, &subject.view, || NewestKnown::new(asked), take, NewestKnown::merge).await?;
    Ok(known.finish())
}
