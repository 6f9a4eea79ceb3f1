//! The console in a real Chromium: signed in by the one-time link, and live by its script.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bedplate_console::router;
use bedplate_testkit::{not_run, program};
use tokio::process::Command;

use crate::fake::{NOW, state};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_signs_in_and_the_script_keeps_the_page_true() {
    let Some(chromium) = program("chromium") else {
        return not_run("chromium is not on the PATH: the console was not driven in a browser");
    };
    let state = state();
    let code = state.sessions.issue_code(bedplate_identity::Principal::new("user:admin"), NOW, [9; 32]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router(state)).await });

    let page = dump(&chromium, &format!("http://{address}/login?code={code}")).await;
    server.abort();

    assert!(page.contains("367,687 rows") && page.contains("The loop of flights"), "the overview was shown: {page}");
    assert!(page.contains(r#"data-state="on""#) && page.contains(">Live<"), "the script ran: {page}");
    // The fake facts count how often they were asked: more than once means that the script asked again and swapped.
    let entries = entries(&page);
    assert!(entries > 1_214, "the figure moved on: {entries}");
}

async fn dump(chromium: &Path, url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--disable-dev-shm-usage", "--virtual-time-budget=9000", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let done = tokio::time::timeout(Duration::from_secs(120), command.output()).await;
    let done = done.expect("chromium ends within two minutes").expect("chromium starts");
    String::from_utf8(done.stdout).unwrap()
}

fn entries(page: &str) -> u64 {
    let (before, _) = page.split_once(" entries</p>").expect("the audit panel is there");
    let digits: String = before.chars().rev().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    digits.chars().rev().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}
