//! What the bytes of the engine in a folder mean; those in Redis are made of the same parts (`remote::member`).
//!
//! Key: 16 bytes of the view id's SHA-256 | entity key | time, eight big-endian bytes with the sign bit turned | identity.
//! Value: when the row was created, written like its time, in views that tell; then the row's packed values, or nothing where
//! they are its identity, which is `v` and the packed values. Byte order is therefore the order of rows in a point-in-time
//! join (but that of one time are ordered by creation first, see `ranked`), one entity's rows up to a moment are one range,
//! and of two versions of a row the one with the greater value counts. The parts need no separators: the first and the third
//! have a fixed width, and no entity key of a view is the beginning of another. A value with a creation is longer than a whole
//! number of packed numbers, of nine bytes each, and so tells itself.
//!
//! Before layout 2 the value was never left out; such rows are read as they are. Views that tell when rows were created came
//! without a layout of their own: to an older bedplate they are other versions of the view, whose rows it does not look for.

use bedplate_features::{EntityKey, RowId, SourceRow, pack_into, unpack};
use sha2::{Digest, Sha256};

use crate::OnlineError;

/// Changes whenever the meaning of the bytes does.
pub(crate) const LAYOUT: u8 = 2;
/// The oldest that is still read.
pub(crate) const OLDEST: u8 = 1;

/// fjall's own limit, which holds for every engine.
const LONGEST_KEY: usize = u16::MAX as usize;
const VIEW_WIDTH: usize = 16;
pub(crate) const TIME_WIDTH: usize = 8;
/// Of a number in packed values.
const PACKED_WIDTH: usize = 9;
const SIGN: u64 = 1 << 63;
/// What an identity of values begins with.
const VALUES: u8 = b'v';

/// What all rows of a view begin with.
pub(crate) type ViewPrefix = [u8; VIEW_WIDTH];

pub(crate) fn view_prefix(view_id: &str) -> ViewPrefix {
    let digest: [u8; 32] = Sha256::digest(view_id).into();
    *digest.first_chunk().unwrap_or(&[0; VIEW_WIDTH])
}

/// What all rows of one entity begin with.
pub(crate) fn entity_in(view: &ViewPrefix, key: &EntityKey) -> Vec<u8> {
    [view.as_slice(), key.as_bytes()].concat()
}

/// The same in place of what `bytes` holds.
pub(crate) fn write_entity(view: &ViewPrefix, key: &EntityKey, bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.extend_from_slice(view);
    bytes.extend_from_slice(key.as_bytes());
}

/// The row's key without its view.
pub(crate) fn write_key(row: &SourceRow, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(row.key.as_bytes());
    bytes.extend_from_slice(&ordered(row.time));
    row.write_identity(bytes);
}

pub(crate) fn write_value(row: &SourceRow, bytes: &mut Vec<u8>) {
    if let Some(created) = row.created {
        bytes.extend(ordered(created));
    }
    if row.id.is_some() {
        pack_into(&row.values, bytes);
    }
}

pub(crate) fn row_key(view: &ViewPrefix, row: &SourceRow) -> Vec<u8> {
    let mut bytes = view.to_vec();
    write_key(row, &mut bytes);
    bytes
}

pub(crate) fn row_value(row: &SourceRow) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(row, &mut bytes);
    bytes
}

/// When a row was created, by its value; `None` in views that do not tell.
pub(crate) fn created_in(value: &[u8]) -> Option<i64> {
    let (created, _) = value.split_first_chunk()?;
    tells_creation(value).then(|| from_ordered(*created))
}

fn tells_creation(value: &[u8]) -> bool {
    value.len() % PACKED_WIDTH == TIME_WIDTH
}

/// The packed values of a stored row, whose entity prefix is `prefix` bytes long.
pub(crate) fn values_in<'a>(key: &'a [u8], prefix: usize, value: &'a [u8]) -> &'a [u8] {
    match key.get(prefix + TIME_WIDTH..) {
        Some([VALUES, packed @ ..]) => packed,
        _ if tells_creation(value) => &value[TIME_WIDTH..],
        _ => value,
    }
}

/// The id in a row's key, whose entity prefix is `prefix` bytes long; `None` of a row without one.
pub(crate) fn id_in(key: &[u8], prefix: usize) -> Option<RowId> {
    id_of(key.get(prefix + TIME_WIDTH..)?)
}

/// The id that an identity is; `None` of a row that is known by its values.
pub(crate) fn id_of(identity: &[u8]) -> Option<RowId> {
    match identity {
        [b'i', number @ ..] => Some(RowId::Int(i64::from_be_bytes(number.try_into().ok()?))),
        [b's', text @ ..] => {
            let (length, text) = text.split_first_chunk()?;
            let text = text.get(..u32::from_be_bytes(*length) as usize)?;
            Some(RowId::Text(std::str::from_utf8(text).ok()?.to_owned()))
        }
        _ => None,
    }
}

