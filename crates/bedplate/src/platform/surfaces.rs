//! What listens: the API server and everything beside it on the control port.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use bedplate_apiserver::ApiServer;
use bedplate_buckets::Blobs;
use bedplate_console::{ConsoleState, Sessions};
use bedplate_feast::Offline;
use bedplate_identity::AccessKeys;
use bedplate_online::OnlineStore;
use bedplate_plan::Governor;
use bedplate_policy::Operation;
use bedplate_query::Lake;
use bedplate_types::Problem;
use kube::Client;

use super::leadership::Leads;
use super::plane::Plane;
use super::served::ServedLog;
use super::spine::Spine;
use crate::backup::Source;
use crate::home::Places;
use crate::keys;
use crate::oidc::Provider;
use crate::rules::more_rules;
use crate::surface::api::Issuing;
use crate::surface::catalogue::Catalogue;
use crate::surface::sql::Sql;
use crate::surface::{api, console, features, flight, namespaces, registry};

pub fn open_apiserver(spine: &Spine, secrets_key: [u8; 32], governor: &Arc<Governor>) -> Result<ApiServer, Problem> {
    let options = bedplate_apiserver::Options {
        db: spine.db.clone(),
        policy: spine.policy.clone(),
        authenticator: spine.authenticator.clone(),
        clock: spine.clock.clone(),
        secrets_key,
        seed: || keys::random().unwrap_or_default(),
        governance: Some(governor.clone()),
        more_rules: Some(more_rules),
    };
    ApiServer::open(options).map_err(|error| Problem::of("the API server", &error))
}

/// How people and machines come in.
pub struct People {
    pub sessions: Arc<Sessions>,
    pub provider: Option<Arc<Provider>>,
    pub issuing: Option<Issuing>,
}

/// What the data of the platform is kept in.
pub struct Keeping<'a> {
    pub lake: &'a Arc<Lake>,
    pub online: &'a OnlineStore,
    pub leads: &'a Leads,
    pub places: &'a Places,
    pub sql: &'a Sql,
    pub access_keys: &'a AccessKeys,
    pub features: &'a Arc<features::Store>,
    pub served: &'a ServedLog,
    pub catalogue: &'a Arc<Catalogue>,
    pub platform: &'a bedplate_controllers::Platform,
}

pub fn control_routes(
    spine: &Spine,
    objects: Router,
    client: &Client,
    keeping: &Keeping<'_>,
    people: People,
) -> Router {
    let Keeping { lake, online, leads, places, sql, access_keys, features, served, catalogue, platform } = *keeping;
    let People { sessions, provider, issuing } = people;
    let facts = api::Facts {
        db: spine.db.clone(),
        client: client.clone(),
        authenticator: spine.authenticator.clone(),
        access_keys: access_keys.clone(),
        policy: spine.policy.clone(),
        audit_key: spine.signer.public_key(),
        clock: spine.clock.clone(),
    };
    let read = api::Features {
        facts: facts.clone(),
        platform: platform.clone(),
        leads: leads.clone(),
        sql: sql.clone(),
        views: features.clone(),
        served: served.clone(),
        lately: api::LatelyCache::default(),
    };
    let pages = console::Pages::new(read.clone(), catalogue.clone(), spine.clock.now());
    let state = ConsoleState {
        source: Arc::new(pages),
        sign_in: Arc::new(spine.authenticator.clone()),
        sessions,
        clock: spine.clock.clone(),
        random: Arc::new(|| keys::random().unwrap_or_default()),
        provider: provider.clone().map(|provider| provider as Arc<dyn bedplate_console::Provider>),
        // Certificates are issued where TLS is spoken.
        secure: issuing.is_some(),
    };
    let own_rows = online.shared_at().is_none().then(|| online.clone());
    let backup = Source { places: places.clone(), db: spine.db.clone(), online: own_rows, with_keys: false };
    let left_out = online.shared_at().map(crate::online::left_out);
    objects
        .merge(bedplate_console::router(state))
        .merge(bedplate_feast::router(features.clone(), spine.authenticator.clone(), spine.policy.clone()))
        .merge(api::backups(api::Backups::new(facts.clone(), backup, left_out)))
        .merge(api::certificates(facts.clone(), issuing))
        .merge(api::data(api::Data {
            facts: facts.clone(),
            lake: lake.clone(),
            leads: leads.clone(),
            sql: sql.clone(),
        }))
        .merge(api::features(read))
        .merge(api::search(facts.clone(), catalogue.clone()))
        .merge(api::sql(facts.clone(), sql.clone()))
        .merge(api::router(facts))
        .merge(api::login::router(provider))
        .merge(openlineage(spine))
}

