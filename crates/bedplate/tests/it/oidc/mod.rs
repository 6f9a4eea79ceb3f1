//! People sign in at a real OpenID provider: with a browser, on a device, at the console, and not when they must not.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bedplate_testkit::{Ready, Server, free_port, node, not_run};
use serde_json::{Value, json};

use crate::run::{Said, bedplate, said, up};
use crate::tls::server;

struct Provider {
    node: PathBuf,
    folder: PathBuf,
    port: u16,
    _process: Server,
}

fn script(name: &str) -> PathBuf {
    bedplate_testkit::in_crate("tests/it/oidc").join(name)
}

impl Provider {
    fn start() -> Option<Self> {
        let Some((node, folder)) = node() else {
            not_run("Node with oidc-provider was not prepared: nobody signed in at an OpenID provider");
            return None;
        };
        let port = free_port();
        let process = Self::process(&node, &folder, port);
        Some(Self { node, folder, port, _process: process })
    }

    fn process(node: &Path, folder: &Path, port: u16) -> Server {
        let mut command = Command::new(node);
        command.arg(script("provider.mjs")).arg(folder).arg(port.to_string());
        Server::start(&mut command, &Ready::Line("provider ready".into()), Duration::from_secs(30)).unwrap()
    }

    /// The same provider with another key.
    fn rotate(self) -> Self {
        let Self { node, folder, port, _process } = self;
        _process.stop(Duration::from_secs(10)).unwrap();
        let process = Self::process(&node, &folder, port);
        Self { node, folder, port, _process: process }
    }

    fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn person(&self, begin: &str, who: &str, what: &[&str]) -> Said {
        said(Command::new(&self.node).arg(script("person.mjs")).args([begin, who]).args(what))
    }

    fn id_token(&self, who: &str, client: &str) -> String {
        let got = self.person(&self.issuer(), who, &["token", client]);
        assert!(got.code == Some(0) && got.out.matches('.').count() == 2, "{got:?}");
        got.out.trim().to_owned()
    }

    fn up(&self, home: &Path, more: &[&str]) -> Server {
        let issuer = self.issuer();
        let options = ["--oidc-issuer", &issuer, "--oidc-client-id", "bedplate", "--oidc-admin-group", "admins"];
        up(home, &[&options, more].concat())
    }
}

