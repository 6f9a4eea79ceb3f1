//! A backup taken under load, and the platform that is made of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{Said, bedplate, quickstart, said, up};
use crate::small;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const KINDS: [&str; 9] = [
    "datasets",
    "expectationsuites",
    "entities",
    "featureviews",
    "featureservices",
    "trainingrecipes",
    "models",
    "endpoints",
    "monitors",
];

fn backup(home: &Path, file: &Path, more: &[&str]) -> Said {
    said(&mut bedplate(home, &[&["backup", file.to_str().unwrap()], more].concat()))
}

fn restore(home: &Path, file: &Path) -> Said {
    said(&mut bedplate(home, &["restore", file.to_str().unwrap()]))
}

/// The status and spec of everything declared, which the work of controllers would change.
fn objects(api: &Api) -> BTreeMap<String, Value> {
    let lists = KINDS.iter().map(|kind| (*kind, api.get(&format!("/apis/bedplate.dev/v1alpha1/{kind}"))));
    let objects = lists.flat_map(|(kind, list)| {
        let items = list["items"].as_array().unwrap().clone();
        items.into_iter().map(move |item| {
            let name = format!("{kind}/{}", item["metadata"]["name"].as_str().unwrap());
            (
                name,
                json!([
                    item["metadata"]["uid"],
                    item["spec"],
                    item["status"]["phase"],
                    item["status"]["digest"],
                    item["status"]["versions"],
                    item["status"]["rows"],
                    item["status"]["version"]
                ]),
            )
        })
    });
    objects.collect()
}

/// An aircraft whose last delay is known from a push alone.
fn push(api: &Api, tail: &str, delay: f64) -> bool {
    let frame = json!({ "tailnum": [tail], "row_id": [format!("pushed-{tail}")], "known_at": ["2013-01-20T00:00:00Z"],
        "arr_delay": [delay] });
    let body = json!({ "push_source_name": "arrivals", "df": frame, "to": "online" });
    match api.try_ask("POST", "/push", &body) {
        Some((200, _)) => true,
        Some((code, told)) => panic!("a push was answered with {code}: {told}"),
        None => false,
    }
}

fn prediction(home: &Path, tail: &str) -> f64 {
    let tail = format!("tailnum={tail}");
    let set = [
        "-s",
        &tail,
        "-s",
        "carrier=UA",
        "-s",
        "origin=EWR",
        "-s",
        "dest=IAH",
        "-s",
        "scheduled_time=2013-01-21T12:00:00Z",
    ];
    let told = said(&mut bedplate(
        home,
        &[&["predict", "late-arrival", "-n", "flights", "-o", "json"], set.as_slice()].concat(),
    ));
    assert_eq!(told.code, Some(0), "{}", told.err);
    let answer: Value = serde_json::from_str(&told.out).unwrap();
    answer["outputs"][0]["data"][0].as_f64().unwrap()
}

/// Predictions of the endpoint once it is served.
fn predictions(home: &Path, tails: &[String]) -> Vec<f64> {
    let api = Api::of(home, home);
    let ready = || {
        api.get("/apis/bedplate.dev/v1alpha1/namespaces/flights/endpoints/late-arrival")["status"]["phase"] == "Ready"
    };
    for _ in 0..200 {
        let told = said(&mut bedplate(home, &["predict", "late-arrival", "-n", "flights", "-s", "carrier=UA"]));
        // It is served when it complains of the columns that are missing.
        if ready() && told.err.contains("tailnum") {
            return tails.iter().map(|tail| prediction(home, tail)).collect();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the endpoint is not served")
}

/// Objects and pushes, until it is told to stop; what was acknowledged.
fn load(home: &Path) -> (Arc<AtomicBool>, Arc<Mutex<Vec<String>>>, std::thread::JoinHandle<()>) {
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (api, stopped, told) = (Api::of(home, home), stop.clone(), acknowledged.clone());
    let thread = std::thread::spawn(move || {
        for n in 0.. {
            if stopped.load(Ordering::SeqCst) {
                return;
            }
            let name = format!("load-{n}");
            let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "n": n.to_string() } });
            assert_eq!(api.ask("POST", CONFIG_MAPS, &object).0, 201);
            assert!(push(&api, &format!("NLOAD{n}"), f64::from(n)));
            told.lock().unwrap().push(name);
        }
    });
    (stop, acknowledged, thread)
}

