//! A lease, and how one replica has seen it.

use bedplate_types::{Span, Timestamp};

/// Who leads, since which taking, and how long that lasts without being renewed (coordination.k8s.io/v1 `LeaseSpec`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// `None`: it was let go of.
    pub holder: Option<String>,
    pub duration: Span,
    /// How often it changed hands.
    pub transitions: i64,
    /// Changes with each renewal; means nothing else.
    pub renewal: String,
}

/// What a replica has seen of the lease, by its own time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `None`: there is none yet.
    pub lease: Option<Lease>,
    /// Since when it is as it is.
    pub since: Timestamp,
}

impl Seen {
    /// After another look, which found `lease` at `now`.
    #[must_use]
    pub fn again(self, lease: Option<Lease>, now: Timestamp) -> Self {
        if self.lease == lease { self } else { Self { lease, since: now } }
    }
}
