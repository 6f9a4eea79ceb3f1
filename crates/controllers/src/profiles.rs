//! What the versions of a dataset's table hold: kept for the last [`KEPT_PROFILES`] of them, until the dataset is deleted.

use std::collections::BTreeSet;

use bedplate_db::{DbError, Migration, Row, Tx};
use bedplate_kinds::PiiSuggestion;
use bedplate_lake::profile::TableProfile;
use bedplate_types::{NamespacedName, Timestamp};

/// Versions of a table whose profiles are kept.
pub const KEPT_PROFILES: u32 = 20;

pub(crate) const PROFILES: Migration =
    Migration { name: "controllers-2-dataset-profiles", sql: include_str!("profiles.sql") };

/// The profile of one version of a dataset's table.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetProfile {
    pub version: i64,
    /// What the version's rows are made of: a table that was made anew begins again with version 0.
    pub content: String,
    /// When it was gathered.
    pub at: Timestamp,
    pub profile: TableProfile,
    pub suggestions: Vec<PiiSuggestion>,
}

/// Keeps one and forgets what is too old.
pub fn keep(tx: &mut dyn Tx, dataset: &NamespacedName, new: &DatasetProfile) -> Result<(), DbError> {
    let [namespace, name] = [dataset.namespace.as_str().into(), dataset.name.as_str().into()];
    let profile = serde_json::to_string(&new.profile).unwrap_or_default();
    let suggestions = serde_json::to_string(&new.suggestions).unwrap_or_default();
    // What is newer than the newest was of another table.
    let stale =
        "DELETE FROM dataset_profiles WHERE namespace = $1 AND dataset = $2 AND (version >= $3 OR version <= $4)";
    let oldest = new.version - i64::from(KEPT_PROFILES);
    tx.execute(stale, &[namespace, name, new.version.into(), oldest.into()])?;
    tx.execute(
        "INSERT INTO dataset_profiles (namespace, dataset, version, content, at, profile, suggestions)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            dataset.namespace.as_str().into(),
            dataset.name.as_str().into(),
            new.version.into(),
            new.content.as_str().into(),
            new.at.micros().into(),
            profile.as_str().into(),
            suggestions.as_str().into(),
        ],
    )?;
    Ok(())
}

/// What was suggested when this version of the table, made of `content`, was profiled; none when it was not yet.
pub fn suggested(
    tx: &mut dyn Tx,
    dataset: &NamespacedName,
    version: i64,
    content: &str,
) -> Result<Option<Vec<PiiSuggestion>>, DbError> {
    let sql = "SELECT suggestions FROM dataset_profiles
        WHERE namespace = $1 AND dataset = $2 AND version = $3 AND content = $4";
    let key = [dataset.namespace.as_str().into(), dataset.name.as_str().into(), version.into(), content.into()];
    let rows = tx.query(sql, &key)?;
    let text = rows.first().map(|row| row.text(0)).transpose()?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}

/// That of a version, or the newest.
pub fn profile(
    tx: &mut dyn Tx,
    dataset: &NamespacedName,
    version: Option<i64>,
) -> Result<Option<DatasetProfile>, DbError> {
    let sql = "SELECT version, content, at, profile, suggestions FROM dataset_profiles
        WHERE namespace = $1 AND dataset = $2 AND version >= $3 AND version <= $4 ORDER BY version DESC LIMIT 1";
    let (from, to) = version.map_or((i64::MIN, i64::MAX), |version| (version, version));
    let key = [dataset.namespace.as_str().into(), dataset.name.as_str().into(), from.into(), to.into()];
    Ok(tx.query(sql, &key)?.first().map(read).transpose()?.flatten())
}

/// The versions that have one, the newest first.
pub fn profiled_versions(tx: &mut dyn Tx, dataset: &NamespacedName) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT version FROM dataset_profiles WHERE namespace = $1 AND dataset = $2 ORDER BY version DESC";
    let rows = tx.query(sql, &[dataset.namespace.as_str().into(), dataset.name.as_str().into()])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Forgets those of a dataset.
