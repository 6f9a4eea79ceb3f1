//! Certificates of machines: issued for a key that stays where it was made, listed and ended.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Json, Router};
use bedplate_audit::Entry;
use bedplate_db::Tx;
use bedplate_identity::{CertificateInfo, spiffe};
use bedplate_policy::{Action, Hidden, Operation};
use bedplate_types::{ErrorKind, Explained, Problem, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Asked, Facts, Failed, readable};
use crate::tls::{Authority, RequestedKey, Wanted};

/// Whoever may make a machine's tokens may make its certificates: both let their holder be it.
const KIND: &str = "Token";
const LONGEST: Span = Span::from_micros(90 * 86_400 * 1_000_000);
const LONGEST_CSR: usize = 16 * 1024;

/// The authority that issues, and whose names it gives.
#[derive(Clone)]
pub struct Issuing {
    authority: Arc<Authority>,
    trust_domain: String,
}

impl Issuing {
    pub fn new(authority: Arc<Authority>, trust_domain: &str) -> Self {
        Self { authority, trust_domain: trust_domain.to_owned() }
    }
}

/// A certificate that is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateRequest {
    pub kind: Machine,
    pub namespace: String,
    pub name: String,
    /// PKCS #10 in PEM: its key is taken, and nothing else it says.
    pub csr: String,
    /// `24h`, and 90 days at most.
    pub expires_in: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    ServiceAccount,
    Workload,
    Device,
}

#[derive(Clone)]
struct Served {
    facts: Facts,
    issuing: Option<Issuing>,
}

pub fn router(facts: Facts, issuing: Option<Issuing>) -> Router {
    let routes = table().into_iter();
    let router = routes.fold(Router::new(), |router, (operation, handler)| router.route(&operation.path, handler));
    router.with_state(Served { facts, issuing })
}

/// Every operation of [`router`], and who may.
pub fn operations() -> Vec<Operation> {
    table().into_iter().map(|(operation, _)| operation).collect()
}

fn table() -> Vec<(Operation, MethodRouter<Served>)> {
    let all = "/bedplate/v1/certificates";
    let one = "/bedplate/v1/certificates/{fingerprint}";
    vec![
        (Operation::may("GET", all, Action::List, KIND, Hidden::LeftOut), get(list)),
        (Operation::may("POST", all, Action::Create, KIND, Hidden::Forbidden), post(issue)),
        (Operation::may("DELETE", one, Action::Delete, KIND, Hidden::NotFound), delete(revoke)),
    ]
}

async fn issue(
    State(served): State<Served>,
    headers: HeaderMap,
    asked: Asked<CertificateRequest>,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let Served { facts, issuing } = served;
    let who = facts.who(&headers)?;
    let asked = readable(asked, "a new certificate")?;
    facts.may(&who, Action::Create, Some(&asked.namespace), KIND)?;
    if who.scope().is_some() {
        let why = "your own token is narrowed, and a certificate carries all its machine's rights";
        return Err(Failed(Problem::new(ErrorKind::Denied, "a new certificate", why)));
    }
    let issuing = issuing.ok_or_else(|| {
        let why = "the platform does not speak TLS: nobody could show it";
        Failed(Problem::new(ErrorKind::Refused, "a new certificate", why).with_fix("bedplate up --tls builtin"))
    })?;
    let principal = asked.principal();
    let uri = spiffe::id_of(&principal, &issuing.trust_domain)
        .ok_or_else(|| asked.wrong("a name is made of letters, digits, hyphens, underscores and dots"))?;
    let (now, lasts) = (facts.clock.now(), asked.lasts()?);
    let issued = issuing.authority.issue(&Wanted::Workload(uri.clone()), &asked.key()?, now, lasts).map_err(Failed)?;
    let info = CertificateInfo {
        fingerprint: crate::tls::fingerprint(&issued.der),
        principal,
        serial: issued.serial,
        issued_at: now,
        not_after: issued.not_after,
        revoked: false,
    };
    let told = json!({ "certificate": issued.pem, "ca": issuing.authority.certificate_pem(), "uri": uri,
        "fingerprint": info.fingerprint, "principal": info.principal, "expiresAt": info.not_after });
    let entry = Entry {
        at: now,
        actor: who.name,
        action: "create".into(),
        object: format!("certificates/{}", info.fingerprint),
        detail: json!({ "uri": uri, "serial": info.serial, "expiresAt": info.not_after }),
    };
    let written = facts.db.write_async(move |tx| {
        let of = |error: &dyn Explained| Problem::of("a new certificate", error);
        bedplate_identity::record_certificate(tx, &info).map_err(|error| of(&error))?;
        record(tx, &entry)
    });
    written.await.map_err(Failed)?;
    Ok((StatusCode::CREATED, Json(told)))
}

