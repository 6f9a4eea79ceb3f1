//! The platform, wired: the only place where engines are opened.

pub mod belongs;
mod checkpoints;
mod decisions;
mod leadership;
mod machine;
mod plane;
mod planning;
mod served;
mod spine;
pub mod surfaces;
mod sweeping;
pub mod witness;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use bedplate_apiserver::ApiServer;
use bedplate_audit::Signer;
use bedplate_buckets::Blobs;
use bedplate_client::Connection;
use bedplate_console::Sessions;
use bedplate_controllers::{Attempts, KnownBy, Platform, Sites, Verifier};
use bedplate_db::Db;
use bedplate_identity::AccessKeys;
use bedplate_objects::Objects;
use bedplate_query::{Engine, Lake, Limits, Reader};
use bedplate_serving::{Deployments, Recorder};
use bedplate_types::{Clock, ErrorKind, Explained, Problem, SystemClock};
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::leadership::Leads;
pub use self::served::{KEPT_HOURS, ServedLog};
pub use self::spine::{Spine, migrations};

use self::leadership::Candidate;
use self::plane::Plane;
use crate::cli::{Listen, Listener};
use crate::cluster::{self, ClusterOptions};
use crate::home::Home;
use crate::listen::{Acceptor, Machines};
use crate::oidc::Provider;
use crate::surface::api::Issuing;
use crate::surface::catalogue::{self, Catalogue};
use crate::surface::sql::Sql;
use crate::surface::{features, predictor};
use crate::tls::{self, Tls};
use crate::{keys, kubeconfig, listen};

