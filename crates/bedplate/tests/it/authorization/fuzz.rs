//! Requests that no honest client sends, at every protocol: names spelled in every way that some server might take for
//! another, namespaces in bodies that differ from those in paths, forged tokens of place, headers of other systems.
//! Whatever comes back holds no word of the namespace it is after, and nothing there is changed.

use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::console::session;
use super::grpc;
use super::http::{Ask, Reply, send};
use super::s3;
use super::world::{RUN, World, event};

/// The same requests every time. A failure prints its number.
const SEED: u64 = 0x00C0_FFEE;
const REQUESTS: usize = 4_000;

/// Nothing of another namespace is told or changed by any protocol.
pub fn attack(world: &World) {
    let before = world.declared();
    let mut dice = Dice(SEED);
    let mut codes = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..REQUESTS {
        let (name, token) = dice.one_of(&world.others).clone();
        let (listener, ask) = forge(world, &mut dice);
        let reply = if listener == world.s3 {
            s3::knock(world, &token, &ask)
        } else {
            send(listener, &ask.clone().header("authorization", format!("Bearer {token}")))
        };
        *codes.entry(reply.code).or_default() += 1;
        judge(world, number, name, &ask, &reply);
    }
    assert_eq!(world.declared(), before, "somebody changed something");
    // The attack has reached what refuses it, and what answers it.
    for code in [200, 403, 404] {
        assert!(codes.get(&code).is_some_and(|times| *times > 50), "{codes:?}");
    }
    println!("{codes:?}");
}

fn judge(world: &World, number: usize, name: &str, ask: &Ask, reply: &Reply) {
    let answer = String::from_utf8_lossy(&reply.bytes);
    let sent = format!("{} {}", ask.path, ask.body);
    for secret in &world.secrets {
        let is_told = answer.contains(secret.as_str()) && !sent.contains(secret.as_str());
        assert!(!is_told, "request {number} told {name} {secret}: {ask:?}: {answer}");
    }
    let broke = ["grpc-status: 2", "grpc-status: 13", "grpc-status: 15"]
        .iter()
        .any(|status| reply.head().lines().any(|line| line == *status));
    let is_fault = (reply.code >= 500 && reply.code != 501) || broke;
    assert!(!is_fault, "request {number} of {name} broke something: {ask:?}: {answer}");
    if ask.path.starts_with("/bedplate/v1/search") && reply.code == 200 {
        only_of_rides(number, name, ask, &reply.json());
    }
}

/// Of what is elsewhere not even the number is told.
fn only_of_rides(number: usize, name: &str, ask: &Ask, told: &Value) {
    let results = told["results"].as_array().unwrap();
    let is_of_rides = results.iter().all(|hit| hit["namespace"] == "rides");
    let is_counted = !results.is_empty() || (told["total"] == 0 && told["kinds"] == json!({}));
    assert!(is_of_rides && is_counted, "request {number} found for {name} what is not theirs: {ask:?}: {told}");
}

/// xorshift64*: enough to be varied, and the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % below
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// `word`, spelled as something else that might be taken for it.
fn spelled(dice: &mut Dice, word: &str) -> String {
    let first = word.bytes().next().unwrap_or(b'x');
    match dice.roll(40) {
        0 => word.to_uppercase(),
        1 => format!("%{first:02x}{}", &word[1..]),
        2 => format!("%25{first:02x}{}", &word[1..]),
        3 => format!("{word}%2F"),
        4 => format!("rides%2F..%2F{word}"),
        5 => format!("rides/../{word}"),
        6 => format!("rides%2f%2e%2e%2f{word}"),
        7 => format!("./{word}"),
        8 => format!("{word}%00"),
        9 => format!("{word}%20"),
        10 => format!("%20{word}"),
        11 => format!("rides,{word}"),
        12 => format!("rides;{word}"),
        13 => format!("{word}."),
        14 => format!("rides%00{word}"),
        15 => "*".to_owned(),
        16 => "%2A".to_owned(),
        17 => String::new(),
        18 => format!("/{word}"),
        19 => format!("..%5c{word}"),
        20 => format!("{word}%0d%0ax-bedplate-namespace:%20{word}"),
        21 => "bedplate-system".to_owned(),
        _ => word.to_owned(),
    }
}

