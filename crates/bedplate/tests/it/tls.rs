//! TLS, as the clients people use see it: kubectl, curl, Python's client and our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bedplate_testkit::{not_run, program, python};
use serde_json::Value;

use crate::run::{Said, bedplate, said, up};

pub fn server(home: &Path) -> String {
    let config: Value = serde_json::from_str(&fs::read_to_string(home.join("kubeconfig")).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["server"].as_str().unwrap().to_owned()
}

/// `curl`'s exit code and what it printed.
pub fn curl(arguments: &[&str]) -> Said {
    let mut command = Command::new("curl");
    said(command.args(["--silent", "--show-error", "--max-time", "10"]).args(arguments))
}

/// The SHA-256 of the certificate that is shown to a new connection.
fn shown(url: &str) -> String {
    let address = url.trim_start_matches("https://");
    let script = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    );
    said(Command::new("sh").args(["-c", &script])).out
}

pub fn lacking(programs: &[&str]) -> bool {
    let absent: Vec<_> = programs.iter().filter(|name| program(name).is_none()).collect();
    if !absent.is_empty() {
        not_run(&format!("{absent:?} not on the PATH: TLS was not tried with them"));
    }
    !absent.is_empty()
}

#[test]
fn clients_speak_tls_to_the_built_in_authority_and_believe_no_other() {
    if lacking(&["curl", "openssl", "kubectl"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let place = home.path();
    let _platform = up(place, &["--tls", "builtin"]);
    let (url, ca) = (server(place), place.join("keys/ca.crt"));
    let (version, ca) = (format!("{url}/version"), ca.to_str().unwrap());
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    let good = curl(&["--cacert", ca, &version]);
    assert!(good.code == Some(0) && good.out.contains("gitVersion"), "{good:?}");
    let second =
        curl(&["--cacert", ca, "--http2", "--write-out", "%{http_version}", "--output", "/dev/null", &version]);
    assert_eq!(second.out, "2", "{second:?}");
    let old = curl(&["--cacert", ca, "--tls-max", "1.1", &version]);
    assert_eq!(old.code, Some(35), "TLS 1.1 was spoken: {old:?}");
    // 60: the peer's certificate cannot be authenticated with known authorities.
    assert_eq!(curl(&[&version]).code, Some(60));
    let other = another_authority(place);
    assert_eq!(curl(&["--cacert", other.to_str().unwrap(), &version]).code, Some(60));
    let plain = curl(&["--write-out", "%{http_code}", &version.replacen("https", "http", 1)]);
    assert!(!plain.out.contains("gitVersion"), "{plain:?}");

    let namespaces = said(&mut bedplate(place, &["get", "ns", "-o", "name"]));
    assert!(namespaces.out.contains("namespace/default"), "{namespaces:?}");
    let kubectl = said(&mut kubectl(place, &place.join("kubeconfig")));
    assert!(kubectl.out.contains("namespace/default"), "{kubectl:?}");
    elsewhere(place, &url);
    wrong_authority(place, &other);
    python_client(place, &other);
}

/// A colleague finds the platform under another name.
fn elsewhere(place: &Path, url: &str) {
    let hers = tempfile::tempdir().unwrap();
    let (file, named) = (hers.path().join("kubeconfig"), url.replace("127.0.0.1", "localhost"));
    let create = ["token", "create", "ana", "-g", "system:masters", "--server", &named, "--kubeconfig"];
    let made = said(&mut bedplate(place, &[&create[..], &[file.to_str().unwrap()]].concat()));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(server(hers.path()), named);
    assert!(said(&mut kubectl(hers.path(), &file)).out.contains("namespace/default"));
    let alone = said(&mut bedplate(place, &["token", "create", "ana", "--server", &named]));
    assert!(alone.code == Some(2) && alone.err.contains("--kubeconfig"), "{alone:?}");
}

fn another_authority(place: &Path) -> PathBuf {
    let (key, certificate) = (place.join("other.key"), place.join("other.crt"));
    make(&certificate, &key, &["-subj", "/CN=another", "-addext", "basicConstraints=critical,CA:TRUE"]);
    certificate
}

fn make(certificate: &Path, key: &Path, more: &[&str]) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]);
    openssl.arg("-keyout").arg(key).arg("-out").arg(certificate).args(more);
    let made = said(&mut openssl);
    assert_eq!(made.code, Some(0), "{made:?}");
}

fn kubectl(home: &Path, config: &Path) -> Command {
    let mut command = Command::new("kubectl");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("KUBECONFIG", config).args(["get", "ns", "-o", "name", "--cache-dir"]).arg(home.join("kubectl-cache"));
    command
}

/// Our own client and kubectl, given another authority, do not so much as show their token.
fn wrong_authority(home: &Path, other: &Path) {
    let mut config: Value = serde_json::from_str(&fs::read_to_string(home.join("kubeconfig")).unwrap()).unwrap();
    let cluster = &mut config["clusters"][0]["cluster"];
    cluster.as_object_mut().unwrap().remove("certificate-authority-data").unwrap();
    cluster["certificate-authority"] = other.to_str().unwrap().into();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("kubeconfig");
    fs::write(&file, config.to_string()).unwrap();
    let ours = said(&mut bedplate(elsewhere.path(), &["get", "ns"]));
    assert!(ours.code == Some(7) && ours.err.contains("UnknownIssuer"), "{ours:?}");
    let theirs = said(&mut kubectl(elsewhere.path(), &file));
    assert!(theirs.code != Some(0) && theirs.err.contains("x509"), "{theirs:?}");
}

