//! What the bytes on disk mean.
//!
//! Key: 16 bytes of the view id's SHA-256 | entity key | time, eight big-endian bytes with the sign bit turned | identity.
//! Value: the row's packed values. Byte order is therefore the order of rows in a point-in-time join, and one entity's rows
//! up to a moment are one range. The parts need no separators: the first and the third have a fixed width, and no entity
//! key of a view is the beginning of another.

use bedplate_features::{EntityKey, SourceRow, pack};
use sha2::{Digest, Sha256};

/// Changes whenever the meaning of the bytes does.
pub(crate) const LAYOUT: u8 = 1;

const VIEW_WIDTH: usize = 16;
const TIME_WIDTH: usize = 8;
const SIGN: u64 = 1 << 63;

/// What all rows of a view begin with.
pub(crate) fn view_prefix(view_id: &str) -> Vec<u8> {
    Sha256::digest(view_id)[..VIEW_WIDTH].to_vec()
}

/// What all rows of one entity begin with.
pub(crate) fn entity_prefix(view_id: &str, key: &EntityKey) -> Vec<u8> {
    entity_in(&view_prefix(view_id), key)
}

/// The same of a view whose prefix is known.
pub(crate) fn entity_in(view_prefix: &[u8], key: &EntityKey) -> Vec<u8> {
    [view_prefix, key.as_bytes()].concat()
}

pub(crate) fn row_key(view_id: &str, row: &SourceRow) -> Vec<u8> {
    let mut bytes = first_at(&entity_prefix(view_id, &row.key), row.time);
    bytes.extend(row.identity());
    bytes
}

/// The entity prefix of a row's key.
pub(crate) fn entity_of<'a>(key: &'a [u8], row: &SourceRow) -> &'a [u8] {
    &key[..VIEW_WIDTH + row.key.as_bytes().len()]
}

pub(crate) fn row_value(row: &SourceRow) -> Vec<u8> {
    pack(&row.values)
}

/// Not after any row of that time.
pub(crate) fn first_at(entity: &[u8], time: i64) -> Vec<u8> {
    let mut bytes = entity.to_vec();
    bytes.extend_from_slice(&(time.cast_unsigned() ^ SIGN).to_be_bytes());
    bytes
}

/// After every row of that time: identities begin with a letter.
pub(crate) fn last_at(entity: &[u8], time: i64) -> Vec<u8> {
    let mut bytes = first_at(entity, time);
    bytes.push(u8::MAX);
    bytes
}

/// The time in a row's key, whose entity prefix is `prefix` bytes long.
pub(crate) fn time_of(key: &[u8], prefix: usize) -> Option<i64> {
    let raw = key.get(prefix..prefix + TIME_WIDTH)?.first_chunk()?;
    Some((u64::from_be_bytes(*raw) ^ SIGN).cast_signed())
}

/// The first key after every row of the view; `None` when there is none.
pub(crate) fn after_view(view_id: &str) -> Option<Vec<u8>> {
    let mut bytes = view_prefix(view_id);
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bedplate_features::{KeyValue, RowId};

    use super::*;

    fn row(time: i64, id: Option<i64>) -> SourceRow {
        SourceRow { key: entity_key(), time, id: id.map(RowId::Int), values: vec![Some(1.0)] }
    }

    fn entity_key() -> EntityKey {
        let key = bedplate_kinds::JoinKey { name: "k".into(), type_: bedplate_kinds::ColumnType::Int64 };
        EntityKey::from_values(&[key], &[KeyValue::Int(3)]).unwrap().unwrap()
    }

    #[test]
    fn bytes_order_like_time_and_ranges_hold_every_identity() {
        let times = [i64::MIN, -5, -1, 0, 1, i64::MAX];
        let keys: Vec<_> = times.iter().map(|time| row_key("v", &row(*time, None))).collect();
        assert!(keys.is_sorted());
        let entity = entity_prefix("v", &entity_key());
        for (time, key) in times.iter().zip(&keys) {
            assert_eq!(time_of(key, entity.len()), Some(*time));
            for key in [key, &row_key("v", &row(*time, Some(i64::MAX)))] {
                assert!(first_at(&entity, *time) <= *key && *key < last_at(&entity, *time));
            }
        }
    }

    #[test]
    fn the_end_of_a_view_is_after_its_rows_only() {
        let end = after_view("v").unwrap();
        assert!(end > row_key("v", &row(i64::MAX, Some(i64::MAX))));
        assert!(!end.starts_with(&view_prefix("v")));
    }
}
