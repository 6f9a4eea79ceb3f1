//! Machines with certificates: who they are at both listeners, and when they are nobody.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bedplate_testkit::{not_run, python};
use serde_json::Value;

use crate::run::{Said, bedplate, said, up};
use crate::tls::{curl, lacking, server};

const DATASETS: &str = "apis/bedplate.dev/v1alpha1/namespaces/flights/datasets";
const READER: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: flights}\n---\n\
    apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: robots, namespace: flights}\n\
    spec: {role: viewer, subjects: [{kind: ServiceAccount, name: robot}]}\n";

struct Place {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
}

impl Place {
    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Asks with this certificate (of the folder), and gives curl's exit code, the status and the answer.
    fn ask(&self, url: &str, certificate: &str) -> Said {
        let ca = self.home.path().join("keys/ca.crt");
        let (crt, key) = (self.at(&format!("{certificate}.crt")), self.at(&format!("{certificate}.key")));
        curl(&["--cacert", ca.to_str().unwrap(), "--cert", &crt, "--key", &key, "--write-out", " %{http_code}", url])
    }

    fn ok(&self, arguments: &[&str]) -> Said {
        let said = said(&mut bedplate(self.home.path(), arguments));
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said
    }

    fn issue(&self, name: &str, more: &[&str]) -> Said {
        let out = self.folder.path().to_str().unwrap();
        self.ok(&[&["certificate", "issue", name, "-n", "flights", "--out", out], more].concat())
    }

    fn openssl(&self, script: &str) {
        let made = said(Command::new("sh").current_dir(self.folder.path()).args(["-ec", script]));
        assert_eq!(made.code, Some(0), "{made:?}");
    }
}

/// An authority of its own, and clients of it: `theirs` in the trust domain, `stranger` in another.
const ANOTHER: &str = "
    new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj /O=$1; }
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout authority.key -out authority.crt \\
        -subj /CN=authority -addext basicConstraints=critical,CA:TRUE
    sign() {
        printf 'subjectAltName=URI:%s\\nextendedKeyUsage=clientAuth\\n' $2 > $1.ext
        openssl x509 -req -in $1.csr -CA ${3:-authority}.crt -CAkey ${3:-authority}.key -days 1 -out $1.crt -extfile $1.ext
    }
    new theirs; sign theirs spiffe://x.test/ns/flights/sa/robot
    new stranger; sign stranger spiffe://evil.test/ns/flights/sa/robot
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout foreign.key -out foreign.crt \\
        -subj /CN=foreign -addext subjectAltName=URI:spiffe://x.test/ns/flights/sa/robot";

