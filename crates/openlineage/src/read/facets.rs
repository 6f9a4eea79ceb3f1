//! Facets as they are known now, and the few words of them that Marquez' answers repeat.

use bedplate_db::{Row, Tx};
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

/// The most bytes of facets in one list. It is cut before it would be longer; what is first is always there.
const BYTES: usize = 32 << 20;

/// The first things of a list that fit together into an answer; `make` tells how many bytes each has.
pub(super) fn within<T>(
    rows: &[Row],
    mut make: impl FnMut(&Row) -> Result<(usize, T), Failure>,
) -> Result<Vec<T>, Failure> {
    let (mut total, mut fitting) = (0, Vec::new());
    for row in rows {
        let (bytes, made) = make(row)?;
        total = bytes.saturating_add(total);
        if total > BYTES && !fitting.is_empty() {
            break;
        }
        fitting.push(made);
    }
    Ok(fitting)
}

pub(super) fn weight(facets: Option<&FacetTexts>) -> usize {
    facets.into_iter().flatten().map(|(name, body)| name.len() + body.get().len()).sum()
}

/// A string in a facet, if it is there and is one.
pub(super) fn word(facets: &FacetTexts, facet: &str, field: &str) -> Option<String> {
    Part::root(facets.get(facet)?).object().ok()?.opt_text(field).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_before_it_is_too_long_and_never_empty() {
        let check = |bytes: &[i64], expect: usize| {
            let rows: Vec<Row> = bytes.iter().map(|n| Row::new(vec![(*n).into()])).collect();
            let made = within(&rows, |row| Ok((usize::try_from(row.int(0)?).unwrap(), ())));
            assert_eq!(made.unwrap().len(), expect, "{bytes:?}");
        };
        let most = i64::try_from(BYTES).unwrap();
        check(&[most + 1, 1], 1);
        check(&[most - 1, 1, 1], 2);
        check(&[], 0);
    }
}
