//! The online feature store over HTTP: `/get-online-features` of 18 features of three views, beside Feast's own feature
//! server on Redis, asked the same; and how soon a push is seen.

mod bare;
mod lines;
mod ours;
mod paced;
mod peer;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use bare::serve as serve_bare;

use crate::http1::{Connection, Target};
use crate::load::{self, Done};
use crate::table;

/// How many entities one request asks for.
const SIZES: [usize; 3] = [1, 10, 100];
/// CPU time is told in hundredths of a second: so many that one of them is less than two in a hundred.
const REQUESTS: usize = 15_000;
const PEER_REQUESTS: usize = 300;
const RATE: usize = 10_000;
const SECONDS: usize = 20;
const PUSHES: usize = 200;
/// Each view's entity, and how many features it has.
pub const VIEWS: [(&str, &str, usize); 3] = [("items", "item_id", 6), ("users", "user_id", 8), ("shops", "shop_id", 4)];

/// A feature server, and who it is that answers.
struct Server {
    target: Target,
    pids: Vec<u32>,
    entities: usize,
}

struct Measured {
    /// CPU milliseconds of the server a request, for each size.
    cpu_ms: Vec<f64>,
    closed: Vec<Done>,
}

pub fn run(python: &Path, binary: &Path, entities: usize) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = tempfile::tempdir()?;
    println!("{entities} entities in each of three views");
    let platform = ours::start(binary, folder.path(), entities)?;
    at_rest(&platform.server.pids)?;
    let measured = runtime.block_on(self::measured(&platform.server, REQUESTS))?;
    let paced = paced::paced(&platform.server, SECONDS)?;
    let longest_pause = paced::longest_pause()?;
    let bare = bare::paced(&platform.server, paced.cpu_ms)?;
    let pushes = runtime.block_on(pushed(&platform.server))?;
    // With all that the requests brought into memory.
    let (idle, loaded) = (platform.idle, ours::Memory::at_rest(platform.server.pids[0])?);
    let platform = platform.again(binary, folder.path())?;
    runtime.block_on(all_read(&platform.server))?;
    let again = ours::Memory::at_rest(platform.server.pids[0])?;
    drop(platform);
    let mut materialised = None;
    let theirs = match peer::start(python, folder.path())? {
        Some(feast) => {
            materialised = Some(feast.rows_a_cpu_second);
            Some(runtime.block_on(self::measured(&feast.server, PEER_REQUESTS))?)
        }
        None => {
            println!("NOT RUN: Redis is not installed (apt-get install redis-server): no ratios to Feast");
            None
        }
    };
    let mut lines = lines::of_requests(&measured, theirs.as_ref());
    lines.extend(lines::of_rate(&paced, &bare, longest_pause));
    lines.extend(lines::of_rows(&pushes, materialised));
    lines.extend(lines::of_memory(idle, loaded, again));
    let holds = table::print("online features, 2 cores with the client", "Feast", &lines);
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One client, one request after the other.
async fn measured(server: &Server, requests: usize) -> Result<Measured> {
    let (mut cpu_ms, mut closed) = (Vec::new(), Vec::new());
    for size in SIZES {
        // Caches are warm and, for Feast, what is imported late is imported.
        load::closed(1, requests / 10, |_| asking(server, size)).await?;
        let before = cpu_of(&server.pids)?;
        let done = load::closed(1, requests, |_| asking(server, size)).await?;
        cpu_ms.push((cpu_of(&server.pids)? - before) * 1_000.0 / requests as f64);
        closed.push(done);
    }
    Ok(Measured { cpu_ms, closed })
}

/// Each entity of each view is asked for once.
async fn all_read(server: &Server) -> Result<()> {
    let mut connection = Connection::open(&server.target).await?;
    let all: Vec<usize> = (0..server.entities).collect();
    for ids in all.chunks(1_000) {
        let entities: serde_json::Map<String, Value> =
            VIEWS.iter().map(|(_, key, _)| ((*key).to_owned(), json!(ids))).collect();
        let body = json!({ "entities": entities, "feature_service": "all" }).to_string();
        connection.ask("POST", "/get-online-features", body).await?;
    }
    Ok(())
}

