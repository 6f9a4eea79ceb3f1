//! A look at some of the values of each column, and what comes of it.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use bedplate_kinds::{Column, ColumnType, PiiSuggestion};

use super::PiiKind;
use super::rule::{has_rule, judge};

/// Values of a column that are looked at: of a batch, and in all.
const OF_A_BATCH: usize = 100;
const IN_ALL: u64 = 10_000;

/// A name alone is believed so far.
const BY_NAME: f64 = 0.5;
/// So large a part of the values must look alike.
const MOST: f64 = 0.8;
/// Fewer values prove nothing by themselves, and as many disprove a name.
const FEW: u64 = 5;

/// Looks at rows as they go by. What it holds is a few counts a column.
#[derive(Debug)]
pub struct Sampler {
    columns: Vec<Sampled>,
}

#[derive(Debug)]
struct Sampled {
    name: String,
    type_: ColumnType,
    looked_at: u64,
    alike: BTreeMap<PiiKind, u64>,
}

impl Sampler {
    /// Of the declared columns; batches come with these columns in this order, strings as `Utf8`.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        let sampled = |column: &Column| Sampled {
            name: column.name.clone(),
            type_: column.type_,
            looked_at: 0,
            alike: BTreeMap::new(),
        };
        Self { columns: columns.iter().map(sampled).collect() }
    }

    pub fn observe(&mut self, batch: &RecordBatch) {
        self.columns.iter_mut().zip(batch.columns()).for_each(|(column, array)| column.observe(array));
    }

    /// What each column may hold, the surest first.
    #[must_use]
    pub fn finish(self) -> Vec<PiiSuggestion> {
        let mut all: Vec<PiiSuggestion> = self.columns.iter().filter_map(Sampled::suggestion).collect();
        all.sort_by(|one, other| {
            other.confidence.total_cmp(&one.confidence).then_with(|| one.column.cmp(&other.column))
        });
        all
    }
}

impl Sampled {
    fn observe(&mut self, array: &ArrayRef) {
        if self.looked_at >= IN_ALL {
            return;
        }
        // Spread over the batch, where it is long.
        let step = (array.len() / OF_A_BATCH).max(1);
        for row in (0..array.len()).step_by(step).take(OF_A_BATCH).filter(|row| array.is_valid(*row)) {
            match self.type_ {
                ColumnType::String => {
                    let Some(texts) = array.as_string_opt::<i32>() else { return };
                    self.look(texts.value(row));
                }
                ColumnType::Int64 => {
                    let Some(numbers) = array.as_primitive_opt::<Int64Type>() else { return };
                    self.look(&numbers.value(row).to_string());
                }
                _ => return,
            }
        }
    }

    fn look(&mut self, value: &str) {
        self.looked_at += 1;
        if let Some(kind) = judge(value) {
            *self.alike.entry(kind).or_default() += 1;
        }
    }

    fn suggestion(&self) -> Option<PiiSuggestion> {
        let named = PiiKind::named(&self.name).filter(|kind| self.may_hold(*kind));
        let seen = self.alike.iter().max_by_key(|(_, count)| **count);
        let seen = seen.map(|(kind, count)| (*kind, *count as f64 / self.looked_at as f64));
        let enough = self.looked_at >= FEW;
        match (named, seen) {
            (Some(named), Some((kind, part))) if named == kind && part >= MOST => {
                self.tell(kind, 1.0 - (1.0 - part * 0.98) * BY_NAME, &format!("its name, and {}", self.part(kind)))
            }
            (_, Some((kind, part))) if enough && part >= MOST => self.tell(kind, part * 0.95, &self.part(kind)),
            // Values of which nearly none looks like it disprove the name.
            (Some(named), _) if has_rule(named) && enough => None,
            (Some(named), _) => self.tell(named, BY_NAME, "its name"),
            _ => None,
        }
    }

    /// A yes or no about an address is none, nor is a number of phones.
    fn may_hold(&self, kind: PiiKind) -> bool {
        match self.type_ {
            ColumnType::String => true,
            ColumnType::Int64 => matches!(kind, PiiKind::Phone | PiiKind::CreditCard | PiiKind::NationalId),
            ColumnType::Timestamp => kind == PiiKind::DateOfBirth,
            _ => false,
        }
    }

