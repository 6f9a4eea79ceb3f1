//! Where the platform is and who is asking, as a kubeconfig says it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tower::ServiceBuilder;

use crate::error::{ClientError, causes};
use crate::trust::{Identity, Trust, connector};

/// A server, whom to believe that it is the server, and the token to show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// `https://127.0.0.1:7070`
    pub server: String,
    /// Empty when a certificate is shown instead.
    pub token: String,
    /// The namespace of the kubeconfig's context.
    pub namespace: String,
    pub trust: Trust,
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
        Self::of(&config).map_err(wrong)
    }

    fn of(config: &Kubeconfig) -> Result<Self, String> {
        let current = config.current_context.as_ref().ok_or("it has no current-context")?;
        let context = config.contexts.iter().find(|c| &c.name == current).and_then(|c| c.context.as_ref());
        let context = context.ok_or("its current-context is not among its contexts")?;
        let cluster = config.clusters.iter().find(|c| c.name == context.cluster).and_then(|c| c.cluster.as_ref());
        let server = cluster.and_then(|c| c.server.clone()).ok_or("its cluster has no server")?;
        let user = config.auth_infos.iter().find(|u| Some(&u.name) == context.user.as_ref());
        let user = user.and_then(|u| u.auth_info.as_ref()).map(fields).unwrap_or_default();
        let identity = identity(&user)?;
        let token = user["token"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() && identity.is_none() {
            return Err("its user has no token and no client certificate".into());
        }
        let namespace = context.namespace.clone().unwrap_or_else(|| "default".into());
        let trust = cluster.map(trust).transpose()?.unwrap_or_default();
        Ok(Self { server: without_credentials(&server), token, namespace, trust: Trust { identity, ..trust } })
    }

    /// A client of the control API. Must be called within a tokio runtime; nothing is sent yet.
    pub fn connect(&self) -> Result<Client, ClientError> {
        self.client_of(&self.server)
    }

    /// A client of another listener of the same platform (inference), with the same token.
    pub fn client_of(&self, url: &str) -> Result<Client, ClientError> {
        let address = |why: String| ClientError::Address { url: url.to_owned(), why };
        let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| address(error.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(address("only http:// and https:// are spoken here".into()));
        }
        let mut config = Config::new(uri);
        if !self.token.is_empty() {
            config.auth_info = auth(&self.token).map_err(|error| address(error.to_string()))?;
        }
        let sender =
            HyperClient::builder(TokioExecutor::new()).build::<_, Body>(connector(&self.trust).map_err(address)?);
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer().map_err(|error| address(causes(&error)))?)
            .map_err(tower::BoxError::from)
            .service(sender);
        Ok(Client::new(service, self.namespace.clone()))
    }
}

/// kubectl sends no token over plain http, only what the URL itself carries; here the token goes in a header.
fn without_credentials(server: &str) -> String {
    match server.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://{host}"),
        None => server.to_owned(),
    }
}

/// The fields of a user entry in its serialised form: the type that holds secrets is not exported by kube.
fn fields(user: &AuthInfo) -> Value {
    serde_json::to_value(user).unwrap_or_default()
}

fn trust(cluster: &Cluster) -> Result<Trust, String> {
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err("insecure-skip-tls-verify is not honoured here: give it the authority's certificate".into());
    }
    let ca = given(cluster.certificate_authority_data.as_deref(), cluster.certificate_authority.as_deref())?;
    Ok(Trust { ca, server_name: cluster.tls_server_name.clone(), identity: None })
}

fn identity(user: &Value) -> Result<Option<Identity>, String> {
    let text = |name: &str| user[name].as_str();
    let certificate = given(text("client-certificate-data"), text("client-certificate"))?;
    let key = given(text("client-key-data"), text("client-key"))?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(Identity { certificate, key })),
        (None, None) => Ok(None),
        _ => Err("its user has a client certificate without its key, or a key without its certificate".into()),
    }
}

/// PEM as a kubeconfig gives it: in base64, or in a file of its own.
fn given(data: Option<&str>, file: Option<&str>) -> Result<Option<String>, String> {
    match (data, file) {
        (Some(data), _) => {
            let bytes =
                STANDARD.decode(data.trim()).map_err(|error| format!("a -data field is not base64: {error}"))?;
            String::from_utf8(bytes).map(Some).map_err(|_| "a -data field is not PEM".to_owned())
        }
        (None, Some(file)) => {
            std::fs::read_to_string(file).map(Some).map_err(|error| format!("cannot read {file}: {error}"))
        }
        (None, None) => Ok(None),
    }
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
    fn reads_whom_to_believe_and_what_to_show() {
        let mut config: Value = serde_json::from_str(KUBECONFIG).unwrap();
        let data = |text: &str| Value::String(STANDARD.encode(text));
        config["clusters"][0]["cluster"] =
            json!({ "server": "https://h", "certificate-authority-data": data("CA"), "tls-server-name": "n" });
        config["users"][0]["user"] = json!({ "client-certificate-data": data("C"), "client-key-data": data("K") });
        let read = |config: &Value| Connection::of(&serde_json::from_value(config.clone()).unwrap());
        let connection = read(&config).unwrap();
        let identity = Identity { certificate: "C".into(), key: "K".into() };
        let trust = Trust { ca: Some("CA".into()), server_name: Some("n".into()), identity: Some(identity) };
        assert_eq!((connection.trust, connection.token.as_str()), (trust, ""));
        config["users"][0]["user"]["client-key-data"] = Value::Null;
        assert!(read(&config).unwrap_err().contains("without its key"));
        config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = true.into();
        assert!(read(&config).is_err());
    }

    #[test]
    fn says_what_is_missing() {
        let config: Kubeconfig =
            serde_json::from_str(&KUBECONFIG.replace(r#""admin", "user""#, r#""x", "user""#)).unwrap();
        assert_eq!(Connection::of(&config).unwrap_err(), "its user has no token and no client certificate");
        let error = Connection::read(Path::new("no/such/kubeconfig")).unwrap_err();
        assert!(error.to_string().contains("no/such/kubeconfig"), "{error}");
    }

    #[tokio::test]
    async fn refuses_an_address_it_cannot_speak_to() {
        let connection =
            Connection { server: "ftp://x".into(), token: "t".into(), namespace: "n".into(), trust: Trust::default() };
        assert!(matches!(connection.connect(), Err(ClientError::Address { .. })));
    }
}
