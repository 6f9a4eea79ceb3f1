//! The provider with what is known of it: its addresses and its keys, read again when they are old.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bedplate_audit::Entry;
use bedplate_db::Db;
use bedplate_identity::Principal;
use bedplate_identity::oidc::{Expected, KeySet, Naming, OidcError, Person, open_session, verify};
use bedplate_types::{Clock, ErrorKind, Explained, Problem, Timestamp};
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::options::OidcOptions;
use super::published::Published;
use super::web::{Answer, Web, escaped, is_safe};
use crate::home::unusable;
use crate::keys;

/// The addresses are read again after so long.
const PUBLISHED_MICROS: i64 = 600_000_000;
/// A provider that did not answer is not asked again for so long.
const AWAY_MICROS: i64 = 3_000_000;
/// Tokens with keys that are not known do not make the platform ask more often than this.
const ASK_AGAIN_MICROS: i64 = 10_000_000;
const SIGNING_IN: &str = "signing in";

pub struct Provider {
    issuer: String,
    client_id: String,
    secret: Option<String>,
    naming: Naming,
    options: OidcOptions,
    web: Web,
    known: Mutex<Known>,
    db: Db,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Known {
    published: Option<(Published, Timestamp)>,
    keys: Option<(KeySet, Timestamp)>,
    /// Who waits for a provider that is away must not make others wait for it one after the other.
    away: Option<(Problem, Timestamp)>,
}

/// What somebody came back with.
pub enum Grant<'a> {
    Code { code: &'a str, verifier: &'a str, redirect_uri: &'a str, nonce: &'a str },
    Device { code: &'a str },
    IdToken { token: &'a str, nonce: Option<&'a str> },
}

/// A token of the platform's own, shown for the only time.
pub struct Session {
    pub token: String,
    pub principal: Principal,
    pub expires_at: Timestamp,
}

impl Provider {
    /// As the options say, if they name one. Nothing is asked yet: a provider that is away must not keep the platform down.
    pub fn new(options: &OidcOptions, db: Db, clock: Arc<dyn Clock>) -> Result<Option<Arc<Self>>, Problem> {
        let (Some(issuer), Some(client_id)) = (&options.oidc_issuer, &options.oidc_client_id) else { return Ok(None) };
        let wrong = |why: &str| {
            Problem::new(ErrorKind::Invalid, format!("--oidc-issuer {issuer}"), why)
                .with_fix("--oidc-issuer https://id.example.org")
        };
        if !is_safe(issuer, issuer) || issuer.contains(['?', '#']) {
            return Err(wrong("it is no https address"));
        }
        if options.session_lifetime.micros() <= 0 || options.oidc_keys_for.micros() <= 0 {
            return Err(Problem::new(
                ErrorKind::Invalid,
                "--session-lifetime, --oidc-keys-for",
                "they are longer than zero",
            )
            .with_fix("--session-lifetime 12h"));
        }
        let read = |file: &std::path::PathBuf| std::fs::read_to_string(file).map_err(|error| unusable(file, &error));
        let secret = options.oidc_client_secret_file.as_ref().map(read).transpose()?;
        Ok(Some(Arc::new(Self {
            issuer: issuer.clone(),
            client_id: client_id.clone(),
            secret: secret.map(|text| text.trim().to_owned()),
            naming: Naming {
                username_claim: options.oidc_username_claim.clone(),
                groups_claim: options.oidc_groups_claim.clone(),
                admin_group: options.oidc_admin_group.clone(),
            },
            web: Web::new(options.oidc_ca.as_ref().map(read).transpose()?)?,
            options: options.clone(),
            known: Mutex::default(),
            db,
            clock,
        })))
    }

    /// What a client needs to send somebody there.
    pub async fn describe(&self) -> Result<Value, Problem> {
        let published = self.published().await?;
        Ok(json!({ "issuer": self.issuer, "clientId": self.client_id, "scopes": self.options.oidc_scopes,
            "authorizationEndpoint": published.authorization_endpoint,
            "deviceFlow": published.device_authorization_endpoint.is_some() }))
    }

