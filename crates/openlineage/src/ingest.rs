//! POST /api/v1/lineage and /api/v1/lineage/batch, and both without the version.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use bedplate_identity::Principal;
use bedplate_types::Digest;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::Digest as _;

use crate::error::Failure;
use crate::event::Event;
use crate::part::Invalid;
use crate::store::{Record, record};
use crate::{BATCH_LIMIT, Served, body};

/// 201 and an empty body, as Marquez answers, once the event is durable; also when it was there before.
pub(crate) async fn one(State(served): State<Arc<Served>>, request: Request<Body>) -> Result<StatusCode, Failure> {
    let (parts, body) = request.into_parts();
    let who = served.guard.who(&parts.headers)?;
    let text = body::read(&parts.headers, body).await?;
    let judge = Arc::clone(&served);
    let told = blocking(move || judge.judge(&who, &whole(&text)?)).await??;
    served.keep(vec![told]).await?;
    Ok(StatusCode::CREATED)
}

/// 200 and which events were refused. What was not refused is kept in one transaction, with an audit leaf each.
pub(crate) async fn batch(State(served): State<Arc<Served>>, request: Request<Body>) -> Result<Json<Value>, Failure> {
    let (parts, body) = request.into_parts();
    let who = served.guard.who(&parts.headers)?;
    let text = body::read(&parts.headers, body).await?;
    let judge = Arc::clone(&served);
    let judged = blocking(move || judge.judge_all(&who, &text)).await??;
    let received = judged.len();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for (index, outcome) in judged.into_iter().enumerate() {
        match outcome {
            Ok(record) => kept.push(record),
            Err(failure) => refused.push(json!({ "index": index, "reason": failure.message(), "retriable": false })),
        }
    }
    served.keep(kept).await?;
    Ok(Json(summary(received, &refused)))
}

/// As the specification's OpenLineage.yml has it.
fn summary(received: usize, refused: &[Value]) -> Value {
    let failed = refused.len();
    json!({
        "status": if failed == 0 { "success" } else { "partial_success" },
        "summary": {
            "received": received, "successful": received - failed, "failed": failed,
            "retriable": 0, "non_retriable": failed,
        },
        "failed_events": refused,
    })
}

fn whole(text: &str) -> Result<Box<RawValue>, Invalid> {
    serde_json::from_str(text).map_err(|why| Invalid::new("event", format!("is not JSON: {why}")))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|why| Failure::Lost(why.to_string()))
}

impl Served {
    /// Reads one event, and asks whether `who` may tell it.
    fn judge(&self, who: &Principal, raw: &RawValue) -> Result<Record, Failure> {
        let event = Event::parse(raw)?;
        self.guard.may_tell(who, &event)?;
        let digest = Digest::from_sha256(sha2::Sha256::digest(raw.get()).into());
        let (actor, received) = (who.name.clone(), self.clock.now());
        Ok(Record { event, digest, body: raw.get().to_owned(), actor, received })
    }

    fn judge_all(&self, who: &Principal, text: &str) -> Result<Vec<Result<Record, Failure>>, Failure> {
        let events: Vec<&RawValue> = serde_json::from_str(text)
            .map_err(|why| Invalid::new("batch", format!("is not a JSON array of events: {why}")))?;
        if events.len() > BATCH_LIMIT {
            let why = format!("has {} events, {BATCH_LIMIT} are the most", events.len());
            return Err(Invalid::new("batch", why).into());
        }
        Ok(events.into_iter().map(|raw| self.judge(who, raw)).collect())
    }

    async fn keep(&self, records: Vec<Record>) -> Result<(), Failure> {
        if records.is_empty() {
            return Ok(());
        }
        self.db.write_async(move |tx| records.iter().try_for_each(|one| record(tx, one).map(drop))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_what_was_refused() {
        let told = summary(3, &[json!({ "index": 1 })]);
        assert_eq!((&told["status"], &told["summary"]["successful"]), (&json!("partial_success"), &json!(2)));
        assert_eq!(summary(3, &[])["status"], "success");
    }
}
