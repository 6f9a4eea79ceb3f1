//! The platform, wired: the only place where engines are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use bedplate_apiserver::ApiServer;
use bedplate_audit::Signer;
use bedplate_client::Connection;
use bedplate_console::{ConsoleState, Sessions};
use bedplate_controllers::{Platform, Sites};
use bedplate_db::{Db, Migration};
use bedplate_identity::{Authenticator, NewToken, Principal};
use bedplate_ledger::PriceSheet;
use bedplate_objects::Objects;
use bedplate_online::OnlineStore;
use bedplate_policy::Policy;
use bedplate_query::Lake;
use bedplate_serving::{Deployments, Recorder};
use bedplate_types::{Clock, ErrorKind, Explained, Problem, SystemClock};
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::Listen;
use crate::home::{Home, write_private};
use crate::surface::{api, console, features, predictor};
use crate::{keys, listen, prices};

/// The name the audit log's checkpoints are signed under.
pub const AUDIT_ORIGIN: &str = "bedplate.dev/audit";
/// How often the head of the audit log is signed.
const CHECKPOINT_EVERY: std::time::Duration = std::time::Duration::from_secs(10);

/// A platform that is up.
pub struct Running {
    home: Home,
    root: PathBuf,
    pub control_url: String,
    pub inference_url: String,
    pub db: Db,
    pub prices: PriceSheet,
    pub clock: Arc<dyn Clock>,
    pub deployments: Deployments,
    /// Speaks to the control API over its socket, as the local administrator.
    client: Client,
    sessions: Arc<Sessions>,
    signer: Arc<Signer>,
    apiserver: ApiServer,
    cancel: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// What everything else is built on.
struct Spine {
    db: Db,
    authenticator: Authenticator,
    policy: Policy,
    clock: Arc<dyn Clock>,
    prices: PriceSheet,
    signer: Arc<Signer>,
}

/// Starts the platform on a home folder. Everything that can be refused is refused before the first task starts.
pub async fn start(root: &Path, options: &Listen) -> Result<Running, Problem> {
    let home = Home::open(root)?;
    let control = listen::bind(options.listen, "--listen").await?;
    let inference = listen::bind(options.inference_listen, "--inference-listen").await?;
    let (control_url, inference_url) = (url(&control)?, url(&inference)?);
    let spine = spine(&home)?;
    let token = admin_token(&home, &spine)?;
    write_kubeconfig(&home, &control_url, &token)?;

    let cancel = CancellationToken::new();
    let apiserver = open_apiserver(&spine)?;
    let (recorder, recording) = Recorder::start(spine.db.clone(), spine.prices.clone());
    let online = OnlineStore::open(home.path("online")).map_err(of("the online store"))?;
    let deployments = Deployments::new(online.clone(), recorder, spine.clock.clone());
    let client = Client::new(apiserver.in_process(Principal::new("system:controllers")), "default");
    let platform = Platform {
        client: client.clone(),
        db: spine.db.clone(),
        clock: spine.clock.clone(),
        prices: spine.prices.clone(),
        lake: Arc::new(Lake::open(home.path("lake")).map_err(of("the lake"))?),
        objects: Objects::open(home.path("objects")).map_err(of("the object store"))?,
        online: online.clone(),
        deployments: deployments.clone(),
        policy: spine.policy.clone(),
        signing_key: Arc::new(keys::model_signing(&home)?),
        sites: sites(&home, options, &control_url, &inference_url)?,
        started_at: spine.clock.now(),
        cancel: cancel.child_token(),
    };
    let sessions = Arc::new(Sessions::default());
    let control_routes = control_routes(&spine, &apiserver, &client, &online, &sessions);
    let inference_routes = bedplate_oip::router(
        Arc::new(predictor::Served(deployments.clone())),
        spine.authenticator.clone(),
        spine.policy.clone(),
    );
    let tasks = vec![
        tokio::spawn(bedplate_controllers::run(platform)),
        tokio::spawn(serve(control, control_routes, cancel.clone())),
        tokio::spawn(serve(inference, inference_routes, cancel.clone())),
        tokio::spawn(sign_checkpoints(spine.db.clone(), spine.signer.clone(), cancel.clone())),
        recording,
    ];
    let connection = Connection { server: control_url.clone(), token, namespace: "default".into() };
    let root = home.path("");
    Ok(Running {
        home,
        root,
        client: connection.connect().map_err(|error| Problem::of("a client of the control API", &error))?,
        control_url,
        inference_url,
        db: spine.db,
        prices: spine.prices,
        clock: spine.clock,
        deployments,
        sessions,
        signer: spine.signer,
        apiserver,
        cancel,
        tasks,
    })
}

fn of<E: Explained>(what: &'static str) -> impl FnOnce(E) -> Problem {
    move |error| Problem::of(what, &error)
}

fn url(listener: &TcpListener) -> Result<String, Problem> {
    let addr = listener.local_addr();
    let addr = addr.map_err(|error| Problem::new(ErrorKind::Internal, "a listener's address", error.to_string()))?;
    Ok(format!("http://{addr}"))
}

fn spine(home: &Home) -> Result<Spine, Problem> {
    let db = Db::open(&home.path("bedplate.db"), &migrations()).map_err(of("the database"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(Spine {
        authenticator: Authenticator::new(db.clone(), clock.clone()),
        policy: Policy::load(db.clone()).map_err(of("the policies"))?,
        prices: prices::load(home)?,
        signer: Arc::new(Signer::from_seed(keys::audit_seed(home)?)),
        db,
        clock,
    })
}

fn migrations() -> Vec<Migration> {
    [
        bedplate_audit::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
        bedplate_serving::MIGRATIONS,
    ]
    .concat()
}

/// The local administrator's token: made on the first start, kept in `credentials`, readable by the owner only.
fn admin_token(home: &Home, spine: &Spine) -> Result<String, Problem> {
    let (db, now) = (spine.db.clone(), spine.clock.now());
    let bytes = home.secret("credentials", || {
        let new = NewToken { principal: administrator(), expires_at: None, description: "local administrator".into() };
        let random = keys::random()?;
        let issued = db.write(move |tx| bedplate_identity::issue(tx, &new, now, random));
        issued.map(String::into_bytes).map_err(of("the administrator's token"))
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(ErrorKind::Corrupt, "credentials", "is not text")
            .with_fix("delete the file; a new token is made at the next start")
    })
}

fn administrator() -> Principal {
    Principal { name: "user:admin".into(), groups: vec!["system:masters".into()] }
}

/// kubectl shows a token over TLS only; over plain http it sends what the URL carries, so the token stands there too.
fn write_kubeconfig(home: &Home, server: &str, token: &str) -> Result<(), Problem> {
    let server = server.replacen("://", &format!("://bedplate:{token}@"), 1);
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bedplate",
        "clusters": [{ "name": "bedplate", "cluster": { "server": server } }],
        "users": [{ "name": "admin", "user": { "token": token } }],
        "contexts": [{ "name": "bedplate", "context": { "cluster": "bedplate", "user": "admin", "namespace": "default" } }],
    });
    write_private(&home.path("kubeconfig"), format!("{config:#}\n").as_bytes())
}

fn open_apiserver(spine: &Spine) -> Result<ApiServer, Problem> {
    let options = bedplate_apiserver::Options {
        db: spine.db.clone(),
        policy: spine.policy.clone(),
        authenticator: spine.authenticator.clone(),
        clock: spine.clock.clone(),
        seed: || keys::random().unwrap_or_default(),
    };
    ApiServer::open(options).map_err(|error| Problem::of("the API server", &error))
}

fn sites(home: &Home, options: &Listen, control_url: &str, inference_url: &str) -> Result<Sites, Problem> {
    let internal = |what: &str, error: std::io::Error| Problem::new(ErrorKind::Internal, what, error.to_string());
    let mut roots = vec![home.path("examples")];
    if options.source_roots.is_empty() {
        roots.push(std::env::current_dir().map_err(|error| internal("the current folder", error))?);
    }
    for root in &options.source_roots {
        roots.push(root.canonicalize().map_err(|error| crate::home::unusable(root, &error))?);
    }
    Ok(Sites {
        runs: home.path("runs"),
        models: home.path("models"),
        source_roots: roots,
        program: std::env::current_exe().map_err(|error| internal("this program's path", error))?,
        control_url: control_url.to_owned(),
        inference_url: inference_url.to_owned(),
    })
}

fn control_routes(
    spine: &Spine,
    apiserver: &ApiServer,
    client: &Client,
    online: &OnlineStore,
    sessions: &Arc<Sessions>,
) -> Router {
    let facts = api::Facts {
        db: spine.db.clone(),
        client: client.clone(),
        authenticator: spine.authenticator.clone(),
        policy: spine.policy.clone(),
        audit_key: spine.signer.public_key(),
    };
    let pages = console::Pages::new(facts.clone(), spine.prices.currency.clone(), spine.clock.now());
    let state = ConsoleState {
        source: Arc::new(pages),
        sign_in: Arc::new(spine.authenticator.clone()),
        sessions: sessions.clone(),
        clock: spine.clock.clone(),
        random: Arc::new(|| keys::random().unwrap_or_default()),
    };
    let store = features::Store::new(client.clone(), online.clone());
    apiserver
        .router()
        .merge(bedplate_console::router(state))
        .merge(bedplate_feast::router(Arc::new(store), spine.authenticator.clone(), spine.policy.clone()))
        .merge(api::router(facts))
}

async fn serve(listener: TcpListener, routes: Router, cancel: CancellationToken) {
    let stopped = async move { cancel.cancelled().await };
    if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "a listener ended");
    }
}

