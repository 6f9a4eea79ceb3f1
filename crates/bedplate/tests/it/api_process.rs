//! An API server without controllers, as a process of its own: what a real cluster is to the operator, as far as it goes.
//!
//! The process is this very test binary, told by its environment to serve instead of testing. Every request is written
//! down with who sent it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use bedplate_apiserver::{ApiServer, Options};
use bedplate_db::Db;
use bedplate_identity::{Authenticator, NewToken, Principal};
use bedplate_policy::{Grant, Policy, Role};
use bedplate_testkit::{Ready, Server, free_port};
use bedplate_types::{Clock, SystemClock};

const FOLDER: &str = "BEDPLATE_TEST_API";
const PORT: &str = "BEDPLATE_TEST_API_PORT";

/// How the cluster calls the operator.
pub const OPERATOR: &str = "system:controllers";

/// The process, and where it keeps everything.
pub struct ApiProcess {
    folder: PathBuf,
    port: u16,
    server: Option<Server>,
}

impl ApiProcess {
    pub fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut process = Self { folder: folder.to_owned(), port: free_port(), server: None };
        process.run();
        process
    }

    /// Ends it as a crash would, and starts it again at the same address.
    pub fn crash_and_return(&mut self, pause: Duration) {
        self.server.take().unwrap().kill().unwrap();
        std::thread::sleep(pause);
        self.run();
    }

    fn run(&mut self) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "api_process::serve_until_killed", "--ignored", "--nocapture"]);
        command.env(FOLDER, &self.folder).env(PORT, self.port.to_string()).stdin(Stdio::null());
        let ready = Ready::Http { port: self.port, path: "/readyz".into() };
        self.server =
            Some(Server::start(&mut command, &ready, Duration::from_secs(60)).expect("the API server comes up"));
    }

    /// A home for `bedplate` commands of the cluster's administrator.
    pub fn admin_home(&self) -> PathBuf {
        self.folder.join("admin")
    }

    /// The kubeconfig the operator is given.
    pub fn operator_kubeconfig(&self) -> PathBuf {
        self.folder.join("operator").join("kubeconfig")
    }

    /// Who sent what: `operator GET /apis/…?watch=1`.
    pub fn requests(&self) -> String {
        fs::read_to_string(self.folder.join("requests")).unwrap_or_default()
    }
}

/// Not a test: see [`ApiProcess`], which starts it.
#[test]
#[ignore = "the operator's test starts it as a process of its own"]
fn serve_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (server, operators_token) = open(&folder, port);
        let log = Arc::new(fs::OpenOptions::new().create(true).append(true).open(folder.join("requests")).unwrap());
        let written = middleware::from_fn(move |request: Request, next: Next| {
            let (log, token) = (log.clone(), operators_token.clone());
            async move {
                note(&log, &token, &request);
                next.run(request).await
            }
        });
        axum::serve(listener, server.router().layer(written)).await.unwrap();
    });
}

fn note(mut log: &fs::File, operators_token: &str, request: &Request) {
    let shown = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let who = if shown.ends_with(operators_token) { "operator" } else { "other" };
    // One write a line: lines of several requests do not mix.
    let line = format!("{who} {} {}\n", request.method(), request.uri());
    log.write_all(line.as_bytes()).unwrap();
}

fn open(folder: &Path, port: u16) -> (ApiServer, String) {
    let migrations = [
        bedplate_audit::MIGRATIONS,
        bedplate_identity::MIGRATIONS,
        bedplate_policy::MIGRATIONS,
        bedplate_ledger::MIGRATIONS,
        bedplate_lineage::MIGRATIONS,
        bedplate_apiserver::MIGRATIONS,
    ]
    .concat();
    let db = Db::open(&folder.join("api.db"), &migrations).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let grant = Grant::new(OPERATOR, "*", Role::Owner);
    db.write(move |tx| bedplate_policy::grant(tx, &grant)).unwrap();
    let masters = Principal { name: "user:root".into(), groups: vec!["system:masters".into()] };
    token(&db, folder, port, "admin", masters);
    let operators = token(&db, folder, port, "operator", Principal::new(OPERATOR));
    let options = Options {
        policy: Policy::load(db.clone()).unwrap(),
        authenticator: Authenticator::new(db.clone(), clock.clone()),
        db,
        clock,
        secrets_key: [7; 32],
        seed: random,
        governance: None,
        more_rules: None,
    };
    (ApiServer::open(options).unwrap(), operators)
}

/// The token of a kubeconfig, made the first time.
fn token(db: &Db, folder: &Path, port: u16, name: &str, principal: Principal) -> String {
    let place = folder.join(name);
    let known = place.join("token");
    if let Ok(token) = fs::read_to_string(&known) {
        return token;
    }
    let new = NewToken::new(principal, name);
    let bytes = [random::<16>(), random::<16>()].concat().try_into().unwrap();
    let token = db.write(move |tx| bedplate_identity::issue(tx, &new, SystemClock.now(), bytes)).unwrap();
    fs::create_dir_all(&place).unwrap();
    fs::write(
        place.join("kubeconfig"),
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: cluster\n\
             clusters: [{{name: cluster, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
             users: [{{name: {name}, user: {{token: \"{token}\"}}}}]\n\
             contexts: [{{name: cluster, context: {{cluster: cluster, user: {name}, namespace: default}}}}]\n"
        ),
    )
    .unwrap();
    fs::write(&known, &token).unwrap();
    token
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}
