//! A question of the read API: who asks, about which path, with which parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use bedplate_db::Tx;
use bedplate_identity::Principal;
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use percent_encoding::percent_decode_str;

use crate::Served;
use crate::error::Failure;
use crate::part::Invalid;
use crate::sight::Sight;

/// What a list holds when nothing was said, and the most that it holds.
const LIMIT: u32 = 100;
const MOST: u32 = 1_000;
/// The most hops that a walk takes; a graph reaches its bound of nodes long before.
const DEPTH: u32 = 20;
const DEEPEST: u32 = 1_000;

pub(crate) struct Call {
    served: Arc<Served>,
    who: Principal,
    /// As they stand in the URL, still encoded.
    path: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

impl FromRequestParts<Arc<Served>> for Call {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, served: &Arc<Served>) -> Result<Self, Failure> {
        let who = served.guard.who(&parts.headers)?;
        let raw = RawPathParams::from_request_parts(parts, served).await;
        let raw = raw.map_err(|why| Invalid::new("path", why.to_string()))?;
        let path = raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self { served: Arc::clone(served), who, path, query: query.into_owned().collect() })
    }
}

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub limit: u32,
    pub offset: u32,
}

impl Call {
    /// What the caller sees when they ask for one thing, or for many.
    pub fn sight(&self, action: Action) -> Sight {
        self.served.guard.sight(&self.who, action)
    }

    /// Runs `ask` on one snapshot, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn Tx) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let db = self.served.db.clone();
        let answer = tokio::task::spawn_blocking(move || db.read(ask)).await;
        answer.map_err(|why| Failure::Lost(why.to_string()))?
    }

    /// A part of the path, decoded.
    pub fn name(&self, part: &str) -> Result<String, Failure> {
        decoded(self.path.get(part).map_or("", String::as_str))
    }

    /// The end of the path as a name, and whether `/<suffix>` follows it. A slash of the name itself may be encoded or not.
    pub fn name_before(&self, suffix: &str) -> Result<(String, bool), Failure> {
        let rest = self.path.get("rest").map_or("", String::as_str);
        match rest.strip_suffix(suffix).and_then(|rest| rest.strip_suffix('/')) {
            Some(name) => Ok((decoded(name)?, true)),
            None => Ok((decoded(rest)?, false)),
        }
    }

    pub fn page(&self) -> Result<Page, Invalid> {
        self.page_of(LIMIT)
    }

    pub fn page_of(&self, usual: u32) -> Result<Page, Invalid> {
        let limit = self.number("limit", usual)?.min(MOST);
        Ok(Page { limit, offset: self.number("offset", 0)? })
    }

    pub fn depth(&self) -> Result<u32, Invalid> {
        Ok(self.number("depth", DEPTH)?.min(DEEPEST))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn need(&self, name: &str) -> Result<&str, Invalid> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| Invalid::new(name, "is required"))
    }

    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Invalid> {
        let read =
            |text: &str| text.parse().map_err(|_| Invalid::new(name, "must be an RFC 3339 instant with its zone"));
        self.text(name).map(read).transpose()
    }

    pub fn flag(&self, name: &str) -> Result<bool, Invalid> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Invalid::new(name, "must be true or false")),
        }
    }

    fn number(&self, name: &str, usual: u32) -> Result<u32, Invalid> {
        let read = |text: &str| text.parse().map_err(|_| Invalid::new(name, "must be a whole number, 0 or more"));
        self.text(name).map_or(Ok(usual), read)
    }
}

fn decoded(text: &str) -> Result<String, Failure> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| Invalid::new("path", "is not UTF-8 once decoded").into())
}
