//! The rows of the log: read and written, not judged.

use bedplate_db::{Row, Tx, Value};
use bedplate_types::Digest;

use crate::AuditError;

/// Leaves are counted in 63 bits: the column holds no more.
pub(crate) fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

pub(crate) fn count(row: &Row, column: usize) -> Result<u64, AuditError> {
    Ok(u64::try_from(row.int(column)?).unwrap_or(0))
}

/// One more than the last leaf.
pub(crate) fn size(tx: &mut dyn Tx) -> Result<u64, AuditError> {
    let rows = tx.query("SELECT COALESCE(MAX(idx) + 1, 0) FROM audit_leaves", &[])?;
    rows.first().map_or(Ok(0), |row| count(row, 0))
}

pub(crate) fn put_leaf(tx: &mut dyn Tx, index: u64, body: Vec<u8>) -> Result<(), AuditError> {
    tx.execute("INSERT INTO audit_leaves (idx, body) VALUES ($1, $2)", &[int(index), body.into()])?;
    Ok(())
}

/// A leaf's index and its bytes, when they are there.
pub(crate) type Leaf = (u64, Option<Vec<u8>>);

/// Leaves from `from` on with the bytes of each; none for a leaf whose bytes are not bytes any more.
pub(crate) fn leaves(tx: &mut dyn Tx, from: u64, limit: u32) -> Result<Vec<Leaf>, AuditError> {
    let sql = "SELECT idx, body FROM audit_leaves WHERE idx >= $1 ORDER BY idx LIMIT $2";
    let rows = tx.query(sql, &[int(from), limit.into()])?;
    rows.iter().map(|row| Ok((count(row, 0)?, row.blob(1).ok().map(<[u8]>::to_vec)))).collect()
}

pub(crate) fn put_node(tx: &mut dyn Tx, level: u32, index: u64, hash: &Digest) -> Result<(), AuditError> {
    let sql = "INSERT INTO audit_nodes (level, idx, hash) VALUES ($1, $2, $3)";
    tx.execute(sql, &[level.into(), int(index), hash.as_bytes().to_vec().into()])?;
    Ok(())
}

/// The stored hash over `2^level` leaves; none when it is missing or is no hash.
pub(crate) fn stored_node(tx: &mut dyn Tx, level: u32, index: u64) -> Result<Option<Digest>, AuditError> {
    let rows = tx.query("SELECT hash FROM audit_nodes WHERE level = $1 AND idx = $2", &[level.into(), int(index)])?;
    let hash = rows.first().and_then(|row| row.blob(0).ok()).and_then(|raw| raw.try_into().ok());
    Ok(hash.map(Digest::from_sha256))
}

/// At most `width` stored hashes of a level from `start` on, each with its index; none for what is no hash any more.
pub(crate) fn nodes(
    tx: &mut dyn Tx,
    level: u32,
    start: u64,
    width: u64,
) -> Result<Vec<(u64, Option<Digest>)>, AuditError> {
    let sql = "SELECT idx, hash FROM audit_nodes WHERE level = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
    let rows = tx.query(sql, &[level.into(), int(start), int(width)])?;
    let hash = |row: &Row| row.blob(1).ok().and_then(|raw| raw.try_into().ok()).map(Digest::from_sha256);
    rows.iter().map(|row| Ok((count(row, 0)?, hash(row)))).collect()
}

/// As [`stored_node`], for a hash that must be there.
pub(crate) fn node(tx: &mut dyn Tx, level: u32, index: u64) -> Result<Digest, AuditError> {
    let (first, last) = span(level, index);
    stored_node(tx, level, index)?.ok_or(AuditError::Node { first, last })
}

pub(crate) fn count_nodes(tx: &mut dyn Tx) -> Result<u64, AuditError> {
    let rows = tx.query("SELECT COUNT(*) FROM audit_nodes", &[])?;
    rows.first().map_or(Ok(0), |row| count(row, 0))
}

/// The first and the last leaf under a node.
pub(crate) const fn span(level: u32, index: u64) -> (u64, u64) {
    (index << level, ((index + 1) << level) - 1)
}
