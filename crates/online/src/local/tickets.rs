//! What was written since a reader looked at the store: what it found may be kept only where nothing was.

use std::hash::{BuildHasher, RandomState};

/// Entities share a shard's mark: a reader is refused now and then for nothing.
const SHARDS: usize = 4096;

/// The state of the store when a reader began. Taken before its view of the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

pub(crate) struct Tickets {
    writes: u64,
    /// No ticket from before this write holds any more.
    all: u64,
    /// The last write of each shard.
    shards: Box<[u64]>,
    hasher: RandomState,
}

impl Default for Tickets {
    fn default() -> Self {
        Self { writes: 0, all: 0, shards: vec![0; SHARDS].into(), hasher: RandomState::new() }
    }
}

impl Tickets {
    pub(crate) fn now(&self) -> Ticket {
        Ticket(self.writes)
    }

    /// Whether nothing of the entity was written since.
    pub(crate) fn holds(&self, ticket: Ticket, entity: &[u8]) -> bool {
        self.all.max(self.shards[self.shard(entity)]) <= ticket.0
    }

    pub(crate) fn wrote<'a>(&mut self, entities: impl Iterator<Item = &'a [u8]>) {
        self.writes += 1;
        for entity in entities {
            let shard = self.shard(entity);
            self.shards[shard] = self.writes;
        }
    }

    /// Anything may have been written.
    pub(crate) fn wrote_all(&mut self) {
        self.writes += 1;
        self.all = self.writes;
    }

    fn shard(&self, entity: &[u8]) -> usize {
        self.hasher.hash_one(entity) as usize % SHARDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_holds_until_its_entity_is_written() {
        let mut tickets = Tickets::default();
        let other = (0_u32..).map(u32::to_be_bytes).find(|key| tickets.shard(key) != tickets.shard(b"e")).unwrap();
        let ticket = tickets.now();
        tickets.wrote([other.as_slice()].into_iter());
        assert!(tickets.holds(ticket, b"e") && !tickets.holds(ticket, &other));
        tickets.wrote([b"e".as_slice()].into_iter());
        assert!(!tickets.holds(ticket, b"e") && tickets.holds(tickets.now(), b"e"));
        let ticket = tickets.now();
        tickets.wrote_all();
        assert!(!tickets.holds(ticket, b"e") && tickets.holds(tickets.now(), b"e"));
    }
}
