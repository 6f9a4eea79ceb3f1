//! The real kubectl over a real socket, with a home of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Served, admin, dataset};

/// A served house and a kubectl that knows where it is.
pub struct Kubectl {
    home: TempDir,
    pub served: Served,
}

impl Kubectl {
    /// `None`, said loudly, where there is no kubectl.
    pub fn new() -> Option<Self> {
        if bedplate_testkit::program("kubectl").is_none() {
            bedplate_testkit::not_run("kubectl is not on the PATH");
            return None;
        }
        let served = Served::new();
        let home = tempfile::tempdir().unwrap();
        let token = served.house.token(admin());
        std::fs::write(home.path().join("config"), kubeconfig(&served.address, &token)).unwrap();
        Some(Self { home, served })
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    pub fn write(&self, name: &str, object: &serde_json::Value) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, object.to_string()).unwrap();
        path.to_string_lossy().into_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "kubectl needs the PATH")]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("KUBECONFIG", self.path().join("config"))
            .arg("--cache-dir")
            .arg(self.path().join("cache"))
            .args(arguments);
        command
    }

    /// (whether it succeeded, standard output and error)
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs it and holds what it says against `expected`, piece by piece.
    pub fn says(&self, arguments: &[&str], expected: &[&str]) {
        let (succeeded, said) = self.run(arguments);
        assert!(succeeded, "kubectl {arguments:?} failed: {said}");
        for piece in expected {
            assert!(said.contains(piece), "kubectl {arguments:?} does not say {piece:?}: {said}");
        }
    }

    pub fn fails(&self, arguments: &[&str], expected: &str) {
        let (succeeded, said) = self.run(arguments);
        assert!(!succeeded && said.contains(expected), "kubectl {arguments:?} should fail with {expected:?}: {said}");
    }
}

