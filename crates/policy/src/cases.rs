//! Tests of policies: a table of questions with the answers they must have.

use serde::{Deserialize, Serialize};

use crate::kind::{Kinds, OTHER};
use crate::question::Circumstances;
use crate::rules::Rules;
use crate::{Action, Grant, Question, Resource, Tags, principal};

/// A file of cases, with the grants they presume.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cases {
    #[serde(default)]
    pub grants: Vec<Grant>,
    pub cases: Vec<Case>,
}

/// One question, and the answer it must have.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub principal: String,
    #[serde(default)]
    pub groups: Vec<String>,
    /// `get`, or `Dataset.get`.
    pub action: String,
    pub resource: Thing,
    #[serde(default)]
    pub context: Circumstances,
    pub expect: Expect,
    /// The ids of the policies that must have decided, in any order; left out, any may have.
    #[serde(default)]
    pub by: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thing {
    pub kind: String,
    #[serde(default)]
    pub namespace: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub tags: Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    Allow,
    Deny,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub case: String,
    pub passed: bool,
    pub expected: Expect,
    /// `None` when the question could not be put.
    pub got: Option<Expect>,
    pub policies: Vec<String>,
    /// What was answered, or why it could not be asked.
    pub why: String,
}

impl Case {
    /// Puts the question. One that cannot be put has failed, whatever it expects.
    #[must_use]
    pub fn judge(&self, rules: &Rules) -> Verdict {
        let failed = |why: String| Verdict {
            case: self.name.clone(),
            passed: false,
            expected: self.expect,
            got: None,
            policies: Vec::new(),
            why,
        };
        let (action, kind) = match self.asked() {
            Ok(asked) => asked,
            Err(why) => return failed(why),
        };
        let resource =
            Resource { namespace: self.resource.namespace.as_deref(), kind, name: self.resource.name.as_deref() };
        let question = Question::new(&self.principal, &self.groups, action, resource);
        let decision = rules.decide(&question.tagged(&self.resource.tags).within(self.context.context()));
        if decision.is_unasked {
            return failed(decision.why().to_owned());
        }
        let got = if decision.allowed { Expect::Allow } else { Expect::Deny };
        let policies = decision.policies.to_vec();
        let by = self.by.as_ref().is_none_or(|by| {
            let (mut expected, mut found) = (by.clone(), policies.clone());
            expected.sort();
            found.sort();
            expected == found
        });
        Verdict { passed: got == self.expect && by, got: Some(got), policies, ..failed(decision.why().to_owned()) }
    }

    fn asked(&self) -> Result<(Action, &str), String> {
        let known = Kinds::known();
        let kind = known.find(&self.resource.kind).filter(|kind| *kind != OTHER);
        let kind = kind.ok_or_else(|| format!("there is no kind {:?}", self.resource.kind))?;
        let (of, action) = self.action.split_once('.').map_or((kind, self.action.as_str()), |pair| pair);
        if of != kind {
            return Err(format!("action {:?} is not one on {kind}", self.action));
        }
        let action = Action::parse(action).ok_or_else(|| format!("there is no action {action:?}"))?;
        if known.of(action, kind) == OTHER {
            return Err(format!("there is no action {kind}.{action}"));
        }
        if principal::typed(&self.principal).is_none() {
            return Err(format!(
                "{:?} is no principal: user:ana, serviceaccount:ns/name, workload:ns/name …",
                self.principal
            ));
        }
        Ok((action, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Source};

    fn case(action: &str, kind: &str, principal: &str, expect: Expect, by: Option<&[&str]>) -> Case {
        Case {
            name: "c".into(),
            principal: principal.into(),
            groups: Vec::new(),
            action: action.into(),
            resource: Thing { kind: kind.into(), namespace: Some("flights".into()), name: None, tags: Tags::NONE },
            context: Circumstances::default(),
            expect,
            by: by.map(|by| by.iter().map(|id| (*id).to_owned()).collect()),
        }
    }

    #[test]
    fn a_case_passes_only_by_the_answer_and_the_policies_it_names() {
        let rules = Rules::new(&[], &[Grant::new("user:ana", "flights", Role::Viewer)]).unwrap();
        let passed = |case: Case| case.judge(&rules).passed;
        assert!(passed(case("get", "Dataset", "user:ana", Expect::Allow, None)));
        assert!(passed(case("Dataset.get", "datasets", "user:ana", Expect::Allow, Some(&["viewer-reads"]))));
        assert!(!passed(case("get", "Dataset", "user:ana", Expect::Allow, Some(&["editor-works"]))));
        assert!(!passed(case("get", "Dataset", "user:ana", Expect::Deny, None)));
        assert!(passed(case("delete", "Dataset", "user:ana", Expect::Deny, Some(&[]))));
    }

    #[test]
    fn a_policy_that_errs_denies_and_is_no_denial_that_a_case_may_expect() {
        let cedar = "permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };".to_owned();
        let errs = Source { namespace: "flights".into(), name: "errs".into(), cedar };
        let rules = Rules::new(&[errs], &[Grant::new("user:ana", "flights", Role::Owner)]).unwrap();
        let verdict = case("get", "Dataset", "user:ana", Expect::Deny, None).judge(&rules);
        assert!(!verdict.passed && verdict.got.is_none() && verdict.why.contains("could not be asked"), "{verdict:?}");
    }

    #[test]
    fn what_cannot_be_asked_fails_even_where_a_denial_is_expected() {
        let rules = Rules::new(&[], &[]).unwrap();
        for (action, kind, principal) in [
            ("fly", "Dataset", "user:ana"),
            ("get", "Datasett", "user:ana"),
            ("predict", "Dataset", "user:ana"),
            ("Model.get", "Dataset", "user:ana"),
            ("get", "Dataset", "ana"),
        ] {
            let verdict = case(action, kind, principal, Expect::Deny, None).judge(&rules);
            assert!(!verdict.passed && verdict.got.is_none(), "{verdict:?}");
        }
    }
}
