//! The platform ends when it is told to, whatever it is at.

use std::time::Duration;

use crate::run::up;

/// Shorter than a task is waited for before it is left behind.
const NOTHING_LEFT_BEHIND: Duration = Duration::from_secs(9);

#[test]
fn it_ends_when_told_to_while_its_controllers_still_start() {
    for _ in 0..3 {
        let home = tempfile::tempdir().unwrap();
        let ended = up(home.path(), &[]).stop(NOTHING_LEFT_BEHIND).expect("it ends");
        assert!(ended.success(), "{ended}");
    }
}
