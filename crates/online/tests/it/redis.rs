//! A Redis that goes away, that somebody else works in too, and one that would lose what it acknowledged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bedplate_features::SourceRow;
use bedplate_kinds::Aggregate;
use bedplate_online::{Keeps, LoadError, OnlineError, OnlineStore, Question, RedisAddress};
use bedplate_testkit::{Redis, free_port};
use bedplate_types::{ErrorKind, Explained, Timestamp};

use crate::engine::{connected, how};
use crate::source::{carrier, feature, last_and_sum, row, view};

fn at(store: &OnlineStore, view_id: &str, time: i64) -> Vec<Option<f64>> {
    store.read(&last_and_sum(), view_id, &carrier("UA"), Timestamp::from_micros(time)).unwrap()
}

/// What `read` answers once the Redis is reached again.
fn soon<T>(read: impl Fn() -> Result<T, OnlineError>) -> T {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        match read() {
            Ok(found) => return found,
            Err(error) if Instant::now() > until => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Keys whose names begin so.
fn keys(server: &Redis, url: &str, begin: &str) -> Vec<String> {
    let told = server.cli(url, &["--scan", "--pattern", &format!("{begin}*")]);
    told.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn rows(until: i64) -> impl Iterator<Item = Result<SourceRow, ()>> {
    (2..until).map(|i| Ok(row("UA", i, Some(i), 1.0)))
}

#[test]
fn one_that_crashes_under_a_load_keeps_what_was_acknowledged_and_shows_nothing_of_the_load() {
    let Some(mut server) = Redis::of_its_own("a Redis that crashes under a load", &[]) else { return };
    let url = server.database();
    let store = connected(&url).unwrap();
    store.put("v", &[row("UA", 1, Some(1), 5.0)]).unwrap();
    store.mark_loaded("v", "table@3").unwrap();
    let mut count = 0;
    let crashing = rows(30_000).inspect(|_| {
        count += 1;
        if count == 15_000 {
            server.crash();
        }
    });
    let error = store.try_load("v", None, crashing).unwrap_err();
    let LoadError::Store(error) = error else { panic!("{error:?}") };
    assert_eq!(error.kind(), ErrorKind::NotReady, "{error}");
    let error = store.put("v", &[row("UA", 2, None, 5.0)]).unwrap_err();
    assert!(error.to_string().contains(&format!("127.0.0.1:{}/", server.port())), "{error}");
    assert!(error.fix().unwrap().contains("BEDPLATE_ONLINE"));

    server.resume().unwrap();
    assert_eq!(soon(|| store.count("v")), 1);
    assert!(store.is_loaded("v", "table@3").unwrap());
    assert_eq!(at(&store, "v", 20_000), [Some(5.0), None]);
    assert_eq!(store.try_load("v", None, rows(30_000)).unwrap(), 29_998);
    assert_eq!((at(&store, "v", 20_000), store.count("v").unwrap()), (vec![Some(1.0), Some(100.0)], 29_999));
    // Of the load that was cut short nothing is left.
    assert_eq!(keys(&server, &url, "bedplate:rows:").len(), 1);
    assert_eq!(keys(&server, &url, "bedplate:trash"), [""; 0]);
}

#[test]
fn every_acknowledged_push_survives_crashes() {
    let Some(mut server) = Redis::of_its_own("a Redis that crashes under pushes", &[]) else { return };
    let url = server.database();
    let store = connected(&url).unwrap();
    for crash in 0..4_i64 {
        let time = |n| crash * 100 + n;
        for n in 0..20 {
            assert_eq!(soon(|| store.put("v", &[row("UA", time(n), None, 1.0), row("AA", time(n), None, 1.0)])), 2);
        }
        server.crash();
        server.resume().unwrap();
        assert_eq!(soon(|| store.count("v")), (40 * (crash + 1)).unsigned_abs());
    }
}

#[test]
fn a_killed_load_leaves_nothing_behind_that_is_seen_or_stays() {
    let Some(server) = Redis::shared("a killed load into Redis") else { return };
    let url = server.database();
    let store = connected(&url).unwrap();
    // As by a kill, nobody cleans up.
    let killed = rows(9_000).inspect(|row| assert!(row.as_ref().unwrap().time < 8_000, "killed"));
    catch_unwind(AssertUnwindSafe(|| store.try_load("v", None, killed))).unwrap_err();
    assert_eq!((at(&store, "v", 9_000), store.count("v").unwrap()), (vec![None, None], 0));
    assert_eq!(keys(server, &url, "bedplate:rows:").len(), 1, "it got somewhere");
    let store = connected(&url).unwrap();
    assert_eq!(store.try_load("v", None, rows(3_000)).unwrap(), 2_998);
    assert_eq!(at(&store, "v", 9_000)[0], Some(1.0));
    assert_eq!(keys(server, &url, "bedplate:rows:").len(), 1, "what the killed one left is gone");
    store.drop_view("v").unwrap();
    assert_eq!(keys(server, &url, "bedplate:rows:"), [""; 0]);
    assert_eq!(keys(server, &url, "bedplate:entities:"), [""; 0]);
}

/// A leader that was replaced while it loaded must not make visible what the new one threw away.
#[test]
fn of_two_loads_of_a_view_the_one_begun_last_counts() {
    let Some(server) = Redis::shared("two loads of one view into Redis") else { return };
    let url = server.database();
    let (old, new) = (connected(&url).unwrap(), connected(&url).unwrap());
    let mut loaded = false;
    let overtaken = rows(9_000).inspect(|_| {
        if !std::mem::replace(&mut loaded, true) {
            assert_eq!(new.try_load("v", None, rows(3_000)).unwrap(), 2_998);
        }
    });
    let error = old.try_load("v", None, overtaken).unwrap_err();
    assert!(matches!(&error, LoadError::Store(error) if error.kind() == ErrorKind::Conflict), "{error:?}");
    assert_eq!(new.count("v").unwrap(), 2_998);
    assert_eq!(keys(server, &url, "bedplate:rows:").len(), 1);
}

#[test]
fn what_one_writes_the_other_reads_at_once_and_of_one_row_they_agree() {
    let Some(server) = Redis::shared("two stores on one Redis") else { return };
    let url = server.database();
    let (one, other) = (connected(&url).unwrap(), connected(&url).unwrap());
    assert_eq!(one.shared_at().unwrap(), url.strip_prefix("redis://").unwrap());
    let last = view(None, vec![feature("x", "x", Aggregate::Last, None)]);
    for n in 1..50_i64 {
        let (writer, reader) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
        writer.put("v", &[row("UA", n, None, n as f64)]).unwrap();
        let found = reader.read_many(&last, "v", &[(Some(carrier("UA")), Timestamp::from_micros(100))]).unwrap();
        assert_eq!(found, [[Some(n as f64)]]);
    }
    let push = |store: OnlineStore, first: i64| {
        move || (0..200).map(|i| store.put("w", &[row("UA", 1, Some(i), (first + i) as f64)]).unwrap()).sum::<u64>()
    };
    let threads = [push(one.clone(), 0), push(other.clone(), 1_000)].map(std::thread::spawn);
    let fresh: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!((fresh, one.count("w").unwrap()), (200, 200));
    let sum: i64 = (0..200).map(|i| 1_000 + i).sum();
    assert_eq!(at(&other, "w", 1)[1], Some(sum as f64), "of each row the greater version");
    one.mark_loaded("v", "table@3").unwrap();
    assert!(other.is_loaded("v", "table@3").unwrap());
}

#[test]
fn several_views_are_read_in_one_round_trip() {
    let Some(server) = Redis::of_its_own("reading from Redis", &[]) else { return };
    let store = connected(&server.url(0)).unwrap();
    let (last, window) = (view(None, vec![feature("x", "x", Aggregate::Last, None)]), last_and_sum());
    let names: Vec<String> = (0..300).map(|i| format!("C{i}")).collect();
    for view_id in ["a", "b", "c"] {
        store.load(view_id, names.iter().map(|name| row(name, 5, None, 1.0))).unwrap();
    }
    let asked: Vec<_> = names.iter().map(|name| (Some(carrier(name)), Timestamp::from_micros(9))).collect();
    let question = |definition, view_id, many| Question { definition, view_id, asked: &asked[..many] };
    let reads = || -> i64 {
        let told = server.cli(&server.url(0), &["INFO", "stats"]);
        told.lines().find_map(|line| line.strip_prefix("total_reads_processed:")?.trim().parse().ok()).unwrap()
    };
    let asking = -(reads() - reads());
    let few = [question(&last, "a", 10), question(&window, "b", 10), question(&last, "c", 10)];
    let before = reads();
    let found = store.read_all_dated(&few).unwrap();
    assert_eq!(reads() - before - asking, 1, "one packet with all questions");
    assert!(found.iter().all(|dated| (0..10).all(|entity| dated.value(entity, 0) == Some(1.0))));
    let many = [question(&last, "a", 300), question(&window, "b", 300)];
    assert!(store.read_all(&many).unwrap().iter().all(|values| values.len() == 300 && values[299][0] == Some(1.0)));
    let mut took: Vec<Duration> = (0..300)
        .map(|_| {
            let start = Instant::now();
            store.read_all_dated(&few).unwrap();
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("three views of ten entities: p50 {:?}, p99 {:?}", took[150], took[297]);
}

fn refused(url: &str, kind: ErrorKind, says: &str) {
    let Err(error) = connected(url) else { panic!("{url} was taken") };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    let said = format!("{error} {error:?} {}", error.fix().expect("a fix"));
    assert!(!said.contains("s3cret"), "{said}");
    let server = RedisAddress::parse(url).unwrap().shown();
    assert!(error.to_string().contains(&server), "{error}");
}

#[test]
fn one_that_cannot_be_used_says_why_and_never_the_password() {
    let Some(server) = Redis::of_its_own("a Redis with a password", &[]) else { return };
    let admin = |words: &[&str]| assert_eq!(server.cli(&server.url(0), words), "OK", "{words:?}");
    let rights = ["on", ">s3cret", "~bedplate:*", "+@all", "-@dangerous"];
    admin(&[["ACL", "SETUSER", "vera"].as_slice(), &rights].concat());
    admin(&[["ACL", "SETUSER", "less"].as_slice(), &rights, &["+info", "+config|get"]].concat());
    admin(&["CONFIG", "SET", "requirepass", "s3cret"]);
    let url = |who: &str| format!("redis://{who}127.0.0.1:{}/1", server.port());
    connected(&url(":s3cret@")).unwrap();
    // What the pages say that an account of its own needs.
    let store = connected(&url("less:s3cret@")).unwrap();
    store.put("v", &[row("UA", 1, None, 1.0)]).unwrap();
    store.load("v", [row("UA", 2, None, 1.0)]).unwrap();
    assert_eq!(at(&store, "v", 3), [Some(1.0), Some(2.0)]);
    store.drop_view("v").unwrap();
    refused(&url(":s3cret-not@"), ErrorKind::NotReady, "user and password");
    refused(&url("nobody:s3cret@"), ErrorKind::NotReady, "user and password");
    refused(&url(""), ErrorKind::NotReady, "user and password");
    refused(&url("vera:s3cret@"), ErrorKind::NotReady, "does not let this user");
    refused(&format!("redis://:s3cret@127.0.0.1:{}", free_port()), ErrorKind::NotReady, "is not reached");
    // Waited for in vain, or hung up on.
    refused(&format!("rediss://:s3cret@127.0.0.1:{}", server.port()), ErrorKind::NotReady, "Redis at");
}

#[test]
fn one_that_would_lose_what_it_acknowledged_is_refused_unless_that_is_accepted() {
    let Some(server) = Redis::of_its_own("a Redis that is not durable", &[]) else { return };
    let url = server.url(0);
    let set = |name: &str, value: &str| assert_eq!(server.cli(&url, &["CONFIG", "SET", name, value]), "OK");
    assert_eq!(how(&url).standing().unwrap().keeps, Keeps::BeforeItAnswers);
    assert_eq!(keys(&server, &url, ""), [""; 0], "it was looked at only");
    let accepted = || {
        let store = OnlineStore::connect(bedplate_online::Connect { may_lose: true, ..how(&url) }).unwrap();
        store.put("v", &[row("UA", 1, None, 1.0)]).unwrap();
        store.standing().unwrap().unwrap().loses.unwrap()
    };
    set("maxmemory-policy", "allkeys-lru");
    refused(&url, ErrorKind::NotReady, "maxmemory-policy allkeys-lru");
    assert!(accepted().contains("allkeys-lru"));
    set("maxmemory-policy", "volatile-lru");
    connected(&url).unwrap();
    let waits = how(&url).standing().unwrap().version.strip_prefix("Redis 7.0").is_none();
    set("appendfsync", "everysec");
    match waits {
        true => {
            let store = connected(&url).unwrap();
            assert_eq!(store.standing().unwrap().unwrap().keeps, Keeps::WaitedFor);
            store.put("w", &[row("UA", 1, None, 1.0)]).unwrap();
        }
        false => refused(&url, ErrorKind::NotReady, "appendfsync"),
    }
    set("appendonly", "no");
    refused(&url, ErrorKind::NotReady, "appendonly no");
    assert!(accepted().contains("appendonly no"));
}

#[test]
fn one_without_memory_refuses_rows_whole_and_goes_on_reading() {
    let Some(server) = Redis::of_its_own("a Redis without memory", &[]) else { return };
    let url = server.url(0);
    let store = connected(&url).unwrap();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    assert_eq!(server.cli(&url, &["CONFIG", "SET", "maxmemory", "100kb"]), "OK");
    let error = store.put("v", &[row("UA", 2, None, 6.0), row("AA", 2, None, 6.0)]).unwrap_err();
    assert!(error.kind() == ErrorKind::NotReady && error.fix().unwrap().contains("maxmemory"), "{error}");
    assert!(store.try_load("v", None, rows(9)).is_err());
    assert_eq!((at(&store, "v", 3), store.count("v").is_err()), (vec![Some(5.0), Some(5.0)], true));
    store.drop_view("v").unwrap();
    assert_eq!(server.cli(&url, &["CONFIG", "SET", "maxmemory", "0"]), "OK");
    assert_eq!(store.count("v").unwrap(), 0);
}

#[test]
fn the_rows_of_another_platform_or_a_newer_one_are_left_alone() {
    let Some(server) = Redis::shared("a Redis of another platform") else { return };
    let url = server.database();
    connected(&url).unwrap().put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    let another = bedplate_online::Connect { owner: "another".into(), ..how(&url) };
    let error = OnlineStore::connect(another).err().expect("it is refused");
    assert!(error.kind() == ErrorKind::Conflict && error.to_string().contains("another platform"), "{error}");
    assert_eq!(server.cli(&url, &["HSET", "bedplate:about", "layout", "9"]), "0");
    refused(&url, ErrorKind::Invalid, "layout 9");
}

#[test]
fn a_server_that_forgot_its_scripts_or_its_clients_is_asked_again() {
    let Some(server) = Redis::of_its_own("a Redis that forgets", &[]) else { return };
    let url = server.url(0);
    let store = connected(&url).unwrap();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    assert_eq!(server.cli(&url, &["SCRIPT", "FLUSH"]), "OK");
    assert_eq!(store.put("v", &[row("UA", 2, None, 6.0)]).unwrap(), 1);
    assert_ne!(server.cli(&url, &["CLIENT", "KILL", "TYPE", "normal"]), "0");
    assert_eq!(at(&store, "v", 3), [Some(6.0), Some(11.0)]);
}

#[test]
fn more_readers_than_connections_wait_for_one_another() {
    let Some(server) = Redis::of_its_own("many readers of a Redis", &[]) else { return };
    let url = server.url(0);
    let store = connected(&url).unwrap();
    store.put("v", &[row("UA", 1, None, 5.0)]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(at(&store, "v", 3)[0], Some(5.0))));
        }
    });
    let connected: usize = server.cli(&url, &["CLIENT", "LIST"]).lines().count();
    assert!(connected <= 16 + 1, "{connected}");
}

#[test]
fn one_behind_tls_is_believed_only_with_its_authority() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key) = (file("cert.pem", certificate.pem()), file("key.pem", key.serialize_pem()));
    let port = free_port().to_string();
    let tls = ["--tls-port", &port, "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-auth-clients", "no"];
    let Some(_server) = Redis::of_its_own("a Redis behind TLS", &tls) else { return };
    let url = format!("rediss://localhost:{port}/2");
    let trusting = bedplate_online::Connect { ca: Some(certificate.pem().into_bytes()), ..how(&url) };
    let store = OnlineStore::connect(trusting).unwrap();
    assert_eq!(store.put("v", &[row("UA", 1, None, 5.0)]).unwrap(), 1);
    assert_eq!(at(&store, "v", 3)[0], Some(5.0));
    refused(&url, ErrorKind::NotReady, "is not reached");
}
