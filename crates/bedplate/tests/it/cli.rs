//! The commands, on the home the quickstart left, and the clients people already use.

use std::path::Path;
use std::process::Command;

use bedplate_testkit::{not_run, program, python};
use serde_json::Value;

use crate::quickstart::{DONE, runs};
use crate::run::{Said, bedplate, quickstart, said, up};

/// One test, since one process at a time works in a home: again, then up and everything that can be asked.
#[test]
fn a_second_run_changes_nothing_and_everything_can_be_asked() {
    let home = DONE.home.path();
    let before = runs(home);
    let again = said(&mut quickstart(home, &[])).json();
    assert_eq!(again["already_done"], true);
    assert_eq!(again["model"], DONE.summary["model"]);
    assert_eq!(runs(home), before, "a second run has trained or replayed again");

    let server = up(home, &[]);
    objects(home);
    prediction(home);
    records(home);
    log_elsewhere(home);
    errors(home);
    tokens(home);
    stranger(home);
    kubectl(home);
    python_clients(home);
    drop(server);
}

fn ask(home: &Path, arguments: &[&str]) -> Said {
    let said = said(&mut bedplate(home, arguments));
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "colours without a terminal: {said:?}");
    said
}

#[track_caller]
fn ok(home: &Path, arguments: &[&str]) -> String {
    let said = ask(home, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
    said.out
}

fn objects(home: &Path) {
    let table = ok(home, &["get", "datasets", "-n", "flights"]);
    assert!(table.starts_with("NAME") && table.contains("336776") && table.lines().count() == 6, "{table}");
    assert!(ok(home, &["get", "ds", "-A"]).contains("flights"), "short names and -A");
    assert!(ok(home, &["get", "ds", "-n", "flights", "-o", "wide"]).contains("flight-operations"));
    assert_eq!(ok(home, &["get", "model", "-n", "flights", "-o", "name"]).trim(), "model.bedplate.dev/late-arrival");
    let json: Value =
        serde_json::from_str(&ok(home, &["get", "ds", "weather", "-n", "flights", "-o", "json"])).unwrap();
    assert_eq!((&json["status"]["rows"], &json["status"]["quarantined"]), (&26_114.into(), &1.into()));
    assert!(ok(home, &["get", "ds", "weather", "-n", "flights", "-o", "yaml"]).contains("kind: Dataset"));
    let told = ok(home, &["describe", "endpoint", "late-arrival", "-n", "flights"]);
    assert!(told.contains("Ready") && told.contains("late-arrival"), "{told}");
    assert!(ok(home, &["logs", "replay-july", "-n", "flights"]).contains("replaying 10000 rows"));
}

fn prediction(home: &Path) {
    let row = ["tailnum=N14228", "carrier=UA", "origin=EWR", "dest=IAH", "scheduled_time=2013-07-08T12:00:00Z"];
    let set: Vec<_> = row.iter().flat_map(|pair| ["-s", pair]).collect();
    let arguments = [&["predict", "late-arrival", "-n", "flights", "-o", "json"], set.as_slice()].concat();
    let answer: Value = serde_json::from_str(&ok(home, &arguments)).unwrap();
    let probability = answer["outputs"][0]["data"][0].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability), "{answer}");
    let id = format!("{}/0", answer["id"].as_str().unwrap());
    // The record is written behind the reply.
    let traced = (0..50).find_map(|_| {
        let said = ask(home, &["trace", &id]);
        std::thread::sleep(std::time::Duration::from_millis(if said.code == Some(0) { 0 } else { 100 }));
        (said.code == Some(0)).then_some(said.out)
    });
    let traced = traced.expect("the prediction is recorded within five seconds");
    for step in ["prediction:", "endpoint:", "model:", "run:", "snapshot:", "view:", "table:", "source:sha256:"] {
        assert!(traced.contains(step), "{step} is not in {traced}");
    }
    assert!(ok(home, &["trace", &id, "-o", "dot"]).starts_with("digraph"));
    let events: Value = serde_json::from_str(&ok(home, &["trace", &id, "-o", "openlineage"])).unwrap();
    assert!(
        events.as_array().unwrap().iter().any(|event| event["outputs"].to_string().contains("late-arrival")),
        "{events}"
    );
    let missing = ask(home, &["predict", "late-arrival", "-n", "flights", "-s", "carrier=UA"]);
    assert!(missing.code != Some(0) && missing.err.contains("tailnum"), "{missing:?}");
}

