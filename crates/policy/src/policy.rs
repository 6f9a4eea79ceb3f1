//! The decision point everybody asks, with a memory.

use std::sync::Arc;

use bedplate_db::Db;
use parking_lot::RwLock;

use crate::engine::Engine;
use crate::given::Given;
use crate::journal::Journal;
use crate::memory::{Known, Memory};
use crate::rules::Rules;
use crate::{Action, Context, Decision, PolicyError, Question, Resource, declared, grant};

/// The rules and the grants. Clones share both, and the decisions made before.
#[derive(Clone)]
pub struct Policy {
    db: Db,
    engine: Arc<Engine>,
    loaded: Arc<RwLock<Arc<Loaded>>>,
    journal: Arc<Journal>,
    /// Where this platform is; what is asked for no other place is asked for this one.
    site: Option<Arc<str>>,
}

/// One state of the rules, and the decisions made under it: they are replaced together.
struct Loaded {
    /// The version it was read at.
    version: i64,
    rules: Rules,
    memory: Memory,
}

impl Policy {
    /// Reads the rules, people's policies and the grants.
    ///
    /// # Errors
    /// [`PolicyError::Db`]; [`PolicyError::Role`] when a stored grant is of an unknown role, [`PolicyError::Source`] when a
    /// stored policy cannot be read.
    pub fn load(db: Db) -> Result<Self, PolicyError> {
        let engine = Arc::new(Engine::new()?);
        let loaded = Loaded::read(&db, &engine)?;
        Ok(Self { db, engine, loaded: Arc::new(RwLock::new(Arc::new(loaded))), journal: Arc::default(), site: None })
    }

    /// A policy that knows where it is asked.
    #[must_use]
    pub fn at_site(self, site: Option<&str>) -> Self {
        Self { site: site.map(Arc::from), ..self }
    }

    /// Reads policies and grants again and forgets all decisions. On an error the old state stays.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn reload(&self) -> Result<(), PolicyError> {
        let loaded = Loaded::read(&self.db, &self.engine)?;
        *self.loaded.write() = Arc::new(loaded);
        Ok(())
    }

    /// [`Policy::reload`], when something was changed since. Costs the read of one row when nothing was.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn refresh(&self) -> Result<(), PolicyError> {
        self.refresh_to(self.db.read(grant::version)?)
    }

    /// [`Policy::refresh`] for whoever has just read [`crate::version`], in the transaction that may have changed it.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn refresh_to(&self, version: i64) -> Result<(), PolicyError> {
        if self.loaded.read().version == version { Ok(()) } else { self.reload() }
    }

    /// May `principal`, who is in `groups`, do this? What no policy permits is denied, and so is what cannot be asked, and
    /// what the scope among the groups does not cover.
    #[must_use]
    pub fn decide(&self, principal: &str, groups: &[String], action: Action, resource: &Resource<'_>) -> Decision {
        self.ask(&Question::new(principal, groups, action, *resource))
    }

    /// [`Policy::decide`] with all that may be looked at. What was decided before costs a look into the memory.
    #[must_use]
    pub fn ask(&self, question: &Question<'_>) -> Decision {
        self.answer(question, true)
    }

    /// [`Policy::ask`] again for something that goes on: it is written down only when it may not go on.
    #[must_use]
    pub fn still(&self, question: &Question<'_>) -> Decision {
        self.answer(question, false)
    }

    /// The decision as the rules make it, neither remembered nor written down.
    #[must_use]
    pub fn ask_afresh(&self, question: &Question<'_>) -> Decision {
        let loaded = self.loaded.read().clone();
        loaded.rules.decide(&self.here(question))
    }

    /// Whether any policy of a person's may count there for `principal`: then each object is asked about, not only its kind.
    #[must_use]
    pub fn looks_at_objects(&self, principal: &str, groups: &[String], namespace: Option<&str>) -> bool {
        self.loaded.read().rules.looks_at_objects(principal, groups, namespace)
    }

    /// What was decided since this was last called, to be written down.
    #[must_use]
    pub fn given(&self) -> Given {
        let (given, lost) = self.journal.take();
        Given::new(&given, lost)
    }

    fn here<'a>(&'a self, question: &Question<'a>) -> Question<'a> {
        let site = question.context.site.or(self.site.as_deref());
        question.within(Context { site, ..question.context })
    }

    fn answer(&self, question: &Question<'_>, is_noted: bool) -> Decision {
        let question = &self.here(question);
        let tell = |known: &Arc<Known>| {
            if is_noted || !known.decision.allowed {
                self.journal.note(known);
            }
            known.decision.clone()
        };
        let known = self.loaded.read().memory.find(question, tell);
        known.unwrap_or_else(|| {
            let loaded = self.loaded.read().clone();
            let known = Arc::new(Known::new(question, loaded.rules.decide(question)));
            loaded.memory.keep(&known);
            tell(&known)
        })
    }
}

impl Loaded {
    fn read(db: &Db, engine: &Arc<Engine>) -> Result<Self, PolicyError> {
        let (version, grants, sources) =
            db.read(|tx| Ok::<_, PolicyError>((grant::version(tx)?, grant::list(tx)?, declared::sources(tx)?)))?;
        Ok(Self { version, rules: Rules::with(Arc::clone(engine), &sources, &grants)?, memory: Memory::new() })
    }
}
