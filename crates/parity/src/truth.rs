//! What the values should be: of all that the source has, and of what it was to bring with what was pushed.

use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch};
use bedplate_features::{Brought, PointInTime, SourceRow, Spine, SpineShape, batches};
use bedplate_offline::{OfflineError, Sources, gathered};

use crate::labels::MOMENT;
use crate::{ParityError, Subject};

/// A column for each feature, as long as the label rows.
pub struct Truth {
    /// As a training set has them.
    pub offline: Vec<Float64Array>,
    /// As they are to be online; `None` where that is the same.
    pub promised: Option<Vec<Float64Array>>,
}

/// One pass over the source.
pub async fn truth(
    sources: &impl Sources,
    subject: &Subject,
    labels: &RecordBatch,
    pushed: &[SourceRow],
) -> Result<Truth, ParityError> {
    let definition = Arc::new(subject.view.definition.clone());
    let failed = |source| OfflineError::Features { view: definition.name.clone(), source };
    let spine = Spine::new(&SpineShape::of(&definition), labels, MOMENT).map_err(failed)?;
    let spine = Arc::new(spine);
    let is_all = pushed.is_empty() && subject.brought == Brought::ALL;
    let make = || {
        let join = || PointInTime::new(definition.clone(), spine.clone());
        (join(), (!is_all).then(|| join().only(subject.brought)))
    };
    let take = |(offline, promised): &mut Joins, batch: &_| {
        offline.take(batch)?;
        promised.as_mut().map_or(Ok(()), |promised| promised.take(batch))
    };
    let (offline, mut promised) = gathered(sources, &subject.view, make, take, merge).await?;
    if let Some(promised) = &mut promised {
        for batch in batches(&definition, pushed)? {
            promised.take_pushed(&batch).map_err(failed)?;
        }
    }
    Ok(Truth { offline: offline.finish(), promised: promised.map(PointInTime::finish) })
}

type Joins = (PointInTime, Option<PointInTime>);

fn merge((offline, promised): &mut Joins, (more, more_promised): Joins) {
    offline.merge(more);
    if let (Some(promised), Some(more)) = (promised, more_promised) {
        promised.merge(more);
    }
}
