//! Grants as the rules see them: each namespace with its owners, editors and viewers.

use std::collections::{BTreeMap, BTreeSet};

use crate::question::EVERYWHERE;
use crate::{Grant, Role};

/// Who has which role somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holders {
    pub(crate) owners: BTreeSet<String>,
    pub(crate) editors: BTreeSet<String>,
    pub(crate) viewers: BTreeSet<String>,
}

impl Holders {
    pub(crate) fn of(&mut self, role: Role) -> &mut BTreeSet<String> {
        match role {
            Role::Owner => &mut self.owners,
            Role::Editor => &mut self.editors,
            Role::Viewer => &mut self.viewers,
        }
    }
}

/// The holders of each namespace that grants name; those of [`EVERYWHERE`] are in every one of them.
pub(crate) fn by_namespace(grants: &[Grant]) -> BTreeMap<&str, Holders> {
    let mut everywhere = Holders::default();
    for grant in grants.iter().filter(|grant| grant.namespace == EVERYWHERE) {
        everywhere.of(grant.role).insert(grant.principal.clone());
    }
    let mut all = BTreeMap::from([(EVERYWHERE, everywhere.clone())]);
    for grant in grants {
        let holders = all.entry(grant.namespace.as_str()).or_insert_with(|| everywhere.clone());
        holders.of(grant.role).insert(grant.principal.clone());
    }
    all
}