fn forge<'a>(world: &'a World, dice: &mut Dice) -> (&'a str, Ask) {
    let control = world.control.as_str();
    let mut ask = match dice.roll(17) {
        0..=3 => objects(world, dice),
        4 => {
            let asked = inference(dice);
            return (&world.inference, tricked(dice, asked));
        }
        5 => push(dice),
        6..=7 => marquez(dice),
        8 => ingest(dice),
        9..=10 => own(world, dice),
        11 => statement(dice),
        12..=13 => return (&world.s3, bucket(world, dice)),
        14 => {
            let asked = feast(dice);
            return (&world.flight, tricked(dice, asked));
        }
        15 => search(dice),
        _ => page(world, dice),
    };
    if dice.chance(25) {
        ask = tricked(dice, ask);
    }
    (control, ask)
}

/// Headers that other systems believe.
fn tricked(dice: &mut Dice, ask: Ask) -> Ask {
    let tricks = [
        ("impersonate-user", "user:admin"),
        ("impersonate-group", "system:masters"),
        ("x-remote-user", "admin"),
        ("x-remote-group", "system:masters"),
        ("x-forwarded-user", "admin"),
        ("x-bedplate-namespace", "flights"),
        ("x-original-url", "/api/v1/namespaces/flights/secrets"),
        ("x-http-method-override", "GET"),
        ("cookie", "bedplate_session=0000"),
        ("x-bedplate-purpose", "anything"),
    ];
    let (name, value) = *dice.one_of(&tricks);
    ask.header(name, value)
}

fn namespace(dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 => "rides".to_owned(),
        _ => spelled(dice, "flights"),
    }
}

