//! Rows of feature views in a Redis: shared by replicas, there after a kill, and told of when it is away.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bedplate_testkit::{Postgres, Redis, Server};
use serde_json::{Value, json};

use crate::http::Api;
use crate::run::{PORTS, bedplate, said, started};
use crate::{feast, replicas};

const PATIENCE: Duration = Duration::from_secs(90);
/// One that has to be written otherwise in an address.
const PASSWORD: &str = "p@ss/w:rd?";
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%3F";
const VIEW: &str = "/apis/bedplate.dev/v1alpha1/namespaces/drivers/featureviews/driver-stats";

fn guarded(what: &str) -> Option<(Redis, String)> {
    let server = Redis::of_its_own(what, &["--requirepass", PASSWORD])?;
    let url = format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{}/3", server.port());
    Some((server, url))
}

fn on_redis(home: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = bedplate(home, arguments);
    command.env("BEDPLATE_ONLINE", url).env("BEDPLATE_LOG", "debug");
    command
}

fn up(home: &Path, url: &str, source: &Path) -> Server {
    let source = ["--source-root", source.to_str().unwrap()];
    started(&mut on_redis(home, url, &[&["up"], PORTS.as_slice(), source.as_slice()].concat()))
}

fn apply(home: &Path, folder: &Path) {
    let applied = said(&mut bedplate(home, &["apply", "-f", folder.join("all.yaml").to_str().unwrap()]));
    assert_eq!(applied.code, Some(0), "{}", applied.err);
}

/// As the account whose namespace the view is in.
fn robot(admin: &Api) -> Api {
    let account = json!({ "serviceAccount": { "namespace": "drivers", "name": "robot" } });
    let (code, made) = admin.ask("POST", "/bedplate/v1/tokens", &account);
    assert_eq!(code, 201, "{made}");
    admin.with_token(made["token"].as_str().unwrap()).in_namespace("drivers")
}

fn push(api: &Api, driver: i64, trips: f64) -> (u16, Value) {
    let frame = json!({ "driver_id": [driver], "at": ["2025-06-20T00:00:00Z"], "trips": [trips], "rating": [null] });
    api.ask("POST", "/push", &json!({ "push_source_name": "trips", "df": frame, "to": "online" }))
}

fn read(api: &Api, drivers: &[i64]) -> (u16, Value) {
    let asked = json!({ "entities": { "driver_id": drivers }, "features": ["driver_stats:trips"] });
    let (code, told) = api.ask("POST", "/get-online-features", &asked);
    if code == 200 { (code, told["results"][1]["values"].clone()) } else { (code, told) }
}

