//! Asks witnesses to cosign every new checkpoint of the audit log (C2SP tlog-witness).

use std::sync::Arc;
use std::time::Duration;

use bedplate_audit::{Answer, Next, Submission, VerifierKey};
use bedplate_db::Db;
use bedplate_types::{Clock, ErrorKind, Problem};
use clap::Args;
use reqwest::{Client, Url};
use tokio_util::sync::CancellationToken;

/// Who is to watch the audit log.
#[derive(Debug, Clone, Default, Args)]
pub struct Witnesses {
    /// A witness that is asked to cosign every checkpoint of the audit log: its submission prefix (C2SP tlog-witness). May be
    /// given more than once.
    #[arg(long = "audit-witness", value_name = "URL")]
    pub urls: Vec<Url>,
    /// The key of such a witness: then nothing it did not sign is kept. May be given more than once.
    #[arg(long = "audit-witness-key", value_name = "VKEY", requires = "urls")]
    pub keys: Vec<VerifierKey>,
}

/// How often it is looked whether the log has grown.
const LOOK: Duration = Duration::from_secs(2);
/// After failures it is asked again after a second, then twice as long each time, up to this.
const LONGEST: Duration = Duration::from_secs(300);
const TIMEOUT: Duration = Duration::from_secs(10);
/// A witness that keeps naming other sizes is left alone for a while.
const AGAINS: usize = 3;
/// Of an answer so much is read.
const ANSWER: usize = 1 << 16;

impl Witnesses {
    /// Refuses what could not be asked.
    pub fn check(&self) -> Result<(), Problem> {
        let wrong = |what: String, why: &str| Err(Problem::new(ErrorKind::Invalid, what, why));
        if let Some(url) = self.urls.iter().find(|url| !matches!(url.scheme(), "http" | "https")) {
            return wrong(format!("--audit-witness {url}"), "is neither http nor https");
        }
        match self.keys.iter().find(|key| !key.is_witness()) {
            Some(key) => wrong(format!("--audit-witness-key {key}"), "is the key of a log and not of a witness"),
            None => Ok(()),
        }
    }
}

/// One witness's task: asks until it is cancelled.
pub async fn ask(db: Db, clock: Arc<dyn Clock>, url: Url, keys: Vec<VerifierKey>, cancel: CancellationToken) {
    let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let client = match client {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "the audit log's witness {url} cannot be asked"),
    };
    let talk = Talk { db, clock, url, keys, client };
    let mut failures = 0_u32;
    loop {
        let wait = match talk.turn().await {
            Ok(Next::Done) => {
                failures = 0;
                LOOK
            }
            Ok(Next::Again | Next::Later) => {
                failures = failures.saturating_add(1);
                backoff(failures)
            }
            Err(error) => {
                tracing::error!(%error, "the audit log's witness {} was not asked", talk.url);
                LONGEST
            }
        };
        tokio::select! { () = tokio::time::sleep(wait) => {}, () = cancel.cancelled() => return }
    }
}

fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1_u64 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

struct Talk {
    db: Db,
    clock: Arc<dyn Clock>,
    url: Url,
    keys: Vec<VerifierKey>,
    client: Client,
}

impl Talk {
    /// Asks about the newest checkpoint, and again from another size when the witness names one.
    async fn turn(&self) -> Result<Next, bedplate_audit::AuditError> {
        let mut next = Next::Done;
        for _ in 0..AGAINS {
            let Some(sent) = self.submission().await? else { return Ok(Next::Done) };
            let answer = self.send(&sent).await;
            next = self.hear(sent, answer).await?;
            if next != Next::Again {
                return Ok(next);
            }
        }
        Ok(next)
    }

    async fn submission(&self) -> Result<Option<Submission>, bedplate_audit::AuditError> {
        let (db, url) = (self.db.clone(), self.url.to_string());
        let made = tokio::task::spawn_blocking(move || db.read(|tx| bedplate_audit::submission(tx, &url))).await;
        // A read that was cancelled with the runtime has nothing to say.
        made.unwrap_or(Ok(None))
    }

    async fn send(&self, sent: &Submission) -> Answer {
        let url = format!("{}/add-checkpoint", self.url.as_str().trim_end_matches('/'));
        let request = self.client.post(url).header("content-type", "text/plain; charset=utf-8").body(sent.body.clone());
        match request.send().await {
            Ok(response) => said(response).await,
            Err(error) => Answer::Nothing { why: causes(&error) },
        }
    }

    async fn hear(&self, sent: Submission, answer: Answer) -> Result<Next, bedplate_audit::AuditError> {
        let (url, keys, now) = (self.url.to_string(), self.keys.clone(), self.clock.now());
        let heard = self.db.write_async(move |tx| bedplate_audit::hear(tx, &url, &sent, &answer, &keys, now)).await;
        heard.inspect(|next| {
            if *next == Next::Later {
                tracing::warn!("the audit log's witness {} did not cosign; bedplate audit verify says why", self.url);
            }
        })
    }
}

/// The status and as much of the body as an answer may have.
async fn said(mut response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() <= ANSWER => body.extend_from_slice(&piece),
            Ok(_) => break,
            Err(error) => return Answer::Nothing { why: causes(&error) },
        }
    }
    Answer::Said { status, body: String::from_utf8_lossy(&body).into_owned() }
}

/// An error with what is behind it: the client's own words say little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure_and_not_for_ever() {
        let waits = [1, 2, 3, 9, 10, 4_000_000_000].map(|failures| backoff(failures).as_secs());
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
    }
}
