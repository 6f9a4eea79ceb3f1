//! A row as the member of its entity's sorted set, whose scores are all equal, so that bytes order it.
//!
//! Time, as `layout` writes it | 0, or 1 and when the row was created, in views that tell | identity | packed values, unless
//! they are the identity. So the order of members is the order in which rows count, and the last member up to a moment is the
//! latest row then, whichever of its time was created last. The parts tell their own width.

use bedplate_features::{SourceRow, pack_into};

use crate::layout::{TIME_WIDTH, from_ordered, ordered};

const UNTOLD: u8 = 0;
const TOLD: u8 = 1;
const VALUES: u8 = b'v';

/// Members, and those of a load that is not folded yet.
pub(crate) type Found = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// The parts of a member that readers go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub time: i64,
    /// In views that tell.
    pub created: Option<i64>,
    pub identity: &'a [u8],
    pub packed: &'a [u8],
}

pub(crate) fn member(row: &SourceRow) -> Vec<u8> {
    let mut bytes = ordered(row.time).to_vec();
    match row.created {
        None => bytes.push(UNTOLD),
        Some(created) => {
            bytes.push(TOLD);
            bytes.extend(ordered(created));
        }
    }
    row.write_identity(&mut bytes);
    if row.id.is_some() {
        pack_into(&row.values, &mut bytes);
    }
    bytes
}

/// `None` when it is no row's.
pub(crate) fn parts(member: &[u8]) -> Option<Parts<'_>> {
    let (time, rest) = member.split_first_chunk::<TIME_WIDTH>()?;
    let (created, rest) = match rest.split_first()? {
        (&UNTOLD, rest) => (None, rest),
        (&TOLD, rest) => {
            let (created, rest) = rest.split_first_chunk::<TIME_WIDTH>()?;
            (Some(from_ordered(*created)), rest)
        }
        _ => return None,
    };
    let width = match rest.first()? {
        b'i' => 9,
        b's' => 5 + u32::from_be_bytes(*rest.get(1..)?.first_chunk()?) as usize,
        &VALUES => rest.len(),
        _ => return None,
    };
    let (identity, after) = rest.split_at_checked(width)?;
    let packed = if identity[0] == VALUES { &identity[1..] } else { after };
    Some(Parts { time: from_ordered(*time), created, identity, packed })
}

/// Where rows begin that are known at `time` or later.
pub(crate) fn from(time: i64) -> Vec<u8> {
    [b"[".as_slice(), &ordered(time)].concat()
}

/// Where rows end that are known at `time` or before.
pub(crate) fn up_to(time: i64) -> Vec<u8> {
    time.checked_add(1).map_or_else(|| b"+".to_vec(), |after| [b"(".as_slice(), &ordered(after)].concat())
}

/// Rows of two rising lists, of each time and identity the one that counts.
pub(crate) fn merged(mut rows: Vec<Vec<u8>>, over: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if over.is_empty() {
        return rows;
    }
    rows.extend(over);
    rows.sort_unstable();
    let mut seen = std::collections::HashSet::new();
    // The last of one time and identity is the one that counts.
    let is_kept: Vec<bool> =
        rows.iter().rev().map(|row| parts(row).is_none_or(|row| seen.insert((row.time, row.identity)))).collect();
    let mut is_kept = is_kept.into_iter().rev();
    drop(seen);
    rows.retain(|_| is_kept.next().unwrap_or(true));
    rows
}

#[cfg(test)]
mod tests {
    use bedplate_features::{EntityKey, KeyValue, RowId, pack};
    use bedplate_kinds::{ColumnType, JoinKey};

    use super::*;

    fn row(time: i64, created: Option<i64>, id: Option<RowId>, value: f64) -> SourceRow {
        let key = JoinKey { name: "k".into(), type_: ColumnType::Int64 };
        let key = EntityKey::from_values(&[key], &[KeyValue::Int(3)]).unwrap().unwrap();
        SourceRow { key, time, created, id, values: vec![Some(value), None] }
    }

    #[test]
    fn a_member_tells_its_parts() {
        let text = || Some(RowId::Text("an identity".into()));
        for (created, id) in [(None, None), (None, text()), (Some(-7), Some(RowId::Int(-1))), (Some(3), None)] {
            let row = row(-5, created, id, 1.5);
            let bytes = member(&row);
            let found = parts(&bytes).unwrap();
            assert_eq!((found.time, found.created), (-5, created));
            assert_eq!((found.identity, found.packed), (&row.identity()[..], &pack(&row.values)[..]));
            for cut in 0..12 {
                assert_eq!(parts(&bytes[..cut]).filter(|found| found.packed == pack(&row.values)), None, "{cut}");
            }
        }
        assert_eq!(parts(&[0xff; 40]), None);
    }

    #[test]
    fn members_rise_by_time_then_creation_then_identity_and_ranges_hold_their_time() {
        let rows = [
            row(i64::MIN, None, None, 1.0),
            row(-1, None, None, 1.0),
            row(4, Some(-2), Some(RowId::Int(9)), 8.0),
            row(4, Some(1), Some(RowId::Int(2)), 5.0),
            row(4, Some(1), Some(RowId::Int(2)), 6.0),
            row(4, Some(1), Some(RowId::Int(3)), 0.0),
            row(i64::MAX, None, None, 1.0),
        ];
        let members: Vec<_> = rows.iter().map(member).collect();
        assert!(members.is_sorted());
        for (row, member) in rows.iter().zip(&members) {
            assert!(from(row.time)[1..] <= member[..]);
            let end = up_to(row.time);
            assert!(end == b"+" || member[..] < end[1..]);
        }
    }

    #[test]
    fn of_one_time_and_identity_the_one_that_counts_is_kept() {
        let id = |created, value| member(&row(4, created, Some(RowId::Int(2)), value));
        let other = member(&row(4, Some(2), Some(RowId::Int(7)), 1.0));
        let (old, new) = (id(Some(1), 9.0), id(Some(3), 1.0));
        assert_eq!(merged(vec![old.clone(), other.clone()], vec![new.clone()]), [other, new.clone()]);
        assert_eq!(merged(vec![new.clone()], vec![old]), [new]);
        let (less, more) = (id(None, 1.0), id(None, 2.0));
        assert_eq!(merged(vec![more.clone()], vec![less]), [more]);
    }
}