/// A platform that is up.
pub struct Running {
    home: Home,
    root: PathBuf,
    pub control_url: String,
    pub inference_url: String,
    /// Where Flight SQL is spoken.
    pub flight_url: Option<String>,
    /// Where S3 is spoken.
    pub s3_url: Option<String>,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub deployments: Deployments,
    /// Speaks to the control API over its socket, as the local administrator.
    client: Client,
    sessions: Arc<Sessions>,
    signer: Arc<Signer>,
    /// The cluster whose API server keeps the objects.
    pub cluster_url: Option<String>,
    /// Where a cluster's API server asks before it stores.
    pub webhook_url: Option<String>,
    plane: Plane,
    served: ServedLog,
    cancel: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts the platform on a home folder. Everything that can be refused is refused before the first task starts.
pub async fn start(root: &Path, options: &Listen) -> Result<Running, Problem> {
    start_on(root, options, None).await
}

/// The same on a cluster's API server, where one is given, instead of one of its own.
pub async fn start_on(root: &Path, options: &Listen, cluster: Option<&ClusterOptions>) -> Result<Running, Problem> {
    let home = Home::open(root)?.place(options.storage.keys.as_deref(), options.storage.data.as_deref())?;
    let tls = tls::open(&options.tls, &home, SystemClock.now())?;
    let protection = options.tls.protection();
    let control = listen::bind(options.listen, "--listen", protection).await?;
    let inference = listen::bind(options.inference_listen, "--inference-listen", protection).await?;
    let flight = match options.flight_listen {
        Listener::At(addr) => Some(listen::bind(addr, "--flight-listen", protection).await?),
        Listener::Off => None,
    };
    let s3 = match options.s3_listen {
        Listener::At(addr) => Some(listen::bind(addr, "--s3-listen", protection).await?),
        Listener::Off => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (control_url, inference_url) = (url(scheme, &control)?, url(scheme, &inference)?);
    let spine = spine::open(&home, &options.storage, options.site.as_deref())?;
    let acceptor = acceptor(tls.as_ref(), options, &spine)?;
    let issuing = tls.as_ref().map(|tls| Issuing::new(tls.authority.clone(), &options.tls.trust_domain));
    let connection = Connection {
        server: control_url.clone(),
        token: spine::admin_token(&home, &spine)?,
        namespace: "default".into(),
        trust: tls.as_ref().map(|tls| tls.trust.clone()).unwrap_or_default(),
    };
    kubeconfig::write(&home.path("kubeconfig"), "admin", &connection)?;

    let cancel = CancellationToken::new();
    let plane = Plane::open(&spine, &home, cluster).await?;
    let webhook = webhook(&spine, &plane, cluster, protection).await?;
    let (recorder, recording) = Recorder::start(spine.db.clone());
    let online = options.storage.online.open(&home, &spine.db)?;
    let served = ServedLog::open(spine.db.clone(), spine.clock.clone())?;
    let deployments = Deployments::new(online.clone(), recorder, served.served.clone(), spine.clock.clone());
    let client = plane.client();
    plane.price(&spine).await?;
    let lake = Arc::new(Lake::open(home.path("lake")).map_err(of("the lake"))?);
    let sql_key = keys::sql(&home)?;
    let blobs = Blobs::open(home.path("buckets")).map_err(of("the buckets"))?;
    let access_keys = AccessKeys::new(&keys::secrets(&home)?);
    let sql = sql(&spine, sql_key, &lake, &client, &options.engines)?;
    let platform = Platform {
        client: client.clone(),
        db: spine.db.clone(),
        clock: spine.clock.clone(),
        lake: lake.clone(),
        objects: Objects::open(home.path("objects")).map_err(of("the object store"))?,
        online: online.clone(),
        deployments: deployments.clone(),
        policy: spine.policy.clone(),
        signing_key: Arc::new(keys::model_signing(&home)?),
        sites: sites(&home, options, &connection, &inference_url)?,
        started_at: spine.clock.now(),
        cancel: cancel.child_token(),
        attempts: Attempts::default(),
        verifier: Verifier::open()?,
    };
    let source_roots = platform.sites.source_roots.clone();
    let sessions = Arc::new(Sessions::default());
    let provider = Provider::new(&options.oidc, spine.db.clone(), spine.clock.clone())?;
    let people = surfaces::People { sessions: sessions.clone(), provider, issuing };
    // Nobody but this process writes to a database of its own: it leads without asking. Of a cluster's operators there is one.
    let leads = Leads::new(options.storage.database().is_none() || cluster.is_some());
    let looked_at = served.served.clone();
    let features = features::Store::new(client.clone(), online.clone(), leads.clone(), looked_at, spine.clock.clone());
    let features = Arc::new(features);
    let catalogue = Arc::new(Catalogue::new(spine.policy.clone())?);
    let keeping = surfaces::Keeping {
        lake: &lake,
        online: &online,
        leads: &leads,
        places: home.places(),
        sql: &sql,
        access_keys: &access_keys,
        features: &features,
        served: &served,
        catalogue: &catalogue,
        platform: &platform,
    };
    let control_routes = surfaces::control_routes(&spine, plane.routes(&spine), &client, &keeping, people);
    let inference_routes = bedplate_oip::router(
        Arc::new(predictor::Served(deployments.clone())),
        spine.authenticator.clone(),
        spine.policy.clone(),
    );
    let gate = listen::Gate::new(spine.authenticator.clone(), spine.clock.clone());
    let (control_routes, inference_routes) = (gate.before(control_routes), gate.before(inference_routes));
    let (lanes, mut tasks) = (listen::Lanes::start()?, Vec::new());
    if matches!(plane, Plane::Cluster(_)) {
        tasks.push(tokio::spawn(bedplate_controllers::follow_bindings(platform.clone())));
    }
    let flight_url = flight.as_ref().map(|listener| url(if tls.is_some() { "grpc+tls" } else { "grpc" }, listener));
    let flight_url = flight_url.transpose()?;
    if let Some(listener) = flight {
        // Large frames go where what queries spill goes.
        let scratch = scratch(&lake)?;
        let routes = gate.before(surfaces::flight_routes(&spine, sql, sql_key, features, scratch)?);
        tasks.push(tokio::spawn(listen::serve(listener, acceptor.clone(), routes, lanes.clone(), cancel.clone())));
    }
    let s3_url = s3.as_ref().map(|listener| url(scheme, listener)).transpose()?;
    if let Some(listener) = s3 {
        let routes = gate.before(surfaces::s3_routes(&spine, &blobs, access_keys, &plane, &source_roots));
        // Who signs is known by the key: a certificate stands for nobody there.
        let acceptor = acceptor.clone().map(|acceptor| Acceptor { machines: None, ..acceptor });
        tasks.push(tokio::spawn(listen::serve(listener, acceptor, routes, lanes.clone(), cancel.clone())));
    }
    tasks.push(tokio::spawn(sweeping::sweep(
        spine.db.clone(),
        blobs,
        client.clone(),
        spine.clock.clone(),
        cancel.clone(),
    )));
    let webhook_url = webhook.as_ref().map(|(listener, _)| url(scheme, listener)).transpose()?;
    if let Some((listener, routes)) = webhook {
        // The cluster's API server shows no certificate that stands for somebody here.
        let acceptor = acceptor.clone().map(|acceptor| Acceptor { machines: None, ..acceptor });
        tasks.push(tokio::spawn(listen::serve(listener, acceptor, routes, lanes.clone(), cancel.clone())));
    }
    tasks.extend([
        controllers(&plane, platform, leads)?,
        tokio::spawn(follow(plane.apiserver(), cancel.clone())),
        tokio::spawn(catalogue::follow(catalogue, client.clone(), cancel.clone())),
        tokio::spawn(listen::serve(control, acceptor.clone(), control_routes, lanes.clone(), cancel.clone())),
        tokio::spawn(listen::serve(inference, acceptor, inference_routes, lanes.clone(), cancel.clone())),
        tokio::spawn(checkpoints::sign_checkpoints(spine.db.clone(), spine.signer.clone(), cancel.clone())),
        tokio::spawn(decisions::write_down(
            spine.db.clone(),
            spine.policy.clone(),
            spine.clock.clone(),
            cancel.clone(),
        )),
        recording,
        tokio::spawn(served.clone().keep(cancel.clone())),
    ]);
    if let Some(tls) = tls {
        tasks.push(tokio::spawn(tls.keep(spine.clock.clone(), cancel.clone())));
    }
    let root = home.path("");
    Ok(Running {
        home,
        root,
        client: connection.connect().map_err(|error| Problem::of("a client of the control API", &error))?,
        control_url,
        inference_url,
        flight_url,
        s3_url,
        db: spine.db,
        clock: spine.clock,
        deployments,
        sessions,
        signer: spine.signer,
        cluster_url: plane.cluster_url(),
        webhook_url,
        plane,
        served,
        cancel,
        tasks,
    })
}

fn scratch(lake: &Lake) -> Result<PathBuf, Problem> {
    let scratch = lake.root().join(".spill");
    let failed =
        |error: std::io::Error| Problem::new(ErrorKind::Internal, scratch.display().to_string(), error.to_string());
    std::fs::create_dir_all(&scratch).map_err(failed)?;
    Ok(scratch)
}

fn acceptor(tls: Option<&Tls>, options: &Listen, spine: &Spine) -> Result<Option<Acceptor>, Problem> {
    let Some(tls) = tls else { return Ok(None) };
    let machines =
        Machines { authenticator: spine.authenticator.clone(), trust_domain: options.tls.trust_domain.clone() };
    Ok(Some(Acceptor { tls: tls.config()?, machines: Some(machines) }))
}

/// What answers statements, with threads and memory of its own.
fn sql(spine: &Spine, key: [u8; 32], lake: &Arc<Lake>, client: &Client, engines: &[Engine]) -> Result<Sql, Problem> {
    let reader = Reader::open(lake.clone(), Limits::default(), key).map_err(of("the SQL engine"))?;
    let reader = reader.on(engines.to_vec());
    Ok(Sql::new(client.clone(), Arc::new(reader), spine.policy.clone(), spine.db.clone(), spine.clock.clone()))
}

/// The webhook's listener and what it answers, where one is asked for.
async fn webhook(
    spine: &Spine,
    plane: &Plane,
    options: Option<&ClusterOptions>,
    protection: tls::Protection,
) -> Result<Option<(TcpListener, Router)>, Problem> {
    let (Some(options), Plane::Cluster(cluster)) = (options, plane) else { return Ok(None) };
    let Some(addr) = options.webhook_listen else { return Ok(None) };
    let listener = listen::bind(addr, "--webhook-listen", protection).await?;
    Ok(Some((listener, cluster::webhook_routes(spine, cluster, options)?)))
}

/// One replica of several has to be elected first.
fn controllers(plane: &Plane, platform: Platform, leads: Leads) -> Result<JoinHandle<()>, Problem> {
    match plane.apiserver() {
        Some(apiserver) if !leads.now() => Ok(tokio::spawn(Candidate::new(apiserver, platform, leads)?.run())),
        _ => Ok(tokio::spawn(bedplate_controllers::run(platform))),
    }
}

/// Makes what other replicas write count here.
async fn follow(apiserver: Option<ApiServer>, cancel: CancellationToken) {
    let Some(apiserver) = apiserver else { return };
    tokio::select! {
        () = apiserver.follow() => {}
        () = cancel.cancelled() => {}
    }
}

fn of<E: Explained>(what: &'static str) -> impl FnOnce(E) -> Problem {
    move |error| Problem::of(what, &error)
}

/// Where this machine finds the listener.
fn url(scheme: &str, listener: &TcpListener) -> Result<String, Problem> {
    let addr = listener.local_addr();
    let mut addr =
        addr.map_err(|error| Problem::new(ErrorKind::Internal, "a listener's address", error.to_string()))?;
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(format!("{scheme}://{addr}"))
}

fn sites(home: &Home, options: &Listen, control: &Connection, inference_url: &str) -> Result<Sites, Problem> {
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
        source_hosts: options.source_hosts.iter().cloned().collect(),
        program: std::env::current_exe().map_err(|error| internal("this program's path", error))?,
        control_url: control.server.clone(),
        inference_url: inference_url.to_owned(),
        listeners: KnownBy { ca: control.trust.ca.clone(), server_name: control.trust.server_name.clone() },
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

    /// Has witnesses cosign the audit log from now on, a task each.
    pub fn ask_witnesses(&mut self, witnesses: &witness::Witnesses) -> Result<(), Problem> {
        witnesses.check()?;
        for url in &witnesses.urls {
            let (db, clock, cancel) = (self.db.clone(), self.clock.clone(), self.cancel.clone());
            self.tasks.push(tokio::spawn(witness::ask(db, clock, url.clone(), witnesses.keys.clone(), cancel)));
        }
        Ok(())
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
        self.plane.close();
        drop(self.deployments);
        for task in self.tasks {
            if tokio::time::timeout(std::time::Duration::from_secs(10), task).await.is_err() {
                tracing::warn!("a task did not end within ten seconds and was left behind");
            }
        }
        // What was still answered meanwhile.
        if let Err(problem) = self.served.flush().await {
            tracing::warn!(%problem, "what was served last was not kept");
        }
    }
}
