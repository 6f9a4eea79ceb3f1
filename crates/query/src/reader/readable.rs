//! What of a dataset is opened to a statement.

use bedplate_kinds::Mask;

/// A table of a statement: a version of a dataset, and what of it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// As the statement spells it.
    pub table: String,
    pub dataset: String,
    /// The committed version that is read.
    pub version: i64,
    /// The columns that are there; what else the table has is not.
    pub columns: Vec<ShownColumn>,
    /// Conditions in SQL over the dataset's own columns, shown or not; rows that do not pass all of them are not there.
    pub filters: Vec<String>,
}

/// A column that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownColumn {
    pub name: String,
    /// What is shown in place of its values; [`Mask::Hide`] is the same as leaving the column out.
    pub mask: Option<Mask>,
}

impl Readable {
    /// How plans tell it: what binds is said, what it is bound by is not.
    pub(super) fn told(&self) -> String {
        // Of a column that is not there, not even the name is told.
        let shown = self.columns.iter().filter(|column| column.mask != Some(Mask::Hide));
        let masks = shown.filter_map(|column| Some(format!("{}={:?}", column.name, column.mask?)));
        let masks: Vec<String> = masks.collect();
        let mut told = format!("dataset={}, version={}", self.dataset, self.version);
        if !masks.is_empty() {
            told += &format!(", masked=[{}]", masks.join(", ").to_lowercase());
        }
        if !self.filters.is_empty() {
            told += &format!(", rowFilters={}", self.filters.len());
        }
        told
    }
}
