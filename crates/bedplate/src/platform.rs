//! The platform, wired: the only place where engines are opened.

mod belongs;
mod checkpoints;
mod leadership;
mod spine;
mod surfaces;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bedplate_apiserver::ApiServer;
use bedplate_audit::Signer;
use bedplate_client::Connection;
use bedplate_console::Sessions;
use bedplate_controllers::{Platform, Sites};
use bedplate_db::Db;
use bedplate_identity::Principal;
use bedplate_ledger::PriceSheet;
use bedplate_objects::Objects;
use bedplate_online::OnlineStore;
use bedplate_query::Lake;
use bedplate_serving::{Deployments, Recorder};
use bedplate_types::{Clock, ErrorKind, Explained, Problem};
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use leadership::Leads;
pub use spine::migrations;

use leadership::Candidate;

use crate::cli::Listen;
use crate::home::Home;
use crate::surface::predictor;
use crate::{keys, kubeconfig, listen};

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

/// Starts the platform on a home folder. Everything that can be refused is refused before the first task starts.
pub async fn start(root: &Path, options: &Listen) -> Result<Running, Problem> {
    let home = Home::open(root)?.place(options.storage.keys.as_deref(), options.storage.data.as_deref())?;
    let control = listen::bind(options.listen, "--listen").await?;
    let inference = listen::bind(options.inference_listen, "--inference-listen").await?;
    let (control_url, inference_url) = (url(&control)?, url(&inference)?);
    let spine = spine::open(&home, &options.storage)?;
    let token = spine::admin_token(&home, &spine)?;
    kubeconfig::write(&home.path("kubeconfig"), &control_url, "admin", &token, "default")?;

    let cancel = CancellationToken::new();
    let apiserver = surfaces::open_apiserver(&spine, keys::secrets(&home)?)?;
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
    // Nobody but this process writes to a database of its own: it leads without asking.
    let leads = Leads::new(options.storage.database().is_none());
    let control_routes =
        surfaces::control_routes(&spine, &apiserver, &client, &online, &sessions, &leads, home.places());
    let inference_routes = bedplate_oip::router(
        Arc::new(predictor::Served(deployments.clone())),
        spine.authenticator.clone(),
        spine.policy.clone(),
    );
    let tasks = vec![
        controllers(&apiserver, platform, leads)?,
        tokio::spawn(follow(apiserver.clone(), cancel.clone())),
        tokio::spawn(surfaces::serve(control, control_routes, cancel.clone())),
        tokio::spawn(surfaces::serve(inference, inference_routes, cancel.clone())),
        tokio::spawn(checkpoints::sign_checkpoints(spine.db.clone(), spine.signer.clone(), cancel.clone())),
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

/// One replica of several has to be elected first.
fn controllers(apiserver: &ApiServer, platform: Platform, leads: Leads) -> Result<JoinHandle<()>, Problem> {
    if leads.now() {
        return Ok(tokio::spawn(bedplate_controllers::run(platform)));
    }
    Ok(tokio::spawn(Candidate::new(apiserver.clone(), platform, leads)?.run()))
}

async fn follow(apiserver: ApiServer, cancel: CancellationToken) {
    tokio::select! {
        () = apiserver.follow() => {}
        () = cancel.cancelled() => {}
    }
}

fn of<E: Explained>(what: &'static str) -> impl FnOnce(E) -> Problem {
    move |error| Problem::of(what, &error)
}

fn url(listener: &TcpListener) -> Result<String, Problem> {
    let addr = listener.local_addr();
    let addr = addr.map_err(|error| Problem::new(ErrorKind::Internal, "a listener's address", error.to_string()))?;
    Ok(format!("http://{addr}"))
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

impl Running {
    pub fn home(&self) -> &Path {
        &self.root
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A link that signs the local administrator in at the console, once.
    pub fn console_url(&self) -> Result<String, Problem> {
        let code = self.sessions.issue_code(spine::administrator(), self.clock.now(), keys::random()?);
        Ok(format!("{}/login?code={code}", self.control_url))
    }

    /// Verifies the audit log against its own signed head.
    pub async fn verify_audit(&self) -> Result<bedplate_audit::Verified, Problem> {
        checkpoints::sign(&self.db, &self.signer).await;
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