    /// The address to sign in at, for a sign-in that began with these (RFC 6749, RFC 7636).
    pub async fn address(
        &self,
        state: &str,
        nonce: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<String, Problem> {
        let endpoint = self.published().await?.authorization_endpoint;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &self.options.oidc_scopes),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mark = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{mark}{}", query.join("&")))
    }

    /// Begins the device flow (RFC 8628): the provider's own answer.
    pub async fn device(&self) -> Result<Value, Problem> {
        let Some(endpoint) = self.published().await?.device_authorization_endpoint else {
            let why = "the provider has no device flow";
            return Err(Problem::new(ErrorKind::NotFound, SIGNING_IN, why).with_fix("bedplate login, without --device"));
        };
        let answer = self.ask(&endpoint, &[("scope", &self.options.oidc_scopes)]).await?;
        let said = document(&answer)?;
        if answer.status == 200 { Ok(said) } else { Err(refused(&said)) }
    }

    /// Signs somebody in; `None`: they are not done yet.
    pub async fn sign_in(&self, grant: Grant<'_>) -> Result<Option<Session>, Problem> {
        let (id_token, nonce) = match grant {
            Grant::IdToken { token, nonce } => (token.to_owned(), nonce),
            Grant::Code { code, verifier, redirect_uri, nonce } => {
                let form = [
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("code_verifier", verifier),
                    ("redirect_uri", redirect_uri),
                ];
                (
                    self.exchange(&form)
                        .await?
                        .ok_or_else(|| unauthenticated("the provider is not done with the code"))?,
                    Some(nonce),
                )
            }
            Grant::Device { code } => {
                let form = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)];
                let Some(token) = self.exchange(&form).await? else { return Ok(None) };
                (token, None)
            }
        };
        let person = self.believe(&id_token, nonce).await?;
        self.open(person, id_token).await.map(Some)
    }

    async fn exchange(&self, form: &[(&str, &str)]) -> Result<Option<String>, Problem> {
        let endpoint = self.published().await?.token_endpoint;
        let answer = self.ask(&endpoint, form).await?;
        let said = document(&answer)?;
        match (answer.status, said["id_token"].as_str(), said["error"].as_str()) {
            (200, Some(token), _) => Ok(Some(token.to_owned())),
            (200, None, _) => Err(unauthenticated("the provider sent no ID token: ask it for the scope openid")),
            (_, _, Some("authorization_pending" | "slow_down")) => Ok(None),
            _ => Err(refused(&said)),
        }
    }

    /// Posts as the client the platform is there.
    async fn ask(&self, endpoint: &str, form: &[(&str, &str)]) -> Result<Answer, Problem> {
        let in_form = self.secret.is_none() || self.published().await?.wants_secret_in_form();
        let mut form = form.to_vec();
        if in_form {
            form.push(("client_id", &self.client_id));
            form.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        }
        let header = self.secret.as_deref().filter(|_| !in_form).map(|secret| (self.client_id.as_str(), secret));
        self.web.post(endpoint, &form, header).await
    }

    async fn believe(&self, token: &str, nonce: Option<&str>) -> Result<Person, Problem> {
        let judge = |keys: &KeySet| {
            let expected = Expected { issuer: &self.issuer, client_id: &self.client_id, nonce };
            verify(token, keys, &expected, &self.naming, self.clock.now())
        };
        let told = |error: OidcError| Problem::of(SIGNING_IN, &error);
        match judge(&self.keys(self.options.oidc_keys_for.micros()).await?) {
            Err(OidcError::UnknownKey { .. }) => judge(&self.keys(ASK_AGAIN_MICROS).await?).map_err(told),
            other => other.map_err(told),
        }
    }

    /// Issues the token and writes down that somebody signed in, in one transaction.
    async fn open(&self, person: Person, id_token: String) -> Result<Session, Problem> {
        let (now, random) = (self.clock.now(), keys::random()?);
        let until = Timestamp::from_micros(now.micros().saturating_add(self.options.session_lifetime.micros()));
        let (who, issuer) = (person.principal.clone(), self.issuer.clone());
        let written = self.db.write_async(move |tx| {
            let of = |error: &dyn Explained| Problem::of(SIGNING_IN, error);
            let token = open_session(tx, &person, &id_token, now, until, random).map_err(|error| of(&error))?;
            let id = bedplate_identity::token_id(&token).map_err(|error| of(&error))?;
            let detail = json!({ "issuer": issuer, "subject": person.subject, "expiresAt": until, "groups": person.principal.groups });
            let entry = Entry {
                at: now,
                actor: person.principal.name.clone(),
                action: "sign-in".into(),
                object: format!("tokens/{id}"),
                detail,
            };
            bedplate_audit::append(tx, &entry).map_err(|error| of(&error))?;
            Ok::<_, Problem>(token)
        });
        Ok(Session { token: written.await?, principal: who, expires_at: until })
    }

    async fn published(&self) -> Result<Published, Problem> {
        let mut known = self.known.lock().await;
        if let Some((published, at)) = &known.published
            && is_recent(*at, self.clock.now(), PUBLISHED_MICROS)
        {
            return Ok(published.clone());
        }
        let url = Published::location(&self.issuer);
        let published = Published::read(&self.document(&mut known, &url).await?, &self.issuer)?;
        known.published = Some((published.clone(), self.clock.now()));
        Ok(published)
    }

    /// The keys as they were at most so long ago.
    async fn keys(&self, at_most: i64) -> Result<KeySet, Problem> {
        let url = self.published().await?.jwks_uri;
        let mut known = self.known.lock().await;
        if let Some((keys, at)) = &known.keys
            && is_recent(*at, self.clock.now(), at_most)
        {
            return Ok(keys.clone());
        }
        let document = self.document(&mut known, &url).await?;
        let keys = KeySet::read(&document).map_err(|error| Problem::of(SIGNING_IN, &error))?;
        known.keys = Some((keys.clone(), self.clock.now()));
        Ok(keys)
    }

    async fn document(&self, known: &mut Known, url: &str) -> Result<Bytes, Problem> {
        if let Some((problem, at)) = &known.away
            && is_recent(*at, self.clock.now(), AWAY_MICROS)
        {
            return Err(problem.clone());
        }
        let got = match self.web.get(url).await {
            Ok(Answer { status: 200, body }) => Ok(body),
            Ok(answer) => Err(not_found(url, answer.status)),
            Err(problem) => Err(problem),
        };
        known.away = got.as_ref().err().map(|problem| (problem.clone(), self.clock.now()));
        got
    }
}

