//! Complete series: in every group, a row for each step between the first and the last time.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::RowConverter;
use bedplate_types::Span;

use super::evidence::value;
use super::unique::{project, row_converter};

/// More groups than this are not listed one by one.
const SHOWN: usize = 10;

#[derive(Debug)]
pub(super) struct Series {
    time: usize,
    every: Span,
    by: Vec<usize>,
    converter: RowConverter,
    groups: HashMap<Box<[u8]>, Group>,
}

#[derive(Debug, Default)]
struct Group {
    label: String,
    times: HashSet<i64>,
}

/// What a series lacks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gaps {
    /// Steps between first and last, over all groups.
    pub expected: u64,
    pub missing: u64,
    pub detail: String,
}

impl Series {
    pub fn new(time: usize, every: Span, by: Vec<usize>, types: &[DataType]) -> Result<Self, ArrowError> {
        Ok(Self { time, every, by, converter: row_converter(types)?, groups: HashMap::new() })
    }

    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.by.iter().copied().chain([self.time])
    }

    pub fn observe(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if self.by.is_empty() {
            let times = &mut self.groups.entry(Box::default()).or_default().times;
            times.extend(batch.column(self.time).as_primitive::<TimestampMicrosecondType>().iter().flatten());
            return Ok(());
        }
        let keys = self.converter.convert_columns(&project(batch, &self.by))?;
        let times = batch.column(self.time).as_primitive::<TimestampMicrosecondType>();
        for (row, key) in keys.iter().enumerate().filter(|(row, _)| times.is_valid(*row)) {
            let group = match self.groups.get_mut(key.as_ref()) {
                Some(group) => group,
                None => self.groups.entry(key.as_ref().into()).or_default(),
            };
            if group.times.is_empty() {
                group.label = label(batch, &self.by, row);
            }
            group.times.insert(times.value(row));
        }
        Ok(())
    }

    pub fn finish(self) -> Gaps {
        let every = self.every.micros();
        let groups = self.groups.into_values().map(|group| (group.label, steps(&group.times, every)));
        let groups: BTreeMap<String, Steps> = groups.collect();
        let expected = groups.values().map(|steps| steps.expected).sum();
        let missing = groups.values().map(|steps| steps.expected - steps.present).sum();
        Gaps { expected, missing, detail: detail(&groups, self.every, missing) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Steps {
    expected: u64,
    present: u64,
}

/// A time fills the step it falls in, counted from the group's first time.
fn steps(times: &HashSet<i64>, every: i64) -> Steps {
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Steps { expected: 0, present: 0 };
    };
    let step = |time: i64| (i128::from(time) - i128::from(*first)) / i128::from(every);
    let present: HashSet<i128> = times.iter().map(|time| step(*time)).collect();
    let expected = u64::try_from(step(*last) + 1).unwrap_or(u64::MAX);
    Steps { expected, present: present.len() as u64 }
}

fn label(batch: &RecordBatch, by: &[usize], row: usize) -> String {
    by.iter().map(|column| value(batch.column(*column), row)).collect::<Vec<_>>().join("/")
}

/// `EWR 24, JFK 24, LGA 27 hours missing`.
fn detail(groups: &BTreeMap<String, Steps>, every: Span, missing: u64) -> String {
    let unit = unit(every);
    if missing == 0 {
        return format!("no {unit} missing");
    }
    let lacking: Vec<String> = groups
        .iter()
        .filter(|(_, steps)| steps.expected > steps.present)
        .map(|(label, steps)| format!("{label} {}", steps.expected - steps.present).trim_start().to_owned())
        .collect();
    let more = lacking.len().saturating_sub(SHOWN);
    let shown = lacking[..lacking.len() - more].join(", ");
    if more > 0 {
        return format!("{shown} and {more} more groups: {missing} {unit} missing");
    }
    format!("{shown} {unit} missing")
}

fn unit(every: Span) -> String {
    match every.to_string().as_str() {
        "1w" => "weeks".into(),
        "1d" => "days".into(),
        "1h" => "hours".into(),
        "1m" => "minutes".into(),
        "1s" => "seconds".into(),
        other => format!("steps of {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn batch(rows: &[(Option<&str>, Option<i64>)]) -> RecordBatch {
        let names: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>());
        let times: TimestampMicrosecondArray = rows.iter().map(|row| row.1.map(|hour| hour * HOUR)).collect();
        RecordBatch::try_from_iter([("origin", names), ("at", Arc::new(times) as ArrayRef)]).unwrap()
    }

    fn gaps(by: Vec<usize>, batches: &[RecordBatch]) -> Gaps {
        let types = vec![DataType::Utf8; by.len()];
        let mut series = Series::new(1, Span::from_micros(HOUR), by, &types).unwrap();
        batches.iter().for_each(|batch| series.observe(batch).unwrap());
        series.finish()
    }

    #[test]
    fn counts_missing_steps_by_group_over_batches_in_any_order() {
        let first =
            batch(&[(Some("LGA"), Some(9)), (Some("EWR"), Some(1)), (Some("JFK"), Some(4)), (Some("EWR"), None)]);
        let second = batch(&[(Some("EWR"), Some(3)), (Some("LGA"), Some(5)), (Some("LGA"), Some(9)), (None, Some(2))]);
        let gaps = gaps(vec![0], &[first, second]);
        assert_eq!((gaps.expected, gaps.missing), (3 + 1 + 5 + 1, 1 + 3));
        assert_eq!(gaps.detail, "EWR 1, LGA 3 hours missing");
    }

    #[test]
    fn without_groups_it_is_one_series() {
        let rows = batch(&[(None, Some(0)), (None, Some(2)), (None, Some(3))]);
        assert_eq!(gaps(vec![], std::slice::from_ref(&rows)).detail, "1 hours missing");
        assert_eq!(gaps(vec![], &[]), Gaps { expected: 0, missing: 0, detail: "no hours missing".into() });
    }
}
