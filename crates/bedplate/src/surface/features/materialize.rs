//! Rows that somebody asks to be in the online store: the asking is written into the view, whose controller does it. So it
//! goes on after a restart, and any replica may be asked.

use std::time::Duration;

use bedplate_feast::{NamedView, Range, StoreError};
use bedplate_identity::Principal;
use bedplate_kinds::{FeatureView, Phase, RowsAsked};
use bedplate_types::{ErrorKind, NamespacedName, Problem, Timestamp};
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

use super::{Store, internal};

/// How long an answer is waited for. It goes on without whoever waited.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// How long a view may be called failed before what was asked for counts as failed: it may have been before.
const SETTLING: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Others may write the view meanwhile.
const TRIES: usize = 20;

impl Store {
    pub(super) async fn named_views(
        &self,
        namespace: &str,
        names: Option<&[String]>,
    ) -> Result<Vec<NamedView>, StoreError> {
        let mut found = Vec::new();
        match names {
            Some(names) => {
                for name in names {
                    found.push((name.clone(), self.view(namespace, name).await?));
                }
            }
            None => {
                let all = self.views(namespace).list(&ListParams::default()).await.map_err(failed)?;
                found.extend(all.items.into_iter().map(|view| (view.name_any(), view)));
            }
        }
        let mut views = Vec::new();
        for (asked, view) in found {
            views.push(NamedView { name: view.name_any(), asked, tags: self.tags(namespace, &view).await? });
        }
        Ok(views)
    }

    /// Beside what is still wanted of the view; returns the moment that tells this asking from others.
    pub(super) async fn ask(
        &self,
        principal: &Principal,
        namespace: &str,
        view: &NamedView,
        range: Range,
    ) -> Result<Timestamp, StoreError> {
        for _ in 0..TRIES {
            let found = self.view(namespace, &view.name).await?;
            let asked = self.asked(principal, &found, range);
            let patch = json!({ "metadata": { "resourceVersion": found.metadata.resource_version },
                "status": { "rowsAsked": asked } });
            let api = self.views(namespace);
            match api.patch_status(&view.name, &PatchParams::default(), &Patch::Merge(patch)).await {
                Ok(_) => return Ok(asked.at),
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    return Err(StoreError::NoView(view.asked.clone()));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        let why = "it is written by others all the time: ask again";
        Err(Problem::new(ErrorKind::Busy, what(namespace, view), why).into())
    }

    fn asked(&self, principal: &Principal, view: &FeatureView, range: Range) -> RowsAsked {
        let before = view.status.as_ref().and_then(|status| status.rows_asked.as_ref());
        let wanted = view.status.as_ref().and_then(|status| status.rows_wanted());
        // No two have one moment.
        let later = before.map(|before| Timestamp::from_micros(before.at.micros() + 1));
        let at = later.map_or(self.clock.now(), |later| later.max(self.clock.now()));
        let asked = RowsAsked { at, from: range.from, until: range.until, by: principal.name.clone() };
        wanted.map(|wanted| wanted.and(asked.clone())).unwrap_or(asked)
    }

    pub(super) async fn is_wanted(&self, namespace: &str, view: &NamedView) -> Result<bool, StoreError> {
        let found = self.view(namespace, &view.name).await?;
        Ok(found.status.is_some_and(|status| status.rows_wanted().is_some()))
    }

    pub(super) async fn brought(&self, namespace: &str, view: &NamedView, asked: Timestamp) -> Result<(), StoreError> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let status = self.view(namespace, &view.name).await?.status.unwrap_or_default();
            if status.rows_brought.is_some_and(|brought| brought.complete && brought.asked >= asked) {
                return Ok(());
            }
            if status.phase == Phase::Failed && begun.elapsed() > SETTLING {
                let why = status.conditions.iter().find(|condition| condition.type_ == "Ready");
                let why = why.map_or("it failed", |condition| condition.message.as_str());
                return Err(Problem::new(ErrorKind::Refused, what(namespace, view), why).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let fix = format!("bedplate describe featureview {} -n {namespace}", view.name);
        let why = "its rows are still being brought; that goes on";
        Err(Problem::new(ErrorKind::Timeout, what(namespace, view), why).with_fix(fix).into())
    }

    fn views(&self, namespace: &str) -> Api<FeatureView> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

fn what(namespace: &str, view: &NamedView) -> String {
    format!("feature view {}", NamespacedName::new(namespace, &view.name))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: kube::Error) -> StoreError {
    internal(&error.to_string())
}