#[test]
fn a_certificate_is_who_it_says_at_both_listeners_until_it_ends() {
    if lacking(&["curl", "openssl", "kubectl"]) {
        return;
    }
    let place = Place { folder: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() };
    place.openssl(ANOTHER);
    let options = ["--tls", "builtin", "--client-ca", &place.at("authority.crt"), "--trust-domain", "x.test"];
    let platform = up(place.home.path(), &options);
    let url = server(place.home.path());
    fs::write(place.folder.path().join("reader.yaml"), READER).unwrap();
    place.ok(&["apply", "-f", &place.at("reader.yaml")]);

    let issued = place.issue("robot", &["--kubeconfig", &place.at("kubeconfig")]);
    assert!(issued.err.contains("spiffe://x.test/ns/flights/sa/robot"), "{issued:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(place.at("robot.key")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let datasets = format!("{url}/{DATASETS}");
    assert!(place.ask(&datasets, "robot").out.ends_with(" 200"));
    let elsewhere = place.ask(&datasets.replace("flights", "default"), "robot");
    assert!(elsewhere.out.ends_with(" 403") && elsewhere.out.contains("serviceaccount:flights/robot"), "{elsewhere:?}");
    let inference = platform
        .said()
        .lines()
        .find_map(|line| line.trim().strip_prefix("inference").map(str::trim).map(str::to_owned));
    let model = format!("{}/v2/models/flights.none", inference.unwrap());
    assert!(place.ask(&model, "robot").out.ends_with(" 404"), "it is known, and the model is not there");
    let ca = place.at("ca.crt");
    assert!(curl(&["--cacert", &ca, "--write-out", " %{http_code}", &model]).out.ends_with(" 401"), "nobody");

    let own = said(&mut bedplate(place.folder.path(), &["get", "ds", "-n", "flights"]));
    assert_eq!(own.code, Some(0), "our own client shows it: {own:?}");
    kubectl(&place);
    python_client(&place, &datasets);

    assert!(place.ask(&datasets, "theirs").out.ends_with(" 200"), "--client-ca");
    let stranger = place.ask(&datasets, "stranger");
    assert!(stranger.out.ends_with(" 401") && stranger.out.contains("evil.test"), "{stranger:?}");
    let foreign = place.ask(&datasets, "foreign");
    assert!(foreign.code != Some(0) && !foreign.out.contains("items"), "{foreign:?}");
    ends(&place, &datasets);
}

fn kubectl(place: &Place) {
    let mut command = Command::new("kubectl");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", place.folder.path());
    command.env("KUBECONFIG", place.at("kubeconfig")).args(["auth", "whoami", "-o", "json"]);
    let who: Value = said(&mut command).json();
    assert_eq!(who["status"]["userInfo"]["username"], "serviceaccount:flights/robot");
}

const PYTHON: &str = "
import json, ssl, sys, urllib.request
url, ca, certificate, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.load_cert_chain(certificate, key)
print(json.load(urllib.request.urlopen(url, context=context))['kind'])
";

fn python_client(place: &Place, url: &str) {
    let Some(python) = python() else {
        return not_run("no Python environment: Python's TLS did not show a client's certificate");
    };
    let files = [place.at("ca.crt"), place.at("robot.crt"), place.at("robot.key")];
    let got = said(Command::new(python).args(["-c", PYTHON, url]).args(files));
    assert_eq!(got.out.trim(), "DatasetList", "{got:?}");
}

/// By time, and because somebody ended it.
fn ends(place: &Place, datasets: &str) {
    place.issue("brief", &["--expires", "1s"]);
    std::thread::sleep(Duration::from_secs(2));
    let brief = place.ask(datasets, "brief");
    assert!(brief.code != Some(0) && !brief.out.contains("items"), "an expired one: {brief:?}");

    let listed = place.ok(&["certificate", "list", "-o", "json"]).json();
    let robot = listed["certificates"].as_array().unwrap().iter();
    let robot = robot.filter(|one| one["principal"] == "serviceaccount:flights/robot").collect::<Vec<_>>();
    place.ok(&["certificate", "revoke", robot[0]["fingerprint"].as_str().unwrap()]);
    let revoked = place.ask(datasets, "robot");
    assert!(revoked.out.ends_with(" 401") && revoked.out.contains("revoked"), "{revoked:?}");
    let script = "openssl x509 -in theirs.crt -noout -fingerprint -sha256 | cut -d= -f2 > theirs.print";
    place.openssl(script);
    let print = fs::read_to_string(place.at("theirs.print")).unwrap();
    place.ok(&["certificate", "revoke", print.trim()]);
    assert!(place.ask(datasets, "theirs").out.ends_with(" 401"), "also one that another authority issued");
    assert!(place.ok(&["audit", "log", "--limit", "200"]).out.contains("certificates/"));
}

#[test]
fn a_certificate_is_issued_to_whoever_may_make_its_machines_tokens_and_only_with_tls() {
    let place = Place { folder: tempfile::tempdir().unwrap(), home: tempfile::tempdir().unwrap() };
    let _platform = up(place.home.path(), &[]);
    let out = place.folder.path().to_str().unwrap();
    let refused = said(&mut bedplate(place.home.path(), &["certificate", "issue", "robot", "--out", out]));
    refused.refused(9, &["TLS", "--tls builtin"]);
    place.ok(&["token", "create", "eve", "--kubeconfig", &place.at("kubeconfig")]);
    let stranger = Path::new(out);
    let denied = said(&mut bedplate(stranger, &["certificate", "issue", "robot", "--out", out]));
    assert!(denied.code == Some(4) && !stranger.join("robot.key").exists(), "{denied:?}");
    let wrong = said(&mut bedplate(place.home.path(), &["certificate", "revoke", "abc"]));
    wrong.refused(3, &["fingerprint"]);
}
