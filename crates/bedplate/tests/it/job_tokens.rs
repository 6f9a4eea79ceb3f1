//! The token of a run: what it may do, and that it is over when the run is, also when the platform is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{bedplate, quickstart, said, up};
use crate::small;
use crate::tls::{curl, server};

fn tokens(home: &Path) -> Vec<Value> {
    let listed = said(&mut bedplate(home, &["token", "list", "-o", "json"])).json();
    let all = listed["tokens"].as_array().unwrap();
    all.iter().filter(|token| token["run"].is_string()).cloned().collect()
}

fn token_files(home: &Path) -> Vec<PathBuf> {
    let runs = fs::read_dir(home.join("runs/flights")).into_iter().flatten().flatten();
    runs.map(|run| run.path().join("token")).filter(|file| file.exists()).collect()
}

/// The whole use case with workers that speak TLS, and nothing of their tokens left.
#[test]
fn a_run_takes_its_token_along() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    let from = folder.path().to_str().unwrap().to_owned();
    let summary = said(&mut quickstart(home.path(), &["--from", &from, "--timeout", "5m", "--tls", "builtin"])).json();
    assert_eq!(summary["serving"]["parity_share"], 1.0);
    assert_eq!(token_files(home.path()), Vec::<PathBuf>::new());
    let _platform = up(home.path(), &["--source-root", &from]);
    let tokens = tokens(home.path());
    assert_eq!(tokens.len(), 1, "one replay: {tokens:?}");
    assert_eq!((&tokens[0]["revoked"], &tokens[0]["run"]), (&true.into(), &"flights/replay-july-1".into()));
    assert_eq!(tokens[0]["scope"], "get,predict:endpoint:flights list,push:featureview:flights");
}

#[test]
fn a_token_whose_platform_was_killed_is_over_when_it_comes_back() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    small::write(folder.path());
    // Long enough to be killed in.
    small::change(folder.path(), "70-serving.yaml", "limit: 300", "limit: 10000");
    let from = folder.path().to_str().unwrap();
    let mut command = quickstart(home.path(), &["--from", from, "--timeout", "5m"]);
    let mut platform = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    let token = loop {
        let token = token_files(home.path()).first().and_then(|file| fs::read_to_string(file).ok());
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            break token;
        }
        assert!(started.elapsed() < Duration::from_secs(240), "no replay began");
        std::thread::sleep(Duration::from_millis(10));
    };
    platform.kill().unwrap();
    platform.wait().unwrap();
    let _platform = up(home.path(), &["--source-root", from]);
    let url = format!("http://{}/api", server(home.path()).rsplit('@').next().unwrap());
    let header = format!("Authorization: Bearer {token}");
    let started = Instant::now();
    let answer = loop {
        let answer = curl(&["-H", &header, &url]).out;
        if answer.contains("revoked") || started.elapsed() > Duration::from_secs(5) {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(answer.contains("revoked"), "{answer}");
}
