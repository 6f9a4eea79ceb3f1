//! Facets as they are known now, and the few words of them that Marquez' answers repeat.

use bedplate_db::Tx;
use serde_json::value::RawValue;

use crate::answer::FacetTexts;
use crate::error::Failure;
use crate::part::Part;
use crate::store::facets::Subject;

/// The most facets of one thing that are shown.
const SHOWN: i64 = 10_000;

pub(super) fn facets(tx: &mut dyn Tx, subject: Subject<'_>) -> Result<FacetTexts, Failure> {
    let key = subject.key();
    let sql =
        "SELECT name, body FROM openlineage_facets WHERE subject = $1 AND body IS NOT NULL ORDER BY name LIMIT $2";
    let rows = tx.query(sql, &[(&key).into(), SHOWN.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), raw(row.text(1)?, &key)?))).collect()
}

/// Stored JSON as it stands.
pub(super) fn raw(text: &str, of: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text.to_owned()).map_err(|_| Failure::Stored(of.to_owned()))
}

/// A string in a facet, if it is there and is one.
pub(super) fn word(facets: &FacetTexts, facet: &str, field: &str) -> Option<String> {
    Part::root(facets.get(facet)?).object().ok()?.opt_text(field).ok()?
}
