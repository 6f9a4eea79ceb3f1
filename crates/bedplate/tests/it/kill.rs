//! Killed anywhere and run again, the quickstart completes, and nothing is lost or done twice.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::run::{quickstart, said};
use crate::small;

const KILLS: u32 = 10;
/// Numbers of the day's date: another seed is as good.
const SEED: u64 = 20_261_124;

#[test]
fn killed_at_ten_random_points_it_completes_with_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    small::write(folder.path());
    let from = folder.path().to_str().unwrap();

    let calm = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let undisturbed = said(&mut quickstart(calm.path(), &["--from", from])).json();
    let whole = started.elapsed();

    let mut home = tempfile::tempdir().unwrap();
    let (mut random, mut landed) = (SEED, 0);
    println!("seed {SEED}, a whole run takes {whole:?}");
    while landed < KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let share = 0.05 + 0.6 * f64::from((random >> 40) as u32) / f64::from(1 << 24);
        if kill_after(home.path(), from, whole.mul_f64(share)) {
            landed += 1;
        } else {
            // It completed: the next kills are to hit work, not a home where nothing is left to do.
            check(home.path(), from, &undisturbed);
            home = tempfile::tempdir().unwrap();
        }
    }
    check(home.path(), from, &undisturbed);
}

/// Runs it once more, to the end.
fn check(home: &Path, from: &str, undisturbed: &Value) {
    let survived = said(&mut quickstart(home, &["--from", from])).json();
    assert_eq!(numbers(&survived), numbers(undisturbed));
    assert_eq!(survived["serving"]["parity_share"], 1.0);
    assert_eq!(survived["audit"]["verified"], true);
    assert_eq!(survived["trace"]["complete"], true);
    assert_eq!(left_behind(home), Vec::<String>::new());
}

/// What must not depend on how often it was killed.
fn numbers(summary: &Value) -> [Value; 6] {
    ["/dataset/tables", "/training_set", "/model/digest", "/model/version", "/serving/predictions", "/drift"]
        .map(|pointer| summary.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")).clone())
}

/// True when the kill hit it at work.
fn kill_after(home: &Path, from: &str, time: Duration) -> bool {
    let mut command = quickstart(home, &["--from", from]);
    let mut child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(time);
    let at_work = child.try_wait().unwrap().is_none();
    // The whole group at once would spare the workers their own test: they must leave when the platform is gone.
    let _ = child.kill();
    child.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while !left_behind(home).is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = left_behind(home);
    let _ = Pid::from_raw(child.id().cast_signed()).map(|group| kill_process_group(group, Signal::KILL));
    assert_eq!(left, Vec::<String>::new(), "a worker outlived its platform");
    at_work
}

/// Processes that name the home on their command line.
fn left_behind(home: &Path) -> Vec<String> {
    let home = home.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = processes.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let lines = pids.filter_map(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(home)).collect()
}
