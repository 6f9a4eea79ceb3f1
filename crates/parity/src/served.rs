//! What the online store says.

use bedplate_features::{EntityKey, SourceRow};
use bedplate_online::OnlineStore;
use bedplate_types::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::sampled::{Asked, Sampled};
use crate::subject::MOST_ROWS;
use crate::{ParityError, Subject};

/// What is read of one entity.
pub struct Served {
    pub asked: Asked,
    /// For each moment, the features' values and when the newest row known by then became known.
    pub values: Vec<(Vec<Option<f64>>, Option<Timestamp>)>,
}

/// What is read of all, and the rows beyond those that the source was to bring.
pub struct Answers {
    pub served: Vec<Served>,
    pub pushed: Vec<SourceRow>,
    pub left_out: u64,
}

/// How often an entity is read again that is pushed to meanwhile.
const TRIES: usize = 4;

pub async fn serve(
    online: &OnlineStore,
    subject: &Subject,
    sampled: &Sampled,
    cancel: &CancellationToken,
) -> Result<Answers, ParityError> {
    let beyond = sampled.source.newest_brought();
    let reader = Reader { online: online.clone(), subject: subject.clone(), beyond, cancel: cancel.clone() };
    let (asked, left_out) = (sampled.asked.clone(), sampled.left_out);
    tokio::task::spawn_blocking(move || reader.all(asked, left_out)).await.map_err(|_| ParityError::Stopped)?
}

struct Reader {
    online: OnlineStore,
    subject: Subject,
    /// When the newest of the source's rows that are said to be there became known.
    beyond: Option<i64>,
    cancel: CancellationToken,
}

impl Reader {
    fn all(&self, asked: Vec<Asked>, left_out: u64) -> Result<Answers, ParityError> {
        let mut answers = Answers { served: Vec::new(), pushed: Vec::new(), left_out };
        for asked in asked {
            if self.cancel.is_cancelled() {
                return Err(ParityError::Stopped);
            }
            let most = usize::try_from(MOST_ROWS).unwrap_or(usize::MAX) - answers.pushed.len();
            match self.one(&asked, most)? {
                Some((values, pushed)) => {
                    answers.pushed.extend(pushed);
                    answers.served.push(Served { asked, values });
                }
                None => answers.left_out += 1,
            }
        }
        Ok(answers)
    }

    /// Values and pushed rows that belong together: of an entity that is pushed to meanwhile, both are read again. `None` where
    /// there are too many rows, or no rest.
    fn one(&self, asked: &Asked, most: usize) -> Result<Option<(Values, Vec<SourceRow>)>, ParityError> {
        let until = asked.moments.last().copied().unwrap_or(i64::MIN);
        let Some(mut before) = self.pushed(&asked.key, until, most)? else { return Ok(None) };
        for _ in 0..TRIES {
            let values = self.values(asked)?;
            let Some(after) = self.pushed(&asked.key, until, most)? else { return Ok(None) };
            if after == before {
                return Ok(Some((values, after)));
            }
            before = after;
        }
        Ok(None)
    }

    fn values(&self, asked: &Asked) -> Result<Values, ParityError> {
        let def = &self.subject.view.definition;
        let moments: Vec<_> =
            asked.moments.iter().map(|at| (Some(asked.key.clone()), Timestamp::from_micros(*at))).collect();
        let dated = self.online.read_dated(def, &self.subject.online_id, &moments)?;
        let one =
            |at: usize| ((0..def.features.len()).map(|feature| dated.value(at, feature)).collect(), dated.newest(at));
        Ok((0..dated.entities()).map(one).collect())
    }

    /// The stored rows known by `until` that the source was not to bring; `None` when there are more than `most`.
    fn pushed(&self, key: &EntityKey, until: i64, most: usize) -> Result<Option<Vec<SourceRow>>, ParityError> {
        let Subject { view, online_id, brought } = &self.subject;
        let whole = brought.whole_until().min(self.beyond.unwrap_or(i64::MIN));
        let from = if self.beyond.is_none() { i64::MIN } else { whole.saturating_add(1) };
        let found = self.online.stored(&view.definition, online_id, key, (from, until), most + 1)?;
        if found.len() > most {
            return Ok(None);
        }
        let is_beyond =
            |row: &SourceRow| self.beyond.is_none_or(|beyond| row.time > beyond) || !brought.holds(row.time);
        Ok(Some(found.into_iter().filter(is_beyond).collect()))
    }
}

type Values = Vec<(Vec<Option<f64>>, Option<Timestamp>)>;
