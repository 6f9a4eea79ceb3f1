//! Where the platform is and who is asking, as a kubeconfig says it.

use std::path::Path;

use kube::config::{AuthInfo, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;

use crate::error::{ClientError, causes};

/// A server and the token to show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// `http://127.0.0.1:7070`
    pub server: String,
    pub token: String,
    /// The namespace of the kubeconfig's context.
    pub namespace: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).field("token", &"…").finish()
    }
}

impl Connection {
    /// Reads the current context of a kubeconfig file.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let wrong = |why: String| ClientError::Kubeconfig { path: path.to_owned(), why };
        let config = Kubeconfig::read_from(path).map_err(|error| wrong(causes(&error)))?;
        Self::of(&config).map_err(|why| wrong(why.to_owned()))
    }

    fn of(config: &Kubeconfig) -> Result<Self, &'static str> {
        let current = config.current_context.as_ref().ok_or("it has no current-context")?;
        let context = config.contexts.iter().find(|c| &c.name == current).and_then(|c| c.context.as_ref());
        let context = context.ok_or("its current-context is not among its contexts")?;
        let cluster = config.clusters.iter().find(|c| c.name == context.cluster).and_then(|c| c.cluster.as_ref());
        let server = cluster.and_then(|c| c.server.clone()).ok_or("its cluster has no server")?;
        let user = config.auth_infos.iter().find(|u| Some(&u.name) == context.user.as_ref());
        let token = user.and_then(|u| u.auth_info.as_ref()).and_then(token_of).ok_or("its user has no token")?;
        let namespace = context.namespace.clone().unwrap_or_else(|| "default".into());
        Ok(Self { server: without_credentials(&server), token, namespace })
    }

    /// A client of the control API. Must be called within a tokio runtime; nothing is sent yet.
    pub fn connect(&self) -> Result<Client, ClientError> {
        self.client_of(&self.server)
    }

    /// A client of another listener of the same platform (inference), with the same token.
    pub fn client_of(&self, url: &str) -> Result<Client, ClientError> {
        let address = |why: String| ClientError::Address { url: url.to_owned(), why };
        let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| address(error.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(address("only http:// is spoken here".into()));
        }
        let mut config = Config::new(uri);
        config.auth_info = auth(&self.token).map_err(|error| address(error.to_string()))?;
        config.default_namespace.clone_from(&self.namespace);
        // A person is waiting: a refused connection is said at once.
        config.default_retry = false;
        Client::try_from(config).map_err(|error| address(causes(&error)))
    }
}

/// kubectl sends no token over plain http, only what the URL itself carries; here the token goes in a header.
fn without_credentials(server: &str) -> String {
    match server.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://{host}"),
        None => server.to_owned(),
    }
}

/// The token of a user entry, read through its serialised form: the type that holds it is not exported by kube.
fn token_of(user: &AuthInfo) -> Option<String> {
    let fields = serde_json::to_value(user).ok()?;
    fields.get("token")?.as_str().map(ToOwned::to_owned)
}

fn auth(token: &str) -> Result<AuthInfo, serde_json::Error> {
    serde_json::from_value(json!({ "token": token }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = r#"{
        "apiVersion": "v1", "kind": "Config", "current-context": "bedplate",
        "clusters": [{ "name": "bedplate", "cluster": { "server": "http://127.0.0.1:7070" } }],
        "users": [{ "name": "admin", "user": { "token": "bp_secret" } }],
        "contexts": [{ "name": "bedplate", "context": { "cluster": "bedplate", "user": "admin", "namespace": "flights" } }]
    }"#;

    #[test]
    fn reads_server_token_and_namespace_and_hides_the_token() {
        let config: Kubeconfig = serde_json::from_str(KUBECONFIG).unwrap();
        let connection = Connection::of(&config).unwrap();
        assert_eq!(connection.server, "http://127.0.0.1:7070");
        assert_eq!(connection.token, "bp_secret");
        assert_eq!(connection.namespace, "flights");
        assert!(!format!("{connection:?}").contains("bp_secret"));
    }

    #[test]
    fn says_what_is_missing() {
        let config: Kubeconfig =
            serde_json::from_str(&KUBECONFIG.replace(r#""admin", "user""#, r#""x", "user""#)).unwrap();
        assert_eq!(Connection::of(&config), Err("its user has no token"));
        let error = Connection::read(Path::new("no/such/kubeconfig")).unwrap_err();
        assert!(error.to_string().contains("no/such/kubeconfig"), "{error}");
    }

    #[tokio::test]
    async fn refuses_an_address_it_cannot_speak_to() {
        let connection = Connection { server: "https://x".into(), token: "t".into(), namespace: "n".into() };
        assert!(matches!(connection.connect(), Err(ClientError::Address { .. })));
    }
}
