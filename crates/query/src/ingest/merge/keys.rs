//! The keys of the rows that a load brings: 16 bytes of a hash each, and where its last row stands.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};
use bedplate_kinds::{DatasetSpec, Load};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use xxhash_rust::xxh3::xxh3_128;

use super::{LATE, MergeError};
use crate::constraint::{Breach, Constraints, Tally};
use crate::delta::rewrite::DataFileReader;
use crate::delta::{Partition, partition};
use crate::ingest::sinks::LOADED;

/// Keys that one load may bring: a quarter of a GiB of memory.
const MOST_KEYS: usize = 7_000_000;
/// Rows that break constraints of which it is kept where they are.
const MOST_TOLD: usize = 100;

/// The last row of a key that a load brings.
pub struct Last {
    pub order: i64,
    /// Its number among the rows that are kept.
    pub row: u64,
}

/// The keys of the rows that a load brings.
pub struct Keys {
    pub names: Vec<String>,
    sequence: Option<String>,
    converter: RowConverter,
    /// Of the first column of the key.
    first: RowConverter,
    range: Option<(OwnedRow, OwnedRow)>,
    /// Of those that part the table too, the values that were brought, in words.
    parted: HashMap<String, HashSet<String>>,
    pub last: HashMap<u128, Last>,
    /// Of the last rows of their keys those that break constraints, by their numbers.
    breaches: BTreeMap<u64, Breach>,
    rows: u64,
    most: usize,
}

impl Keys {
    /// None where rows are not merged. `spec` is sound: the columns are there.
    pub fn new(spec: &DatasetSpec, schema: &Schema) -> Result<Option<Self>, ArrowError> {
        if spec.source.load != Load::Merge {
            return Ok(None);
        }
        let names = spec.source.key.clone();
        let fields = names.iter().map(|name| Ok(SortField::new(schema.field_with_name(name)?.data_type().clone())));
        let fields = fields.collect::<Result<Vec<_>, ArrowError>>()?;
        let first = RowConverter::new(fields.first().cloned().into_iter().collect())?;
        let converter = RowConverter::new(fields)?;
        let sequence = spec.source.sequence_by.clone();
        let parts = names.iter().filter(|name| spec.partition_by.contains(name));
        let parted = parts.map(|name| (name.clone(), HashSet::new())).collect();
        Ok(Some(Self {
            names,
            sequence,
            converter,
            first,
            range: None,
            parted,
            last: HashMap::new(),
            breaches: BTreeMap::new(),
            rows: 0,
            most: MOST_KEYS,
        }))
    }

    /// Where the batch has no key or no sequence, and why that is wrong.
    pub fn missing(&self, batch: &RecordBatch) -> Vec<(usize, String)> {
        let needed = self.names.iter().chain(&self.sequence);
        let nulls = needed.filter_map(|name| Some((name, batch.column_by_name(name)?))).flat_map(|(name, column)| {
            let rows = (0..column.len()).filter(|row| column.is_null(*row));
            rows.map(move |row| (row, format!("{name} is null, and load: merge goes by it")))
        });
        let mut nulls: Vec<(usize, String)> = nulls.collect();
        nulls.sort_by_key(|(row, _)| *row);
        nulls.dedup_by_key(|(row, _)| *row);
        nulls
    }

    /// These rows go on, in this order. Of those with one key the last stays, by the sequence where there is one. `place` says
    /// where in the source a row of the batch is.
    pub fn note(
        &mut self,
        batch: &RecordBatch,
        constraints: &Constraints,
        place: impl Fn(usize) -> String,
    ) -> Result<(), MergeError> {
        let few = MOST_TOLD.saturating_sub(self.breaches.len());
        let mut breaches: HashMap<_, _> =
            Tally::breaches(constraints, batch, (LOADED, few), place)?.into_iter().collect();
        let keys = self.hashes(batch)?;
        let orders = self.orders(batch)?;
        self.widen(batch)?;
        self.note_parts(batch)?;
        for (at, key) in keys.into_iter().enumerate() {
            let (order, row) = (orders.as_ref().map_or(0, |orders| orders.value(at)), self.rows + at as u64);
            let Some(key) = key else { continue };
            let last = self.last.entry(key).or_insert(Last { order, row });
            if order >= last.order {
                self.breaches.remove(&last.row);
                *last = Last { order, row };
                self.breaches.extend(breaches.remove(&at).map(|breach| (row, breach)));
            }
        }
        self.rows += batch.num_rows() as u64;
        if self.last.len() > self.most {
            return Err(MergeError::TooMany { most: self.most });
        }
        Ok(())
    }

    /// Whether the row that is brought of a key is late: the table has one with a greater `order`.
    pub fn is_late(&mut self, key: u128, order: Option<i64>) -> bool {
        let Some(last) = self.last.get_mut(&key) else { return false };
        if order.is_some_and(|order| order > last.order) {
            self.breaches.remove(&last.row);
            last.row = LATE;
        }
        last.row == LATE
    }

    pub fn take_breaches(&mut self) -> BTreeMap<u64, Breach> {
        std::mem::take(&mut self.breaches)
    }