async fn sign_checkpoints(db: Db, signer: Arc<Signer>, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(CHECKPOINT_EVERY);
    loop {
        let last = tokio::select! { _ = tick.tick() => false, () = cancel.cancelled() => true };
        sign(&db, &signer).await;
        if last {
            return;
        }
    }
}

async fn sign(db: &Db, signer: &Arc<Signer>) {
    let signer = signer.clone();
    let signed = db.write_async(move |tx| bedplate_audit::sign_checkpoint(tx, &signer, AUDIT_ORIGIN)).await;
    if let Err(error) = signed {
        tracing::error!(%error, "the audit log's head was not signed");
    }
}

impl Running {
    pub fn home(&self) -> &Path {
        &self.root
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A link that signs the local administrator in at the console, once.
    pub fn console_url(&self) -> Result<String, Problem> {
        let code = self.sessions.issue_code(administrator(), self.clock.now(), keys::random()?);
        Ok(format!("{}/login?code={code}", self.control_url))
    }

    /// Verifies the audit log against its own signed head.
    pub async fn verify_audit(&self) -> Result<bedplate_audit::Verified, Problem> {
        sign(&self.db, &self.signer).await;
        let (db, key) = (self.db.clone(), self.signer.public_key());
        let verified = tokio::task::spawn_blocking(move || db.read(|tx| bedplate_audit::verify(tx, &key))).await;
        let verified =
            verified.map_err(|error| Problem::new(ErrorKind::Internal, "the audit log", error.to_string()))?;
        verified.map_err(of("verifying the audit log"))
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.home.path("kubeconfig")
    }

    /// Stops everything in order and waits for it, at most ten seconds.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.apiserver.close();
        drop(self.deployments);
        for task in self.tasks {
            if tokio::time::timeout(std::time::Duration::from_secs(10), task).await.is_err() {
                tracing::warn!("a task did not end within ten seconds and was left behind");
            }
        }
    }
}
