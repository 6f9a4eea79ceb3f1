//! What the service asks of the house around it.

use std::collections::HashMap;

use async_trait::async_trait;
use bedplate_identity::Principal;
use bedplate_types::Problem;
use bytes::Bytes;

/// Where the namespaces are kept.
#[async_trait]
pub trait Namespaces: Send + Sync {
    /// What tells this namespace from an earlier or later one of the same name; none: there is no such namespace.
    async fn id(&self, name: &str) -> Result<Option<String>, Problem>;

    /// Those of all namespaces, by name.
    async fn ids(&self) -> Result<HashMap<String, String>, Problem>;
}

/// Sees what is put.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Whether an object of this key is to be seen. It is held in memory, and refused when it is larger than 16 MiB.
    fn minds(&self, key: &str) -> bool;

    /// Called before the object counts: what is refused here was not put. What comes back is kept until it counts, or is
    /// known not to.
    async fn put(&self, caller: &Caller, put: Put<'_>) -> Result<Seen, Problem>;
}

/// Of one object at a time: the next is seen when this is gone.
pub struct Seen(#[expect(dead_code, reason = "it is kept, and that is all")] Box<dyn std::any::Any + Send>);

impl Seen {
    pub fn new(turn: impl Send + 'static) -> Self {
        Self(Box::new(turn))
    }
}

/// An object that is about to be put.
#[derive(Clone, Debug)]
pub struct Put<'a> {
    pub namespace: &'a str,
    pub key: &'a str,
    pub bytes: Bytes,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    /// The id of the token that the access key belongs to.
    pub access_key: String,
}
