//! A workload's log, as it is or as it grows.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use bedplate_kinds::Workload;
use bedplate_policy::Action;
use bedplate_types::{ErrorKind, NamespacedName, Problem};
use futures::stream;
use kube::Api;
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::{Facts, Failed};

/// How often a growing log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const PIECE: usize = 64 * 1024;

#[derive(Deserialize)]
pub struct LogQuery {
    #[serde(default)]
    follow: bool,
}

pub async fn log(
    State(facts): State<Facts>,
    headers: HeaderMap,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<LogQuery>,
) -> Result<Body, Failed> {
    let who = facts.who(&headers)?;
    facts.may(&who, Action::Get, Some(&namespace), "Workload")?;
    let workload = Api::<Workload>::namespaced(facts.client.clone(), &namespace);
    let log = Log { workload, name, file: None, path: PathBuf::new(), follow: query.follow };
    let path = log.path_now().await.ok_or_else(|| not_found(&namespace, &log.name))?;
    let log = Log { path, ..log };
    Ok(Body::from_stream(stream::try_unfold(log, |mut log| async move {
        let piece = log.next().await?;
        Ok::<_, std::io::Error>(piece.map(|piece| (piece, log)))
    })))
}

fn not_found(namespace: &str, name: &str) -> Failed {
    let what = format!("the log of workload {}", NamespacedName::new(namespace, name));
    let problem = Problem::new(ErrorKind::NotFound, what, "there is no such workload, or it has not been started");
    Failed(problem.with_fix(format!("bedplate get workloads -n {namespace}")))
}

struct Log {
    workload: Api<Workload>,
    name: String,
    path: PathBuf,
    file: Option<File>,
    follow: bool,
}

impl Log {
    /// The file of the run now under way, or of the last one.
    async fn path_now(&self) -> Option<PathBuf> {
        let status = self.workload.get_opt(&self.name).await.ok()??.status?;
        (!status.log_path.is_empty()).then(|| status.log_path.into())
    }

    async fn ended(&self) -> bool {
        match self.workload.get_opt(&self.name).await {
            Ok(Some(workload)) => workload.status.is_some_and(|status| status.phase.is_settled()),
            _ => true,
        }
    }

    /// The next piece; nothing more when the log has been read and is not followed, or its workload has ended.
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        loop {
            // Asked before reading: what was written until the end is then read.
            let last = !self.follow || self.ended().await;
            if let Some(piece) = self.read().await? {
                return Ok(Some(piece));
            }
            if last {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn read(&mut self) -> std::io::Result<Option<Bytes>> {
        if self.file.is_none() {
            match File::open(&self.path).await {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then(|| piece.into()))
    }
}
