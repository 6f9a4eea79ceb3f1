//! The decision point everybody asks, with a memory.

use std::collections::HashMap;
use std::sync::Arc;

use bedplate_db::Db;
use cedar_policy::Entity;
use parking_lot::RwLock;

use crate::decision::{denial, narrowed};
use crate::engine::{Caller, Engine};
use crate::grants::{Holders, by_namespace};
use crate::question::EVERYWHERE;
use crate::{Action, Decision, Grant, PolicyError, Resource, Role, grant};

const REMEMBERED: usize = 20_000;

/// The rules and the grants. Clones share both, and the decisions made before.
#[derive(Clone)]
pub struct Policy {
    db: Db,
    engine: Arc<Engine>,
    loaded: Arc<RwLock<Arc<Loaded>>>,
}

/// One state of the grants, and the decisions made under it: they are replaced together.
struct Loaded {
    /// The grants' version it was read at.
    version: i64,
    namespaces: HashMap<String, Entity>,
    everywhere: Entity,
    decided: RwLock<HashMap<Key, Decision>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    principal: String,
    groups: Vec<String>,
    action: Action,
    kind: String,
    scope: String,
}

impl Policy {
    /// Reads the rules and the grants.
    ///
    /// # Errors
    /// [`PolicyError::Db`], [`PolicyError::Role`] when a stored grant is of an unknown role.
    pub fn load(db: Db) -> Result<Self, PolicyError> {
        let engine = Engine::new()?;
        let loaded = Loaded::read(&db, &engine)?;
        Ok(Self { db, engine: Arc::new(engine), loaded: Arc::new(RwLock::new(Arc::new(loaded))) })
    }

    /// Reads the grants again and forgets all decisions. On an error the old state stays.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn reload(&self) -> Result<(), PolicyError> {
        let loaded = Loaded::read(&self.db, &self.engine)?;
        *self.loaded.write() = Arc::new(loaded);
        Ok(())
    }

    /// [`Policy::reload`], when the grants were changed since. Costs the read of one row when they were not.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn refresh(&self) -> Result<(), PolicyError> {
        let version = self.db.read(grant::version)?;
        if self.loaded.read().version == version { Ok(()) } else { self.reload() }
    }

    /// May `principal`, who is in `groups`, do this? What no policy permits is denied, and so is what cannot be asked, and
    /// what the scope among the groups does not cover.
    #[must_use]
    pub fn decide(&self, principal: &str, groups: &[String], action: Action, resource: &Resource<'_>) -> Decision {
        if let Some(denied) = narrowed(principal, groups, action, resource) {
            return denied;
        }
        let loaded = self.loaded.read().clone();
        let key = Key {
            principal: principal.to_owned(),
            groups: groups.to_vec(),
            action,
            kind: resource.kind.to_owned(),
            scope: resource.scope().to_owned(),
        };
        if let Some(decision) = loaded.decided.read().get(&key) {
            return decision.clone();
        }
        let decision = self.ask(&loaded, Caller { name: principal, groups }, action, resource);
        loaded.remember(key, decision.clone());
        decision
    }

    fn ask(&self, loaded: &Loaded, who: Caller<'_>, action: Action, resource: &Resource<'_>) -> Decision {
        let answer = self.engine.ask(who, action, resource, loaded.namespace(resource.scope()));
        match answer.error {
            Some(error) => Decision::denied(answer.policies, format!("the policy could not be asked: {error}")),
            None if answer.allowed => Decision::allowed(answer.policies),
            None => {
                let remedy = self.weakest_sufficient_role(who, action, resource);
                Decision::denied(answer.policies, denial(who.name, action, resource, remedy))
            }
        }
    }

    /// Asks the rules themselves, so that the advice cannot disagree with them.
    fn weakest_sufficient_role(&self, who: Caller<'_>, action: Action, resource: &Resource<'_>) -> Option<Role> {
        Role::ALL.into_iter().find(|role| {
            let mut holders = Holders::default();
            holders.of(*role).insert(who.name.to_owned());
            let namespace = self.engine.namespace(resource.scope(), &holders);
            namespace.is_ok_and(|namespace| self.engine.ask(who, action, resource, &namespace).allowed)
        })
    }
}

impl Loaded {
    fn read(db: &Db, engine: &Engine) -> Result<Self, PolicyError> {
        let (version, grants) = db.read(|tx| Ok::<_, PolicyError>((grant::version(tx)?, grant::list(tx)?)))?;
        Self::new(engine, version, &grants)
    }

    fn new(engine: &Engine, version: i64, grants: &[Grant]) -> Result<Self, PolicyError> {
        let mut namespaces = HashMap::new();
        let holders = by_namespace(grants);
        for (name, holders) in &holders {
            namespaces.insert((*name).to_owned(), engine.namespace(name, holders)?);
        }
        let everywhere = engine.namespace(EVERYWHERE, holders.get(EVERYWHERE).unwrap_or(&Holders::default()))?;
        Ok(Self { version, namespaces, everywhere, decided: RwLock::default() })
    }

    /// A namespace without grants of its own has those for all namespaces.
    fn namespace(&self, name: &str) -> &Entity {
        self.namespaces.get(name).unwrap_or(&self.everywhere)
    }

    fn remember(&self, key: Key, decision: Decision) {
        let mut decided = self.decided.write();
        if decided.len() >= REMEMBERED {
            decided.clear();
        }
        decided.insert(key, decision);
    }
}