    fn part(&self, kind: PiiKind) -> String {
        let alike = self.alike.get(&kind).copied().unwrap_or_default();
        format!("{:.0} % of {} values", 100.0 * alike as f64 / self.looked_at as f64, self.looked_at)
    }

    fn tell(&self, kind: PiiKind, confidence: f64, evidence: &str) -> Option<PiiSuggestion> {
        Some(PiiSuggestion {
            column: self.name.clone(),
            kind: kind.as_str().to_owned(),
            confidence: (confidence * 100.0).round() / 100.0,
            evidence: evidence.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int64Array, StringArray};

    use super::*;

    fn of(name: &str, type_: ColumnType, array: ArrayRef) -> Option<PiiSuggestion> {
        let column = Column { name: name.into(), type_, nullable: true, outcome: false, description: String::new() };
        let mut sampler = Sampler::new(&[column]);
        sampler.observe(&RecordBatch::try_from_iter_with_nullable([(name, array, true)]).unwrap());
        sampler.finish().pop()
    }

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(values.iter().map(|value| Some(*value).filter(|value| !value.is_empty())).collect::<StringArray>())
    }

    #[track_caller]
    fn check(name: &str, values: &[&str], expect: Option<(&str, f64)>) {
        let found = of(name, ColumnType::String, texts(values));
        assert_eq!(found.as_ref().map(|one| (one.kind.as_str(), one.confidence)), expect, "{found:?}");
        if let Some(found) = found {
            assert!(values.iter().all(|value| value.is_empty() || !found.evidence.contains(value)), "{found:?}");
        }
    }

    #[test]
    fn names_and_values_make_each_other_surer() {
        let mails = ["a@example.org", "b@example.org", "", "c@example.org", "d@example.org", "e@example.org"];
        check("contact", &mails, Some(("email", 0.95)));
        check("email", &mails, Some(("email", 0.99)));
        check("email", &mails[..2], Some(("email", 0.99)));
        // Two values prove nothing, and a name alone little.
        check("contact", &mails[..2], None);
        check("email", &[], Some(("email", 0.5)));
        check("surname", &["Ada", "Bob"], Some(("person-name", 0.5)));
        // One of them in five is another thing: it is less sure.
        let some = ["a@example.org", "b@example.org", "c@example.org", "d@example.org", "none"];
        check("contact", &some, Some(("email", 0.76)));
    }

    #[test]
    fn values_disprove_a_name_and_a_few_look_alikes_prove_nothing() {
        check("mail", &["sent", "sent", "bounced", "sent", "opened"], None);
        check("phone", &["iPhone", "Pixel", "iPhone", "Galaxy", "Pixel"], None);
        let mixed = ["a@example.org", "x", "y", "z", "u", "v"];
        check("note", &mixed, None);
        check("tailnum", &["N14228", "N24211", "N619AA", "N804JB", "N668DN"], None);
    }

    #[test]
    fn numbers_and_times_are_looked_at_too() {
        let cards = [
            4_111_111_111_111_111,
            5_500_000_000_000_004,
            378_282_246_310_005,
            4_111_111_111_111_111,
            5_555_555_555_554_444,
        ];
        let found = of("paid_with", ColumnType::Int64, Arc::new(Int64Array::from(cards.to_vec()))).unwrap();
        assert_eq!((found.kind.as_str(), found.evidence.as_str()), ("credit-card", "100 % of 5 values"));
        // One in ten has the right check digit by chance.
        let counting: Int64Array = (0..1_000).map(|n| 4_000_000_000_000_000 + n).collect();
        assert_eq!(of("id", ColumnType::Int64, Arc::new(counting)), None);
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        assert_eq!(of("email_sent", ColumnType::Boolean, flags), None);
    }

    #[test]
    fn a_long_table_is_looked_at_here_and_there() {
        let column = Column {
            name: "c".into(),
            type_: ColumnType::String,
            nullable: true,
            outcome: false,
            description: String::new(),
        };
        let mut sampler = Sampler::new(&[column]);
        let values: StringArray = (0..8_192).map(|n| Some(format!("u{n}@example.org"))).collect();
        let batch = RecordBatch::try_from_iter([("c", Arc::new(values) as ArrayRef)]).unwrap();
        (0..1_000).for_each(|_| sampler.observe(&batch));
        assert_eq!(sampler.finish()[0].evidence, "100 % of 10000 values");
    }
}
