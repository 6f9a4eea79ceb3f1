//! Signs the head of the audit log, again and again.

use std::sync::Arc;
use std::time::Duration;

use bedplate_audit::Signer;
use bedplate_db::Db;
use tokio_util::sync::CancellationToken;

/// The name the audit log's checkpoints are signed under.
const AUDIT_ORIGIN: &str = "bedplate.dev/audit";
const EVERY: Duration = Duration::from_secs(10);

pub async fn sign_checkpoints(db: Db, signer: Arc<Signer>, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        let last = tokio::select! { _ = tick.tick() => false, () = cancel.cancelled() => true };
        sign(&db, &signer).await;
        if last {
            return;
        }
    }
}

pub async fn sign(db: &Db, signer: &Arc<Signer>) {
    let signer = signer.clone();
    let signed = db.write_async(move |tx| bedplate_audit::sign_checkpoint(tx, &signer, AUDIT_ORIGIN)).await;
    if let Err(error) = signed {
        tracing::error!(%error, "the audit log's head was not signed");
    }
}
