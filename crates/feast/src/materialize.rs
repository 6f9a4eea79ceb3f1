//! POST /materialize and POST /materialize-incremental: rows of a range of time are in the online store when it is answered,
//! or with `?async=true` some time later.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Request, StatusCode, request::Parts};
use axum::response::{IntoResponse, Response};
use bedplate_policy::Action;
use bedplate_types::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::error::FeastError;
use crate::guard::{Caller, purpose};
use crate::offline::moment;
use crate::store::{NamedView, Range};
use crate::{Served, StoreError, body};

/// Feast's `MaterializeRequest`; names of columns have no meaning here.
#[derive(Deserialize)]
struct Materialize {
    #[serde(default)]
    start_ts: Option<String>,
    #[serde(default)]
    end_ts: Option<String>,
    #[serde(default)]
    feature_views: Option<Vec<String>>,
    /// Everything there is.
    #[serde(default)]
    disable_event_timestamp: bool,
    #[serde(default)]
    version: Option<String>,
}

/// Feast's `MaterializeIncrementalRequest`.
#[derive(Deserialize)]
struct Incremental {
    end_ts: String,
    #[serde(default)]
    feature_views: Option<Vec<String>>,
    #[serde(default)]
    version: Option<String>,
}

/// How it is to be done.
#[derive(Deserialize)]
pub(crate) struct How {
    #[serde(default, rename = "async")]
    later: bool,
    /// Although it is being done already: what was asked for before is then a part of it.
    #[serde(default)]
    force: bool,
}

pub(crate) async fn materialize(
    State(served): State<Arc<Served>>,
    Query(how): Query<How>,
    request: Request<Body>,
) -> Result<Response, FeastError> {
    let (parts, body) = request.into_parts();
    let caller = served.guard.who(&parts.headers)?;
    let asked: Materialize = body::read(body).await?;
    let views = served.views(&parts, &caller, asked.feature_views.as_deref(), asked.version.as_deref()).await?;
    served.bring(&caller, &views, asked.range()?, &how).await
}

/// What came before the end is there already or is brought too: nothing is brought twice.
pub(crate) async fn incremental(
    State(served): State<Arc<Served>>,
    Query(how): Query<How>,
    request: Request<Body>,
) -> Result<Response, FeastError> {
    let (parts, body) = request.into_parts();
    let caller = served.guard.who(&parts.headers)?;
    let asked: Incremental = body::read(body).await?;
    let views = served.views(&parts, &caller, asked.feature_views.as_deref(), asked.version.as_deref()).await?;
    let range = Range { from: None, until: Some(moment("end_ts", &asked.end_ts)?) };
    served.bring(&caller, &views, range, &how).await
}

impl Materialize {
    fn range(&self) -> Result<Range, FeastError> {
        if self.disable_event_timestamp {
            return Ok(Range { from: None, until: None });
        }
        let edge = |field: &str, text: &Option<String>| -> Result<Timestamp, FeastError> {
            let text = text.as_deref().filter(|text| !text.is_empty());
            moment(field, text.ok_or_else(|| FeastError::body(field, "is required unless disable_event_timestamp is"))?)
        };
        let (from, until) = (edge("start_ts", &self.start_ts)?, edge("end_ts", &self.end_ts)?);
        if from >= until {
            return Err(FeastError::body("start_ts", format!("{from} must be before end_ts {until}")));
        }
        Ok(Range { from: Some(from), until: Some(until) })
    }
}

impl Served {
    /// Those that are named, or all; each of them may be written by the caller.
    async fn views(
        &self,
        parts: &Parts,
        caller: &Caller,
        names: Option<&[String]>,
        version: Option<&str>,
    ) -> Result<Vec<NamedView>, FeastError> {
        let first = names.and_then(|names| names.first()).cloned().unwrap_or_default();
        self.guard.check(caller, Action::Push, StoreError::NoView(first.clone()))?;
        if let Some(version) = version.filter(|version| *version != "latest") {
            return Err(StoreError::NoVersion { view: first, version: version.to_owned() }.into());
        }
        let views = self.store.named(&caller.namespace, names).await?;
        for view in &views {
            self.guard.check_push(caller, view, purpose(&parts.headers))?;
        }
        Ok(views)
    }

    async fn bring(
        &self,
        caller: &Caller,
        views: &[NamedView],
        range: Range,
        how: &How,
    ) -> Result<Response, FeastError> {
        let names: Vec<&str> = views.iter().map(|view| view.asked.as_str()).collect();
        if how.later && !how.force {
            let mut busy = Vec::new();
            for view in views {
                if self.store.is_materializing(&caller.namespace, view).await? {
                    busy.push(view.asked.as_str());
                }
            }
            if !busy.is_empty() {
                return Ok(conflict(&busy));
            }
        }
        let mut asked = Vec::new();
        for view in views {
            asked.push(self.store.materialize(&caller.principal, &caller.namespace, view, range).await?);
        }
        if how.later {
            let accepted = Json(json!({ "status": "accepted", "feature_views": names }));
            return Ok((StatusCode::ACCEPTED, accepted).into_response());
        }
        for (view, at) in views.iter().zip(asked) {
            self.store.materialized(&caller.namespace, view, at).await?;
        }
        Ok(Json(json!(null)).into_response())
    }
}

/// As Feast tells it.
fn conflict(busy: &[&str]) -> Response {
    let views = busy.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let error = format!(
        "Cannot start async materialization — the following feature views are already in MATERIALIZING state: [{views}]. \
         Use ?force=true to override."
    );
    (StatusCode::CONFLICT, Json(json!({ "error": error, "feature_views": busy }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(asked: serde_json::Value) -> Result<Range, FeastError> {
        serde_json::from_value::<Materialize>(asked).unwrap().range()
    }

    #[test]
    fn a_range_has_two_ends_or_is_everything() {
        let seconds = |micros| Some(Timestamp::from_micros(micros));
        let both = json!({ "start_ts": "1970-01-01T00:00:01", "end_ts": "1970-01-01T00:00:02+00:00" });
        assert_eq!(range(both).unwrap(), Range { from: seconds(1_000_000), until: seconds(2_000_000) });
        let everything = json!({ "disable_event_timestamp": true });
        assert_eq!(range(everything).unwrap(), Range { from: None, until: None });
        for (asked, field) in [
            (json!({ "start_ts": "2020-01-01" }), "end_ts"),
            (json!({ "end_ts": "2020-01-01" }), "start_ts"),
            (json!({ "start_ts": "2020-01-01", "end_ts": "2020-01-01" }), "must be before"),
            (json!({ "start_ts": "soon", "end_ts": "2020-01-01" }), "soon"),
        ] {
            assert!(range(asked.clone()).unwrap_err().to_string().contains(field), "{asked}");
        }
    }
}
