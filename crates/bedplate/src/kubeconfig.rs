//! The file by which clients find the platform and show who they are.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedplate_client::Connection;
use bedplate_types::Problem;
use serde_json::{Value, json};

use crate::home::write_private;

pub fn write(path: &Path, user: &str, connection: &Connection) -> Result<(), Problem> {
    write_private(path, format!("{:#}\n", config(user, connection)).as_bytes())
}

/// For somebody who finds the platform elsewhere than this machine does: under a name that its certificate is for.
pub fn readdress(connection: &mut Connection, server: Option<&str>) {
    if let Some(server) = server {
        connection.server = server.trim_end_matches('/').to_owned();
        connection.trust.server_name = None;
    }
}

fn config(user: &str, connection: &Connection) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bedplate",
        "clusters": [{ "name": "bedplate", "cluster": cluster(connection) }],
        "users": [{ "name": user, "user": shown(connection) }],
        "contexts": [{ "name": "bedplate", "context": {
            "cluster": "bedplate", "user": user, "namespace": connection.namespace,
        } }],
    })
}

/// kubectl shows a token over TLS only; over plain http it sends what the URL carries, so the token stands there too.
fn cluster(connection: &Connection) -> Value {
    let Connection { server, token, trust, .. } = connection;
    if server.starts_with("http://") && !token.is_empty() {
        return json!({ "server": server.replacen("://", &format!("://bedplate:{token}@"), 1) });
    }
    let mut cluster = json!({ "server": server });
    if let Some(ca) = &trust.ca {
        cluster["certificate-authority-data"] = STANDARD.encode(ca).into();
    }
    if let Some(name) = &trust.server_name {
        cluster["tls-server-name"] = name.as_str().into();
    }
    cluster
}

fn shown(connection: &Connection) -> Value {
    match &connection.trust.identity {
        Some(identity) => json!({
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }),
        None => json!({ "token": connection.token }),
    }
}

#[cfg(test)]
mod tests {
    use bedplate_client::Trust;

    use super::*;

    #[test]
    fn the_token_is_in_the_url_over_plain_http_only() {
        let connection = |server: &str| Connection {
            server: server.into(),
            token: "bp_x".into(),
            namespace: "flights".into(),
            trust: Trust { ca: Some("CA".into()), server_name: Some("name".into()), identity: None },
        };
        let plain = config("ana", &connection("http://h:1"));
        assert_eq!(plain["clusters"][0]["cluster"], json!({ "server": "http://bedplate:bp_x@h:1" }));
        let tls = config("ana", &connection("https://h:1"));
        let cluster =
            json!({ "server": "https://h:1", "certificate-authority-data": "Q0E=", "tls-server-name": "name" });
        assert_eq!((&tls["clusters"][0]["cluster"], &tls["users"][0]["user"]), (&cluster, &json!({ "token": "bp_x" })));
    }
}
