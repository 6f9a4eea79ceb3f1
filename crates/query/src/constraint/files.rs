//! Rows that are in data files, judged by constraints that are newer than they are.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::{ConstraintError, Constraints, Demands, Tally};
use crate::delta::rewrite;
use crate::delta::{Partition, TableError};

/// Reads of the files what the constraints name, and no more. `which` rows they are, is for people; `go_on` is asked between
/// batches.
pub(crate) fn judge_files<'a, E: From<TableError> + From<ConstraintError>>(
    location: &Path,
    files: impl Iterator<Item = (&'a str, &'a Partition)>,
    (demands, schema, which): (&Demands, &SchemaRef, &'static str),
    go_on: impl Fn() -> Result<(), E>,
) -> Result<(), E> {
    if demands.is_empty() {
        return Ok(());
    }
    let named = Constraints::compile(demands, schema)?.columns();
    let fields = named.into_iter().map(|place| schema.field(place).clone().with_nullable(true));
    let named: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let mut tally = Tally::new(Arc::new(Constraints::compile(demands, &named)?), which);
    for (name, partition) in files {
        let path = location.join(name);
        let mut before = 0;
        for batch in rewrite::rows(&path, rewrite::open(&path)?, named.clone(), partition)? {
            go_on()?;
            let batch = batch?;
            tally.observe(&batch, |row| format!("row {} of its data file {name}", before + row))?;
            before += batch.num_rows();
        }
    }
    Ok(tally.finish()?)
}