#[test]
fn a_backup_under_load_becomes_the_same_platform() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    small::write(&path("use-case"));
    let from = path("use-case").to_str().unwrap().to_owned();
    let (home, source) = (path("home"), ["--source-root", &from]);
    let done = said(&mut quickstart(&home, &["--from", &from])).json();
    let server = up(&home, &source);
    let api = Api::of(&home, &home);
    let tails: Vec<String> = (0..5).map(|n| format!("NTEST{n}")).collect();
    for (tail, delay) in tails.iter().zip([-40.0, 0.0, 20.0, 90.0, 400.0]) {
        assert!(push(&api, tail, delay));
    }
    let before = (objects(&api), predictions(&home, &tails));
    assert!(
        before.1.iter().any(|one| (one - before.1[0]).abs() > 1e-9),
        "the pushed delays make no difference: {:?}",
        before.1
    );

    let (stop, acknowledged, thread) = load(&home);
    while acknowledged.lock().unwrap().len() < 20 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let sure = acknowledged.lock().unwrap().clone();
    let (with, without) = (path("with-keys.tar.gz"), path("without.tar.gz"));
    let taken = backup(&home, &with, &["--with-keys"]);
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    let meanwhile = acknowledged.lock().unwrap().len() - sure.len();
    println!("{}; {meanwhile} objects and pushes were acknowledged meanwhile", taken.err.trim());
    assert_eq!(backup(&home, &without, &[]).code, Some(0));
    stop.store(true, Ordering::SeqCst);
    thread.join().unwrap();
    assert!(meanwhile > 0, "nothing was written while it was taken");
    backup(&home, &with, &[]).refused(6, &["is there already"]);
    assert_eq!(fs::metadata(&with).unwrap().permissions().mode() & 0o777, 0o600);
    let told: Vec<Value> = api.log().into_iter().filter(|entry| entry["action"] == "backup").collect();
    assert_eq!(told.iter().map(|one| one["detail"]["keys"].clone()).collect::<Vec<_>>(), [true, false]);
    assert!(told.iter().all(|one| one["actor"] == "user:admin"), "{told:?}");
    only_for_administrators(&home, &api);
    drop(server);
    // Whatever still pointed there would be found out.
    fs::rename(&home, path("gone")).unwrap();

    let other = path("restored");
    let told = restore(&other, &with);
    assert_eq!(told.code, Some(0), "{}", told.err);
    let server = up(&other, &source);
    let api = Api::of(&other, &other);
    for name in &sure {
        api.get(&format!("{CONFIG_MAPS}/{name}"));
    }
    assert_eq!(predictions(&other, &tails), before.1);
    assert_eq!(objects(&api), before.0);
    // The last aircraft that was pushed before it began: its delay is known, and that of one nobody pushed is not.
    let last = format!("NLOAD{}", sure.len() - 1);
    let unknown = prediction(&other, "NNOBODY");
    let differs = (0..sure.len()).any(|n| (prediction_of(&other, n) - unknown).abs() > 1e-9);
    assert!(differs, "{last}: no pushed delay makes a difference");
    let verified = said(&mut bedplate(&other, &["audit", "verify"]));
    assert_eq!(verified.code, Some(0), "{verified:?}");
    drop(server);
    let again = said(&mut quickstart(&other, &["--from", &from])).json();
    for pointer in ["/dataset/tables", "/training_set", "/model/digest", "/model/version"] {
        assert_eq!(again.pointer(pointer), done.pointer(pointer), "{pointer}");
    }
    // Offline, of the restored one.
    let offline = path("offline.tar.gz");
    assert_eq!(backup(&other, &offline, &["--with-keys"]).code, Some(0));
    assert!(!other.join("backup").exists(), "what was copied meanwhile is left");
    bad_archives(folder.path(), &offline);
    keys_apart(folder.path(), &without, &path("gone"), &source);
}

