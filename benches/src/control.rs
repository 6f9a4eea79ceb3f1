//! The control plane: durable creates, gets, a long list, watches, and memory, each beside the same of etcd.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bedplate_testkit::{cpu_seconds, resident};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::etcd;
use crate::http1::{Connection, Target};
use crate::load::{self, Done};
use crate::peer;
use crate::platform::{self, Platform};
use crate::table::{self, Limit, Line};

const MIB: f64 = 1_048_576.0;
const WRITERS: usize = 64;
const READERS: usize = 4;
const GETS: usize = 20_000;
const WATCHERS: usize = 100;
const WRITES_A_SECOND: usize = 1_000;
const WATCH_SECONDS: usize = 5;
const PAGE: usize = 500;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// What was measured of one server.
struct Measured {
    creates: Done,
    /// CPU milliseconds of the server a create.
    create_cpu_ms: f64,
    gets: Done,
    list_seconds: f64,
    resident_bytes: u64,
    deliveries: Done,
    watch_cpu_seconds: f64,
}

pub fn run(binary: &Path, objects: usize) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ours = runtime.block_on(bedplate(binary, objects))?;
    let theirs = match peer::etcd()? {
        Some(etcd) => Some(runtime.block_on(etcd_run(&etcd, objects))?),
        None => {
            println!("NOT RUN: etcd is not installed (apt-get install etcd-server): no ratios");
            None
        }
    };
    let holds =
        table::print("control plane, 2 cores with its clients", "etcd", &lines(&ours, theirs.as_ref(), objects));
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(ours: &Measured, theirs: Option<&Measured>, objects: usize) -> Vec<Line> {
    let line = |what: String, figure: fn(&Measured) -> f64, unit, limit| {
        Line::new(what, figure(ours), unit, limit, theirs.map(figure))
    };
    vec![
        line(
            format!("durable creates, {WRITERS} clients"),
            |m| m.creates.a_second(),
            "/s",
            Some(Limit::AtLeast(3_000.0)),
        ),
        line("  p50 of a create".into(), |m| m.creates.quantile_ms(0.5), "ms", None),
        line("  p99 of a create".into(), |m| m.creates.quantile_ms(0.99), "ms", None),
        line("  CPU of the server a create".into(), |m| m.create_cpu_ms, "ms", None),
        line(format!("gets, {READERS} clients"), |m| m.gets.a_second(), "/s", None),
        line("  p50 of a get".into(), |m| m.gets.quantile_ms(0.5), "ms", None),
        line("  p99 of a get".into(), |m| m.gets.quantile_ms(0.99), "ms", Some(Limit::AtMost(2.0))),
        line(format!("list of {objects}, {PAGE} a page"), |m| m.list_seconds, "s", Some(Limit::AtMost(2.0))),
        line(
            format!("resident memory with {objects} objects"),
            |m| m.resident_bytes as f64 / MIB,
            "MiB",
            Some(Limit::AtMost(476.0)),
        ),
        line(
            format!("{WATCHERS} watchers at {WRITES_A_SECOND} writes/s: deliveries"),
            |m| m.deliveries.a_second(),
            "/s",
            Some(Limit::AtLeast(0.98 * (WATCHERS * WRITES_A_SECOND) as f64)),
        ),
        line("  p50 from write sent to event read".into(), |m| m.deliveries.quantile_ms(0.5), "ms", None),
        line(
            "  p99 from write sent to event read".into(),
            |m| m.deliveries.quantile_ms(0.99),
            "ms",
            Some(Limit::AtMost(10.0)),
        ),
        line("  CPU of the server meanwhile".into(), |m| m.watch_cpu_seconds, "s", None),
    ]
}

async fn bedplate(binary: &Path, objects: usize) -> Result<Measured> {
    let home = tempfile::tempdir()?;
    let Platform { server, target } = platform::up(binary, home.path(), home.path(), |_| {})?;

    let before = cpu_seconds(server.pid())?;
    let creates = load::closed(WRITERS, objects, |_| creating(target.clone())).await?;
    let create_cpu_ms = (cpu_seconds(server.pid())? - before) * 1_000.0 / objects as f64;
    let gets = load::closed(READERS, GETS, |_| getting(target.clone(), objects)).await?;
    let resident_bytes = resident(server.pid());
    let started = Instant::now();
    let listed = list(&target).await?;
    let list_seconds = started.elapsed().as_secs_f64();
    if listed != objects {
        bail!("{objects} objects were created and {listed} listed");
    }
    let before = cpu_seconds(server.pid())?;
    let deliveries = watched(&target).await?;
    let watch_cpu_seconds = cpu_seconds(server.pid())? - before;
    Ok(Measured { creates, create_cpu_ms, gets, list_seconds, resident_bytes, deliveries, watch_cpu_seconds })
}

fn map(name: &str, at: u64) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}","labels":{{"app":"bench"}}}},"data":{{"at":"{at}","text":"{}"}}}}"#,
        "x".repeat(100)
    )
}