fn records(home: &Path) {
    assert!(ok(home, &["audit", "verify"]).starts_with("verified "));
    let log = ok(home, &["audit", "log", "--limit", "1000"]);
    for action in ["create", "ingest", "materialize", "pin", "run", "register", "sign", "deploy", "watch"] {
        assert!(log.contains(&format!(" {action} ")), "{action} is not in the audit log:\n{log}");
    }
    assert!(ok(home, &["doctor"]).contains("ok    platform"));
    assert!(ok(home, &["completions", "bash"]).contains("bedplate"));
}

/// The audit log in a folder of its own, believed by its key alone.
fn log_elsewhere(home: &Path) {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let (dir, proof) = (at("log"), at("leaf.tlog-proof"));
    assert!(ok(home, &["audit", "export", &dir]).starts_with("exported and verified "));
    let key = std::fs::read_to_string(place.path().join("log/vkey")).unwrap().trim().to_owned();
    std::fs::copy(place.path().join("log/checkpoint"), at("note")).unwrap();
    ok(home, &["audit", "export", &dir]);
    let verified = ok(home, &["audit", "verify", "--dir", &dir, "--key", &key, "--against", &at("note")]);
    assert!(verified.starts_with("verified "), "{verified}");

    std::fs::write(&proof, ok(home, &["audit", "prove", "0"])).unwrap();
    let shown = ok(home, &["audit", "verify", "--proof", &proof, "--key", &key]);
    assert!(shown.starts_with("leaf 0 is in the log of "), "{shown}");
    let beyond = ask(home, &["audit", "prove", "99999999"]);
    assert_eq!(beyond.code, Some(5), "{beyond:?}");

    std::fs::write(place.path().join("log/checkpoint"), "rewritten").unwrap();
    let caught = ask(home, &["audit", "verify", "--dir", &dir, "--key", &key]);
    assert!(caught.code == Some(8) && caught.err.contains("checkpoint"), "{caught:?}");
}

fn errors(home: &Path) {
    let unknown = ask(home, &["get", "rockets"]);
    assert!(unknown.code == Some(5) || unknown.code == Some(3), "{unknown:?}");
    assert!(unknown.err.contains("rockets") && unknown.err.contains("fix:"), "{unknown:?}");
    let absent = ask(home, &["get", "ds", "nothing", "-n", "flights"]);
    assert!(absent.code == Some(5) && absent.err.contains("nothing"), "{absent:?}");
    assert_eq!(ask(home, &["trace", "no-such-prediction"]).code, Some(5));
    assert_eq!(ask(home, &["get"]).code, Some(2));
}

/// Somebody with a token and no role is told the same of what exists as of what does not.
fn stranger(home: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    ok(home, &["token", "create", "mallory", "--kubeconfig", file.to_str().unwrap()]);
    let [hidden, missing] = ["weather", "no-table"].map(|table| {
        let said = ask(folder.path(), &["trace", &format!("table:flights/{table}@0")]);
        (said.code, said.err.replace(table, "TABLE"))
    });
    assert_eq!(hidden, missing);
    assert_eq!(hidden.0, Some(5), "{hidden:?}");
    assert!(ok(home, &["trace", "table:flights/weather@0"]).contains("source:sha256:"));
}

