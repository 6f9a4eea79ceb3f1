//! Grants by who has them: what somebody holds somewhere is found without looking at anybody else's.

use std::collections::HashMap;

use crate::question::EVERYWHERE;
use crate::{Grant, Role};

/// Roles that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held(u8);

impl Held {
    pub(crate) const fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Role> for Held {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |all, role| all | bit(role)))
    }
}

const fn bit(role: Role) -> u8 {
    1 << role as u8
}

/// Roles by namespace.
type Places = HashMap<String, Held>;

/// All grants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants {
    principals: HashMap<String, Places>,
    groups: HashMap<String, Places>,
}

impl Grants {
    pub(crate) fn new(grants: &[Grant]) -> Self {
        let mut all = Self::default();
        for grant in grants {
            let places = match grant.principal.strip_prefix("group:") {
                Some(group) => all.groups.entry(group.to_owned()),
                None => all.principals.entry(grant.principal.clone()),
            };
            let held = places.or_default().entry(grant.namespace.clone()).or_default();
            *held = held.and([grant.role].into_iter().collect());
        }
        all
    }

    /// What `principal`, in `groups`, holds in `scope`: by grants there, and by grants for all namespaces.
    pub(crate) fn held(&self, principal: &str, groups: &[String], scope: &str) -> Held {
        let own = self.principals.get(principal).into_iter();
        let places = own.chain(groups.iter().filter_map(|group| self.groups.get(group)));
        places.fold(Held::default(), |held, places| {
            let at = |place: &str| places.get(place).copied().unwrap_or_default();
            held.and(at(scope)).and(at(EVERYWHERE))
        })
    }
}