/// A stored row's values, as many as the view's definition has columns.
pub(crate) fn unpacked(view_id: &str, packed: &[u8], columns: usize) -> Result<Vec<Option<f64>>, OnlineError> {
    let view = || view_id.to_owned();
    let values = unpack(packed).map_err(|source| OnlineError::CorruptRow { view: view(), source })?;
    if values.len() != columns {
        return Err(OnlineError::OtherColumns { view: view(), found: values.len(), wanted: columns });
    }
    Ok(values)
}

/// The entity prefix of a row's key.
pub(crate) fn entity_of<'a>(key: &'a [u8], row: &SourceRow) -> &'a [u8] {
    &key[..VIEW_WIDTH + row.key.as_bytes().len()]
}

/// How long the entity prefix of a stored key is; `None` when it is no row's key.
pub(crate) fn entity_width(key: &[u8], join_keys: usize) -> Option<usize> {
    (0..join_keys).try_fold(VIEW_WIDTH, |at, _| {
        let width = match key.get(at)? {
            b'i' => 9,
            b's' => 5 + u32::from_be_bytes(*key.get(at + 1..)?.first_chunk()?) as usize,
            _ => return None,
        };
        Some(at + width).filter(|end| *end <= key.len())
    })
}

/// Not after any row of that time.
pub(crate) fn first_at(entity: &[u8], time: i64) -> Vec<u8> {
    [entity, &ordered(time)].concat()
}

pub(crate) fn from_ordered(bytes: [u8; TIME_WIDTH]) -> i64 {
    (u64::from_be_bytes(bytes) ^ SIGN).cast_signed()
}

pub(crate) fn ordered(time: i64) -> [u8; TIME_WIDTH] {
    (time.cast_unsigned() ^ SIGN).to_be_bytes()
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
    Some(from_ordered(*raw))
}

/// The first key after every row of the view; `None` when there is none.
pub(crate) fn after_view(view: &ViewPrefix) -> Option<Vec<u8>> {
    let mut bytes = view.to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}

/// Of a key with its view.
pub(crate) fn check_length(view_id: &str, bytes: usize) -> Result<(), OnlineError> {
    if bytes > LONGEST_KEY {
        return Err(OnlineError::KeyTooLong { view: view_id.to_owned(), bytes, limit: LONGEST_KEY });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bedplate_features::{KeyValue, pack};

    use super::*;

    fn row(time: i64, id: Option<i64>) -> SourceRow {
        SourceRow { key: entity_key(), time, created: None, id: id.map(RowId::Int), values: vec![Some(1.0)] }
    }

    fn view() -> ViewPrefix {
        view_prefix("v")
    }

    fn entity_key() -> EntityKey {
        let key = bedplate_kinds::JoinKey { name: "k".into(), type_: bedplate_kinds::ColumnType::Int64 };
        EntityKey::from_values(&[key], &[KeyValue::Int(3)]).unwrap().unwrap()
    }

    #[test]
    fn bytes_order_like_time_and_ranges_hold_every_identity() {
        let times = [i64::MIN, -5, -1, 0, 1, i64::MAX];
        let keys: Vec<_> = times.iter().map(|time| row_key(&view(), &row(*time, None))).collect();
        assert!(keys.is_sorted());
        let entity = entity_in(&view(), &entity_key());
        for (time, key) in times.iter().zip(&keys) {
            assert_eq!(time_of(key, entity.len()), Some(*time));
            for key in [key, &row_key(&view(), &row(*time, Some(i64::MAX)))] {
                assert!(first_at(&entity, *time) <= *key && *key < last_at(&entity, *time));
            }
        }
    }

    #[test]
    fn the_end_of_a_view_is_after_its_rows_only() {
        let end = after_view(&view()).unwrap();
        assert!(end > row_key(&view(), &row(i64::MAX, Some(i64::MAX))));
        assert!(!end.starts_with(&view()));
        assert_eq!(after_view(&[u8::MAX; VIEW_WIDTH]), None);
    }

    #[test]
    fn values_stand_in_the_key_or_beside_it() {
        for id in [None, Some(4)] {
            let row = row(5, id);
            let (key, value) = (row_key(&view(), &row), row_value(&row));
            let width = entity_width(&key, 1).unwrap();
            assert_eq!(key[..width], entity_in(&view(), &row.key));
            assert_eq!((values_in(&key, width, &value), value.is_empty()), (&pack(&row.values)[..], id.is_none()));
        }
        for (id, created) in [(None, i64::MIN), (None, -3), (Some(4), 3)] {
            let row = SourceRow { created: Some(created), ..row(5, id) };
            let (key, value) = (row_key(&view(), &row), row_value(&row));
            let width = entity_width(&key, 1).unwrap();
            assert_eq!((values_in(&key, width, &value), created_in(&value)), (&pack(&row.values)[..], Some(created)));
        }
        assert_eq!((created_in(&row_value(&row(5, Some(4)))), created_in(&[])), (None, None));
        let key = row_key(&view(), &row(5, None));
        assert_eq!(entity_width(&key[..20], 1), None);
        assert_eq!(entity_width(&key, 9), None);
    }
}