/// A colleague with a token of her own: what her role allows, in her namespace, until it is taken back.
fn tokens(home: &Path) {
    let binding = home.join("binding.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: RoleBinding\nmetadata: {name: readers, namespace: flights}\n\
                spec: {role: viewer, subjects: [{kind: Group, name: readers}]}\n";
    std::fs::write(&binding, text).unwrap();
    ok(home, &["apply", "-f", binding.to_str().unwrap()]);
    let hers = tempfile::tempdir().unwrap();
    let file = hers.path().join("kubeconfig");
    let create = ["token", "create", "ana", "-g", "readers", "-n", "flights", "--kubeconfig"];
    assert_eq!(ok(home, &[&create[..], &[file.to_str().unwrap()]].concat()), "", "a token on standard output as well");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(ok(hers.path(), &["get", "ds"]).lines().count(), 6, "the kubeconfig's namespace is flights");
    for denied in [&["get", "ds", "-n", "default"][..], &["delete", "ds", "weather"], &["token", "create", "eve"]] {
        let said = ask(hers.path(), denied);
        assert_eq!(said.code, Some(4), "{denied:?}: {said:?}");
        assert!(said.err.contains("user:ana") && !said.err.contains("bp_"), "{said:?}");
    }
    let listed: Value = serde_json::from_str(&ok(hers.path(), &["token", "list", "-o", "json"])).unwrap();
    let seen: Vec<_> = listed["tokens"].as_array().unwrap().iter().map(|token| &token["principal"]["name"]).collect();
    assert_eq!(seen, ["user:ana"], "others' tokens are not hers to see");
    assert!(!listed.to_string().contains("bp_"), "{listed}");
    let id = listed["tokens"][0]["id"].as_str().unwrap();
    assert_eq!(ask(home, &["token", "revoke", "0000000000000000"]).code, Some(5));
    assert!(ok(home, &["token", "revoke", id]).contains("revoked"));
    let after = ask(hers.path(), &["get", "ds"]);
    assert!(after.code == Some(4) && after.err.contains("revoked"), "{after:?}");
    assert!(ok(home, &["audit", "log", "--limit", "1000"]).contains(&format!("tokens/{id}")));
    ok(home, &["delete", "rb", "readers", "-n", "flights"]);
}

/// kubectl's output, when it ends well.
#[track_caller]
fn kube(home: &Path, arguments: &[&str]) -> String {
    let cache = home.join("kubectl-cache");
    let mut command = Command::new("kubectl");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.env("KUBECONFIG", home.join("kubeconfig")).arg("--cache-dir").arg(cache).args(arguments);
    let output = command.output().expect("kubectl starts");
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn kubectl(home: &Path) {
    if program("kubectl").is_none() {
        return not_run("kubectl is not on the PATH: the kubeconfig of `bedplate up` was not tried with it");
    }
    assert!(kube(home, &["get", "ds,mon,wl", "-n", "flights"]).contains("dataset.bedplate.dev/weather"));
    assert!(kube(home, &["describe", "ds", "weather", "-n", "flights"]).contains("bedplate-controllers"), "events");
    assert!(kube(home, &["explain", "dataset.spec.timeColumn"]).contains("when a row happened"));
    let manifest = home.join("entity.yaml");
    let text = "apiVersion: bedplate.dev/v1alpha1\nkind: Entity\nmetadata: {name: plane, namespace: flights}\n\
                spec: {description: DESCRIBED, joinKeys: [{name: tailnum, type: string}]}\n";
    for (described, done) in [("first", "created"), ("second", "configured"), ("second", "unchanged")] {
        std::fs::write(&manifest, text.replace("DESCRIBED", described)).unwrap();
        assert!(kube(home, &["apply", "-f", manifest.to_str().unwrap()]).contains(done), "{described}");
    }
    kube(home, &["wait", "--for=jsonpath={.status.phase}=Ready", "entity/plane", "-n", "flights", "--timeout=20s"]);
    assert!(kube(home, &["delete", "entity", "plane", "-n", "flights"]).contains("deleted"));
}

fn python_clients(home: &Path) {
    let Some(python) = python() else {
        return not_run(
            "no Python environment with the pinned clients: kubernetes, model-signing, onnxruntime, deltalake",
        );
    };
    let model = DONE.summary["model"]["location"].as_str().unwrap();
    let told = [
        ("kubernetes", "kubernetes 5 datasets"),
        ("model-signing", "model-signing verified\nmodel-signing refused"),
        ("onnxruntime", "onnxruntime 22 features"),
        ("deltalake", "deltalake 336776"),
    ];
    for (client, told) in told {
        let mut command = Command::new(&python);
        command.arg("-c").arg(include_str!("clients.py")).arg(client).arg(home).arg(model);
        let output = command.output().expect("python starts");
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success() && out.contains(told), "{client}: {out}\n{err}");
    }
}
