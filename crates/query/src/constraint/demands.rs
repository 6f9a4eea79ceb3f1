//! What the metadata of a table's version demands of its rows, and what that of the next one will.

use std::collections::{BTreeMap, BTreeSet};

use super::ConstraintError;

/// Expressions by their names, as the log has them.
pub(crate) type Expressions = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demands {
    pub checks: Expressions,
    /// Columns that have a value in each row. None is written here; other writers may.
    pub not_null: BTreeSet<String>,
}

impl Demands {
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.not_null.is_empty()
    }

    /// What the next version demands where a dataset declares `declared`, and did declare `before`. What is not in `before`
    /// just so is another writer's, and stays.
    ///
    /// # Errors
    /// [`ConstraintError::Taken`]: another writer has another expression of that name there.
    pub fn next(&self, before: &Expressions, declared: &Expressions) -> Result<Self, ConstraintError> {
        let is_theirs = |(name, expression): &(&String, &String)| before.get(*name) != Some(*expression);
        let theirs = self.checks.iter().filter(is_theirs);
        let mut checks: Expressions = theirs.map(|(name, theirs)| (name.clone(), theirs.clone())).collect();
        for (name, expression) in declared {
            match checks.insert(name.clone(), expression.clone()) {
                Some(theirs) if theirs != *expression => {
                    return Err(ConstraintError::Taken { name: name.clone(), theirs });
                }
                _ => {}
            }
        }
        Ok(Self { checks, not_null: self.not_null.clone() })
    }

    /// What this demands and `met`, of which all rows are known to meet it, does not.
    pub fn beyond(&self, met: &Self) -> Self {
        let is_new = |(name, expression): &(&String, &String)| met.checks.get(*name) != Some(*expression);
        let checks = self.checks.iter().filter(is_new).map(|(name, expression)| (name.clone(), expression.clone()));
        Self { checks: checks.collect(), not_null: self.not_null.difference(&met.not_null).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(checks: &[(&str, &str)]) -> Expressions {
        checks.iter().map(|(name, expression)| ((*name).to_owned(), (*expression).to_owned())).collect()
    }

    fn demands(checks: &[(&str, &str)]) -> Demands {
        Demands { checks: of(checks), ..Demands::default() }
    }

    #[track_caller]
    fn check(log: &[(&str, &str)], before: &[(&str, &str)], declared: &[(&str, &str)], expect: &[(&str, &str)]) {
        let next = demands(log).next(&of(before), &of(declared)).unwrap();
        assert_eq!(next, demands(expect));
    }

    #[test]
    fn what_was_declared_goes_and_changes_with_the_declaration_and_what_others_wrote_stays() {
        let (a, b) = (("a", "n > 0"), ("b", "n < 9"));
        check(&[], &[], &[a], &[a]);
        check(&[a], &[a], &[], &[]);
        check(&[a], &[a], &[("a", "n > 1")], &[("a", "n > 1")]);
        check(&[a, b], &[a], &[], &[b]);
        check(&[b], &[], &[a], &[a, b]);
        check(&[], &[a], &[a], &[a]);
        check(&[("a", "n > 5")], &[a], &[], &[("a", "n > 5")]);
        check(&[b], &[], &[b], &[b]);
    }

    #[test]
    fn a_name_that_another_writer_has_is_not_taken_from_them() {
        let theirs = demands(&[("a", "n > 5")]);
        let taken = theirs.next(&of(&[("a", "n > 0")]), &of(&[("a", "n > 0")])).unwrap_err();
        assert!(
            matches!(&taken, ConstraintError::Taken { name, theirs } if name == "a" && theirs == "n > 5"),
            "{taken}"
        );
    }

    #[test]
    fn rows_are_judged_anew_by_what_is_new() {
        let met = demands(&[("a", "n > 0"), ("b", "n < 9")]);
        assert!(demands(&[("a", "n > 0")]).beyond(&met).is_empty());
        assert_eq!(demands(&[("a", "n > 1"), ("b", "n < 9")]).beyond(&met), demands(&[("a", "n > 1")]));
        let not_null = Demands { not_null: ["n".to_owned()].into(), ..met.clone() };
        assert_eq!(not_null.beyond(&met).not_null, ["n".to_owned()].into());
    }
}
