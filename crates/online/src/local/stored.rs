//! The rows of a view, and of an entity.

use bedplate_features::{EntityKey, InvalidPacked, SourceRow, ViewDefinition};

use super::LocalStore;
use crate::error::Doing;
use crate::layout::{
    created_in, entity_in, entity_width, first_at, id_in, last_at, time_of, unpacked, values_in, view_prefix,
};
use crate::{Go, OnlineError};

const DOING: &str = "read rows";

impl LocalStore {
    pub(crate) fn each_row(
        &self,
        view_id: &str,
        join_keys: usize,
        mut give: impl FnMut(&[u8], i64) -> Go,
    ) -> Result<(), OnlineError> {
        let view = view_prefix(view_id);
        for row in self.view_rows(&view, &view) {
            let key = row.key().doing(DOING, view_id)?;
            let damaged = || OnlineError::CorruptRow { view: view_id.to_owned(), source: InvalidPacked(key.len()) };
            let width = entity_width(&key, join_keys).ok_or_else(damaged)?;
            let time = time_of(&key, width).ok_or_else(damaged)?;
            if give(&key[view.len()..width], time) == Go::NoFurther {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn stored(
        &self,
        def: &ViewDefinition,
        view_id: &str,
        key: &EntityKey,
        (from, until): (i64, i64),
        most: usize,
    ) -> Result<Vec<SourceRow>, OnlineError> {
        let entity = entity_in(&view_prefix(view_id), key);
        let columns = def.columns().len();
        let mut rows = Vec::new();
        for row in self.rows.range(first_at(&entity, from)..=last_at(&entity, until)).take(most) {
            let (bytes, value) = row.into_inner().doing(DOING, view_id)?;
            let damaged = |source| OnlineError::CorruptRow { view: view_id.to_owned(), source };
            let time = time_of(&bytes, entity.len()).ok_or_else(|| damaged(InvalidPacked(bytes.len())))?;
            let values = unpacked(view_id, values_in(&bytes, entity.len(), &value), columns)?;
            let (created, id) = (created_in(&value), id_in(&bytes, entity.len()));
            rows.push(SourceRow { key: key.clone(), time, created, id, values });
        }
        Ok(rows)
    }
}
