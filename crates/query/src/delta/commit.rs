//! A new version: one commit, seen whole or not at all.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::path::Path;
use std::time::UNIX_EPOCH;

use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, MergePredicate, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use serde_json::{Value, json};

use super::data_file::sync_dir;
use super::metadata::{self, struct_type};
use super::writable::key_of;
use super::{DataFile, Layout, Record, Table, TableError};
use crate::constraint::Expressions;
use crate::upkeep::{TARGET, Upkeep, UpkeepAction};

pub(crate) struct NewVersion<'a> {
    pub location: &'a Path,
    pub layout: Layout,
    /// None makes a version without new rows.
    pub files: Vec<DataFile>,
    /// Names of the files that are not kept: what is kept of their rows is in `files`.
    pub without: BTreeSet<String>,
    /// The constraints the version has in its log, which all its rows meet; those of the version before when none are said.
    pub constraints: Option<Expressions>,
    pub record: Record,
}

impl<'a> NewVersion<'a> {
    /// One that adds files, or nothing.
    pub fn adding(location: &'a Path, layout: Layout, files: Vec<DataFile>, record: Record) -> Self {
        Self { location, layout, files, without: BTreeSet::new(), constraints: None, record }
    }

    /// Whether a reader of changes would find any.
    fn changes_rows(&self) -> bool {
        self.record.upkeep.as_ref().is_none_or(|upkeep| upkeep.action != UpkeepAction::Optimize)
    }

    fn operation(&self, kept: Option<&Table>) -> DeltaOperation {
        let mode = if kept.is_some() { SaveMode::Append } else { SaveMode::Overwrite };
        match &self.record.upkeep {
            Some(Upkeep { action: UpkeepAction::Optimize, .. }) => {
                DeltaOperation::Optimize { predicate: None, target_size: i64::try_from(TARGET).unwrap_or(i64::MAX) }
            }
            Some(Upkeep { action: UpkeepAction::Restore { to }, .. }) => {
                DeltaOperation::Restore { version: u64::try_from(*to).ok(), datetime: None }
            }
            None if !self.without.is_empty() => merge(&self.record.key),
            None => {
                let partition_by = Some(self.layout.partition_by.clone()).filter(|by| !by.is_empty());
                DeltaOperation::Write { mode, partition_by, predicate: None }
            }
        }
    }
}

fn merge(key: &[String]) -> DeltaOperation {
    let on: Vec<String> = key.iter().map(|column| format!("target.{column} = source.{column}")).collect();
    let does = |action: &str| vec![MergePredicate { action_type: action.to_owned(), predicate: None }];
    DeltaOperation::Merge {
        predicate: None,
        merge_predicate: Some(on.join(" AND ")),
        matched_predicates: does("update"),
        not_matched_predicates: does("insert"),
        not_matched_by_source_predicates: Vec::new(),
    }
}

/// Commits the new version after `current` and makes it durable; returns its number and its record. The version has the rows of `kept`,
/// which is `current` or a version before it, and those of the new files. Fails when somebody else committed meanwhile.
pub(crate) async fn commit(
    mut new: NewVersion<'_>,
    current: Option<&Table>,
    kept: Option<&Table>,
) -> Result<(i64, Record), TableError> {
    let files = kept.map(Table::files).transpose()?.map_or(0, |files| files.len());
    new.record.data_files = Some((files + new.files.len()).saturating_sub(new.without.len()));
    new.record.file_bytes = (!new.files.is_empty()).then(|| new.files.iter().map(|file| file.bytes).sum());
    let version = match current {
        Some(table) => next(&new, table, kept).await,
        None => create(&new).await,
    };
    let version = version.map_err(TableError::delta("commit to", new.location))?;
    sync_log(new.location, version)?;
    let number =
        i64::try_from(version).map_err(|_| TableError::Engine(format!("version {version} is out of range")))?;
    Ok((number, new.record))
}

async fn create(new: &NewVersion<'_>) -> Result<u64, DeltaTableError> {
    let location = super::table::url_of(new.location).map_err(|error| DeltaTableError::Generic(error.to_string()))?;
    let constraints = new.constraints.iter().flatten();
    let table = CreateBuilder::new()
        .with_location(location)
        .with_columns(struct_type(&new.layout, None)?.fields().cloned())
        .with_partition_columns(new.layout.partition_by.clone())
        .with_configuration(constraints.map(|(name, expression)| (key_of(name), Some(expression.clone()))))
        .with_raise_if_key_not_exists(false)
        .with_actions(metadata::protocol(None, new)?)
        .with_actions(add(new))
        .with_commit_properties(properties(&new.record)?)
        .await?;
    table.version().ok_or(DeltaTableError::NotInitialized)
}

