//! Two replicas on one PostgreSQL: how soon what is written on one counts on the other, and how soon a killed leader is
//! replaced.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bedplate_testkit::Postgres;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::http1::{Connection, Target};
use crate::load::Done;
use crate::platform::{self, Platform};
use crate::table::{self, Limit, Line};

const WRITES: usize = 200;
const TOKENS: usize = 50;
const KILLS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/bedplate-system/leases/controllers";

pub fn run(binary: &Path) -> Result<ExitCode> {
    let postgres = Postgres::start().context("a PostgreSQL server (Debian's postgresql)")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let lines = runtime.block_on(measure(&Place::new(binary, &postgres)?))?;
    let holds = table::print("two replicas on one PostgreSQL, 2 cores with all of it", "-", &lines);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(place: &Place) -> Result<Vec<Line>> {
    let first = place.up("first")?;
    place.until_led_by(&first, &first).await?;
    let second = place.up("second")?;
    let seen = seen_on_the_other(&first.target, &second.target).await?;
    let ended = revoked_on_the_other(&first.target, &second.target).await?;
    let taken = taken_over(place, first, second).await?;
    let at_most = |limit| Some(Limit::AtMost(limit));
    let line = |what: String, found, limit| Line::new(what, found, "ms", limit, None);
    Ok(vec![
        line(format!("a write until the other's watch tells, {WRITES}: p50"), seen.quantile_ms(0.5), None),
        line("  p99".into(), seen.quantile_ms(0.99), at_most(1_000.0)),
        line(format!("a token's end until the other refuses it, {TOKENS}: p50"), ended.quantile_ms(0.5), None),
        line("  the slowest".into(), ended.quantile_ms(1.0), at_most(1_000.0)),
        line(
            format!("a leader's kill until another leads, {KILLS}: slowest"),
            taken.quantile_ms(1.0),
            at_most(10_000.0),
        ),
    ])
}

/// Where the replicas are, with keys and tables that they share.
struct Place {
    binary: PathBuf,
    folder: tempfile::TempDir,
    url: String,
}

impl Place {
    fn new(binary: &Path, postgres: &Postgres) -> Result<Self> {
        Ok(Self { binary: binary.to_owned(), folder: tempfile::tempdir()?, url: postgres.database() })
    }

    fn up(&self, home: &str) -> Result<Platform> {
        let path = |name: &str| self.folder.path().join(name);
        platform::up(&self.binary, &path(home), &path("keys"), |command| {
            command.arg("--keys").arg(path("keys")).arg("--data").arg(path("data")).env("BEDPLATE_DATABASE", &self.url);
        })
    }

    /// Until `asked` says that `leader` leads.
    async fn until_led_by(&self, leader: &Platform, asked: &Platform) -> Result<Duration> {
        let mark = format!("_{}_", leader.server.pid());
        until(|| async {
            let lease = ask(&asked.target, "GET", LEASE, &Value::Null).await;
            Ok(lease.is_ok_and(|lease| lease["spec"]["holderIdentity"].as_str().is_some_and(|one| one.contains(&mark))))
        })
        .await
        .context("nobody leads")
    }
}

async fn ask(target: &Target, method: &str, path: &str, body: &Value) -> Result<Value> {
    let answer = Connection::open(target).await?.ask(method, path, body.to_string()).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// How long it took until it was so.
async fn until<R: Future<Output = Result<bool>>>(is_so: impl Fn() -> R) -> Result<Duration> {
    let began = Instant::now();
    while !is_so().await? {
        if began.elapsed() > PATIENCE {
            bail!("not within {PATIENCE:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(began.elapsed())
}

async fn seen_on_the_other(one: &Target, other: &Target) -> Result<Done> {
    let list = ask(other, "GET", &format!("{MAPS}?limit=1"), &Value::Null).await?;
    let version = list["metadata"]["resourceVersion"].as_str().context("the list has no version")?;
    let path = format!("{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=600");
    let mut watching = Connection::open(other).await?;
    let mut body = watching.send("GET", &path, String::new()).await?.into_body();
    let mut writer = Connection::open(one).await?;
    let mut micros = Vec::new();
    for n in 0..WRITES {
        let name = format!("seen-{n:04}");
        let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } });
        let began = Instant::now();
        writer.ask("POST", MAPS, map.to_string()).await?;
        let mut text = String::new();
        while !text.contains(&name) {
            let frame = body.frame().await.context("the watch ended by itself")??;
            text += &String::from_utf8_lossy(&frame.into_data().unwrap_or_default());
        }
        micros.push(began.elapsed().as_micros() as u64);
    }
    Ok(Done::of(0.0, micros))
}

/// From the answer to the revocation on; the token was in use on the other just before.
async fn revoked_on_the_other(one: &Target, other: &Target) -> Result<Done> {
    let mut micros = Vec::new();
    for n in 0..TOKENS {
        let made = ask(one, "POST", "/bedplate/v1/tokens", &json!({ "user": format!("user-{n}") })).await?;
        let (id, token) = (made["id"].as_str(), made["token"].as_str());
        let (id, token) = (id.context("no id")?, token.context("no token")?);
        let hers = Target { token: token.to_owned(), ..other.clone() };
        until(|| believed(&hers)).await?;
        let gone =
            Connection::open(one).await?.ask("DELETE", &format!("/bedplate/v1/tokens/{id}"), String::new()).await;
        gone?;
        let took = until(|| async { Ok(!believed(&hers).await?) }).await?;
        micros.push(took.as_micros() as u64);
    }
    Ok(Done::of(0.0, micros))
}

/// One without rights is told so; one that is not believed is told that.
async fn believed(target: &Target) -> Result<bool> {
    match Connection::open(target).await?.ask("GET", MAPS, String::new()).await {
        Ok(_) => Ok(true),
        Err(error) if error.to_string().contains(": 403") => Ok(true),
        Err(error) if error.to_string().contains(": 401") => Ok(false),
        Err(error) => Err(error),
    }
}

async fn taken_over(place: &Place, mut leader: Platform, mut follower: Platform) -> Result<Done> {
    let mut micros = Vec::new();
    for n in 0..KILLS {
        leader.server.kill()?;
        micros.push(place.until_led_by(&follower, &follower).await?.as_micros() as u64);
        leader = follower;
        follower = place.up(&format!("another-{n}"))?;
    }
    Ok(Done::of(0.0, micros))
}
