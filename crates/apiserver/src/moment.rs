//! Which state of the objects a list shows: what `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` mean
//! together (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>).

use crate::error::{ApiError, Cause};
use crate::options::Query;
use crate::place::Place;
use crate::store::Memory;

/// The state a list was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The present, which must not be older than this version.
    Present {
        at_least: i64,
    },
    Exactly(i64),
    /// A list that was begun before.
    Continued(Place),
}

impl Moment {
    pub fn read(query: &Query) -> Result<Self, ApiError> {
        let asked = query.number("resourceVersion")?;
        let version = i64::try_from(asked.unwrap_or_default()).unwrap_or(i64::MAX);
        let matching = query.text("resourceVersionMatch");
        let continued = query.text("continue").map(Place::read).transpose()?;
        if let Some(why) = forbidden(asked.is_some(), version, matching, continued.is_some()) {
            return Err(invalid(why));
        }
        match (continued, matching) {
            (Some(_), _) if version > 0 => {
                let why = "specifying resource version is not allowed when using continue";
                Err(ApiError::BadRequest(why.to_owned()))
            }
            (Some(place), _) => Ok(Self::Continued(place)),
            (None, Some("Exact")) => Ok(Self::Exactly(version)),
            (None, Some("NotOlderThan")) => Ok(Self::Present { at_least: version }),
            (None, Some(other)) => Err(invalid(format!("Unsupported value: {other:?}"))),
            // What a limit meant before there was resourceVersionMatch.
            (None, None) if version > 0 && query.number("limit")?.is_some_and(|limit| limit > 0) => {
                Ok(Self::Exactly(version))
            }
            (None, None) => Ok(Self::Present { at_least: version }),
        }
    }

    /// The version to show, given what is remembered.
    ///
    /// # Errors
    /// [`ApiError::FromTheFuture`], and [`ApiError::Expired`] or [`ApiError::ExpiredContinue`] for a forgotten state.
    pub fn version(&self, memory: Memory) -> Result<i64, ApiError> {
        let asked = match self {
            Self::Present { at_least } => *at_least,
            Self::Exactly(version) => *version,
            Self::Continued(place) => place.version().unwrap_or(memory.head),
        };
        if asked > memory.head {
            return Err(ApiError::FromTheFuture { asked, head: memory.head });
        }
        match self {
            Self::Present { .. } => Ok(memory.head),
            Self::Exactly(_) if asked < memory.floor => {
                Err(ApiError::Expired("The resourceVersion for the provided list is too old.".to_owned()))
            }
            Self::Continued(place) if asked < memory.floor => {
                Err(ApiError::ExpiredContinue { token: place.in_the_present().to_token() })
            }
            Self::Exactly(_) | Self::Continued(_) => Ok(asked),
        }
    }
}

fn forbidden(asked: bool, version: i64, matching: Option<&str>, continued: bool) -> Option<String> {
    let matching = matching?;
    match (asked, version) {
        _ if continued => Some("Forbidden: resourceVersionMatch is forbidden when continue is provided".to_owned()),
        (false, _) => {
            Some("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".to_owned())
        }
        (true, 0) if matching == "Exact" => {
            Some("Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"".to_owned())
        }
        _ => None,
    }
}

fn invalid(why: String) -> ApiError {
    let cause = Cause::invalid("resourceVersionMatch", why);
    ApiError::Invalid { kind: "ListOptions.meta.k8s.io".to_owned(), name: String::new(), causes: vec![cause] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Memory = Memory { floor: 5, head: 9 };

    fn version(query: &str) -> Result<i64, ApiError> {
        Moment::read(&Query::parse(Some(query))).and_then(|moment| moment.version(MEMORY))
    }

    #[test]
    fn the_parameters_mean_together_what_kubernetes_says() {
        for (query, expected) in [
            ("", 9),
            ("resourceVersion=0", 9),
            ("resourceVersion=6", 9),
            ("resourceVersion=2", 9),
            ("resourceVersion=6&limit=1", 6),
            ("resourceVersion=0&limit=1", 9),
            ("resourceVersion=6&resourceVersionMatch=Exact", 6),
            ("resourceVersion=5&resourceVersionMatch=Exact", 5),
            ("resourceVersion=6&resourceVersionMatch=NotOlderThan&limit=1", 9),
            ("resourceVersion=0&resourceVersionMatch=NotOlderThan", 9),
        ] {
            assert_eq!(version(query).unwrap(), expected, "{query}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let token = Place::after(6, &serde_json::json!({})).to_token();
        let with_match = format!("resourceVersion=6&resourceVersionMatch=Exact&continue={token}");
        for query in [
            "resourceVersionMatch=Exact",
            "resourceVersion=0&resourceVersionMatch=Exact",
            "resourceVersion=6&resourceVersionMatch=Roughly",
            &with_match,
        ] {
            assert!(matches!(version(query), Err(ApiError::Invalid { .. })), "{query}");
        }
        assert!(matches!(version(&format!("resourceVersion=6&continue={token}")), Err(ApiError::BadRequest(_))));
    }

    #[test]
    fn the_future_and_the_forgotten_cannot_be_shown() {
        let exact = |version: i64| format!("resourceVersion={version}&resourceVersionMatch=Exact");
        assert!(matches!(version(&exact(10)), Err(ApiError::FromTheFuture { asked: 10, head: 9 })));
        assert!(matches!(version("resourceVersion=10"), Err(ApiError::FromTheFuture { .. })));
        assert!(matches!(version(&exact(4)), Err(ApiError::Expired(_))));
        let continued = |version| format!("continue={}", Place::after(version, &serde_json::json!({})).to_token());
        assert!(matches!(version(&continued(4)), Err(ApiError::ExpiredContinue { .. })));
        assert_eq!((version(&continued(5)).unwrap(), version(&continued(-1)).unwrap()), (5, 9));
    }
}
