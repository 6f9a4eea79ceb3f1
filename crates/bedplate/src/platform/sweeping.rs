//! Removes what nobody needs of the buckets, now and every half hour.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bedplate_buckets::{Blobs, Bucket};
use bedplate_db::Db;
use bedplate_s3::Namespaces;
use bedplate_types::{Clock, Problem};
use kube::Client;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::surface::namespaces::Kept;

const EVERY: Duration = Duration::from_mins(30);

pub async fn sweep(db: Db, blobs: Blobs, client: Client, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! { _ = tick.tick() => {}, () = cancel.cancelled() => return }
        let (db, blobs, namespaces, now) = (db.clone(), blobs.clone(), Kept(client.clone()), clock.now());
        let handle = Handle::current();
        let swept = tokio::task::spawn_blocking(move || {
            bedplate_buckets::sweep(&db, &blobs, now, |buckets| gone(buckets, handle.block_on(namespaces.ids())))
        });
        match swept.await {
            Ok(Ok(swept)) => tracing::debug!(?swept, "buckets were swept"),
            Ok(Err(error)) => tracing::warn!(%error, "buckets were not swept"),
            Err(error) => tracing::warn!(%error, "buckets were not swept"),
        }
    }
}

/// Those whose namespace is not among all there are. When these cannot be had, none is.
fn gone(buckets: &[Bucket], known: Result<std::collections::HashMap<String, String>, Problem>) -> HashSet<String> {
    let known: HashSet<String> = match known {
        Ok(known) => known.into_values().collect(),
        Err(problem) => {
            tracing::warn!(%problem, "buckets of namespaces that are gone were not looked for");
            return HashSet::new();
        }
    };
    buckets.iter().map(|bucket| bucket.id.clone()).filter(|id| !known.contains(id)).collect()
}

#[cfg(test)]
mod tests {
    use bedplate_types::{ErrorKind, Timestamp};

    use super::*;

    #[test]
    fn a_bucket_goes_with_its_namespace_and_never_because_nobody_could_be_asked() {
        let bucket = |id: &str| Bucket { id: id.into(), name: "n".into(), created_at: Timestamp::from_micros(0) };
        let buckets = [bucket("a"), bucket("b")];
        let known = [("n".to_owned(), "a".to_owned())].into();
        assert_eq!(gone(&buckets, Ok(known)), ["b".to_owned()].into());
        assert!(gone(&buckets, Err(Problem::new(ErrorKind::Internal, "x", "y"))).is_empty());
    }
}