/// `bedplate login` under way, and the address it shows.
fn login(home: &Path, platform: &Path, more: &[&str], before: &str) -> (Child, String) {
    let address = plain(platform);
    let mut command = bedplate(home, &[&["login", "--server", &address], more].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let shown = lines.find_map(|line| line.unwrap().strip_prefix(before).map(str::to_owned));
    std::thread::spawn(move || lines.for_each(drop));
    (child, shown.expect("it shows an address"))
}

/// The platform's address without the administrator's token.
fn plain(platform: &Path) -> String {
    let server = server(platform);
    let (scheme, rest) = server.split_once("://").unwrap();
    format!("{scheme}://{}", rest.rsplit('@').next().unwrap())
}

fn post(platform: &Path, body: &Value) -> (String, Value) {
    let url = format!("{}/bedplate/v1/login", plain(platform));
    let arguments =
        ["--silent", "--max-time", "20", "--write-out", "\n%{http_code}", "-H", "content-type: application/json"];
    let got = said(Command::new("curl").args(arguments).args(["--data", &body.to_string(), &url]));
    let (answer, code) = got.out.rsplit_once('\n').unwrap();
    (code.to_owned(), serde_json::from_str(answer).unwrap_or_default())
}

#[test]
fn people_sign_in_with_a_browser_and_out_again() {
    let Some(provider) = Provider::start() else { return };
    let (platform, hers, theirs) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _platform = provider.up(platform.path(), &["--tls", "builtin"]);
    let ca = platform.path().join("keys/ca.crt");
    let trusting = ["--ca", ca.to_str().unwrap(), "--no-browser"];

    let (mut child, address) = login(hers.path(), platform.path(), &trusting, "open ");
    let page = provider.person(&address, "ana", &["sign-in"]);
    assert!(page.out.contains("You are signed in"), "{page:?}");
    assert!(child.wait().unwrap().success());
    let file = hers.path().join("kubeconfig");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let denied = said(&mut bedplate(hers.path(), &["get", "ds"]));
    assert!(denied.code == Some(4) && denied.err.contains("user:ana@example.org"), "{denied:?}");
    let listed = said(&mut bedplate(hers.path(), &["token", "list", "-o", "json"])).json();
    let principal = &listed["tokens"][0]["principal"];
    assert_eq!(principal["groups"], json!(["data"]), "the provider makes nobody system:masters by name");

    let (mut child, address) = login(theirs.path(), platform.path(), &trusting, "open ");
    provider.person(&address, "root", &["sign-in"]);
    assert!(child.wait().unwrap().success());
    let admin = said(&mut bedplate(theirs.path(), &["get", "ns", "-o", "name"]));
    assert!(admin.out.contains("namespace/default"), "--oidc-admin-group: {admin:?}");

    let kept = fs::read(&file).unwrap();
    let out = said(&mut bedplate(hers.path(), &["logout"]));
    assert!(out.code == Some(0) && !file.exists(), "{out:?}");
    fs::write(&file, kept).unwrap();
    let after = said(&mut bedplate(hers.path(), &["get", "ds"]));
    assert!(after.code == Some(4) && after.err.contains("revoked"), "{after:?}");
    let log = said(&mut bedplate(platform.path(), &["audit", "log", "--limit", "100"]));
    assert!(log.out.contains("sign-in") && log.out.contains("user:ana@example.org"), "{log:?}");

    let own = said(&mut bedplate(platform.path(), &["login"]));
    own.refused(9, &["administrator", "--home"]);
    let (mut child, address) = login(hers.path(), platform.path(), &trusting, "open ");
    provider.person(&address, "ana", &["refuse"]);
    assert_eq!(child.wait().unwrap().code(), Some(4), "she declined");
}

#[test]
fn people_sign_in_on_another_device_and_at_the_console() {
    let Some(provider) = Provider::start() else { return };
    let (platform, hers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _platform = provider.up(platform.path(), &[]);
    let (mut child, address) = login(hers.path(), platform.path(), &["--device"], "or open ");
    let page = provider.person(&address, "ana", &["sign-in"]);
    assert!(page.out.contains("Success"), "{page:?}");
    assert!(child.wait().unwrap().success());
    let denied = said(&mut bedplate(hers.path(), &["get", "ds"]));
    assert!(denied.code == Some(4) && denied.err.contains("user:ana@example.org"), "{denied:?}");

    let begin = format!("{}/login/oidc", plain(platform.path()));
    let page = provider.person(&begin, "root", &["sign-in"]);
    assert!(page.out.contains("root@example.org") && page.out.contains("Sign out"), "{page:?}");
    let refused = provider.person(&begin, "root", &["refuse"]);
    assert!(
        refused.out.starts_with("401") && refused.out.contains("The provider refused: End-User aborted"),
        "{refused:?}"
    );
}

#[test]
fn a_confidential_client_signs_people_in_and_a_wrong_secret_does_not() {
    let Some(provider) = Provider::start() else { return };
    let place = tempfile::tempdir().unwrap();
    for (secret, works) in [("a secret: with/odd+signs&\n", true), ("wrong", false)] {
        let (platform, hers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = place.path().join("secret");
        fs::write(&file, secret).unwrap();
        let issuer = provider.issuer();
        let options = ["--oidc-issuer", &issuer, "--oidc-client-id", "confidential", "--oidc-client-secret-file"];
        let _platform = up(platform.path(), &[&options[..], &[file.to_str().unwrap()]].concat());
        let (mut child, address) = login(hers.path(), platform.path(), &["--no-browser"], "open ");
        provider.person(&address, "ana", &["sign-in"]);
        assert_eq!(child.wait().unwrap().success(), works);
        assert_eq!(hers.path().join("kubeconfig").exists(), works);
    }
}

#[test]
fn tokens_that_prove_nothing_sign_nobody_in() {
    let Some(provider) = Provider::start() else { return };
    let home = tempfile::tempdir().unwrap();
    let platform = home.path();
    let running = provider.up(platform, &["--oidc-keys-for", "2s"]);
    let refused = |token: &str, words: &str| {
        let (code, answer) = post(platform, &json!({ "idToken": token }));
        let said = answer["message"].as_str().unwrap_or_default();
        assert!(code == "401" && said.contains(words) && !said.contains(token), "{code} {answer}");
    };
    let good = provider.id_token("ana", "bedplate");
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    refused(&provider.id_token("ana", "other"), "audience");
    refused(&provider.id_token("unverified", "bedplate"), "e-mail");
    let other = provider.id_token("root", "bedplate");
    refused(&format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap()), "signature");
    // {"alg":"none"}
    refused(&format!("eyJhbGciOiJub25lIn0.{payload}."), "\"none\"");
    let (code, answer) = post(platform, &json!({ "idToken": good, "nonce": "another" }));
    assert!(code == "401" && answer["message"].as_str().unwrap().contains("nonce"), "{answer}");
    let (code, answer) = post(platform, &json!({ "idToken": good, "nonce": "n" }));
    assert!(code == "201" && answer["principal"]["name"] == "user:ana@example.org", "{answer}");
    refused(&good, "before");

    let old = provider.id_token("ana", "bedplate");
    let provider = provider.rotate();
    std::thread::sleep(Duration::from_secs(3));
    refused(&old, "no key");
    let (code, answer) = post(platform, &json!({ "idToken": provider.id_token("ana", "bedplate") }));
    assert_eq!(code, "201", "{answer}");
    assert!(!running.said().contains(&old), "{}", running.said());
}