fn prediction_of(home: &Path, n: usize) -> f64 {
    prediction(home, &format!("NLOAD{n}"))
}

/// Nobody else may take one.
fn only_for_administrators(home: &Path, api: &Api) {
    let made = said(&mut bedplate(home, &["token", "create", "vera", "--expires", "1h"]));
    let vera = api.with_token(made.out.trim());
    assert_eq!(vera.ask("POST", "/bedplate/v1/backup?keys=true", &Value::Null).0, 403);
    assert_eq!(api.with_token("bp_none").ask("POST", "/bedplate/v1/backup", &Value::Null).0, 401);
}

fn bad_archives(folder: &Path, good: &Path) {
    let bytes = fs::read(good).unwrap();
    let (bad, home) = (folder.join("bad.tar.gz"), folder.join("bad-home"));
    let check = |bytes: &[u8], words: &str| {
        fs::write(&bad, bytes).unwrap();
        restore(&home, &bad).refused(8, &[words]);
        assert!(!home.exists(), "something is half restored");
        let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("restoring")), "{left:?}");
    };
    check(&bytes[..bytes.len() / 2], "cannot be read to its end");
    check(&bytes[..bytes.len() - 1], "cannot be read to its end");
    let mut altered = bytes.clone();
    altered[bytes.len() / 3] ^= 1;
    check(&altered, "bad.tar.gz");
    check(b"no archive", "cannot be read to its end");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("file"), "").unwrap();
    restore(&home, good).refused(6, &["it is not empty"]);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1);
    fs::remove_file(home.join("file")).unwrap();
    assert_eq!(restore(&home, good).code, Some(0), "an empty folder is as good as none");
    restore(&folder.join("x"), &folder.join("missing.tar.gz")).refused(3, &["missing.tar.gz"]);
    backup(&folder.join("nowhere"), &folder.join("x.tar.gz"), &[]).refused(5, &["no platform keeps anything there"]);
    assert!(!folder.join("nowhere").exists() && !folder.join("x.tar.gz").exists());
    newer(&home);
}

/// A database that a newer version wrote is told of, and nothing of it is touched.
fn newer(home: &Path) {
    let path = home.join("bedplate.db");
    let newer = [bedplate_db::Migration { name: "zz_9999_newer", sql: "CREATE TABLE zz (n BIGINT)" }];
    // The binary's own list is not known here: a connection of SQLite's is.
    let python = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('INSERT INTO schema_migrations (name) VALUES (?)', [sys.argv[2]]); d.commit()";
    let output =
        std::process::Command::new("python3").args(["-c", python]).arg(&path).arg(newer[0].name).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = said(&mut bedplate(home, &[&["up"], crate::run::PORTS.as_slice()].concat()));
    told.refused(3, &["zz_9999_newer", "newer version", "use the newer bedplate"]);
}

/// Without keys: nobody can sign in or read a Secret with it, and it says what is missing.
fn keys_apart(folder: &Path, archive: &Path, old: &Path, source: &[&str]) {
    let listed = std::process::Command::new("tar").arg("tzf").arg(archive).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("bedplate.db") && listed.contains("online.copy"), "{listed}");
    assert!(!listed.contains("keys/") && !listed.contains("credentials") && !listed.contains("kubeconfig"), "{listed}");
    let home = folder.join("without-keys");
    let told = restore(&home, archive);
    assert!(told.code == Some(0) && told.err.contains("put keys/ and credentials back"), "{told:?}");
    let start = || said(&mut bedplate(&home, &[&["up"], crate::run::PORTS.as_slice()].concat()));
    start().refused(3, &["first started with", "put the key back"]);
    for name in ["secrets.key", "audit-signing.seed", "model-signing.pem"] {
        fs::copy(old.join("keys").join(name), home.join("keys").join(name)).unwrap();
    }
    fs::copy(old.join("credentials"), home.join("credentials")).unwrap();
    let _ = fs::remove_file(home.join("keys/model-signing.pub"));
    drop(up(&home, source));
}