pub fn forget(tx: &mut dyn Tx, dataset: &NamespacedName) -> Result<(), DbError> {
    let sql = "DELETE FROM dataset_profiles WHERE namespace = $1 AND dataset = $2";
    tx.execute(sql, &[dataset.namespace.as_str().into(), dataset.name.as_str().into()]).map(drop)
}

/// The datasets that have any.
pub fn profiled(tx: &mut dyn Tx) -> Result<BTreeSet<NamespacedName>, DbError> {
    let rows = tx.query("SELECT DISTINCT namespace, dataset FROM dataset_profiles", &[])?;
    rows.iter().map(|row| Ok(NamespacedName::new(row.text(0)?, row.text(1)?))).collect()
}

/// None: another version of the platform wrote it in another form; the next version has one.
fn read(row: &Row) -> Result<Option<DatasetProfile>, DbError> {
    let Ok(profile) = serde_json::from_str(row.text(3)?) else { return Ok(None) };
    let (content, at) = (row.text(1)?.to_owned(), Timestamp::from_micros(row.int(2)?));
    let suggestions = serde_json::from_str(row.text(4)?).unwrap_or_default();
    Ok(Some(DatasetProfile { version: row.int(0)?, content, at, profile, suggestions }))
}

#[cfg(test)]
mod tests {
    use bedplate_db::Db;

    use super::*;

    fn of(version: i64, rows: u64) -> DatasetProfile {
        let profile = TableProfile { rows, columns: Vec::new() };
        let suggestions = vec![PiiSuggestion {
            column: "mail".into(),
            kind: "email".into(),
            confidence: 0.99,
            evidence: "its name".into(),
        }];
        DatasetProfile {
            version,
            content: format!("c{rows}"),
            at: Timestamp::from_micros(version),
            profile,
            suggestions,
        }
    }

    fn kept(all: Vec<DatasetProfile>) -> (Db, NamespacedName, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("t.db"), &[PROFILES]).unwrap();
        let name = NamespacedName::new("demo", "weather");
        let (own, other) = (name.clone(), NamespacedName::new("demo", "flights"));
        db.write(move |tx| {
            keep(tx, &other, &of(3, 7))?;
            all.iter().try_for_each(|one| keep(tx, &own, one))
        })
        .unwrap();
        (db, name, folder)
    }

    #[test]
    fn the_last_versions_are_kept() {
        let (db, name, _folder) = kept((0..30).map(|version| of(version, 1)).collect());
        let versions = db.read(|tx| profiled_versions(tx, &name)).unwrap();
        assert_eq!((versions.len(), versions[0], versions[19]), (20, 29, 10));
        assert_eq!(db.read(|tx| profile(tx, &name, None)).unwrap(), Some(of(29, 1)));
        assert_eq!(db.read(|tx| profile(tx, &name, Some(12))).unwrap(), Some(of(12, 1)));
        assert_eq!(db.read(|tx| profile(tx, &name, Some(3))).unwrap(), None);
        assert_eq!(db.read(|tx| suggested(tx, &name, 29, "c1")).unwrap(), Some(of(29, 1).suggestions));
        assert_eq!(db.read(|tx| suggested(tx, &name, 29, "another")).unwrap(), None);
    }

    #[test]
    fn of_a_table_that_was_made_anew_nothing_is_left() {
        let (db, name, _folder) = kept(vec![of(0, 1), of(1, 1), of(2, 1), of(1, 9)]);
        assert_eq!(db.read(|tx| profiled_versions(tx, &name)).unwrap(), [1, 0]);
        assert_eq!(db.read(|tx| profile(tx, &name, None)).unwrap(), Some(of(1, 9)));
    }

    #[test]
    fn what_is_forgotten_takes_nothing_else_with_it() {
        let (db, name, _folder) = kept(vec![of(0, 1)]);
        let gone = name.clone();
        db.write(move |tx| forget(tx, &gone)).unwrap();
        assert_eq!(db.read(profiled).unwrap(), BTreeSet::from([NamespacedName::new("demo", "flights")]));
        assert_eq!(db.read(|tx| profile(tx, &name, None)).unwrap(), None);
    }
}
