//! Infrastructure as code from the command line: plan, apply, drift, approve, prune, test, init; and kubectl beside them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use bedplate_testkit::{not_run, program};
use serde_json::Value;

use crate::run::{Said, bedplate, said, up};

fn ask(home: &Path, arguments: &[&str]) -> Said {
    said(&mut bedplate(home, arguments))
}

#[track_caller]
fn ends(home: &Path, code: i32, arguments: &[&str]) -> Said {
    let said = ask(home, arguments);
    assert_eq!(said.code, Some(code), "{arguments:?}: {}\n{}", said.out, said.err);
    said
}

const SYSTEM: &str = "
apiVersion: bedplate.dev/v1alpha1
kind: ChangeClass
metadata: {name: models, namespace: bedplate-system}
spec:
  risk: high
  selects: {kinds: [Endpoint], namespaces: [churn], operations: [update], fields: [spec.model]}
  approvers: [{team: risk}]
";

struct Scene {
    home: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Scene {
    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn endpoint(&self, model: &str) {
        let text = format!(
            "apiVersion: bedplate.dev/v1alpha1\nkind: Endpoint\nmetadata: {{name: late, namespace: churn, labels: {{app: x}}}}\nspec: {{model: {model}}}\n"
        );
        self.write("app/endpoint.yaml", &text);
    }

    /// A colleague's home: only a kubeconfig with her token.
    fn colleague(&self, name: &str, group: &str) -> tempfile::TempDir {
        let hers = tempfile::tempdir().unwrap();
        let file = hers.path().join("kubeconfig");
        ends(
            self.home(),
            0,
            &["token", "create", name, "-g", group, "-n", "churn", "--kubeconfig", file.to_str().unwrap()],
        );
        hers
    }
}

#[test]
fn a_use_case_is_planned_applied_approved_drifts_and_is_pruned() {
    let scene = Scene { home: tempfile::tempdir().unwrap(), folder: tempfile::tempdir().unwrap() };
    let home = scene.home();
    let server = up(home, &[]);
    environment(&scene);
    plan_and_apply(&scene);
    consent(&scene);
    drift(&scene);
    prune(&scene);
    kubectl(&scene);
    drop(server);
}

/// `init`, `test` and `apply` of an environment; the second apply changes nothing.
fn environment(scene: &Scene) {
    let (home, environment) = (scene.home(), scene.at("env"));
    let set = ["--set", "name=churn", "--set", "editors=data", "--set", "viewers=risk", "--set", "endpoints=2"];
    ends(home, 0, &[&["init", "environment", &environment][..], &set].concat());
    ask(home, &[&["init", "environment", &environment][..], &set].concat())
        .refused(6, &["is there already", "nothing was written"]);
    assert!(ends(home, 0, &["test", &environment]).out.contains("3 passed, 0 failed"));
    assert_eq!(ends(home, 2, &["plan", "-f", &environment]).out.matches("create   ").count(), 5);
    assert!(ends(home, 0, &["apply", "-f", &environment]).err.contains("5 changes: 5 created"));
    assert!(ends(home, 0, &["apply", "-f", &environment]).err.contains("0 changes: 5 unchanged"));
    assert!(ends(home, 0, &["plan", "-f", &environment]).out.contains("0 changes: 5 objects as declared"));
    scene.write("system.yaml", SYSTEM);
    ends(home, 0, &["apply", "-f", &scene.at("system.yaml")]);
}

fn plan_and_apply(scene: &Scene) {
    let (home, app, file) = (scene.home(), scene.at("app"), scene.at("plan.bin"));
    scene.endpoint("one");
    let planned = ends(home, 2, &["plan", "-f", &app, "-o", &file, "--output", "json"]);
    let plan: Value = serde_json::from_str(&planned.out).unwrap();
    let step = &plan["steps"][0];
    assert_eq!(
        (&step["action"], &step["placement"]["site"], &step["policy"]["rules"][0]),
        (&"create".into(), &"local".into(), &"owner-does-all".into()),
        "{plan}"
    );
    assert!(step["cost"]["monthly"].as_str().unwrap().parse::<f64>().unwrap() > 0.0, "{step}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = ends(home, 0, &["apply", &file, "--dry-run"]);
    assert!(
        shown.out.contains("create   Endpoint churn/late")
            && ask(home, &["get", "ep", "late", "-n", "churn"]).code == Some(5)
    );
    assert!(ends(home, 0, &["apply", &file]).out.contains("Endpoint churn/late created"));
    ask(home, &["apply", &file])
        .refused(6, &["the state moved", "Endpoint churn/late was made meanwhile", "bedplate plan -f DIR -o plan.bin"]);
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(scene.at("damaged.bin"), bytes).unwrap();
    ask(home, &["apply", &scene.at("damaged.bin")]).refused(8, &["it is damaged"]);
    ask(home, &["apply", &scene.at("app/endpoint.yaml")]).refused(3, &["it is no plan of bedplate"]);
    ask(home, &["apply", &scene.at("no.bin")]).refused(5, &["no.bin"]);
}

/// An editor's change of a class waits for a colleague, and is made once she agrees.
fn consent(scene: &Scene) {
    let (ana, rita) = (scene.colleague("ana", "data"), scene.colleague("rita", "risk"));
    let app = scene.at("app");
    scene.endpoint("two");
    let waits = ends(ana.path(), 4, &["plan", "-f", &app]);
    assert!(
        waits
            .out
            .contains("class models (risk high) asks for 1 of risk: updates Endpoint churn/late: touches spec.model"),
        "{}",
        waits.out
    );
    ask(ana.path(), &["apply", "-f", &app]).refused(4, &["change class models", "--request-approval"]);
    let asked = ends(ana.path(), 4, &["apply", "-f", &app, "--request-approval", "better"]);
    let name = asked.err.split("bedplate approve ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(ends(rita.path(), 0, &["get", "approvals"]).out.contains(&name));
    ask(ana.path(), &["approve", &name]).refused(4, &["two-person rule"]);
    assert!(ends(rita.path(), 0, &["approve", &name, "-m", "seen"]).out.contains("approved"));
    assert!(ends(ana.path(), 0, &["apply", "-f", &app]).out.contains("configured"));
    let used: Value =
        serde_json::from_str(&ends(rita.path(), 0, &["get", "approvals", &name, "-o", "json"]).out).unwrap();
    assert_eq!(
        (&used["status"]["state"], &used["status"]["approvals"][0]["by"], &used["spec"]["requester"]),
        (&"Used".into(), &"user:rita".into(), &"user:ana".into())
    );
    ask(rita.path(), &["approve", &name]).refused(4, &["used already"]);
    assert_eq!(
        ends(rita.path(), 3, &["plan", "-f", &scene.at("env")]).out.matches("denied:").count(),
        2,
        "a viewer may not see bedplate-system"
    );
}

fn drift(scene: &Scene) {
    let (home, app) = (scene.home(), scene.at("app"));
    ends(home, 0, &["drift", "-f", &app]);
    scene.write("other.yaml", "apiVersion: bedplate.dev/v1alpha1\nkind: Endpoint\nmetadata: {name: late, namespace: churn}\nspec: {model: two, description: theirs}\n");
    let described = fs::read_to_string(scene.at("app/endpoint.yaml"))
        .unwrap()
        .replace("model: two", "model: two, description: ours");
    scene.write("app/endpoint.yaml", &described);
    ends(home, 0, &["apply", "-f", &app]);
    ends(home, 0, &["delete", "ep", "late", "-n", "churn"]);
    let gone = ends(home, 2, &["drift", "-f", &app]);
    assert!(gone.out.contains("Endpoint churn/late   (all of it)"), "{}", gone.out);
    ends(home, 0, &["apply", "-f", &app]);
    assert!(ends(home, 0, &["drift", "-f", &app, "--output", "json"]).out.contains("\"drifted\": []"));
}

fn prune(scene: &Scene) {
    let (home, app) = (scene.home(), scene.at("app"));
    let second = fs::read_to_string(scene.at("app/endpoint.yaml")).unwrap().replace("name: late", "name: second");
    scene.write("app/second.yaml", &second);
    ends(home, 0, &["apply", "-f", &app]);
    fs::remove_file(scene.at("app/second.yaml")).unwrap();
    let dry = ends(home, 0, &["apply", "-f", &app, "--prune", "-l", "app=x", "--dry-run"]);
    assert!(dry.out.contains("delete      Endpoint churn/second") && dry.out.contains("1 to delete"), "{}", dry.out);
    ends(home, 0, &["get", "ep", "second", "-n", "churn"]);
    assert!(
        ends(home, 0, &["apply", "-f", &app, "--prune", "-l", "app=x"])
            .err
            .contains("1 change: 1 deleted, 1 unchanged")
    );
    assert_eq!(ask(home, &["get", "ep", "second", "-n", "churn"]).code, Some(5));
    ends(home, 2, &["apply", "-f", &app, "--prune"]);
}

/// kubectl meets the class and the quota as everybody does.
fn kubectl(scene: &Scene) {
    if program("kubectl").is_none() {
        return not_run("kubectl is not on the PATH: change classes and quotas were not tried with it");
    }
    let kube = |arguments: &[&str]| {
        let mut command = Command::new("kubectl");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", scene.home());
        command.env("KUBECONFIG", scene.home().join("kubeconfig")).args([
            "--cache-dir",
            &scene.at("cache"),
            "-n",
            "churn",
        ]);
        let output = command.args(arguments).output().expect("kubectl starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (done, told) = kube(&["patch", "endpoint", "late", "--type=merge", "-p", r#"{"spec":{"model":"three"}}"#]);
    assert!(!done && told.contains("change class models (risk high) asks for 1 of risk"), "{told}");
    let (done, told) = kube(&["patch", "endpoint", "late", "--type=merge", "-p", r#"{"spec":{"description":"free"}}"#]);
    assert!(done, "{told}");
    ends(scene.home(), 2, &["drift", "-f", &scene.at("app")]);
    let more = |name: &str| {
        fs::read_to_string(scene.at("app/endpoint.yaml")).unwrap().replace("name: late", &format!("name: {name}"))
    };
    scene.write("second.yaml", &more("second"));
    scene.write("third.yaml", &more("third"));
    assert!(kube(&["create", "-f", &scene.at("second.yaml")]).0);
    let (done, told) = kube(&["create", "-f", &scene.at("third.yaml")]);
    assert!(!done && told.contains("exceeded quota: churn, requested: count/endpoints=1, used: count/endpoints=2, limited: count/endpoints=2"), "{told}");
}

#[test]
fn tests_of_manifests_need_no_platform_and_a_failure_is_exit_9() {
    let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = folder.path().to_str().unwrap();
    ends(home.path(), 0, &["init", "use-case", dir, "-s", "name=churn"]);
    let passed = ends(home.path(), 0, &["test", dir]);
    assert!(
        passed.out.contains("4 passed, 0 failed")
            && passed.out.contains("1000 requests a second on default/churn are 5 replicas"),
        "{}",
        passed.out
    );
    let test = folder.path().join("use-case.test.yaml");
    let text = fs::read_to_string(&test).unwrap();
    fs::write(&test, text.replace("\"100.00\"", "\"1.00\"")).unwrap();
    let failed = ends(home.path(), 9, &["test", dir, "--output", "json"]);
    let outcomes: Value = serde_json::from_str(&failed.out).unwrap();
    let told: Vec<_> = outcomes.as_array().unwrap().iter().filter(|one| one["passed"] == false).collect();
    assert!(told.len() == 1 && told[0]["failures"][0].as_str().unwrap().contains("more than 1.00"), "{outcomes}");
    fs::write(&test, "tests: [{nam: x}]").unwrap();
    ask(home.path(), &["test", dir]).refused(3, &["nam"]);
    ask(home.path(), &["init", "spaceship", dir]).refused(5, &["use-case, endpoint, environment"]);
    assert!(!home.path().join("bedplate.db").exists(), "a platform was made");
}
