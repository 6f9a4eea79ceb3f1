//! What listens: the API server and everything beside it on the control port.

use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use bedplate_apiserver::ApiServer;
use bedplate_console::{ConsoleState, Sessions};
use bedplate_online::OnlineStore;
use bedplate_types::Problem;
use kube::Client;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::leadership::Leads;
use super::spine::Spine;
use crate::backup::Source;
use crate::home::Places;
use crate::keys;
use crate::surface::{api, console, features};

pub fn open_apiserver(spine: &Spine, secrets_key: [u8; 32]) -> Result<ApiServer, Problem> {
    let options = bedplate_apiserver::Options {
        db: spine.db.clone(),
        policy: spine.policy.clone(),
        authenticator: spine.authenticator.clone(),
        clock: spine.clock.clone(),
        secrets_key,
        seed: || keys::random().unwrap_or_default(),
    };
    ApiServer::open(options).map_err(|error| Problem::of("the API server", &error))
}

pub fn control_routes(
    spine: &Spine,
    apiserver: &ApiServer,
    client: &Client,
    online: &OnlineStore,
    sessions: &Arc<Sessions>,
    leads: &Leads,
    places: &Places,
) -> Router {
    let facts = api::Facts {
        db: spine.db.clone(),
        client: client.clone(),
        authenticator: spine.authenticator.clone(),
        policy: spine.policy.clone(),
        audit_key: spine.signer.public_key(),
        clock: spine.clock.clone(),
    };
    let pages = console::Pages::new(facts.clone(), spine.prices.currency.clone(), spine.clock.now());
    let state = ConsoleState {
        source: Arc::new(pages),
        sign_in: Arc::new(spine.authenticator.clone()),
        sessions: sessions.clone(),
        clock: spine.clock.clone(),
        random: Arc::new(|| keys::random().unwrap_or_default()),
    };
    let backup = Source { places: places.clone(), db: spine.db.clone(), online: online.clone(), with_keys: false };
    let store = features::Store::new(client.clone(), online.clone(), leads.clone());
    apiserver
        .router()
        .merge(bedplate_console::router(state))
        .merge(bedplate_feast::router(Arc::new(store), spine.authenticator.clone(), spine.policy.clone()))
        .merge(api::backups(api::Backups::new(facts.clone(), backup)))
        .merge(api::router(facts))
        .merge(openlineage(spine))
}

/// Events come in where the clients send them unasked; Marquez' paths would meet Kubernetes' and have a prefix.
fn openlineage(spine: &Spine) -> Router {
    let parts = || (spine.db.clone(), spine.authenticator.clone(), spine.policy.clone(), spine.clock.clone());
    let ((db, who, policy, clock), whole) = (parts(), parts());
    let whole = bedplate_openlineage::router(whole.0, whole.1, whole.2, whole.3);
    bedplate_openlineage::ingest(db, who, policy, clock).merge(Router::new().nest("/openlineage", whole))
}

pub async fn serve(listener: TcpListener, routes: Router, cancel: CancellationToken) {
    let stopped = async move { cancel.cancelled().await };
    // A small frame must not wait for the client's delayed acknowledgement, which takes 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its small frames back");
        }
    });
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "a listener ended");
    }
}
