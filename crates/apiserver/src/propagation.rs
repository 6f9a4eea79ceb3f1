//! What a deletion means for the dependents: `propagationPolicy`, and the older `orphanDependents`.

use serde_json::Value;

use crate::error::{ApiError, Cause};
use crate::meta;
use crate::options::Query;

/// Kubernetes' finalizer of an object that waits for the dependents that block it.
pub const FOREGROUND: &str = "foregroundDeletion";
/// And of one whose dependents are to lose it first.
pub const ORPHAN: &str = "orphan";

/// What becomes of the dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// They go after the owner.
    Background,
    /// They go first; the owner waits for those that block its deletion.
    Foreground,
    /// They stay, without the owner.
    Orphan,
}

impl Propagation {
    /// As the body of the request says, else its query; `None` when neither does.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for an unknown policy, and for both ways to say it at once.
    pub fn read(options: &Value, query: &Query) -> Result<Option<Self>, ApiError> {
        let in_body = said(options["propagationPolicy"].as_str(), options["orphanDependents"].as_bool())?;
        let orphan = query.text("orphanDependents").map(|_| query.flag("orphanDependents"));
        let in_query = said(query.text("propagationPolicy"), orphan)?;
        Ok(in_body.or(in_query))
    }

    /// What an object's own finalizers ask for.
    pub fn of(object: &Value) -> Self {
        let finalizers = meta::finalizers(object);
        if finalizers.contains(&ORPHAN) {
            Self::Orphan
        } else if finalizers.contains(&FOREGROUND) {
            Self::Foreground
        } else {
            Self::Background
        }
    }
}

fn said(policy: Option<&str>, orphan: Option<bool>) -> Result<Option<Propagation>, ApiError> {
    match (policy.filter(|policy| !policy.is_empty()), orphan) {
        (Some(_), Some(_)) => {
            Err(invalid("Invalid value: orphanDependents and deletionPropagation cannot be both set".to_owned()))
        }
        (Some("Background"), None) | (None, Some(false)) => Ok(Some(Propagation::Background)),
        (Some("Foreground"), None) => Ok(Some(Propagation::Foreground)),
        (Some("Orphan"), None) | (None, Some(true)) => Ok(Some(Propagation::Orphan)),
        (Some(other), None) => Err(invalid(format!(
            "Unsupported value: {other:?}: supported values: \"Background\", \"Foreground\", \"Orphan\""
        ))),
        (None, None) => Ok(None),
    }
}

fn invalid(why: String) -> ApiError {
    let cause = Cause::invalid("propagationPolicy", why);
    ApiError::Invalid { kind: "DeleteOptions.meta.k8s.io".to_owned(), name: String::new(), causes: vec![cause] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(options: &Value, query: &str, expected: Option<Propagation>) {
        let read = Propagation::read(options, &Query::parse(Some(query)));
        assert_eq!(read.unwrap(), expected, "{options} {query}");
    }

    #[test]
    fn the_body_comes_before_the_query_and_the_new_word_beside_the_old() {
        check(&json!({}), "", None);
        check(&json!({"propagationPolicy": "Foreground"}), "propagationPolicy=Orphan", Some(Propagation::Foreground));
        check(&json!({}), "propagationPolicy=Orphan", Some(Propagation::Orphan));
        check(&json!({"orphanDependents": true}), "", Some(Propagation::Orphan));
        check(&json!({}), "orphanDependents=false", Some(Propagation::Background));
    }

    #[test]
    fn contradictions_and_unknown_words_are_refused() {
        for options in
            [json!({"propagationPolicy": "Sideways"}), json!({"propagationPolicy": "Orphan", "orphanDependents": true})]
        {
            assert!(Propagation::read(&options, &Query::default()).is_err(), "{options}");
        }
    }
}