    fn note_parts(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        for (name, values) in &mut self.parted {
            for value in partition::words(&named(batch, name)?)?.iter().flatten() {
                if !values.contains(value) {
                    values.insert(value.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Whether a file of this partition may have a key that was brought.
    pub fn may_be_in(&self, partition: &Partition) -> bool {
        let may = |(name, values): (&String, &HashSet<String>)| match partition.get(name) {
            Some(value) => value.as_ref().is_some_and(|value| values.contains(value)),
            None => true,
        };
        self.parted.iter().all(may)
    }

    /// None for a row without a key: it has nothing to do with any other.
    pub fn hashes(&self, batch: &RecordBatch) -> Result<Vec<Option<u128>>, ArrowError> {
        let columns = self.columns(batch)?;
        let rows = self.converter.convert_columns(&columns)?;
        let has_key = |row: usize| columns.iter().all(|column| column.is_valid(row));
        Ok(rows.iter().enumerate().map(|(at, row)| has_key(at).then(|| xxh3_128(row.as_ref()))).collect())
    }

    fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, ArrowError> {
        self.names.iter().map(|name| named(batch, name)).collect()
    }

    pub fn orders(&self, batch: &RecordBatch) -> Result<Option<Int64Array>, ArrowError> {
        let Some(sequence) = &self.sequence else { return Ok(None) };
        let values = cast(&named(batch, sequence)?, &DataType::Int64)?;
        Ok(Some(values.as_primitive::<Int64Type>().clone()))
    }

    fn widen(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let column = self.columns(batch)?.into_iter().take(1).collect::<Vec<_>>();
        let rows = self.first.convert_columns(&column)?;
        for row in &rows {
            match &mut self.range {
                None => self.range = Some((row.owned(), row.owned())),
                Some((least, _)) if row < least.row() => *least = row.owned(),
                Some((_, greatest)) if row > greatest.row() => *greatest = row.owned(),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What has to be read of the table to find the keys.
    pub fn schema(&self, of: &Schema) -> Result<SchemaRef, ArrowError> {
        let needed = self.names.iter().chain(&self.sequence);
        let mut fields = Vec::new();
        for name in needed {
            let field = of.field_with_name(name)?.clone().with_nullable(true);
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(Schema::new(fields).into())
    }

    /// The groups of rows of a file in which a key may be, by what its footer says of the key's first column.
    pub fn groups(&self, reader: &DataFileReader) -> Result<Vec<usize>, MergeError> {
        let metadata = reader.metadata();
        let all = || (0..metadata.num_row_groups()).collect();
        let (Some((least, greatest)), Some(name)) = (&self.range, self.names.first()) else { return Ok(Vec::new()) };
        let Ok(known) = StatisticsConverter::try_new(name, reader.schema(), reader.parquet_schema()) else {
            return Ok(all());
        };
        let (Ok(mins), Ok(maxs)) =
            (known.row_group_mins(metadata.row_groups()), known.row_group_maxes(metadata.row_groups()))
        else {
            return Ok(all());
        };
        let (Ok(low), Ok(high)) = (
            self.first.convert_columns(std::slice::from_ref(&mins)),
            self.first.convert_columns(std::slice::from_ref(&maxs)),
        ) else {
            return Ok(all());
        };
        let may_have = |group: &usize| {
            let unknown = mins.is_null(*group) || maxs.is_null(*group);
            unknown || (low.row(*group) <= greatest.row() && high.row(*group) >= least.row())
        };
        Ok((0..metadata.num_row_groups()).filter(may_have).collect())
    }
}

fn named(batch: &RecordBatch, name: &str) -> Result<ArrayRef, ArrowError> {
    let column = batch.column_by_name(name);
    column.cloned().ok_or_else(|| ArrowError::SchemaError(format!("column {name:?} is not there")))
}

#[cfg(test)]
mod tests {
    use bedplate_lake::schema::arrow_schema;
    use serde_json::json;

    use super::*;

    fn keys(most: usize) -> (Keys, SchemaRef) {
        let spec = json!({ "owner": "a", "schema": [{ "name": "n", "type": "int64" }],
            "source": { "path": "a", "load": "merge", "key": ["n"] } });
        let spec: DatasetSpec = serde_json::from_value(spec).unwrap();
        let schema = arrow_schema(&spec);
        (Keys { most, ..Keys::new(&spec, &schema).unwrap().unwrap() }, schema)
    }

    #[test]
    fn a_load_of_more_keys_than_fit_in_memory_is_refused() {
        let (mut keys, schema) = keys(3);
        let batch = |values: Vec<i64>| {
            RecordBatch::try_new(schema.clone(), vec![std::sync::Arc::new(Int64Array::from(values))]).unwrap()
        };
        let mut note = |values| keys.note(&batch(values), &Constraints::default(), |_| String::new());
        note(vec![1, 2, 3, 2, 1]).unwrap();
        assert!(matches!(note(vec![4]).unwrap_err(), MergeError::TooMany { most: 3 }));
    }
}
