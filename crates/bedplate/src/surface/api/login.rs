//! Signing in: where the provider is, and a token for what somebody brings from there.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bedplate_types::{ErrorKind, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Failed;
use crate::oidc::{Grant, Provider};

type Known = Option<Arc<Provider>>;

/// Open to everybody: who they are is what they come to tell.
pub fn router(provider: Known) -> Router {
    Router::new()
        .route("/bedplate/v1/login", get(describe).post(sign_in))
        .route("/bedplate/v1/login/device", post(device))
        .with_state(provider)
}

/// One of: a code with what belongs to it, a device's code, an ID token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Brought {
    code: Option<String>,
    verifier: Option<String>,
    redirect_uri: Option<String>,
    nonce: Option<String>,
    device_code: Option<String>,
    id_token: Option<String>,
}

impl Brought {
    fn grant(&self) -> Option<Grant<'_>> {
        let nonce = self.nonce.as_deref();
        match (&self.code, &self.device_code, &self.id_token) {
            (Some(code), None, None) => Some(Grant::Code {
                code,
                verifier: self.verifier.as_deref()?,
                redirect_uri: self.redirect_uri.as_deref()?,
                nonce: nonce?,
            }),
            (None, Some(code), None) => Some(Grant::Device { code }),
            (None, None, Some(token)) => Some(Grant::IdToken { token, nonce }),
            _ => None,
        }
    }
}

async fn describe(State(provider): State<Known>) -> Result<Json<Value>, Failed> {
    known(&provider)?.describe().await.map(Json).map_err(Failed)
}

async fn device(State(provider): State<Known>) -> Result<Json<Value>, Failed> {
    known(&provider)?.device().await.map(Json).map_err(Failed)
}

/// 202 while somebody is still signing in.
async fn sign_in(
    State(provider): State<Known>,
    Json(brought): Json<Brought>,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let provider = known(&provider)?;
    let grant = brought.grant().ok_or_else(|| {
        let why = "it takes code with verifier, redirectUri and nonce, or deviceCode, or idToken";
        Failed(Problem::new(ErrorKind::Invalid, "signing in", why))
    })?;
    match provider.sign_in(grant).await.map_err(Failed)? {
        None => Ok((StatusCode::ACCEPTED, Json(json!({ "pending": true })))),
        Some(session) => {
            let told =
                json!({ "token": session.token, "principal": session.principal, "expiresAt": session.expires_at });
            Ok((StatusCode::CREATED, Json(told)))
        }
    }
}

fn known(provider: &Known) -> Result<&Provider, Failed> {
    provider.as_deref().ok_or_else(|| {
        let why = "this platform knows no OpenID provider";
        Failed(
            Problem::new(ErrorKind::NotFound, "signing in", why)
                .with_fix("ask an administrator for a token, or for `bedplate up --oidc-issuer …`"),
        )
    })
}