/// The token is the password in the server's address: over plain HTTP, which is all a test needs, kubectl sends no bearer token.
fn kubeconfig(address: &str, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {{server: \"http://bedplate:{token}@{address}\"}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test}}}}]\n"
    )
}

#[test]
fn apply_get_describe_explain_patch_delete() {
    let Some(kubectl) = Kubectl::new() else { return };
    let file = kubectl.write("a.json", &dataset("a"));
    kubectl.says(&["apply", "-f", &file], &["dataset.bedplate.dev/a created"]);
    kubectl.says(&["apply", "-f", &file], &["dataset.bedplate.dev/a unchanged"]);
    let mut changed = dataset("a");
    changed["spec"]["description"] = "flights of 2013".into();
    let changed = kubectl.write("b.json", &changed);
    kubectl.says(&["apply", "-f", &changed], &["dataset.bedplate.dev/a configured"]);
    kubectl.says(&["apply", "-f", &file], &["configured"]);
    kubectl.says(&["get", "ds"], &["NAME", "PHASE", "ROWS", "AGE"]);
    kubectl.says(&["get", "datasets", "-o", "wide"], &["OWNER", "team-a", "CLASSIFICATION"]);
    kubectl.says(&["get", "ds", "a", "-o", "yaml"], &["kind: Dataset", "owner: team-a", "resourceVersion:"]);
    kubectl.says(&["get", "datasets.bedplate.dev", "-o", "name"], &["dataset.bedplate.dev/a"]);
    kubectl.says(&["get", "all", "-A"], &["dataset.bedplate.dev/a"]);
    kubectl.says(&["describe", "dataset", "a"], &["Name:", "Owner:", "team-a", "Events:"]);
    kubectl.says(&["explain", "dataset.spec"], &["KIND:", "Dataset", "owner", "The team that answers for it"]);
    kubectl.says(&["explain", "dataset.metadata.name"], &["FIELD: name"]);
    kubectl.says(&["explain", "secret.data"], &["FIELD: data"]);
    kubectl.says(&["patch", "ds", "a", "--type", "merge", "-p", r#"{"spec":{"owner":"team-b"}}"#], &["patched"]);
    kubectl.fails(
        &["patch", "ds", "a", "-p", r#"{"spec":{"owner":"team-b"}}"#],
        "strategic-merge-patch+json is not supported",
    );
    let edited = kubectl.command(&["edit", "ds", "a"]).env("KUBE_EDITOR", "sed -i s/team-b/team-e/").output().unwrap();
    assert!(String::from_utf8_lossy(&edited.stdout).contains("dataset.bedplate.dev/a edited"), "{edited:?}");
    kubectl.fails(&["diff", "-f", &file], "owner: team-a");
    kubectl.says(&["label", "ds", "a", "tier=gold"], &["labeled"]);
    kubectl.says(&["get", "ds", "-l", "tier=gold", "-o", "jsonpath={.items[*].spec.owner}"], &["team-e"]);
    kubectl.says(&["delete", "-f", &file], &["dataset.bedplate.dev \"a\" deleted"]);
    kubectl.fails(&["get", "ds", "a"], "datasets.bedplate.dev \"a\" not found");
    kubectl.says(&["api-resources", "--api-group", "bedplate.dev"], &["featureviews", "fv"]);
}

#[test]
fn bad_manifests_are_told_by_field() {
    let Some(kubectl) = Kubectl::new() else { return };
    let mut unknown = dataset("a");
    unknown["spec"]["onwer"] = "x".into();
    kubectl.fails(&["apply", "-f", &kubectl.write("a.json", &unknown)], "unknown field \"spec.onwer\"");
    let mut wrong = dataset("a");
    wrong["spec"]["schema"][0]["type"] = "decimal".into();
    kubectl.fails(
        &["apply", "-f", &kubectl.write("b.json", &wrong)],
        "spec.schema[0].type: Unsupported value: \"decimal\"",
    );
}

#[test]
fn server_side_apply_with_conflicts() {
    let Some(kubectl) = Kubectl::new() else { return };
    let file = kubectl.write("a.json", &dataset("a"));
    kubectl.says(&["apply", "--server-side", "-f", &file], &["dataset.bedplate.dev/a serverside-applied"]);
    kubectl.says(&["patch", "ds", "a", "--type", "merge", "-p", r#"{"spec":{"owner":"team-b"}}"#], &["patched"]);
    kubectl.fails(&["apply", "--server-side", "-f", &file], "conflict with \"kubectl-patch\"");
    kubectl.says(&["apply", "--server-side", "--force-conflicts", "-f", &file], &["serverside-applied"]);
    kubectl.says(&["get", "ds", "a", "-o", "jsonpath={.spec.owner}"], &["team-a"]);
}

#[test]
fn waiting_and_watching() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.says(&["apply", "-f", &kubectl.write("a.json", &dataset("a"))], &["created"]);
    let seen = kubectl.path().join("watch.txt");
    let file = std::fs::File::create(&seen).unwrap();
    let mut watching = kubectl.command(&["get", "ds", "-w"]).stdout(file).stderr(Stdio::null()).spawn().unwrap();
    let mut waiting =
        kubectl.command(&["wait", "ds/a", "--for=jsonpath={.status.phase}=Ready", "--timeout=20s"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let status = r#"{"status":{"phase":"Ready","rows":42}}"#;
    kubectl.says(&["patch", "ds", "a", "--subresource", "status", "--type", "merge", "-p", status], &["patched"]);
    assert!(waiting.wait().unwrap().success());
    let told = until(|| std::fs::read_to_string(&seen).unwrap(), |text| text.contains("42"));
    assert!(told.starts_with("NAME") && told.matches("NAME").count() == 1, "{told}");
    kubectl.served.house.server.close();
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn core_resources_are_made_and_deleted() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.says(&["create", "namespace", "team"], &["namespace/team created"]);
    kubectl.says(&["create", "configmap", "c", "-n", "team", "--from-literal=k=v"], &["configmap/c created"]);
    kubectl.says(&["create", "secret", "generic", "s", "-n", "team", "--from-literal=k=v"], &["secret/s created"]);
    kubectl.says(&["get", "secret", "s", "-n", "team", "-o", "jsonpath={.data.k}"], &["dg=="]);
    kubectl.says(&["describe", "secret", "s", "-n", "team"], &["Type:  Opaque", "k:  1 bytes"]);
    kubectl.says(&["describe", "namespace", "team"], &["Active"]);
    let map =
        serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"k": "v"}});
    kubectl.says(&["apply", "-n", "team", "-f", &kubectl.write("d.json", &map)], &["configmap/d created"]);
    let map =
        serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"l": "w"}});
    kubectl.says(&["apply", "-n", "team", "-f", &kubectl.write("d.json", &map)], &["configmap/d configured"]);
    kubectl.says(&["get", "cm", "d", "-n", "team", "-o", "jsonpath={.data}"], &[r#"{"l":"w"}"#]);
    kubectl.says(&["auth", "can-i", "create", "datasets"], &["yes"]);
    kubectl.says(&["delete", "namespace", "team"], &["namespace \"team\" deleted"]);
    kubectl.fails(&["get", "cm", "c", "-n", "team"], "NotFound");
    kubectl.says(&["events"], &["No events found"]);
}

#[test]
fn events_are_listed_and_described() {
    let Some(kubectl) = Kubectl::new() else { return };
    kubectl.says(&["apply", "-f", &kubectl.write("a.json", &dataset("a"))], &["created"]);
    let (_, uid) = kubectl.run(&["get", "ds", "a", "-o", "jsonpath={.metadata.uid}"]);
    let about = serde_json::json!({"apiVersion": "bedplate.dev/v1alpha1", "kind": "Dataset", "name": "a", "namespace": "default", "uid": uid});
    let event = serde_json::json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "type": "Normal", "reason": "Ingested",
        "message": "16 rows", "involvedObject": about, "lastTimestamp": "2026-01-01T00:00:00Z",
    });
    kubectl.says(&["create", "-f", &kubectl.write("e.json", &event)], &["event/e created"]);
    kubectl.says(&["describe", "ds", "a"], &["Ingested", "16 rows"]);
    kubectl.says(&["get", "events"], &["LAST SEEN", "dataset/a", "16 rows"]);
    kubectl.says(&["events", "--for", "ds/a"], &["Ingested"]);
}

pub fn until(read: impl Fn() -> String, good: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let text = read();
        if good(&text) || began.elapsed() > Duration::from_secs(15) {
            assert!(good(&text), "{text}");
            return text;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
