//! Tokens that carry less than their principal may, everywhere the principal is asked about.

use std::fs;

use serde_json::Value;

use crate::run::{Said, bedplate, said, up};
use crate::tls::{curl, lacking, server};

#[test]
fn a_narrowed_token_does_what_it_is_for_and_nothing_else() {
    if lacking(&["curl"]) {
        return;
    }
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let platform = up(home.path(), &[]);
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let ok = |arguments: &[&str]| -> Said {
        let said = said(&mut bedplate(home.path(), arguments));
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said
    };
    // Of an administrator, who may do everything.
    let create = ["token", "create", "ana", "-g", "system:masters", "--kubeconfig"];
    let scopes = ["--scope", "get,list:datasets:default", "--scope", "read:tokens:*"];
    ok(&[&create[..], &[&at("kubeconfig")], &scopes].concat());
    let hers = |arguments: &[&str]| said(&mut bedplate(place.path(), arguments));
    assert_eq!(hers(&["get", "ds"]).code, Some(0));
    for denied in [
        &["get", "ds", "-A"][..],
        &["get", "ds", "-n", "bedplate-system"],
        &["get", "models"],
        &["delete", "ds", "x"],
        &["audit", "log"],
        &["trace", "table:default/x@0"],
    ] {
        let said = hers(denied);
        assert!(matches!(said.code, Some(4 | 5)), "{denied:?}: {said:?}");
        if said.code == Some(4) {
            assert!(said.err.contains("narrowed to get,list:dataset:default"), "{denied:?}: {said:?}");
        }
    }
    let config: Value = serde_json::from_str(&fs::read_to_string(at("kubeconfig")).unwrap()).unwrap();
    let bearer = format!("Authorization: Bearer {}", config["users"][0]["user"]["token"].as_str().unwrap());
    let status = |method: &str, url: &str, body: &str| {
        let arguments = ["--request", method, "-H", &bearer, "-H", "content-type: application/json", "--data", body];
        curl(&[&arguments[..], &["--output", "/dev/null", "--write-out", "%{http_code}", url]].concat()).out
    };
    let url = server(home.path());
    let control = format!("http://{}", url.rsplit('@').next().unwrap());
    let inference = platform
        .said()
        .lines()
        .find_map(|line| line.trim().strip_prefix("inference").map(str::trim).map(str::to_owned));
    let model = format!("{}/v2/models/default.none", inference.unwrap());
    assert_eq!(status("GET", &model, ""), "404", "inference");
    let push = r#"{"push_source_name":"x","df":{},"to":"online"}"#;
    assert_eq!(status("POST", &format!("{control}/push"), push), "404", "Feast");
    let event = r#"{"eventTime":"2024-01-01T00:00:00Z","producer":"https://x","schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "eventType":"START","run":{"runId":"0190c4a0-0000-7000-8000-000000000000"},"job":{"namespace":"default","name":"x"}}"#;
    assert!(
        matches!(status("POST", &format!("{control}/api/v1/lineage"), event).as_str(), "403" | "404"),
        "OpenLineage"
    );
    assert_eq!(status("GET", &format!("{control}/bedplate/v1/costs"), ""), "403");

    let listed = ok(&["token", "list"]);
    assert!(listed.out.contains("get,list:dataset:default get,list,watch:token:*"), "{listed:?}");
    let wider = hers(&["token", "create", "eve", "-g", "system:masters"]);
    assert!(wider.code == Some(4), "{wider:?}");
}

#[test]
fn a_narrowed_token_makes_none_that_is_wider() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _platform = up(home.path(), &[]);
    let file = place.path().join("kubeconfig");
    let create = ["token", "create", "ana", "-g", "system:masters", "--scope", "create:tokens:* get:datasets:default"];
    let made = said(&mut bedplate(home.path(), &[&create[..], &["--kubeconfig", file.to_str().unwrap()]].concat()));
    assert_eq!(made.code, Some(0), "{made:?}");
    let ask = |more: &[&str]| {
        said(&mut bedplate(place.path(), &[&["token", "create", "eve", "-g", "system:masters"], more].concat()))
    };
    ask(&[]).refused(4, &["narrowed", "--scope"]);
    ask(&["--scope", "get:datasets:*"]).refused(4, &["narrowed"]);
    let within = ask(&["--scope", "get:datasets:default"]);
    assert!(within.code == Some(0) && within.out.starts_with("bp_"), "{within:?}");
    let wrong = said(&mut bedplate(home.path(), &["token", "create", "ana", "--scope", "everything"]));
    assert!(wrong.code == Some(2) && wrong.err.contains("VERBS:KINDS:NAMESPACES"), "{wrong:?}");
}

/// Guessing is made slow, whatever protocol it is tried by, and who is known goes on.
#[test]
fn whoever_guesses_tokens_is_locked_out_for_a_while() {
    if lacking(&["curl"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let _platform = up(home.path(), &[]);
    let token = fs::read_to_string(home.path().join("credentials")).unwrap();
    let control = format!("http://{}", server(home.path()).rsplit('@').next().unwrap());
    let status = |token: &str, path: &str| {
        let header = format!("Authorization: Bearer {token}");
        curl(&["-H", &header, "--output", "/dev/null", "--dump-header", "-", &format!("{control}{path}")]).out
    };
    assert!(status(&token, "/api").starts_with("HTTP/1.1 200"));
    for guess in 0..10 {
        let path = ["/api", "/bedplate/v1/costs", "/openlineage/api/v1/namespaces"][guess % 3];
        assert!(status(&format!("bp_{guess:043}"), path).starts_with("HTTP/1.1 401"));
    }
    let locked = status("bp_0000000000000000000000000000000000000000011", "/api");
    assert!(locked.starts_with("HTTP/1.1 429") && locked.to_lowercase().contains("retry-after: "), "{locked}");
    assert!(status(&token, "/api").starts_with("HTTP/1.1 200"), "the administrator was known before");
}
