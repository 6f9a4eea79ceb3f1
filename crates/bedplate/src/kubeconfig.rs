//! The file by which clients find the platform and show who they are.

use std::path::Path;

use bedplate_types::Problem;
use serde_json::json;

use crate::home::write_private;

/// kubectl shows a token over TLS only; over plain http it sends what the URL carries, so the token stands there too.
pub fn write(path: &Path, server: &str, user: &str, token: &str, namespace: &str) -> Result<(), Problem> {
    let server = server.replacen("://", &format!("://bedplate:{token}@"), 1);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bedplate",
        "clusters": [{ "name": "bedplate", "cluster": { "server": server } }],
        "users": [{ "name": user, "user": { "token": token } }],
        "contexts": [{ "name": "bedplate", "context": { "cluster": "bedplate", "user": user, "namespace": namespace } }],
    });
    write_private(path, format!("{config:#}\n").as_bytes())
}
