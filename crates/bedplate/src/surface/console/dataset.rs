//! A dataset's page: its declaration, the profile as far as it may be seen, its ingests.

use bedplate_console::{ColumnFacts, ColumnProfile, Dataset, IngestRow, Shape, Spread, State};
use bedplate_controllers::{DatasetProfile, IngestResult};
use bedplate_kinds::{Column, ColumnType, Dataset as Declared, DatasetSpec};
use bedplate_lake::profile::{ColumnProfile as Gathered, Numbers, Values};
use bedplate_types::Timestamp;
use kube::ResourceExt;

use super::state;

/// What else of it there is.
pub struct Around {
    /// Without the values that may not be seen.
    pub profile: Option<DatasetProfile>,
    /// The newest first.
    pub ingests: Vec<IngestResult>,
    pub used_by: Vec<String>,
}

pub fn page(dataset: &Declared, around: Around) -> Dataset {
    let (spec, status) = (&dataset.spec, dataset.status.clone().unwrap_or_default());
    let profile = around.profile.as_ref();
    let terms = |of: Option<&str>| -> Vec<String> {
        let terms = spec.terms.iter().filter(|term| term.column.as_deref() == of);
        terms.map(|term| term.term.clone()).collect()
    };
    let columns = spec.schema.iter().map(|declared| {
        let gathered = profile.and_then(|profile| {
            let found = profile.profile.columns.iter().find(|column| column.name == declared.name);
            found.map(|column| self::gathered(column, profile.profile.rows))
        });
        let mut facts = column(spec, declared, terms(Some(&declared.name)), gathered);
        let suggestion = dataset.open_suggestion(&declared.name);
        facts.suggestions = suggestion.map(|one| format!("{} ({})", one.kind, one.evidence)).into_iter().collect();
        facts
    });
    Dataset {
        namespace: dataset.namespace().unwrap_or_default(),
        name: dataset.name_any(),
        description: spec.description.clone(),
        owner: spec.owner.clone(),
        classification: spec.classification.as_str().to_owned(),
        tags: spec.tags.iter().map(|(key, value)| format!("{key}:{value}")).collect(),
        terms: terms(None),
        state: if status.quarantined > 0 { State::Attention } else { state(status.phase) },
        rows: status.rows,
        quarantined: status.quarantined,
        version: status.version,
        profiled: profile.map(|profile| (profile.version, profile.at)),
        columns: columns.collect(),
        ingests: around.ingests.into_iter().map(ingest).collect(),
        used_by: around.used_by,
    }
}

fn column(spec: &DatasetSpec, declared: &Column, terms: Vec<String>, profile: Option<ColumnProfile>) -> ColumnFacts {
    let mask = spec.mask(&declared.name);
    let tags = mask.iter().flat_map(|mask| &mask.tags).map(|(key, value)| format!("{key}:{value}"));
    ColumnFacts {
        name: declared.name.clone(),
        type_: type_name(declared.type_).to_owned(),
        description: declared.description.clone(),
        mask: mask.map(|mask| format!("{:?}", mask.mask).to_lowercase()),
        classification: mask
            .and_then(|mask| mask.classification)
            .map(|classification| classification.as_str().to_owned()),
        tags: tags.collect(),
        terms,
        suggestions: Vec::new(),
        profile,
    }
}

const fn type_name(type_: ColumnType) -> &'static str {
    match type_ {
        ColumnType::String => "string",
        ColumnType::Int32 => "int32",
        ColumnType::Int64 => "int64",
        ColumnType::Float64 => "float64",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp",
    }
}

pub fn gathered(column: &Gathered, rows: u64) -> ColumnProfile {
    ColumnProfile {
        missing: if rows == 0 { 0.0 } else { column.nulls as f64 / rows as f64 },
        distinct: column.distinct,
        distinct_estimated: column.distinct_estimated,
        shape: shape(column, rows - column.nulls.min(rows)),
    }
}

fn shape(column: &Gathered, present: u64) -> Shape {
    match &column.values {
        None => Shape::Hidden,
        Some(_) if present == 0 => Shape::Nothing,
        Some(Values::Numbers(numbers)) => spread(numbers, column.type_).map_or(Shape::Nothing, Shape::Numbers),
        Some(Values::Texts(texts)) => {
            Shape::Texts(texts.top.iter().map(|one| (one.value.clone(), one.count)).collect())
        }
        Some(Values::Booleans(yes)) => Shape::Booleans(*yes, present - yes.min(&present)),
    }
}

fn spread(numbers: &Numbers, type_: ColumnType) -> Option<Spread> {
    let median = numbers.quantiles.iter().find(|quantile| quantile.at == 0.5)?.value;
    let figure = |number| figure(number, type_);
    Some(Spread {
        least: figure(numbers.min?),
        median: figure(median),
        mean: figure(numbers.mean?),
        greatest: figure(numbers.max?),
        counts: numbers.histogram.as_ref()?.counts.clone(),
    })
}

/// Four significant digits, or the day: a cell has no room for more.
fn figure(number: f64, type_: ColumnType) -> String {
    if type_ == ColumnType::Timestamp {
        let whole = Timestamp::from_micros(number as i64).to_string();
        return whole.split('T').next().unwrap_or_default().to_owned();
    }
    if number != 0.0 && !(1e-3..1e9).contains(&number.abs()) {
        return format!("{number:.3e}");
    }
    let places = (3 - number.abs().max(1.0).log10().floor() as i32).clamp(0, 4) as usize;
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn ingest(result: IngestResult) -> IngestRow {
    let unmet = result.outcomes.iter().filter(|outcome| !outcome.passed);
    IngestRow {
        at: result.at,
        version: result.version,
        rows: result.rows,
        quarantined: result.quarantined,
        expectations: result.outcomes.len(),
        unmet: unmet.map(|outcome| format!("{}: {}", outcome.name, outcome.detail)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_room_in_a_cell() {
        let check = |number, expect| assert_eq!(figure(number, ColumnType::Float64), expect);
        check(0.0, "0");
        check(-1.5, "-1.5");
        check(1048.358, "1048");
        check(12.3456, "12.35");
        check(0.01234, "0.012");
        check(1.5e12, "1.500e12");
        check(1e-9, "1.000e-9");
        assert_eq!(figure(1e15, ColumnType::Timestamp), "2001-09-09");
    }
}
