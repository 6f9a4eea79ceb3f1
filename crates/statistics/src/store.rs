//! What was served, kept: a row for each version of a view, hour and process. Processes write beside each other, so a
//! restart begins a row of its own and needs nothing from before.

use bedplate_db::{DbError, Tx};
use bedplate_sketches::RowSample;

use crate::columns::Columns;
use crate::{FeatureStatistics, SAMPLE, ServedHour, StatisticsError};

/// What was served of a version of a view in some hours.
#[derive(Clone, Debug)]
pub struct ServedWindow {
    /// When the first and the last hour with rows began.
    pub hours: Option<(i64, i64)>,
    /// Rows, looked at or not.
    pub served: u64,
    pub sample: RowSample,
}

impl ServedWindow {
    /// What is told of each feature, of the rows that were looked at and are still there.
    ///
    /// # Errors
    /// When there are not as many names as features.
    pub fn told(&self, names: Vec<String>) -> Result<Vec<FeatureStatistics>, StatisticsError> {
        let mut columns = Columns::new(names, 1);
        for row in 0..self.sample.len() {
            columns.take(0, self.sample.row(row))?;
        }
        Ok(columns.finish(self.served > self.sample.len() as u64)?.0)
    }
}

/// An hour as it is written. Made beforehand: the database's writer has other things to do.
#[derive(Clone, Debug)]
pub struct WrittenHour {
    view: String,
    hour: i64,
    served: u64,
    sample: Vec<u8>,
}

impl From<&ServedHour> for WrittenHour {
    fn from(hour: &ServedHour) -> Self {
        Self { view: hour.view.clone(), hour: hour.hour, served: hour.served, sample: hour.sample.to_bytes() }
    }
}

/// Keeps what `source`, a process, tells of its hours, in place of what it told before.
pub fn write(tx: &mut dyn Tx, source: &str, hours: &[WrittenHour]) -> Result<(), DbError> {
    let sql = "INSERT INTO served_statistics (view, hour, source, served, sample) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (view, hour, source) DO UPDATE SET served = EXCLUDED.served, sample = EXCLUDED.sample";
    for WrittenHour { view, hour, served, sample } in hours {
        let served = served.cast_signed();
        let row = [view.as_str().into(), (*hour).into(), source.into(), served.into(), sample.clone().into()];
        tx.execute(sql, &row)?;
    }
    Ok(())
}

/// The hours that began from `from` on and before `to`, put together; `width` is the number of the view's features.
pub fn read(tx: &mut dyn Tx, view: &str, width: usize, (from, to): (i64, i64)) -> Result<ServedWindow, DbError> {
    let sql = "SELECT hour, served, sample FROM served_statistics WHERE view = $1 AND hour >= $2 AND hour < $3
        ORDER BY hour, source";
    let mut window = ServedWindow { hours: None, served: 0, sample: RowSample::new(width, SAMPLE) };
    for row in tx.query(sql, &[view.into(), from.into(), to.into()])? {
        // Another version of the platform may have written it in another form.
        let Some(sample) = RowSample::from_bytes(row.blob(2)?).filter(|sample| sample.width() == width) else {
            continue;
        };
        let hour = row.int(0)?;
        window.hours = Some((window.hours.map_or(hour, |(first, _)| first), hour));
        window.served += row.int(1)?.cast_unsigned();
        window.sample.merge(&sample);
    }
    Ok(window)
}

/// Forgets the hours that began before `hour`.
pub fn forget(tx: &mut dyn Tx, hour: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM served_statistics WHERE hour < $1", &[hour.into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use bedplate_db::Db;
    use bedplate_sketches::mixed;

    use super::*;
    use crate::{HOUR, MIGRATIONS};

    fn hour(view: &str, hour: i64, rows: u64, seed: u64) -> WrittenHour {
        let mut sample = RowSample::new(1, 100);
        (0..rows).for_each(|row| sample.take(mixed(seed ^ mixed(row)), [seed as f64]));
        (&ServedHour { view: view.into(), hour: hour * HOUR, served: 10 * rows, sample }).into()
    }

    fn kept(db: &Db) {
        let told = [hour("a/v@1", 1, 5, 1), hour("a/v@2", 1, 7, 1), hour("a/v@1", 3, 2, 3)];
        db.write(move |tx| write(tx, "one", &told)).unwrap();
        // The same process tells of the hour again, another one of its own.
        let again = [hour("a/v@1", 1, 6, 1)];
        db.write(move |tx| write(tx, "one", &again)).unwrap();
        let other = [hour("a/v@1", 1, 4, 9)];
        db.write(move |tx| write(tx, "two", &other)).unwrap();
        let of = |from: i64, to: i64| {
            let window = db.read(|tx| read(tx, "a/v@1", 1, (from * HOUR, to * HOUR))).unwrap();
            (window.hours.map(|(first, last)| (first / HOUR, last / HOUR)), window.served, window.sample.len())
        };
        assert_eq!(of(0, 10), (Some((1, 3)), 120, 12));
        assert_eq!((of(1, 3), of(2, 3)), ((Some((1, 1)), 100, 10), (None, 0, 0)));
        let wrong_width = db.read(|tx| read(tx, "a/v@1", 2, (0, 10 * HOUR))).unwrap();
        assert_eq!((wrong_width.hours, wrong_width.sample.len()), (None, 0));
        db.write(|tx| forget(tx, 2 * HOUR)).unwrap();
        assert_eq!(of(0, 10), (Some((3, 3)), 20, 2));
    }

    #[test]
    fn processes_and_hours_are_put_together() {
        let folder = tempfile::tempdir().unwrap();
        kept(&Db::open(&folder.path().join("t.db"), MIGRATIONS).unwrap());
        if let Some(server) = bedplate_testkit::Postgres::shared("served statistics on PostgreSQL") {
            kept(&Db::connect(&server.database(), MIGRATIONS).unwrap());
        }
    }
}