async fn next(new: &NewVersion<'_>, table: &Table, kept: Option<&Table>) -> Result<u64, DeltaTableError> {
    let state = table.delta.snapshot()?;
    let mut actions: Vec<Action> = metadata::changed(state, new)?.into_iter().collect();
    actions.extend(metadata::protocol(Some(state), new)?);
    actions.extend(changes(table, kept)?);
    let gone = state.log_data().into_iter().filter(|file| new.without.contains(file.path().as_ref()));
    actions.extend(gone.map(|file| Action::Remove(file.remove_action(new.changes_rows()))));
    actions.extend(add(new));
    let operation = new.operation(kept);
    let commit = CommitBuilder::from(properties(&new.record)?)
        .with_actions(actions)
        .build(Some(state), table.delta.log_store(), operation)
        .await?;
    Ok(commit.version())
}

/// What makes the files of `table` those of `kept`.
fn changes(table: &Table, kept: Option<&Table>) -> Result<Vec<Action>, DeltaTableError> {
    let state = table.delta.snapshot()?;
    let Some(kept) = kept else {
        return Ok(state.log_data().into_iter().map(|file| Action::Remove(file.remove_action(true))).collect());
    };
    if kept.version == table.version {
        return Ok(Vec::new());
    }
    let kept = kept.delta.snapshot()?;
    let names = |state: &DeltaTableState| -> HashSet<String> {
        state.log_data().into_iter().map(|file| file.path().into_owned()).collect()
    };
    let (are, shall) = (names(state), names(kept));
    let gone = state.log_data().into_iter().filter(|file| !shall.contains(file.path().as_ref()));
    let mut actions: Vec<Action> = gone.map(|file| Action::Remove(file.remove_action(true))).collect();
    let back = kept.log_data().into_iter().filter(|file| !are.contains(file.path().as_ref()));
    actions.extend(back.map(|file| {
        Action::Add(Add {
            path: file.path().into_owned(),
            size: file.size(),
            modification_time: file.modification_time(),
            data_change: true,
            stats: file.stats(),
            partition_values: file.partition_values_map(),
            ..Add::default()
        })
    }));
    Ok(actions)
}

fn add<'a>(new: &'a NewVersion<'_>) -> impl Iterator<Item = Action> + 'a {
    new.files.iter().map(|file| {
        Action::Add(Add {
            path: file.name.clone(),
            size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
            modification_time: modified_millis(&new.location.join(&file.name)),
            data_change: new.changes_rows(),
            stats: Some(json!({ "numRecords": file.rows }).to_string()),
            partition_values: file.partition.clone().into_iter().collect(),
            ..Add::default()
        })
    })
}

/// When the file was last written, in milliseconds since 1970: the protocol asks for it, nothing is decided by it.
fn modified_millis(file: &Path) -> i64 {
    let modified = std::fs::metadata(file).and_then(|known| known.modified()).unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Old versions stay readable: their log is never cleaned up behind our back.
fn properties(record: &Record) -> Result<CommitProperties, DeltaTableError> {
    let text = serde_json::to_string(record).map_err(|json_err| DeltaTableError::SerializeLogJson { json_err })?;
    let metadata = [("userMetadata".to_owned(), Value::String(text))];
    let properties = CommitProperties::default().with_metadata(metadata).with_cleanup_expired_logs(Some(false));
    // What to add was decided for the next version and no other: tried again after somebody else's commit, a file's rows
    // could be there twice.
    Ok(properties.with_max_retries(0))
}

/// The library renames the commit into place and leaves it to the kernel when it reaches the disk.
fn sync_log(location: &Path, version: u64) -> Result<(), TableError> {
    let dir = location.join("_delta_log");
    let file = dir.join(format!("{version:020}.json"));
    File::open(&file).and_then(|file| file.sync_all()).map_err(TableError::io("sync", &file))?;
    [dir.as_path(), location, location.parent().unwrap_or(location)].into_iter().try_for_each(sync_dir)
}
