//! What a caller may see, and how that is said in SQL.

use std::collections::BTreeSet;

use bedplate_db::{DbError, Tx, Value};
use bedplate_identity::Principal;
use bedplate_policy::{Action, Decision, Policy, Resource};

use crate::scope::{PLATFORM, scope};

/// The kind that grants are asked about: no object of the API has it.
pub(crate) const KIND: &str = "Lineage";

/// The most scopes that are told apart in one question.
const SCOPES: i64 = 10_000;

/// A caller and one thing they want to do.
#[derive(Clone)]
pub(crate) struct Sight {
    pub policy: Policy,
    pub who: Principal,
    pub action: Action,
}

impl Sight {
    pub fn decide(&self, namespace: &str) -> Decision {
        let scope = scope(namespace);
        let namespace = (scope != PLATFORM).then_some(scope);
        let resource = Resource { namespace, kind: KIND, name: None };
        self.policy.decide(&self.who.name, &self.who.groups, self.action, &resource)
    }

    /// In a namespace of OpenLineage.
    pub fn reaches(&self, namespace: &str) -> bool {
        self.decide(namespace).allowed
    }

    /// The scopes among those that are known.
    pub fn scopes(&self, tx: &mut dyn Tx) -> Result<Scopes, DbError> {
        let rows =
            tx.query("SELECT DISTINCT scope FROM openlineage_namespaces ORDER BY scope LIMIT $1", &[SCOPES.into()])?;
        let known = rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(Scopes(known.into_iter().filter(|scope| self.reaches(scope)).collect()))
    }
}

/// Scopes whose rows may be shown; possibly none.
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them behind the arguments there are and returns `($3, $4, …)` for them.
    pub fn bind(&self, args: &mut Vec<Value>) -> String {
        let first = args.len() + 1;
        args.extend(self.0.iter().map(Value::from));
        let places: Vec<String> = (first..=args.len()).map(|n| format!("${n}")).collect();
        format!("({})", places.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_follow_the_arguments_there_are() {
        let mut args: Vec<Value> = vec![1.into(), 2.into()];
        assert_eq!(Scopes(vec!["*".into(), "flights".into()]).bind(&mut args), "($3, $4)");
        assert_eq!(args[2..], ["*".into(), "flights".into()]);
    }
}
