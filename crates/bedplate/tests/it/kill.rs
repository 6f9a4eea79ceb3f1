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

/// Work of which a file is the first trace: folder, file name ("" is any), how many of them there are by then.
const TRACES: [(&str, &str, usize); 9] = [
    ("lake", "00000000000000000000.json", 1),
    ("lake", "00000000000000000000.json", 5),
    ("objects", "", 1),
    ("runs", "job.json", 1),
    ("runs", "result.json", 1),
    ("models", "model.onnx", 1),
    ("models", "model.sig", 1),
    ("runs", "job.json", 2),
    ("runs", "result.json", 2),
];

/// A kill between work done and work told is the one that finds what would be done twice.
#[test]
fn killed_right_after_each_piece_of_work_it_is_not_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    small::write(folder.path());
    let from = folder.path().to_str().unwrap();
    let calm = tempfile::tempdir().unwrap();
    let undisturbed = said(&mut quickstart(calm.path(), &["--from", from])).json();
    let mut random = SEED;
    for (place, name, many) in TRACES {
        for later in [0, 1] {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let delay = Duration::from_micros(later * (random >> 44) / 64);
            let home = tempfile::tempdir().unwrap();
            println!("{place}/{name} × {many}, and {delay:?}");
            let there = home.path().join(place);
            let at_work = kill_when(home.path(), from, || {
                let appeared = files(&there, name) >= many;
                if appeared {
                    std::thread::sleep(delay);
                }
                appeared
            });
            assert!(at_work, "{place}/{name}: it ended before it was killed");
            check(home.path(), from, &undisturbed);
        }
    }
}

pub fn files(folder: &Path, name: &str) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let found = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path(), name),
        Ok(_) => usize::from(name.is_empty() || entry.file_name() == name),
        Err(_) => 0,
    });
    found.sum()
}

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
pub fn numbers(summary: &Value) -> [Value; 6] {
    ["/dataset/tables", "/training_set", "/model/digest", "/model/version", "/serving/predictions", "/drift"]
        .map(|pointer| summary.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")).clone())
}

fn kill_after(home: &Path, from: &str, time: Duration) -> bool {
    let until = Instant::now() + time;
    kill_when(home, from, || Instant::now() >= until)
}

/// True when the kill hit it at work.
fn kill_when(home: &Path, from: &str, mut now: impl FnMut() -> bool) -> bool {
    let mut command = quickstart(home, &["--from", from]);
    let mut child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() && !now() {
        std::thread::sleep(Duration::from_millis(1));
    }
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
