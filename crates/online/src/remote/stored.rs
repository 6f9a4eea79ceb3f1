//! The rows of a view, and of an entity.

use bedplate_features::{EntityKey, InvalidPacked, SourceRow, ViewDefinition};
use redis::cmd;

use super::RemoteStore;
use super::member::{Found, Parts, from, merged, parts, up_to};
use super::scripts::Script;
use crate::layout::{id_of, unpacked};
use crate::{Go, OnlineError};

/// Entities whose rows are held at once.
const PIECE: usize = 256;

impl RemoteStore {
    pub(crate) fn each_row(&self, view_id: &str, mut give: impl FnMut(&[u8], i64) -> Go) -> Result<(), OnlineError> {
        // Then all rows are in one generation.
        self.fold(view_id)?;
        let Some(base) = self.hash_field::<String>(view_id, "base")? else { return Ok(()) };
        for first in (0..).step_by(PIECE) {
            let entities = self.entities(&base, first)?;
            if entities.is_empty() || self.each_of(view_id, &entities, &mut give)? == Go::NoFurther {
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
        (start, until): (i64, i64),
        most: usize,
    ) -> Result<Vec<SourceRow>, OnlineError> {
        let columns = def.columns().len();
        let found = self.found(view_id, &[key.as_bytes().to_vec()], (&from(start), &up_to(until)))?;
        let members = found.into_iter().flat_map(|(rows, over)| merged(rows, over)).take(most);
        let row = |member: Vec<u8>| {
            let Parts { time, created, identity, packed } = read(view_id, &member)?;
            let values = unpacked(view_id, packed, columns)?;
            Ok(SourceRow { key: key.clone(), time, created, id: id_of(identity), values })
        };
        members.map(row).collect()
    }

    fn entities(&self, generation: &str, first: usize) -> Result<Vec<Vec<u8>>, OnlineError> {
        let mut range = cmd("LRANGE");
        range.arg(format!("bedplate:entities:{generation}")).arg(first).arg(first + PIECE - 1);
        Ok(self.pool.with(|link| link.ask(&range))?)
    }

    fn each_of(
        &self,
        view_id: &str,
        entities: &[Vec<u8>],
        give: &mut impl FnMut(&[u8], i64) -> Go,
    ) -> Result<Go, OnlineError> {
        let found = self.found(view_id, entities, (b"-", b"+"))?;
        for (entity, (rows, over)) in entities.iter().zip(found) {
            for member in merged(rows, over) {
                if give(entity, read(view_id, &member)?.time) == Go::NoFurther {
                    return Ok(Go::NoFurther);
                }
            }
        }
        Ok(Go::On)
    }

    /// The rows of each entity between two bounds.
    fn found(
        &self,
        view_id: &str,
        entities: &[Vec<u8>],
        (low, high): (&[u8], &[u8]),
    ) -> Result<Vec<Found>, OnlineError> {
        let found = self.pool.with(|link| {
            let mut call = link.call(Script::Read, view_id);
            for entity in entities {
                call.arg(entity).arg(low).arg(high).arg(0);
            }
            link.ask(&call)
        });
        Ok(found?)
    }
}

fn read<'a>(view_id: &str, member: &'a [u8]) -> Result<Parts<'a>, OnlineError> {
    let damaged = || OnlineError::CorruptRow { view: view_id.to_owned(), source: InvalidPacked(member.len()) };
    parts(member).ok_or_else(damaged)
}
