//! Whether a Redis keeps what it acknowledges: judged from what it says of itself.

use std::collections::HashMap;

use bedplate_types::ErrorKind;

use super::problem::{Trouble, trouble};

/// How it stands with a Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `host:port/database`.
    pub server: String,
    pub version: String,
    pub keeps: Keeps,
    /// What it may lose, where that was accepted.
    pub loses: Option<String>,
}

/// When what was written is on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Before it answers (`appendfsync always`).
    BeforeItAnswers,
    /// Within a second, which is waited for (`WAITAOF`).
    WaitedFor,
    /// Perhaps.
    Unsure,
}

/// What `INFO` and `CONFIG GET` said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    info: HashMap<String, String>,
    /// `None` where it is not to be asked.
    config: Option<HashMap<String, String>>,
}

/// The first that has `WAITAOF`.
const WAITS: (u32, u32) = (7, 2);
/// The first whose scripts are refused as a whole when there is no memory.
const LEAST: (u32, u32) = (7, 0);

impl Facts {
    pub(super) fn new(info: &str, config: Option<HashMap<String, String>>) -> Self {
        let told = info.lines().filter_map(|line| line.trim_end().split_once(':'));
        Self { info: told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), config }
    }

    fn told(&self, name: &str) -> &str {
        self.info.get(name).map_or("", String::as_str)
    }

    fn config(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.get(name).map(String::as_str)
    }

    /// Of Redis' protocol and commands, which Valkey tells too.
    fn version(&self) -> (u32, u32) {
        let mut parts = self.told("redis_version").split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    }

    pub(super) fn shown_version(&self) -> String {
        match self.told("valkey_version") {
            "" => format!("Redis {}", self.told("redis_version")),
            valkey => format!("Valkey {valkey}"),
        }
    }
}

/// Refuses what cannot be worked with; and, unless it `may_lose` rows, what may lose them. What it may lose is told.
pub(super) fn judge(facts: &Facts, may_lose: bool) -> Result<(Keeps, Option<String>), Trouble> {
    usable(facts)?;
    let keeps = keeps(facts);
    let loses = [durability(facts, keeps), eviction(facts)].into_iter().flatten().collect::<Vec<_>>();
    match loses.into_iter().next() {
        None => Ok((keeps, None)),
        Some((why, ..)) if may_lose => Ok((keeps, Some(why))),
        Some(trouble) => Err(trouble),
    }
}

fn usable(facts: &Facts) -> Result<(), Trouble> {
    if facts.version() < LEAST {
        let why = format!("is {}; at least Redis 7 or Valkey is wanted", facts.shown_version());
        return Err(trouble(ErrorKind::Invalid, why, "install a newer one, and name it with --online"));
    }
    if facts.told("cluster_enabled") == "1" {
        let why = "is a node of a cluster, over which one step cannot reach";
        return Err(trouble(ErrorKind::Invalid, why, "name a Redis of its own, without cluster-enabled"));
    }
    if facts.told("role") == "slave" {
        return Err(trouble(ErrorKind::NotReady, "is a replica, which takes no rows", "name its primary"));
    }
    Ok(())
}

fn keeps(facts: &Facts) -> Keeps {
    let appends = facts.config("appendonly").map_or(facts.told("aof_enabled") == "1", |told| told == "yes");
    match facts.config("appendfsync") {
        Some("always") if appends => Keeps::BeforeItAnswers,
        _ if appends && facts.version() >= WAITS => Keeps::WaitedFor,
        _ => Keeps::Unsure,
    }
}

const ACCEPT: &str = "; or say --online-may-lose to accept that";

fn durability(facts: &Facts, keeps: Keeps) -> Option<Trouble> {
    if keeps != Keeps::Unsure {
        return None;
    }
    let appends = facts.told("aof_enabled") == "1";
    let why = match (appends, facts.config.is_some()) {
        (false, _) => {
            "does not write what it is told to its disk (appendonly no): pushed rows would be lost when it ends"
        }
        (true, true) => {
            "writes its disk only now and then (appendfsync is not always): rows pushed a moment ago would be lost when its machine ends"
        }
        (true, false) => "does not tell how often it writes its disk (CONFIG GET is refused), and is older than 7.2",
    };
    let fix = "redis-cli CONFIG SET appendonly yes; redis-cli CONFIG SET appendfsync always; redis-cli CONFIG REWRITE";
    Some(trouble(ErrorKind::NotReady, why, format!("{fix}{ACCEPT}")))
}