type Asking = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;

async fn creating(target: Target) -> Result<impl FnMut(usize) -> Asking + Send + 'static> {
    let connection = Arc::new(Mutex::new(Connection::open(&target).await?));
    Ok(move |n: usize| -> Asking {
        let connection = connection.clone();
        Box::pin(async move {
            connection.lock().await.ask("POST", MAPS, map(&format!("m{n:06}"), 0)).await?;
            Ok(())
        })
    })
}

async fn getting(target: Target, objects: usize) -> Result<impl FnMut(usize) -> Asking + Send + 'static> {
    let connection = Arc::new(Mutex::new(Connection::open(&target).await?));
    Ok(move |n: usize| -> Asking {
        let connection = connection.clone();
        Box::pin(async move {
            let path = format!("{MAPS}/m{:06}", scattered(n, objects));
            connection.lock().await.ask("GET", &path, String::new()).await?;
            Ok(())
        })
    })
}

/// An object that is not the neighbour of the one before.
fn scattered(n: usize, objects: usize) -> usize {
    n.wrapping_mul(7_919) % objects
}

/// A page of a list; its items are checked to be JSON and not looked into, as those of etcd are not.
#[derive(Deserialize)]
struct Page<'a> {
    metadata: Value,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// How many objects all pages hold together.
async fn list(target: &Target) -> Result<usize> {
    let mut connection = Connection::open(target).await?;
    let (mut listed, mut more) = (0, String::new());
    loop {
        let body = connection.ask("GET", &format!("{MAPS}?limit={PAGE}{more}"), String::new()).await?;
        let page: Page<'_> = serde_json::from_slice(&body)?;
        listed += page.items.len();
        match page.metadata["continue"].as_str() {
            Some(token) if !token.is_empty() => more = format!("&continue={token}"),
            _ => return Ok(listed),
        }
    }
}

/// Watchers on other connections than the writer's see what it writes.
async fn watched(target: &Target) -> Result<Done> {
    let head: Value = serde_json::from_slice(
        &Connection::open(target).await?.ask("GET", &format!("{MAPS}?limit=1"), String::new()).await?,
    )?;
    let version = head["metadata"]["resourceVersion"].as_str().context("the list has no version")?.to_owned();
    let ready = Arc::new(AtomicUsize::new(0));
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let (target, ready) = (target.clone(), ready.clone());
        let path = format!("{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=60");
        watchers.push(tokio::spawn(async move {
            let mut connection = Connection::open(&target).await?;
            let mut body = connection.send("GET", &path, String::new()).await?.into_body();
            ready.fetch_add(1, Ordering::SeqCst);
            let (mut micros, mut rest) = (Vec::new(), Vec::new());
            while micros.len() < WRITES_A_SECOND * WATCH_SECONDS {
                let Some(frame) = body.frame().await else { bail!("a watch ended by itself") };
                if let Ok(data) = frame?.into_data() {
                    read_lines(&data, &mut rest, &mut micros);
                }
            }
            Ok(micros)
        }));
    }
    await_ready(&ready).await;
    let connections = connections(target, 16).await?;
    load_watch(watchers, move |n, at| {
        let connection = connections[n % connections.len()].clone();
        async move {
            connection.lock().await.ask("POST", MAPS, map(&format!("w{n:06}"), at)).await?;
            Ok(())
        }
    })
    .await
}

async fn connections(target: &Target, many: usize) -> Result<Vec<Arc<Mutex<Connection>>>> {
    let mut all = Vec::new();
    for _ in 0..many {
        all.push(Arc::new(Mutex::new(Connection::open(target).await?)));
    }
    Ok(all)
}

