//! A table's profile as far as somebody may see it.

use std::collections::BTreeSet;

use bedplate_kinds::DatasetSpec;
use bedplate_lake::profile::TableProfile;

/// Without the values of columns that are not `clear` to them, and without columns that are no longer declared.
pub fn shown(profile: TableProfile, spec: &DatasetSpec, clear: &BTreeSet<String>) -> TableProfile {
    let declared = profile.columns.into_iter().filter(|column| spec.column(&column.name).is_some());
    let columns = declared.map(|mut column| {
        column.values = column.values.filter(|_| clear.contains(&column.name));
        column
    });
    TableProfile { rows: profile.rows, columns: columns.collect() }
}