/// From the push being sent to an answer that has it.
async fn pushed(server: &Server) -> Result<Done> {
    let mut connection = Connection::open(&server.target).await?;
    let (mut micros, started) = (Vec::new(), Instant::now());
    for n in 0..PUSHES {
        let value = 1_000_000 + n;
        let moment = micros_now();
        let row = json!({ "item_id": [7], "at": [moment], "items_f0": [value], "items_f1": [0], "items_f2": [0],
            "items_f3": [0], "items_f4": [0], "items_f5": [0] });
        let push = json!({ "push_source_name": "items", "df": row, "to": "online" }).to_string();
        let ask = json!({ "entities": { "item_id": [7] }, "features": ["items:items_f0"] }).to_string();
        let sent = Instant::now();
        connection.ask("POST", "/push", push).await?;
        let answer: Value = serde_json::from_slice(&connection.ask("POST", "/get-online-features", ask).await?)?;
        micros.push(sent.elapsed().as_micros() as u64);
        if answer["results"][1]["values"][0].as_f64() != Some(value as f64) {
            bail!("an acknowledged push is not seen: {answer}");
        }
    }
    Ok(Done::of(started.elapsed().as_secs_f64(), micros))
}

/// Microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a bench pushes what is known now")]
fn micros_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_micros() as u64
}

/// The answer to one request for ten entities.
fn ask_once(server: &Server) -> Result<bytes::Bytes> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Connection::open(&server.target).await?.ask("POST", "/get-online-features", body(server, 0, 10)).await
    })
}

type Asking = std::pin::Pin<Box<dyn Future<Output = Result<()>> + Send>>;

async fn asking(server: &Server, size: usize) -> Result<impl FnMut(usize) -> Asking + Send + 'static> {
    let connection = Arc::new(Mutex::new(Connection::open(&server.target).await?));
    let entities = server.entities;
    let first: Value = ask(&connection, body_of(entities, 0, size)).await?;
    if first["results"].as_array().is_none_or(|results| results.len() != 21) {
        bail!("18 features and 3 keys were asked for: {first}");
    }
    Ok(move |n: usize| -> Asking {
        let connection = connection.clone();
        Box::pin(async move {
            connection.lock().await.ask("POST", "/get-online-features", body_of(entities, n, size)).await?;
            Ok(())
        })
    })
}

async fn ask(connection: &Mutex<Connection>, body: String) -> Result<Value> {
    let answer = connection.lock().await.ask("POST", "/get-online-features", body).await?;
    Ok(serde_json::from_slice(&answer)?)
}

fn body(server: &Server, n: usize, size: usize) -> String {
    body_of(server.entities, n, size)
}

/// Entities that are nobody's neighbours.
fn body_of(entities: usize, n: usize, size: usize) -> String {
    let ids = |salt: usize| -> Vec<usize> {
        (0..size).map(|i| ((n * size + i) * 7_919 + salt).wrapping_mul(104_729) % entities).collect()
    };
    let keys: serde_json::Map<String, Value> =
        VIEWS.iter().enumerate().map(|(salt, (_, key, _))| ((*key).to_owned(), json!(ids(salt)))).collect();
    json!({ "entities": keys, "feature_service": "all" }).to_string()
}

/// Waits until the server does nothing by itself: what it does behind a load is not of a request.
fn at_rest(pids: &[u32]) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let before = cpu_of(pids)?;
        std::thread::sleep(Duration::from_secs(2));
        let share = (cpu_of(pids)? - before) / 2.0;
        if share < 0.03 {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("the server is not at rest: it takes {share:.2} of a processor with nobody asking");
        }
    }
}

fn cpu_of(pids: &[u32]) -> Result<f64> {
    let each = pids.iter().map(|pid| bedplate_testkit::cpu_seconds(*pid));
    Ok(each.sum::<std::io::Result<f64>>()?)
}