async fn await_ready(ready: &AtomicUsize) {
    while ready.load(Ordering::SeqCst) < WATCHERS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes at the rate while the watchers watch, and gathers what they saw.
async fn load_watch<R>(
    watchers: Vec<tokio::task::JoinHandle<Result<Vec<u64>>>>,
    write: impl Fn(usize, u64) -> R,
) -> Result<Done>
where
    R: Future<Output = Result<()>> + Send + 'static,
{
    let started = Instant::now();
    let mut writes = tokio::task::JoinSet::new();
    load::paced(WRITES_A_SECOND, WATCH_SECONDS, |n| {
        writes.spawn(write(n, load::now()));
        async { Ok(()) }
    })
    .await?;
    while let Some(written) = writes.join_next().await {
        written??;
    }
    let mut all = Vec::new();
    for watcher in watchers {
        let seen = tokio::time::timeout(Duration::from_secs(60), watcher).await;
        all.extend(seen.context("a watcher did not see every write within 60 s")???);
    }
    Ok(Done::of(started.elapsed().as_secs_f64(), all))
}

/// The time since each event of the whole lines was written; `rest` keeps the beginning of the next line.
fn read_lines(data: &[u8], rest: &mut Vec<u8>, micros: &mut Vec<u64>) {
    rest.extend_from_slice(data);
    let now = load::now();
    let mut start = 0;
    while let Some(end) = rest[start..].iter().position(|byte| *byte == b'\n') {
        micros.extend(written_at(&rest[start..start + end]).map(|at| now.saturating_sub(at)));
        start += end + 1;
    }
    rest.drain(..start);
}

/// The moment that `map` wrote into the data; not parsed as JSON, so that the client costs little beside the server.
fn written_at(line: &[u8]) -> Option<u64> {
    const MARK: &[u8] = br#""at":""#;
    let start = line.windows(MARK.len()).position(|part| part == MARK)? + MARK.len();
    let digits = line[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

async fn etcd_run(etcd: &peer::Etcd, objects: usize) -> Result<Measured> {
    let (address, pid) = (etcd.address.clone(), etcd.server.pid());
    let before = cpu_seconds(pid)?;
    let creates = load::closed(WRITERS, objects, |_| putting(address.clone())).await?;
    let create_cpu_ms = (cpu_seconds(pid)? - before) * 1_000.0 / objects as f64;
    let gets = load::closed(READERS, GETS, |_| ranging(address.clone(), objects)).await?;
    let resident_bytes = resident(pid);
    let started = Instant::now();
    let listed = range_all(&address).await?;
    let list_seconds = started.elapsed().as_secs_f64();
    if listed != objects {
        bail!("{objects} keys were put and {listed} ranged");
    }
    let before = cpu_seconds(pid)?;
    let deliveries = etcd_watched(&address).await?;
    let watch_cpu_seconds = cpu_seconds(pid)? - before;
    Ok(Measured { creates, create_cpu_ms, gets, list_seconds, resident_bytes, deliveries, watch_cpu_seconds })
}

async fn putting(address: String) -> Result<impl FnMut(usize) -> Asking + Send + 'static> {
    let client = Arc::new(Mutex::new(etcd::Client::open(&address).await?));
    Ok(move |n: usize| -> Asking {
        let client = client.clone();
        Box::pin(async move { client.lock().await.put(format!("maps/m{n:06}"), map("m", 0).into_bytes()).await })
    })
}

async fn ranging(address: String, objects: usize) -> Result<impl FnMut(usize) -> Asking + Send + 'static> {
    let client = Arc::new(Mutex::new(etcd::Client::open(&address).await?));
    Ok(move |n: usize| -> Asking {
        let client = client.clone();
        Box::pin(async move {
            let key = format!("maps/m{:06}", scattered(n, objects)).into_bytes();
            let found = client.lock().await.range(etcd::RangeRequest { key, range_end: Vec::new(), limit: 1 }).await?;
            if found.kvs.len() == 1 { Ok(()) } else { bail!("a key is missing") }
        })
    })
}

async fn range_all(address: &str) -> Result<usize> {
    let mut client = etcd::Client::open(address).await?;
    let (mut listed, mut key) = (0, b"maps/".to_vec());
    loop {
        let page =
            client.range(etcd::RangeRequest { key, range_end: etcd::end_of("maps/"), limit: PAGE as i64 }).await?;
        listed += page.kvs.len();
        match page.kvs.last() {
            Some(last) if page.more => key = [last.key.as_slice(), b"\0"].concat(),
            _ => return Ok(listed),
        }
    }
}

async fn etcd_watched(address: &str) -> Result<Done> {
    let ready = Arc::new(AtomicUsize::new(0));
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let (address, ready) = (address.to_owned(), ready.clone());
        watchers.push(tokio::spawn(async move {
            let mut client = etcd::Client::open(&address).await?;
            let mut micros = Vec::new();
            let began = || {
                ready.fetch_add(1, Ordering::SeqCst);
            };
            client
                .watch("maps/", began, |value| {
                    micros.extend(written_at(value).map(|at| load::now().saturating_sub(at)));
                    micros.len() == WRITES_A_SECOND * WATCH_SECONDS
                })
                .await?;
            Ok(micros)
        }));
    }
    await_ready(&ready).await;
    let mut clients = Vec::new();
    for _ in 0..16 {
        clients.push(Arc::new(Mutex::new(etcd::Client::open(address).await?)));
    }
    load_watch(watchers, move |n, at| {
        let client = clients[n % clients.len()].clone();
        async move { client.lock().await.put(format!("maps/w{n:06}"), map("m", at).into_bytes()).await }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_cut_anywhere_are_read_once() {
        let at = load::now();
        let line = format!("{}\n", map("a", at));
        let (mut rest, mut micros) = (Vec::new(), Vec::new());
        let (first, second) = line.as_bytes().split_at(40);
        read_lines(first, &mut rest, &mut micros);
        assert!(micros.is_empty());
        read_lines(&[second, line.as_bytes()].concat(), &mut rest, &mut micros);
        assert_eq!((micros.len(), rest.len()), (2, 0));
        assert_eq!(written_at(map("a", 12_345).as_bytes()), Some(12_345));
    }
}