const PYTHON: &str = "
import sys, kubernetes
config = kubernetes.client.Configuration()
kubernetes.config.load_kube_config(sys.argv[1], client_configuration=config)
config.retries = False
if len(sys.argv) > 2:
    config.ssl_ca_cert = sys.argv[2]
api = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(config))
print([one.metadata.name for one in api.list_namespace().items])
";

fn python_client(home: &Path, other: &Path) {
    let Some(python) = python() else {
        return not_run("no Python environment with the pinned clients: the kubernetes client did not try TLS");
    };
    let config = home.join("kubeconfig");
    let good = said(Command::new(&python).args(["-c", PYTHON]).arg(&config));
    assert!(good.out.contains("'default'"), "{good:?}");
    let bad = said(Command::new(&python).args(["-c", PYTHON]).arg(&config).arg(other));
    assert!(bad.code != Some(0) && bad.err.contains("CERTIFICATE_VERIFY_FAILED"), "{bad:?}");
}

#[test]
fn the_built_in_certificate_is_renewed_at_half_life_while_connections_are_served() {
    if lacking(&["curl", "openssl"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let _platform = up(home.path(), &["--tls", "builtin", "--tls-lifetime", "6s", "--tls-name", "bedplate.test"]);
    let (url, ca) = (server(home.path()), home.path().join("keys/ca.crt"));
    let first = shown(&url);
    assert!(first.contains("Fingerprint"), "{first}");
    changed(&url, &first, Duration::from_secs(15));
    let port = url.rsplit(':').next().unwrap();
    let (named, resolve) = (format!("https://bedplate.test:{port}/version"), format!("bedplate.test:{port}:127.0.0.1"));
    let good = curl(&["--cacert", ca.to_str().unwrap(), "--resolve", &resolve, &named]);
    assert_eq!(good.code, Some(0), "{good:?}");
}

/// Waits until another certificate is shown than `before`.
fn changed(url: &str, before: &str, at_most: Duration) -> String {
    let started = Instant::now();
    loop {
        let now = shown(url);
        if now != before {
            return now;
        }
        assert!(started.elapsed() < at_most, "the certificate did not change");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn files_are_read_again_when_they_change_and_a_broken_pair_leaves_the_old_one_in_use() {
    if lacking(&["curl", "openssl"]) {
        return;
    }
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key) = (place.path().join("crt"), place.path().join("key"));
    let names = ["-subj", "/CN=bedplate.test", "-addext", "subjectAltName=DNS:bedplate.test"];
    make(&certificate, &key, &names);
    let options = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let authority = said(&mut bedplate(home.path(), &[&["up"], &options[..]].concat()));
    authority.refused(3, &["crt", "CA:TRUE", "CA:FALSE"]);
    let names = [&names[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat();
    make(&certificate, &key, &names);
    let options = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let platform = up(home.path(), &options);
    let url = server(home.path());
    // Nobody else vouches for it: the kubeconfig carries the certificate itself, and the name it is for.
    let got = said(&mut bedplate(home.path(), &["get", "ns", "-o", "name"]));
    assert!(got.out.contains("namespace/default"), "{got:?}");

    let first = shown(&url);
    make(&place.path().join("crt2"), &place.path().join("key2"), &names);
    fs::rename(place.path().join("crt2"), &certificate).unwrap();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(shown(&url), first, "a certificate without its key came into use");
    fs::rename(place.path().join("key2"), &key).unwrap();
    changed(&url, &first, Duration::from_secs(10));
    assert!(platform.said().contains("the old one stays"), "{}", platform.said());
}

#[test]
fn nothing_is_served_beyond_this_machine_in_plain_text_unless_somebody_insists() {
    let home = tempfile::tempdir().unwrap();
    let outside = ["up", "--listen", "0.0.0.0:0", "--inference-listen", "127.0.0.1:0"];
    said(&mut bedplate(home.path(), &outside)).refused(9, &["0.0.0.0:0", "TLS", "--tls builtin"]);
    let inference = ["up", "--listen", "127.0.0.1:0", "--inference-listen", "0.0.0.0:0"];
    said(&mut bedplate(home.path(), &inference)).refused(9, &["0.0.0.0:0", "TLS"]);
    let flight = [&inference[..4], &["127.0.0.1:0", "--flight-listen", "0.0.0.0:0"]].concat();
    said(&mut bedplate(home.path(), &flight)).refused(9, &["0.0.0.0:0", "TLS", "--flight-listen"]);
    let s3 = [&inference[..4], &["127.0.0.1:0", "--flight-listen", "off", "--s3-listen", "0.0.0.0:0"]].concat();
    said(&mut bedplate(home.path(), &s3)).refused(9, &["0.0.0.0:0", "TLS", "--s3-listen"]);
    let missing = ["up", "--tls-cert", "no-such.crt", "--tls-key", "no-such.key"];
    said(&mut bedplate(home.path(), &missing)).refused(3, &["no-such.crt"]);
}