/// Events come in where the clients send them unasked; Marquez' paths would meet Kubernetes' and have a prefix.
fn openlineage(spine: &Spine) -> Router {
    let parts = || (spine.db.clone(), spine.authenticator.clone(), spine.policy.clone(), spine.clock.clone());
    let ((db, who, policy, clock), whole) = (parts(), parts());
    let whole = bedplate_openlineage::router(whole.0, whole.1, whole.2, whole.3);
    bedplate_openlineage::ingest(db, who, policy, clock).merge(Router::new().nest("/openlineage", whole))
}

/// Every operation of the control port, and who may.
pub fn control_operations() -> Result<Vec<Operation>, Problem> {
    let resources = bedplate_apiserver::operations().map_err(|error| Problem::of("the API server", &error))?;
    let nested = bedplate_openlineage::operations().into_iter().map(|operation| operation.under("/openlineage"));
    let mut all = resources;
    all.extend(bedplate_console::operations());
    all.extend(bedplate_feast::operations());
    all.extend(api::operations());
    all.extend(bedplate_plan::operations());
    all.extend(bedplate_openlineage::ingest_operations());
    all.extend(nested);
    Ok(all)
}

/// What the Flight port answers. `key` seals tickets.
pub fn flight_routes(
    spine: &Spine,
    sql: Sql,
    key: [u8; 32],
    features: Arc<features::Store>,
    scratch: PathBuf,
) -> Result<Router, Problem> {
    let history = Arc::new(features::History::open(sql.clone())?);
    let offline = Offline { features, history, scratch };
    let offline = bedplate_feast::offline_router(offline, spine.authenticator.clone(), spine.policy.clone());
    let statements = bedplate_flight::router(Arc::new(flight::Served(sql)), spine.authenticator.clone(), key);
    Ok(statements.merge(offline))
}

/// Every call of the Flight port, and who may.
pub fn flight_operations() -> Vec<Operation> {
    [bedplate_flight::operations(), bedplate_feast::offline_operations()].concat()
}

/// What the S3 port answers.
pub fn s3_routes(spine: &Spine, blobs: &Blobs, keys: AccessKeys, plane: &Plane, roots: &[PathBuf]) -> Router {
    // On a cluster nobody could write as the caller.
    let registry = plane.apiserver().map(|apiserver| {
        let feast = registry::FeastRegistry::new(apiserver, plane.client(), roots.to_vec(), spine.clock.clone());
        Arc::new(feast) as Arc<dyn bedplate_s3::Registry>
    });
    bedplate_s3::router(bedplate_s3::Parts {
        db: spine.db.clone(),
        blobs: blobs.clone(),
        authenticator: spine.authenticator.clone(),
        keys,
        policy: spine.policy.clone(),
        clock: spine.clock.clone(),
        random: || keys::random().unwrap_or_default(),
        namespaces: Arc::new(namespaces::Kept(plane.client())),
        registry,
    })
}

/// Every operation of the S3 port, and who may.
pub fn s3_operations() -> Vec<Operation> {
    bedplate_s3::operations()
}

/// Every operation of the inference port, and who may.
pub fn inference_operations() -> Vec<Operation> {
    bedplate_oip::operations()
}
