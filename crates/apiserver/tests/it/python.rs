//! The PyPI package `kubernetes` over a real socket: typed clients, the dynamic client, and watches.

use std::process::Command;

use crate::support::{Served, admin};

#[test]
fn the_python_client_lists_watches_and_deletes() {
    let Some(python) = bedplate_testkit::python() else {
        bedplate_testkit::not_run("there is no Python with the client kubernetes");
        return;
    };
    let served = Served::new();
    let home = tempfile::tempdir().unwrap();
    let script = bedplate_testkit::in_crate("tests/it/python_client.py");
    let mut command = Command::new(python);
    command.arg(script).arg(&served.address).arg(served.house.token(admin())).arg(home.path());
    let output = command.env("HOME", home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for done in ["typed", "dynamic", "watch", "expired", "cascade"] {
        assert!(said.lines().any(|line| line == done), "{done} was not reached: {said}");
    }
}
