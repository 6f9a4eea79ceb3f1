//! An audit log exported over HTTP from a real database, by somebody who does not trust the one that serves it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path as Asked, State};
use axum::http::StatusCode;
use axum::routing::get;
use bedplate_audit::{
    AuditError, Checkpoint, Entry, Fault, MIGRATIONS, Signer, VerifierKey, append, published, receipt, sign_checkpoint,
};
use bedplate_client::{ClientError, Connection, audit_export, audit_prove, audit_prove_from, audit_verify_folder};
use bedplate_db::Db;
use bedplate_types::{ErrorKind, Explained, Timestamp};
use serde_json::json;
use tempfile::TempDir;

const ORIGIN: &str = "bedplate.example/audit";

/// A platform whose log can be exchanged while it runs.
struct Platform {
    log: Arc<Mutex<(Db, u8)>>,
    client: kube::Client,
    folder: TempDir,
}

type Log = Arc<Mutex<(Db, u8)>>;

impl Platform {
    async fn start(leaves: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(Mutex::new((database(folder.path(), "one"), 42)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/bedplate/v1/audit/proof/{leaf}", get(prove))
            .route("/bedplate/v1/audit/{*path}", get(publish))
            .with_state(log.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let connection = Connection {
            server,
            token: "bp_right".into(),
            namespace: "demo".into(),
            trust: bedplate_client::Trust::default(),
        };
        let platform = Self { log, client: connection.connect().unwrap(), folder };
        platform.grow(leaves, "Dataset");
        platform
    }

    /// Appends up to so many leaves and signs.
    fn grow(&self, to: u64, kind: &'static str) {
        let (db, seed) = self.log.lock().unwrap().clone();
        let grown = db.write(move |tx| {
            let from = bedplate_audit::head(tx)?.leaves;
            (from..to).try_for_each(|index| append(tx, &entry(index, kind)).map(drop))?;
            sign_checkpoint(tx, &Signer::from_seed([seed; 32]), ORIGIN)
        });
        grown.unwrap();
    }

    /// Another log in the place of this one, signed by the key of `seed`.
    fn replace(&self, name: &str, seed: u8, leaves: u64, kind: &'static str) {
        *self.log.lock().unwrap() = (database(self.folder.path(), name), seed);
        self.grow(leaves, kind);
    }

    fn to(&self) -> std::path::PathBuf {
        self.folder.path().join("export")
    }

    async fn export(&self) -> Result<(u64, u64), ClientError> {
        audit_export(&self.client, &self.to()).await.map(|exported| (exported.verified.leaves, exported.fetched))
    }

    fn verify(&self, notes: &[String]) -> Result<u64, ClientError> {
        audit_verify_folder(&self.to(), &key(), notes).map(|verified| verified.leaves)
    }
}

fn database(folder: &Path, name: &str) -> Db {
    Db::open(&folder.join(format!("{name}.db")), MIGRATIONS).unwrap()
}

fn entry(index: u64, kind: &str) -> Entry {
    let (actor, action, object) = ("user:admin".into(), "create".into(), format!("{kind} flights/d{index}"));
    Entry { at: Timestamp::from_micros(0), actor, action, object, detail: json!({}) }
}

fn key() -> VerifierKey {
    VerifierKey::of_log(ORIGIN, Signer::from_seed([42; 32]).public_key())
}

async fn publish(State(log): State<Log>, Asked(path): Asked<String>) -> Result<Vec<u8>, StatusCode> {
    let (db, seed) = log.lock().unwrap().clone();
    let key = Signer::from_seed([seed; 32]).public_key();
    db.read(|tx| published(tx, &key, &path)).unwrap().ok_or(StatusCode::NOT_FOUND)
}

async fn prove(State(log): State<Log>, Asked(leaf): Asked<u64>) -> Result<String, StatusCode> {
    let (db, _) = log.lock().unwrap().clone();
    match db.read(|tx| receipt(tx, leaf)) {
        Err(AuditError::OutOfRange { .. }) => Err(StatusCode::NOT_FOUND),
        made => Ok(made.unwrap().to_string()),
    }
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_growing_log_is_fetched_piece_by_piece_and_verifies_without_the_platform() {
    let platform = Platform::start(3).await;
    assert_eq!(platform.export().await.unwrap(), (3, 2));
    assert_eq!(platform.export().await.unwrap(), (3, 0));
    let old = std::fs::read_to_string(platform.to().join("checkpoint")).unwrap();
    platform.grow(300, "Dataset");
    assert_eq!(platform.export().await.unwrap(), (300, 5));
    assert_eq!(platform.verify(&[old]).unwrap(), 300);
    let paths: Vec<String> = files(&platform.to()).into_keys().collect();
    assert_eq!(
        paths,
        [
            "checkpoint",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44",
            "vkey"
        ],
        "the partial tiles that are full now are gone"
    );
}

#[tokio::test]
async fn what_was_lost_from_the_folder_comes_back_and_what_was_changed_in_it_is_told() {
    let platform = Platform::start(300).await;
    platform.export().await.unwrap();
    std::fs::remove_file(platform.to().join("tile/entries/000")).unwrap();
    assert!(matches!(platform.verify(&[]), Err(ClientError::Archive(Fault::Absent { .. }))));
    assert_eq!(platform.export().await.unwrap(), (300, 1));

    let bundle = platform.to().join("tile/entries/000");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[30] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let fault = platform.verify(&[]).unwrap_err();
    assert!(matches!(fault, ClientError::Archive(Fault::Leaf { index: 0, .. })), "{fault}");
    assert_eq!(fault.kind(), ErrorKind::Corrupt);
    assert!(platform.export().await.is_err(), "an export does not hide it");
}

#[tokio::test]
async fn a_platform_that_forgot_or_rewrote_what_it_said_is_caught_and_the_folder_stays_as_it_was() {
    for (leaves, kind, found) in
        [(200, "Dataset", "cut back"), (300, "Forgery", "rewritten"), (600, "Forgery", "rewritten")]
    {
        let platform = Platform::start(300).await;
        platform.export().await.unwrap();
        let before = files(&platform.to());
        platform.replace("two", 42, leaves, kind);
        let fault = platform.export().await.unwrap_err();
        assert!(matches!(fault, ClientError::Archive(_)) && fault.kind() == ErrorKind::Corrupt, "{fault}");
        assert!(fault.to_string().contains(found), "{fault}");
        let (refused, after): (BTreeMap<_, _>, _) =
            files(&platform.to()).into_iter().partition(|(path, _)| path.starts_with(".refused"));
        assert_eq!(after, before);
        let evidence = Checkpoint::parse(std::str::from_utf8(&refused[".refused/checkpoint"]).unwrap()).unwrap();
        assert_eq!(evidence.size, leaves);
    }
}

#[tokio::test]
async fn another_key_is_not_taken_for_the_folders() {
    let platform = Platform::start(3).await;
    platform.export().await.unwrap();
    platform.replace("two", 7, 5, "Dataset");
    let error = platform.export().await.unwrap_err();
    assert!(matches!(error, ClientError::Key { .. }) && error.kind() == ErrorKind::Refused, "{error}");
    assert_eq!(platform.verify(&[]).unwrap(), 3);
}

#[tokio::test]
async fn what_an_export_that_was_killed_left_behind_does_no_harm() {
    let platform = Platform::start(3).await;
    platform.export().await.unwrap();
    platform.grow(300, "Dataset");
    let other = audit_export(&platform.client, &platform.folder.path().join("other")).await.unwrap();
    assert_eq!(other.fetched, 5);
    // Killed while it moved files into place: a full tile is there, the checkpoint is the old one.
    std::fs::copy(platform.folder.path().join("other/tile/0/000"), platform.to().join("tile/0/000")).unwrap();
    std::fs::create_dir_all(platform.to().join(".incoming/tile")).unwrap();
    std::fs::write(platform.to().join(".incoming/tile/rest"), "half a tile").unwrap();
    assert_eq!(platform.verify(&[]).unwrap(), 3);
    assert_eq!(platform.export().await.unwrap(), (300, 4));
    assert_eq!(files(&platform.to()), files(&platform.folder.path().join("other")));
}

#[tokio::test]
async fn a_receipt_from_the_platform_is_the_one_from_the_folder() {
    let platform = Platform::start(300).await;
    platform.export().await.unwrap();
    let made = audit_prove(&platform.client, 270).await.unwrap();
    made.verify(&key()).unwrap();
    assert_eq!(audit_prove_from(&platform.to(), &key(), 270).unwrap(), made);
    let beyond = audit_prove(&platform.client, 300).await.unwrap_err();
    assert!(beyond.is_not_found(), "{beyond}");
    assert_eq!(audit_prove_from(&platform.to(), &key(), 300).unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn nothing_signed_yet_is_nothing_to_export() {
    let platform = Platform::start(0).await;
    *platform.log.lock().unwrap() = (database(platform.folder.path(), "unsigned"), 42);
    assert!(platform.export().await.unwrap_err().is_not_found());
}