fn is_recent(since: Timestamp, now: Timestamp, at_most: i64) -> bool {
    (0..at_most).contains(&now.micros_since(since))
}

fn not_found(url: &str, status: u16) -> Problem {
    let why = format!("it answers {status}, and redirects are not followed");
    Problem::new(ErrorKind::NotReady, format!("the OpenID provider at {url}"), why).with_fix("correct --oidc-issuer")
}

fn document(answer: &Answer) -> Result<Value, Problem> {
    serde_json::from_slice(&answer.body).map_err(|_| {
        unauthenticated(&format!("the provider answered {} and nothing that is understood", answer.status))
    })
}

fn refused(said: &Value) -> Problem {
    let text = |name: &str| said[name].as_str().unwrap_or_default().chars().take(200).collect::<String>();
    unauthenticated(format!("the provider refused: {} {}", text("error"), text("error_description")).trim_end())
}

fn unauthenticated(why: &str) -> Problem {
    Problem::new(ErrorKind::Unauthenticated, SIGNING_IN, why).with_fix("bedplate login")
}

#[async_trait::async_trait]
impl bedplate_console::Provider for Provider {
    async fn address(&self, secrets: &bedplate_console::Secrets) -> Result<String, Problem> {
        Self::address(self, &secrets.state, &secrets.nonce, &secrets.verifier, &secrets.redirect_uri).await
    }

    async fn authorization(&self, secrets: &bedplate_console::Secrets, code: &str) -> Result<String, Problem> {
        let (verifier, redirect_uri, nonce) = (&secrets.verifier, &secrets.redirect_uri, &secrets.nonce);
        let session = self.sign_in(Grant::Code { code, verifier, redirect_uri, nonce }).await?;
        session.map(|session| format!("Bearer {}", session.token)).ok_or_else(|| unauthenticated("nobody signed in"))
    }
}