impl CertificateRequest {
    fn principal(&self) -> String {
        let kind = match self.kind {
            Machine::ServiceAccount => "serviceaccount",
            Machine::Workload => "workload",
            Machine::Device => "device",
        };
        format!("{kind}:{}/{}", self.namespace, self.name)
    }

    fn wrong(&self, why: impl Into<String>) -> Failed {
        Failed(Problem::new(ErrorKind::Invalid, format!("a certificate for {}", self.principal()), why))
    }

    fn lasts(&self) -> Result<Span, Failed> {
        let span: Option<Span> = self.expires_in.parse().ok();
        let fits = span.filter(|span| (1..=LONGEST.micros()).contains(&span.micros()));
        fits.ok_or_else(|| {
            self.wrong(format!("expiresIn {:?} is not a span of time of 90 days at most", self.expires_in))
        })
    }

    fn key(&self) -> Result<RequestedKey, Failed> {
        if self.csr.len() > LONGEST_CSR {
            return Err(self.wrong("the request (csr) is longer than 16 KiB"));
        }
        RequestedKey::read(&self.csr).map_err(|why| self.wrong(format!("the request (csr) is not taken: {why}")))
    }
}

/// Those of the namespaces whose tokens the caller may see.
async fn list(State(served): State<Served>, headers: HeaderMap) -> Result<Json<Value>, Failed> {
    let facts = served.facts;
    let who = facts.who(&headers)?;
    let known = known(&facts)?;
    let may = |one: &CertificateInfo| facts.may(&who, Action::List, namespace_of(&one.principal), KIND).is_ok();
    let seen: Vec<_> = known.into_iter().filter(may).collect();
    Ok(Json(json!({ "certificates": seen })))
}

async fn revoke(
    State(served): State<Served>,
    headers: HeaderMap,
    Path(fingerprint): Path<String>,
) -> Result<Json<Value>, Failed> {
    let facts = served.facts;
    let who = facts.who(&headers)?;
    let fingerprint = fingerprint.replace(':', "").to_ascii_lowercase();
    if fingerprint.len() != 64 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let why = "a fingerprint is the SHA-256 of the certificate in hexadecimal";
        return Err(Failed(Problem::new(ErrorKind::Invalid, format!("certificate {fingerprint}"), why)));
    }
    let issued = known(&facts)?.into_iter().find(|one| one.fingerprint == fingerprint);
    // One that another authority issued is known by its fingerprint alone, and ended by whoever may end all of them.
    let namespace = issued.as_ref().and_then(|one| namespace_of(&one.principal));
    facts.may(&who, Action::Delete, namespace, KIND).map_err(|_| {
        let why = "there is no such certificate";
        Failed(Problem::new(ErrorKind::NotFound, format!("certificate {fingerprint}"), why))
    })?;
    let (now, ended) = (facts.clock.now(), fingerprint.clone());
    let written = facts.db.write_async(move |tx| {
        let of = |error: &dyn Explained| Problem::of(format!("certificate {ended}"), error);
        let revoked = bedplate_identity::revoke_certificate(tx, &ended, now).map_err(|error| of(&error))?;
        if revoked {
            let object = format!("certificates/{ended}");
            let detail = json!({ "principal": issued.as_ref().map(|one| &one.principal) });
            record(tx, &Entry { at: now, actor: who.name.clone(), action: "revoke".into(), object, detail })?;
        }
        Ok::<_, Problem>(revoked)
    });
    let revoked = written.await.map_err(Failed)?;
    facts.authenticator.forget();
    Ok(Json(json!({ "fingerprint": fingerprint, "revoked": true, "before": !revoked })))
}

fn known(facts: &Facts) -> Result<Vec<CertificateInfo>, Failed> {
    let known = facts.db.read(bedplate_identity::list_certificates);
    known.map_err(|error| Failed(Problem::of("the certificates", &error)))
}

fn namespace_of(principal: &str) -> Option<&str> {
    principal.split_once(':')?.1.split_once('/').map(|(namespace, _)| namespace)
}

fn record(tx: &mut dyn Tx, entry: &Entry) -> Result<(), Problem> {
    bedplate_audit::append(tx, entry).map(|_| ()).map_err(|error| Problem::of("recording it", &error))
}