#[track_caller]
fn until<T: std::fmt::Debug>(mut found: impl FnMut() -> T, is_it: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = found();
        if is_it(&found) {
            return found;
        }
        assert!(Instant::now() < end, "{found:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn phase(api: &Api, phase: &str) -> Value {
    until(|| api.get(VIEW), |view| view["status"]["phase"] == phase)
}

#[test]
fn what_was_pushed_is_there_after_kills_and_nobody_is_told_the_password() {
    let Some((mut redis, url)) = guarded("the platform on a Redis") else { return };
    let (folder, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = folder.path().join("home");
    feast::write(source.path());
    let server = up(&home, &url, source.path());
    apply(&home, source.path());
    phase(&Api::of(&home, &home), "Ready");
    let api = robot(&Api::of(&home, &home));
    assert_eq!(read(&api, &[1, 2, 9]), (200, json!([12.0, 3.0, null])));
    assert_eq!(push(&api, 2, 8.0).0, 200);
    assert_eq!(push(&api, 9, 5.0).0, 200);
    assert_eq!(read(&api, &[1, 2, 9]), (200, json!([12.0, 8.0, 5.0])));
    let mut heard = server.said();
    server.kill().unwrap();
    redis.crash();
    let refused = said(&mut on_redis(&home, &url, &[&["up"], PORTS.as_slice()].concat()));
    let at = format!("127.0.0.1:{}/3", redis.port());
    refused.refused(7, &["the online store", &at, "BEDPLATE_ONLINE"]);
    heard += &refused.err;
    redis.resume().unwrap();

    let server = up(&home, &url, source.path());
    let (admin, token) = (Api::of(&home, &home), robot(&Api::of(&home, &home)));
    let api = until(|| read(&token, &[1, 2, 9]), |found| found.0 == 200);
    assert_eq!(api.1, json!([12.0, 8.0, 5.0]), "rows that were pushed are in no source");

    // It goes away while the platform is up, and nobody just looks at the view.
    phase(&admin, "Ready");
    std::thread::sleep(Duration::from_secs(1));
    redis.crash();
    for (code, told) in [read(&token, &[1]), push(&token, 1, 1.0)] {
        assert!(code == 503 && told.to_string().contains(&at), "{code} {told}");
        heard += &told.to_string();
    }
    redis.resume().unwrap();
    until(|| push(&token, 1, 13.0).0, |code| *code == 200);
    assert_eq!(read(&token, &[1, 9]), (200, json!([13.0, 5.0])));

    let doctor = said(&mut on_redis(&home, &url, &["doctor"]));
    assert!(doctor.out.lines().any(|line| line.starts_with("ok    online") && line.contains(&at)), "{doctor:?}");
    let doctor_of_none = said(&mut bedplate(&home, &["doctor"]));
    assert!(doctor_of_none.out.contains("wrong online") && doctor_of_none.code == Some(3), "{doctor_of_none:?}");
    let file = folder.path().join("running.tar.gz");
    let backup = said(&mut bedplate(&home, &["backup", file.to_str().unwrap()]));
    assert!(backup.code == Some(0) && backup.err.contains("note: ") && backup.err.contains(&at), "{backup:?}");
    let log = format!("{:?}", admin.log());
    heard += &format!("{}{doctor:?}{backup:?}{log}{}", server.said(), admin.get(VIEW));
    assert!(server.stop(Duration::from_secs(20)).unwrap().success());

    let file = folder.path().join("offline.tar.gz");
    let backup = said(&mut bedplate(&home, &["backup", file.to_str().unwrap()]));
    assert!(backup.code == Some(0) && backup.err.contains(&at), "{backup:?}");
    let other = folder.path().join("restored");
    assert_eq!(said(&mut bedplate(&other, &["restore", file.to_str().unwrap()])).code, Some(0));
    let refused = said(&mut bedplate(&home, &[&["up"], PORTS.as_slice()].concat()));
    refused.refused(3, &[&at, "BEDPLATE_ONLINE", "online.redis"]);
    let of_others = folder.path().join("other");
    let refused = said(&mut on_redis(&of_others, &url, &[&["up"], PORTS.as_slice()].concat()));
    refused.refused(6, &["another platform", &at]);
    heard += &refused.err;
    for wrong in [url.replace("redis://:", "redis://:not-"), url.replace("/3", "/x"), url.replace("redis:", "http:")] {
        let refused = said(&mut on_redis(&home, &wrong, &[&["up"], PORTS.as_slice()].concat()));
        assert!(refused.code != Some(0) && refused.err.contains("online store"), "{refused:?}");
        heard += &refused.err;
    }
    for password in [PASSWORD, PASSWORD_IN_URL] {
        assert!(!heard.contains(password), "the password was told");
    }
}

#[test]
fn a_view_whose_redis_is_away_says_so_and_is_brought_when_it_is_back() {
    let Some((mut redis, url)) = guarded("a view whose Redis is away") else { return };
    let (home, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    feast::write(source.path());
    let _server = up(home.path(), &url, source.path());
    redis.crash();
    apply(home.path(), source.path());
    let api = Api::of(home.path(), home.path());
    let view = phase(&api, "Failed");
    let told = view["status"]["conditions"][0]["message"].as_str().unwrap();
    assert!(told.contains(&format!("Redis at 127.0.0.1:{}", redis.port())) && told.contains("To fix it"), "{told}");
    assert_eq!(view["status"]["conditions"][0]["reason"], "NotReady");
    // What else wakes it, as its dataset's status does, is over: it is called again by itself.
    std::thread::sleep(Duration::from_secs(6));
    phase(&api, "Failed");
    redis.resume().unwrap();
    phase(&api, "Ready");
    assert_eq!(read(&robot(&api), &[1, 2]), (200, json!([12.0, 3.0])));
}

#[test]
fn replicas_share_the_rows_and_a_new_leader_loads_none_again() {
    let what = "replicas on one Redis";
    let (Some(postgres), Some(redis)) = (Postgres::shared(what), Redis::shared(what)) else { return };
    let (folder, source) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    feast::write(source.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (url, online, keys, data) = (postgres.database(), redis.database(), path("keys"), path("data"));
    let source_root = source.path().to_str().unwrap();
    let shared = ["--keys", &keys, "--data", &data, "--source-root", source_root, "--online", &online];
    let (home_a, home_b) = (folder.path().join("a"), folder.path().join("b"));
    let a = replicas::up(&url, &home_a, &shared);
    apply(&home_a, source.path());
    let admin = Api::of(&home_a, Path::new(&keys));
    phase(&admin, "Ready");
    let b = replicas::up(&url, &home_b, &shared);
    let robot_a = robot(&admin);
    let admin_b = Api::of(&home_b, Path::new(&keys));
    let robot_b = robot(&admin_b);

    assert_eq!(until(|| read(&robot_b, &[1, 2]), |found| found.0 == 200).1, json!([12.0, 3.0]), "b does not lead");
    for n in 0..20 {
        let (writer, reader) = if n % 2 == 0 { (&robot_a, &robot_b) } else { (&robot_b, &robot_a) };
        let (code, told) = push(writer, 100 + n, n as f64);
        assert_eq!(code, 200, "{told}");
        assert_eq!(read(reader, &[100 + n]), (200, json!([n as f64])), "seen at once by the other");
    }
    let materialized = |api: &Api| api.log().iter().filter(|entry| entry["action"] == "materialize").count();
    assert_eq!(materialized(&admin), 1);
    a.kill().unwrap();
    let lease = "/apis/coordination.k8s.io/v1/namespaces/bedplate-system/leases/controllers";
    let is_b = |lease: &Value| lease["spec"]["holderIdentity"].to_string().contains(&format!("_{}_", b.pid()));
    until(|| admin_b.get(lease), is_b);
    // It looks at every object when it begins to lead.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(phase(&admin_b, "Ready")["status"]["phase"], "Ready");
    assert_eq!(read(&robot_b, &[1, 100, 119]), (200, json!([12.0, 0.0, 19.0])));
    assert_eq!(materialized(&admin_b), 1, "the rows are there");
}
