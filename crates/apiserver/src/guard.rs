//! May the caller: asked before a request is done, and again and again while a watch lasts.

use std::sync::Arc;

use bedplate_identity::{Authenticator, Principal};
use bedplate_policy::{Action, Policy, Resource as Subject};
use bedplate_types::{ErrorKind, Explained};

use crate::error::ApiError;
use crate::resource::Resource;

/// The `Authorization` header a request was believed for.
#[derive(Clone)]
pub struct Presented(pub String);

/// Who wants to do what, and whom to ask about it.
#[derive(Clone)]
pub struct Guard {
    pub authenticator: Authenticator,
    pub policy: Policy,
    pub principal: Principal,
    /// `None` inside the process, where callers need no token.
    pub presented: Option<Presented>,
    pub resource: Arc<Resource>,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub action: Action,
}

impl Guard {
    /// Asks the policy as it is known now. Costs a look into a table.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], which says nothing of what exists.
    pub fn decide(&self) -> Result<(), ApiError> {
        let name = self.name.as_deref();
        let subject = Subject { namespace: self.namespace.as_deref(), kind: &self.resource.kind, name };
        let Principal { name: who, groups } = &self.principal;
        let decision = self.policy.decide(who, groups, self.action, &subject);
        if decision.allowed {
            return Ok(());
        }
        let (resource, name) = (self.resource.qualified(), name.unwrap_or_default().to_owned());
        tracing::info!(principal = %who, %resource, %name, policies = ?decision.policies, why = decision.why(), "denied");
        Err(ApiError::Forbidden { resource, name, why: decision.why().to_owned() })
    }

    /// Asks the database too: whether the token is still good, and whether grants were changed elsewhere. Costs two reads
    /// of one row, on a thread that may block.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] and those of [`Guard::decide`].
    pub async fn ask_again(&self) -> Result<(), ApiError> {
        let guard = self.clone();
        let task = tokio::task::spawn_blocking(move || guard.decide_afresh());
        task.await.map_err(|error| ApiError::Internal(error.to_string()))?
    }

    fn decide_afresh(mut self) -> Result<(), ApiError> {
        self.policy.refresh().map_err(|error| ApiError::Internal(error.to_string()))?;
        if let Some(Presented(header)) = &self.presented {
            // One without a memory: a token revoked by anybody must not be believed a moment longer.
            self.principal =
                self.authenticator.afresh().authenticate(Some(header)).map_err(|error| match error.kind() {
                    ErrorKind::Unauthenticated => ApiError::Unauthenticated { why: error.to_string() },
                    _ => ApiError::Internal(error.to_string()),
                })?;
        }
        self.decide()
    }
}
