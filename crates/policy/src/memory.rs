//! Decisions that were made, found again without making anything: the question is hashed and compared as it is.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hashbrown::HashTable;
use parking_lot::RwLock;

use crate::question::Circumstances;
use crate::{Action, Context, Decision, Question, Resource, Tags};

/// How many decisions are forgotten together; twice so many are remembered.
const GENERATION: usize = 10_000;

/// A question that outlives its asker, and its answer.
pub(crate) struct Known {
    pub(crate) asked: Asked,
    pub(crate) decision: Decision,
    /// How often it was given since the journal was last read.
    given: AtomicU32,
}

/// A question that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) principal: String,
    groups: Vec<String>,
    pub(crate) action: Action,
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    tags: Tags,
    pub(crate) circumstances: Circumstances,
}

impl Known {
    pub(crate) fn new(question: &Question<'_>, decision: Decision) -> Self {
        Self { asked: Asked::of(question), decision, given: AtomicU32::new(0) }
    }

    /// Counts one more; whether it is the first.
    pub(crate) fn count(&self) -> bool {
        self.given.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// How often it was given, from now on counted anew.
    pub(crate) fn take(&self) -> u32 {
        self.given.swap(0, Ordering::Relaxed)
    }
}

impl Asked {
    fn of(question: &Question<'_>) -> Self {
        let Question { principal, groups, action, resource, tags, context } = question;
        Self {
            principal: (*principal).to_owned(),
            groups: groups.to_vec(),
            action: *action,
            kind: resource.kind.to_owned(),
            namespace: resource.namespace.map(str::to_owned),
            name: resource.name.map(str::to_owned),
            tags: (*tags).clone(),
            circumstances: Circumstances {
                purpose: context.purpose.map(str::to_owned),
                site: context.site.map(str::to_owned),
            },
        }
    }

    fn question(&self) -> Question<'_> {
        Question {
            principal: &self.principal,
            groups: &self.groups,
            action: self.action,
            resource: Resource { namespace: self.namespace.as_deref(), kind: &self.kind, name: self.name.as_deref() },
            tags: &self.tags,
            context: Context {
                purpose: self.circumstances.purpose.as_deref(),
                site: self.circumstances.site.as_deref(),
            },
        }
    }
}

/// The decisions made under one state of the rules: the newer ones, and those before them, which are forgotten together.
pub(crate) struct Memory {
    hasher: RandomState,
    known: RwLock<Generations>,
}

struct Generations {
    newer: Table,
    older: Table,
}

type Table = HashTable<Arc<Known>>;

impl Memory {
    pub(crate) fn new() -> Self {
        let known = Generations { newer: Table::new(), older: Table::new() };
        Self { hasher: RandomState::new(), known: RwLock::new(known) }
    }

    /// Hands what is known to `use_it`, without copying it.
    pub(crate) fn find<T>(&self, question: &Question<'_>, use_it: impl FnOnce(&Arc<Known>) -> T) -> Option<T> {
        let hash = self.hash(question);
        let same = |one: &Arc<Known>| one.asked.question() == *question;
        let known = self.known.read();
        known.newer.find(hash, same).or_else(|| known.older.find(hash, same)).map(use_it)
    }

    pub(crate) fn keep(&self, known: &Arc<Known>) {
        let hash = self.hash(&known.asked.question());
        let mut table = self.known.write();
        table.newer.insert_unique(hash, Arc::clone(known), |one| self.hash(&one.asked.question()));
        if table.newer.len() < GENERATION {
            return;
        }
        let newer = std::mem::replace(&mut table.newer, Table::with_capacity(GENERATION));
        let forgotten = std::mem::replace(&mut table.older, newer);
        // Thousands of them take a while to go: nobody waits for that.
        drop(table);
        drop(forgotten);
    }

    fn hash(&self, question: &Question<'_>) -> u64 {
        self.hasher.hash_one(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str) -> Question<'_> {
        let resource = Resource { namespace: Some("flights"), kind: "Dataset", name: Some(name) };
        Question::new("user:ana", &[], Action::Get, resource)
    }

    fn keep(memory: &Memory, name: &str) {
        memory.keep(&Arc::new(Known::new(&question(name), Decision::allowed(vec!["p".into()]))));
    }

    #[test]
    fn a_question_is_known_by_all_of_it() {
        let memory = Memory::new();
        keep(&memory, "weather");
        let knows = |question: &Question<'_>| memory.find(question, |known| known.decision.allowed) == Some(true);
        let weather = question("weather");
        assert!(knows(&weather));
        let tags = Tags { deidentified: true, ..Tags::NONE };
        let groups = ["data".to_owned()];
        for other in [
            question("weathe"),
            weather.tagged(&tags),
            weather.within(Context { purpose: Some("care"), site: None }),
            Question { groups: &groups, ..weather },
            Question { action: Action::List, ..weather },
            Question { principal: "user:an", ..weather },
            Question {
                resource: Resource { namespace: Some("flight"), kind: "sDataset", name: Some("weather") },
                ..weather
            },
        ] {
            assert!(!knows(&other), "{other:?}");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_the_oldest_go_first() {
        let memory = Memory::new();
        (0..3 * GENERATION).for_each(|n| keep(&memory, &n.to_string()));
        let knows = |n: usize| memory.find(&question(&n.to_string()), |_| ()).is_some();
        assert!(!knows(0) && !knows(GENERATION) && knows(3 * GENERATION - 1) && knows(2 * GENERATION));
        let table = memory.known.read();
        assert!(table.newer.len() + table.older.len() <= 2 * GENERATION);
    }
}
