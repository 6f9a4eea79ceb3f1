//! `logs`: what a workload's process wrote, as it is or as it grows.

use std::io::Write;

use futures::{AsyncReadExt, pin_mut};
use kube::Client;

use crate::error::ClientError;
use crate::request::{escaped, get, query, said};

/// Whether to stay until the workload ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    No,
    Yes,
}

/// Copies the log of a workload to `out` as it arrives; ends with the log, or with the workload when followed.
pub async fn logs(
    client: &Client,
    namespace: &str,
    workload: &str,
    follow: Follow,
    out: &mut (dyn Write + Send),
) -> Result<(), ClientError> {
    let asked = query(&[("follow", (follow == Follow::Yes).then_some("true"))]);
    let path = format!("/bedplate/v1/namespaces/{}/workloads/{}/log{asked}", escaped(namespace), escaped(workload));
    let request = get(&path, "text/plain")?;
    let what = said(&request);
    let reader = client.request_stream(request).await.map_err(|error| ClientError::of(&what, error))?;
    pin_mut!(reader);
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let cut = |why: std::io::Error| ClientError::Unreachable { server: "the log".into(), why: why.to_string() };
        let read = reader.read(&mut buffer).await.map_err(cut)?;
        if read == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..read])?;
        out.flush()?;
    }
}