/// Nothing here expires, so that what evicts only keys that do takes nothing.
fn eviction(facts: &Facts) -> Option<Trouble> {
    let policy = facts.config("maxmemory-policy").unwrap_or(facts.told("maxmemory_policy"));
    if !policy.starts_with("allkeys") {
        return None;
    }
    let why = format!("throws rows away when its memory is full (maxmemory-policy {policy})");
    let fix = "redis-cli CONFIG SET maxmemory-policy noeviction; redis-cli CONFIG REWRITE";
    Some(trouble(ErrorKind::NotReady, why, format!("{fix}{ACCEPT}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(info: &str, config: &[(&str, &str)]) -> Facts {
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Facts::new(&format!("# Server\r\n{}", info.replace(' ', "\r\n")), Some(config))
    }

    fn managed(info: &str) -> Facts {
        Facts { config: None, ..facts(info, &[]) }
    }

    fn told(facts: &Facts) -> Result<Keeps, String> {
        judge(facts, false).map(|(keeps, _)| keeps).map_err(|(why, ..)| why)
    }

    const ALWAYS: [(&str, &str); 2] = [("appendonly", "yes"), ("appendfsync", "always")];
    const EVERY_SECOND: [(&str, &str); 2] = [("appendonly", "yes"), ("appendfsync", "everysec")];

    #[test]
    fn what_keeps_what_it_acknowledges_is_taken() {
        for (facts, keeps) in [
            (facts("redis_version:7.0.15 aof_enabled:1", &ALWAYS), Keeps::BeforeItAnswers),
            (facts("redis_version:7.4.1 aof_enabled:1", &ALWAYS), Keeps::BeforeItAnswers),
            (facts("redis_version:7.2.4 valkey_version:8.1.0 aof_enabled:1", &EVERY_SECOND), Keeps::WaitedFor),
            (managed("redis_version:7.2.0 aof_enabled:1 maxmemory_policy:volatile-lru"), Keeps::WaitedFor),
            (managed("redis_version:8.0.0 aof_enabled:1 maxmemory_policy:noeviction"), Keeps::WaitedFor),
        ] {
            assert_eq!(told(&facts), Ok(keeps), "{facts:?}");
        }
    }

    #[test]
    fn what_may_lose_rows_is_refused_unless_that_is_accepted() {
        for (facts, says) in [
            (facts("redis_version:7.0.15 aof_enabled:1", &EVERY_SECOND), "appendfsync"),
            (facts("redis_version:7.2.4 aof_enabled:0", &[("appendonly", "no")]), "appendonly no"),
            (managed("redis_version:7.0.15 aof_enabled:1"), "CONFIG GET is refused"),
            (managed("redis_version:7.2.0 aof_enabled:0"), "appendonly no"),
            (managed("redis_version:7.2.0 aof_enabled:1 maxmemory_policy:allkeys-lru"), "allkeys-lru"),
        ] {
            let (why, kind, fix) = judge(&facts, false).unwrap_err();
            assert!(why.contains(says) && fix.unwrap().contains("--online-may-lose"), "{why}");
            assert_eq!(kind, ErrorKind::NotReady);
            assert!(judge(&facts, true).unwrap().1.unwrap().contains(says));
        }
    }

    #[test]
    fn what_cannot_be_worked_with_is_refused_whatever_is_accepted() {
        for (info, says) in [
            ("redis_version:6.2.14 aof_enabled:1", "Redis 6.2.14"),
            ("redis_version:7.2.0 aof_enabled:1 cluster_enabled:1", "cluster"),
            ("redis_version:7.2.0 aof_enabled:1 role:slave", "replica"),
            ("", "at least Redis 7"),
        ] {
            let (why, ..) = judge(&facts(info, &ALWAYS), true).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