fn objects(world: &World, dice: &mut Dice) -> Ask {
    let resources: Vec<_> = world.objects.iter().collect();
    let (resource, names) = *dice.one_of(&resources);
    let (prefix, plural) = resource.split_once(' ').unwrap();
    let mut path = prefix.to_owned();
    if dice.chance(90) {
        path += &format!("/namespaces/{}", namespace(dice));
    }
    if dice.chance(90) {
        path += &format!("/{}", if dice.chance(90) { plural.to_owned() } else { spelled(dice, plural) });
    }
    let name = names.first().map_or("kept", String::as_str);
    if dice.chance(60) {
        path += &format!("/{}", spelled(dice, name));
    }
    if dice.chance(15) {
        path += "/status";
    }
    if dice.chance(10) {
        path = path.replacen("/namespaces", "//namespaces", 1);
    }
    let method = *dice.one_of(&["GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
    let mut ask = Ask::new(method, format!("{path}{}", question(dice)));
    if !matches!(method, "GET" | "HEAD") {
        ask = ask.header(
            "content-type",
            *dice.one_of(&["application/json", "application/merge-patch+json", "application/apply-patch+yaml"]),
        );
        ask.body = object(dice, prefix, plural, name).to_string();
    } else if dice.chance(20) {
        ask = ask.header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    }
    ask
}

fn question(dice: &mut Dice) -> String {
    let forged = ["WzEsImZsaWdodHMiLCIiLG51bGxd", "Wy0xLCJmbGlnaHRzIiwiIixudWxsXQ", "WzEwMCwiIiwiIixudWxsXQ"];
    match dice.roll(14) {
        0 => "?labelSelector=planted%3Dyes".to_owned(),
        1 => "?labelSelector=planted".to_owned(),
        2 => "?fieldSelector=metadata.namespace%3Dflights".to_owned(),
        3 => "?namespace=flights&allNamespaces=true".to_owned(),
        4 => format!("?limit=1&continue={}", dice.one_of(&forged)),
        5 => "?watch=true&timeoutSeconds=1&resourceVersion=1".to_owned(),
        6 => "?resourceVersion=1&resourceVersionMatch=NotOlderThan".to_owned(),
        7 => "?includeObject=Object".to_owned(),
        8 => "?dryRun=All&fieldManager=x&force=true".to_owned(),
        9 => "?fieldManager=x&force=true".to_owned(),
        10 => "?propagationPolicy=Foreground".to_owned(),
        _ => String::new(),
    }
}

/// An object that says it is elsewhere than where it is sent.
fn object(dice: &mut Dice, prefix: &str, plural: &str, name: &str) -> Value {
    let version = prefix.trim_start_matches("/apis/").trim_start_matches("/api/");
    let place = *dice.one_of(&["flights", "rides", "FLIGHTS", "../flights", ""]);
    let kind = match plural {
        "datasets" => "Dataset",
        "configmaps" => "ConfigMap",
        "secrets" => "Secret",
        "rolebindings" => "RoleBinding",
        "policies" => "Policy",
        _ => "Thing",
    };
    let grant =
        json!({ "role": "owner", "subjects": [{ "kind": "User", "name": "sam" }, { "kind": "User", "name": "olga" }] });
    let spec = match plural {
        "rolebindings" => grant,
        "policies" => json!({ "cedar": "permit (principal, action, resource);" }),
        _ => json!({}),
    };
    let kind = if dice.chance(80) { kind } else { "RoleBinding" };
    json!({ "apiVersion": version, "kind": kind, "spec": spec, "data": { "a": "YQ==" },
        "metadata": { "name": name, "namespace": place, "finalizers": null } })
}

fn inference(dice: &mut Dice) -> Ask {
    let model = match dice.roll(5) {
        0 => spelled(dice, "late-arrival"),
        1 => format!("{}.late-arrival", spelled(dice, "flights")),
        2 => format!("flights.{}", spelled(dice, "late-arrival")),
        3 => "rides.late-arrival".to_owned(),
        _ => "flights.late-arrival".to_owned(),
    };
    let rest = *dice.one_of(&[
        "",
        "/ready",
        "/infer",
        "/versions/1",
        "/versions/1/infer",
        "/config",
        "/stats",
        "/versions/%2e%2e",
    ]);
    let method = if rest.ends_with("infer") { "POST" } else { "GET" };
    let ask = Ask::new(method, format!("/v2/models/{model}{rest}"));
    let ask = if dice.chance(50) { ask.header("x-bedplate-namespace", namespace(dice).replace('\0', "")) } else { ask };
    let tensor = json!({ "name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["UA"] });
    if method == "POST" { ask.body(json!({ "inputs": [tensor] })) } else { ask }
}

fn push(dice: &mut Dice) -> Ask {
    let source = spelled(dice, "arrivals");
    let paths = ["/push", "/get-online-features", "/write-to-online-store", "/materialize", "/materialize-incremental"];
    let path = *dice.one_of(&paths);
    let ask = Ask::new("POST", path).header("content-type", "application/json");
    let ask = ask.header(
        "x-bedplate-namespace",
        *dice.one_of(&["flights", "FLIGHTS", "rides", "*", "rides,flights", "../flights"]),
    );
    if path == "/get-online-features" {
        let view = spelled(dice, "aircraft-history");
        return ask.body(json!({ "features": [format!("{view}:last_arr_delay")], "entities": { "tailnum": ["N1"] } }));
    }
    if path.starts_with("/materialize") {
        let views = if dice.chance(20) { Value::Null } else { json!([spelled(dice, "aircraft-history")]) };
        let asked = json!({ "feature_views": views, "start_ts": "2013-01-01", "end_ts": "2014-01-01" });
        return Ask { path: format!("{path}?async=true&force=true"), ..ask.body(asked) };
    }
    if path == "/write-to-online-store" {
        let view = spelled(dice, "aircraft-history");
        return ask.body(json!({ "feature_view_name": view, "df": { "tailnum": ["N1"], "arr_delay": [1.0] } }));
    }
    ask.body(json!({ "push_source_name": source, "df": { "origin": ["EWR"], "tailnum": ["N1"] }, "to": "online", "namespace": "flights" }))
}

fn marquez(dice: &mut Dice) -> Ask {
    let root = *dice.one_of(&["/openlineage/api/v1", "/openlineage/api/v1", "/openlineage//api/v1", "/api/v1"]);
    let (space, name) = (namespace(dice), *dice.one_of(&["clean", "raw", "load", "clean%2F..", "load/../load"]));
    let node = *dice.one_of(&["dataset", "job", "datasetField"]);
    let rest = match dice.roll(12) {
        0 => "/namespaces?limit=1000".to_owned(),
        1 => format!("/namespaces/{space}"),
        2 => format!("/namespaces/{space}/datasets?limit=1000&offset=0"),
        3 => format!("/namespaces/{space}/datasets/{name}/versions"),
        4 => format!("/namespaces/{space}/jobs/{name}/runs"),
        5 => format!("/jobs/runs/{RUN}"),
        6 => "/events/lineage?limit=1000&sortDirection=asc".to_owned(),
        7 => format!("/search?q={}", dice.one_of(&["a", "load", "clean", "%25", "_", "flights"])),
        8 => format!("/lineage?nodeId={node}:{space}:{name}&depth=1000"),
        9 => format!("/column-lineage?nodeId={node}:{space}:{name}:planted&withDownstream=true"),
        10 => format!("/lineage?nodeId=dataset:rides:mine&depth=1000&nodeId=dataset:{space}:{name}"),
        _ => format!("/column-lineage?nodeId=dataset:{space}:{name}&depth=1000"),
    };
    Ask::new("GET", format!("{root}{rest}"))
}

/// Events that would tie what is ours to what is theirs, and so show it.
fn ingest(dice: &mut Dice) -> Ask {
    let mut told = event(dice.one_of::<&str>(&["flights", "rides"]), "2026-03-01T00:00:00Z");
    // Nothing of what is planted is sent: it would come back.
    told["run"]["facets"] = json!({});
    for side in ["inputs", "outputs"] {
        told[side] = json!([{ "namespace": dice.one_of(&["rides", "flights", "FLIGHTS", "flights "]), "name": dice.one_of(&["mine", "clean", "raw"]) }]);
    }
    if dice.chance(40) {
        let parent = json!({ "_producer": "https://example.com/p", "_schemaURL": "https://example.com/s.json",
            "run": { "runId": RUN }, "job": { "namespace": "flights", "name": "load" } });
        told["run"]["facets"] = json!({ "parent": parent });
    }
    if dice.chance(50) {
        told["run"]["runId"] = format!("0198c0de-7e57-7000-8000-{:012x}", dice.roll(1 << 30)).into();
    }
    let path =
        *dice.one_of(&["/api/v1/lineage", "/api/lineage", "/openlineage/api/v1/lineage", "/api/v1/lineage/batch"]);
    let body = if path.ends_with("batch") { json!([told]) } else { told };
    Ask::new("POST", path).header("content-type", "application/json").body(body)
}

fn own(world: &World, dice: &mut Dice) -> Ask {
    let space = namespace(dice);
    let runs = &world.objects["/apis/bedplate.dev/v1alpha1 workloads"];
    let run = dice.one_of(runs).clone();
    let node = match dice.roll(6) {
        0 => format!("model:{space}/late-arrival@1"),
        1 => format!("table:{space}/weather@0"),
        2 => format!("endpoint:{space}/late-arrival"),
        3 => format!("run:{run}-1"),
        4 => format!("prediction:{}", world.prediction),
        _ => world.prediction.clone(),
    };
    let path = match dice.roll(13) {
        12 => format!("/bedplate/v1/namespaces/{space}/datasets/{}/profile?purpose=care", spelled(dice, "weather")),
        0 | 1 => format!("/bedplate/v1/trace?node={node}"),
        2 => format!("/bedplate/v1/trace?node={node}&direction=downstream&as=openlineage"),
        3 => format!("/bedplate/v1/trace?node={node}&as=dot"),
        4 => format!("/bedplate/v1/namespaces/{space}/workloads/{}/log", spelled(dice, &run)),
        5 => format!("/bedplate/v1/namespaces/rides/workloads/..%2f..%2fflights%2f{run}/log"),
        6 => format!(
            "/bedplate/v1/audit/{}",
            dice.one_of(&[
                "log?limit=1000",
                "tile/entries/000",
                "tile/entries/000.p/1",
                "checkpoint",
                "proof/1",
                "verify"
            ])
        ),
        7 => "/bedplate/v1/costs?namespace=rides".to_owned(),
        8 => "/bedplate/v1/tokens".to_owned(),
        9 => format!("/bedplate/v1/policy/decisions?namespace={space}"),
        10 => format!(
            "/bedplate/v1/policy/why?verb=get&kind=dataset&name=weather&namespace={space}&as=user:admin&groups=system:masters"
        ),
        _ => format!("/bedplate/v1/policy/why?verb=train&kind=dataset&name=weather&namespace={space}"),
    };
    Ask::new(dice.one_of::<&str>(&["GET", "GET", "GET", "POST", "DELETE"]), path)
}

/// Buckets and objects of others, by every operation and every spelling.
fn bucket(world: &World, dice: &mut Dice) -> Ask {
    let (place, key) = (namespace(dice), spelled(dice, "kept/planted.txt"));
    let path = match dice.roll(6) {
        0 => "/".to_owned(),
        1 => format!("/{place}"),
        2 => format!("/rides/../{place}/{key}"),
        3 => format!("/{place}/{}", spelled(dice, "..%2f..%2fflights%2fkept%2fplanted.txt")),
        _ => format!("/{place}/{key}"),
    };
    let upload = format!("uploadId={}", world.upload);
    let question = *dice.one_of(&[
        "",
        "",
        "list-type=2",
        "list-type=2&prefix=kept&delimiter=%2F",
        "list-type=2&continuation-token=PmE",
        "uploads=",
        "location=",
        "acl=",
        "policy=",
        "versions=",
        "delete=",
        "tagging=",
        "partNumber=1&",
        "versionId=null",
    ]);
    let question = match dice.roll(4) {
        0 => [question, &upload].join("&"),
        _ => question.trim_end_matches('&').to_owned(),
    };
    let method = *dice.one_of(&["GET", "GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"]);
    let mut ask = Ask::new(method, [path, question].join("?").trim_end_matches('?').to_owned());
    match dice.roll(5) {
        0 => ask = ask.header("x-amz-copy-source", format!("{place}/{key}")),
        1 => ask = ask.header("x-amz-copy-source", "/flights/kept/planted.txt").header("if-none-match", "*"),
        _ => {}
    }
    if method == "POST" {
        ask.body = "<Delete><Object><Key>kept/planted.txt</Key></Object></Delete>".to_owned();
    }
    ask
}

/// Statements that name what is elsewhere in every way that SQL has for it.
fn statement(dice: &mut Dice) -> Ask {
    let (space, table) = (namespace(dice), spelled(dice, "weather"));
    let sql = match dice.roll(12) {
        0 => "SELECT * FROM flights.weather".to_owned(),
        1 => "SELECT * FROM \"flights\".\"weather\"".to_owned(),
        2 => "SELECT * FROM bedplate.flights.weather".to_owned(),
        3 => format!("SELECT * FROM \"{table}\""),
        4 => format!("SELECT * FROM \"../flights/{table}\""),
        5 => "WITH weather AS (SELECT 1 AS x) SELECT x, (SELECT max(origin) FROM flights.weather) FROM weather"
            .to_owned(),
        6 => "SHOW TABLES".to_owned(),
        7 => "DESCRIBE flights.weather".to_owned(),
        8 => "EXPLAIN ANALYZE SELECT * FROM flights.weather".to_owned(),
        9 => "SELECT * FROM information_schema.tables".to_owned(),
        10 => "SELECT 1 FROM '../../flights/weather'".to_owned(),
        _ => format!("SELECT * FROM {table}"),
    };
    let purpose = *dice.one_of::<&str>(&["", "care", "*"]);
    let ask = Ask::new("POST", format!("/bedplate/v1/namespaces/{space}/sql"));
    ask.header("content-type", "application/json").body(json!({ "sql": sql, "purpose": purpose }))
}

/// What Feast's client asks of history, about what is elsewhere, in a project that is not theirs.
fn feast(dice: &mut Dice) -> Ask {
    let (view, source, project) = (spelled(dice, "aircraft-history"), spelled(dice, "weather"), namespace(dice));
    let sql = *dice.one_of(&["SELECT * FROM flights.weather", "SELECT * FROM weather", "SHOW TABLES"]);
    let proto = json!({ "name": source, "type": "BATCH_FILE" }).to_string();
    let pull = *dice.one_of(&["pull_all_from_table_or_query", "pull_latest_from_table_or_query"]);
    let (call, command) = match dice.roll(8) {
        0..=1 => (
            "DoExchange",
            json!({ "api": "get_historical_features", "feature_view_names": [view],
            "name_aliases": [view], "feature_refs": [format!("{view}:last_arr_delay")], "full_feature_names": true,
            "project": project }),
        ),
        2 => (
            "DoExchange",
            json!({ "api": "get_historical_features", "feature_view_names": ["mine"],
            "name_aliases": [null], "feature_refs": ["mine:x"], "full_feature_names": false, "project": project,
            "entity_df_sql": sql }),
        ),
        3 => (
            "DoExchange",
            json!({ "api": pull, "data_source_name": source, "join_key_columns": ["origin"],
            "feature_name_columns": [], "timestamp_field": "known_at", "created_timestamp_column": null,
            "start_date": null, "end_date": "2030-01-01" }),
        ),
        4 => (
            "DoExchange",
            json!({ "api": "get_table_column_names_and_types_from_data_source", "data_source_proto": proto }),
        ),
        5 => ("DoPut", json!({ "api": "offline_write_batch", "feature_view_names": [view], "name_aliases": [null] })),
        6 => (
            "DoPut",
            json!({ "api": "persist", "retrieve_func": "get_historical_features",
            "data_source_name": source, "allow_overwrite": true }),
        ),
        _ => ("DoPut", json!({ "api": "validate_data_source", "data_source_proto": proto })),
    };
    let columns = match dice.roll(2) {
        0 => vec![("key", DataType::Utf8)],
        _ => vec![("tailnum", DataType::Utf8), ("event_timestamp", DataType::Utf8)],
    };
    let ask = grpc::feast(call, &command, &columns);
    let ask = if dice.chance(70) { ask.header("x-bedplate-namespace", "flights") } else { ask };
    if dice.chance(5) { Ask { raw: ask.raw[..dice.roll(ask.raw.len())].to_vec(), ..ask } } else { ask }
}

/// Words, and beginnings of words, of what is elsewhere.
fn search(dice: &mut Dice) -> Ask {
    let words = [
        "",
        "weather",
        "wether",
        "we",
        "zq7",
        "zq7-plantd",
        "planted:yes",
        "planted-synonym",
        "late",
        "kind:dataset",
        "owner:planted-team",
        "pii:suggested",
        "term:kept",
        "classification:internal",
        "*",
        "flights/weather",
        "%25",
        "origin",
    ];
    let mut path = format!("/bedplate/v1/search?q={}&limit={}", dice.one_of(&words), dice.roll(300));
    if dice.chance(40) {
        path += &format!("&namespace={}", namespace(dice));
    }
    if dice.chance(40) {
        path +=
            &format!("&kind={}", dice.one_of(&["dataset", "column", "feature", "model", "term", "endpoint", "secret"]));
    }
    if dice.chance(20) {
        path += &format!("&owner={}", dice.one_of(&["planted-team", "network", "*", ""]));
    }
    if dice.chance(20) {
        path += &format!("&tag={}", dice.one_of(&["planted:yes", "pii:email", "*"]));
    }
    Ask::new("GET", path)
}

/// Pages, with a session of one's own.
fn page(world: &World, dice: &mut Dice) -> Ask {
    let path = match dice.roll(7) {
        0 => "/".to_owned(),
        1 => format!("/catalogue?q={}", dice.one_of(&["weather", "zq7", "planted", "", "late", "kind:dataset"])),
        2 => format!("/ns/{}/datasets/{}", namespace(dice), spelled(dice, "weather")),
        3 => format!("/ns/rides/datasets/..%2f..%2fflights%2f{}", spelled(dice, "weather")),
        4 => format!("/ns/{}/featureviews/{}", namespace(dice), spelled(dice, "weather")),
        _ => format!("/ns/{}", namespace(dice)),
    };
    let (_, token) = dice.one_of(&world.others).clone();
    Ask::new("GET", path).header("cookie", session(world, &token))
}
