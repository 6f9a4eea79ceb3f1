//! The S3 listener, driven by boto3, pyarrow and DuckDB from PyPI; and what of it survives, ends and is written down.

use std::io::{Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use bedplate_testkit::{Server, not_run, python};
use serde_json::{Value, json};

use crate::authorization::http::{Ask, Reply, send};
use crate::authorization::s3::signed;
use crate::http::Api;
use crate::run::{bedplate, said, up};

/// A platform with two namespaces, and an editor of both.
pub struct House {
    pub home: tempfile::TempDir,
    pub server: Option<Server>,
    pub api: Api,
}

pub struct Key {
    pub id: String,
    pub secret: String,
}

pub fn house(more: &[&str]) -> House {
    let home = tempfile::tempdir().unwrap();
    let server = up(home.path(), more);
    let api = Api::of(home.path(), home.path());
    for namespace in ["care", "rides"] {
        let made = api.ask("POST", "/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }));
        assert_eq!(made.0, 201, "{}", made.1);
        let spec = json!({ "role": "editor", "subjects": [{ "kind": "User", "name": "editor" }] });
        let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding",
            "metadata": { "name": "editor" }, "spec": spec });
        let path = format!("/apis/bedplate.dev/v1alpha1/namespaces/{namespace}/rolebindings");
        let made = api.ask("POST", &path, &object);
        assert_eq!(made.0, 201, "{}", made.1);
    }
    House { home, server: Some(server), api }
}

impl House {
    pub fn address(&self) -> String {
        let said_so = self.server.as_ref().unwrap().said();
        let line = said_so.lines().find(|line| line.trim_start().starts_with("s3 ")).unwrap();
        line.split("://").nth(1).unwrap().trim().to_owned()
    }

    pub fn key(&self, user: &str, expires: &str) -> Key {
        let made = said(&mut bedplate(self.home.path(), &["token", "create", user, "--expires", expires, "--s3"]));
        assert_eq!(made.code, Some(0), "{}", made.err);
        let after = |word: &str| {
            let line = made.out.lines().find_map(|line| line.strip_prefix(word));
            line.unwrap_or_else(|| panic!("{}", made.out)).to_owned()
        };
        Key { id: after("AWS_ACCESS_KEY_ID="), secret: after("AWS_SECRET_ACCESS_KEY=") }
    }

    fn ask(&self, key: &Key, ask: &Ask) -> Reply {
        let address = self.address();
        send(&address, &signed(ask, &address, &key.id, &key.secret))
    }

    #[track_caller]
    fn done(&self, key: &Key, ask: &Ask) -> Reply {
        let reply = self.ask(key, ask);
        assert!((200..300).contains(&reply.code), "{ask:?}: {}", reply.body());
        reply
    }
}

/// One request with a key of somebody's, which must be answered well.
pub fn done_as(endpoint: &str, key: &[String; 2], method: &str, path: &str) {
    let address = endpoint.split("://").nth(1).unwrap();
    let reply = send(address, &signed(&Ask::new(method, path), address, &key[0], &key[1]));
    assert_eq!(reply.code, 200, "{}", reply.body());
}

fn code(reply: &Reply) -> String {
    let body = reply.body();
    let code = body.split_once("<Code>").map_or("", |(_, rest)| rest).split('<').next().unwrap_or_default();
    format!("{} {code}", reply.code)
}

#[test]
fn boto3_pyarrow_and_duckdb_write_read_list_copy_and_are_refused_as_they_know_it() {
    let Some(python) = python() else {
        return not_run("boto3, pyarrow and DuckDB against S3: no Python environment with them");
    };
    let house = house(&[]);
    let (editor, stranger) = (house.key("editor", "1h"), house.key("stranger", "1h"));
    let script = bedplate_testkit::in_crate("tests/it/s3_client.py");
    let url = format!("http://{}", house.address());
    let arguments = [&url, &editor.id, &editor.secret, &stranger.id, &stranger.secret];
    let told = said(Command::new(python).arg(script).args(arguments).env("AWS_EC2_METADATA_DISABLED", "true"));
    assert_eq!(told.code, Some(0), "{}\n{}", told.out, told.err);
    let told: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();
    for (what, expect) in [
        ("create", json!(200)),
        ("create_again", json!("BucketAlreadyOwnedByYou")),
        ("no_namespace", json!("AccessDenied")),
        ("buckets", json!(["care", "rides"])),
        ("location", Value::Null),
        ("region", json!("us-east-1")),
        ("no_bucket", json!("404")),
        ("buckets_left", json!(["care"])),
        ("etag", json!(true)),
        ("whole", json!(true)),
        ("about", json!(["application/x-thing", "no-cache", { "owner": "ana", "why": "a test" }, 1_048_576])),
        ("head", json!([1_048_576, { "owner": "ana", "why": "a test" }, true])),
        ("range_first", json!([true, "bytes 0-9/1048576", 206])),
        ("range_middle", json!([true, "bytes 300000-300004/1048576", 206])),
        ("range_tail", json!([true, "bytes 1048569-1048575/1048576", 206])),
        ("range_rest", json!([true, "bytes 1048570-1048575/1048576", 206])),
        ("range_beyond", json!("InvalidRange")),
        ("empty", json!("")),
        ("odd", json!(true)),
        ("too_long", json!("KeyTooLongError")),
        ("control", json!("InvalidArgument")),
        ("no_key", json!("NoSuchKey")),
        ("overridden", json!("text/csv")),
        ("absent", json!("done")),
        ("present", json!("PreconditionFailed")),
        ("swapped", json!("done")),
        ("stale", json!("PreconditionFailed")),
        ("kept", json!("3")),
        ("not_modified", json!("304")),
        ("bad_md5", json!("BadDigest")),
        ("bad_sum", json!("BadDigest")),
        ("nothing_of_it", json!("404")),
        ("summed", json!([true, "hello"])),
        ("refused_acl", json!("NotImplemented")),
        ("refused_encryption", json!("NotImplemented")),
        ("refused_tags", json!("NotImplemented")),
        ("refused_class", json!("NotImplemented")),
        ("metadata_too_large", json!("MetadataTooLarge")),
        ("versioning", json!("NotImplemented")),
        ("pages", json!([4, 4, 4, 4, 4, 4, 1])),
        ("in_order", json!(true)),
        ("prefixes", json!(["list/0/", "list/1/", "list/2/", "list/3/", "list/4/"])),
        ("prefixes_v1", json!(["list/0/", "list/1/", "list/2/", "list/3/", "list/4/"])),
        ("v1", json!(25)),
        ("after", json!(["list/4/24"])),
        ("odd_listed", json!(["odd/ä/ö/ü \u{2603}"])),
        ("none", json!(0)),
        ("bad_token", json!("InvalidArgument")),
        ("copied", json!([1_048_576, "ana"])),
        ("retold", json!({ "owner": "bob" })),
        ("copy_of_nothing", json!("NoSuchKey")),
        ("deleted", json!(["copied", "nil"])),
        ("gone", json!("404")),
        ("big", json!([17 << 20, true, { "owner": "ana" }])),
        ("big_whole", json!(true)),
        ("across", json!(true)),
        ("too_small", json!("EntityTooSmall")),
        ("parts", json!([9, 3])),
        ("uploads", json!(["parts"])),
        ("completed", json!((5 << 20) + 3)),
        ("completed_again", json!("NoSuchUpload")),
        ("aborted", json!(["NoSuchUpload", "404"])),
        ("url_put", json!(200)),
        ("url_get", json!([200, "sent by url"])),
        ("url_other_key", json!([403, "SignatureDoesNotMatch"])),
        ("url_other_method", json!([403, "SignatureDoesNotMatch"])),
        ("url_late", json!([403, "AccessDenied"])),
        ("unsigned", json!([403, "AccessDenied"])),
        ("url_v2", json!([400, "InvalidRequest"])),
        ("stranger_buckets", json!([])),
        ("stranger_head", json!("404")),
        ("stranger_list", json!("NoSuchBucket")),
        ("stranger_get", json!("NoSuchBucket")),
        ("stranger_put", json!("NoSuchBucket")),
        ("stranger_delete", json!("NoSuchBucket")),
        ("stranger_create", json!("AccessDenied")),
        ("stranger_create_nowhere", json!("AccessDenied")),
        ("wrong_secret", json!("SignatureDoesNotMatch")),
        ("wrong_key", json!("InvalidAccessKeyId")),
        ("arrow", json!(true)),
        ("arrow_columns", json!(["name"])),
        ("arrow_dataset", json!(200_000)),
        ("arrow_stream", json!(30 << 20)),
        ("arrow_missing", json!("NotFound")),
        ("duck_read", json!([[28571, 2857042858_u64]])),
        ("duck_glob", json!([[1_500_001, 2]])),
        ("duck_partitions", json!([[0, 30], [1, 30], [2, 30]])),
        ("duck_csv", json!([["a,b", 1]])),
        ("duck_refused", json!(true)),
    ] {
        assert_eq!(told[what], expect, "{what}");
    }
    // Every write and removal has a leaf, of the bucket and key it was of; what is kept is paid for.
    let log = house.api.log();
    let leaf = |action: &str, object: &str| {
        log.iter()
            .map(|leaf| leaf.get("entry").unwrap_or(leaf))
            .any(|leaf| leaf["action"] == action && leaf["object"] == object && leaf["actor"] == "user:editor")
    };
    assert!(leaf("create", "buckets/care") && leaf("put", "buckets/care/a/b.bin"), "{log:?}");
    assert!(
        leaf("delete", "buckets/care/a/b.bin") && leaf("put", "buckets/care/big") && leaf("delete", "buckets/rides")
    );
    let costs = house.api.get("/bedplate/v1/costs?namespace=care").to_string();
    assert!(costs.contains("stored_gigabytes") || costs.contains("bucket:care"), "{costs}");
}

#[test]
fn a_key_ends_with_its_token_within_a_second() {
    let house = house(&[]);
    let (editor, short) = (house.key("editor", "1h"), house.key("editor", "2s"));
    let list = Ask::new("GET", "/");
    house.done(&editor, &Ask::new("PUT", "/care"));
    house.done(&short, &list);
    let ended = said(&mut bedplate(house.home.path(), &["token", "revoke", &editor.id]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let revoked = Instant::now();
    while house.ask(&editor, &list).code == 200 {
        assert!(revoked.elapsed() < Duration::from_secs(1), "it is still believed");
    }
    assert_eq!(code(&house.ask(&editor, &list)), "403 InvalidAccessKeyId");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(code(&house.ask(&short, &list)), "400 ExpiredToken");
    // Who does not know the secret is not told that it ended.
    let guess = Key { id: short.id.clone(), secret: "x".repeat(43) };
    assert_eq!(code(&house.ask(&guess, &list)), "403 SignatureDoesNotMatch");
}

#[test]
fn who_tries_out_secrets_is_made_to_wait_and_shuts_nobody_else_out() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    let guess = Key { id: editor.id.clone(), secret: "x".repeat(43) };
    let address = house.address();
    let from_here = |key: &Key| {
        let asked = signed(&Ask::new("GET", "/"), &address, &key.id, &key.secret);
        let headers: Vec<(&str, &str)> =
            asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        crate::plain::send("GET", &format!("http://{address}/"), &headers, "").code
    };
    for _ in 0..10 {
        assert_eq!(from_here(&guess), 403);
    }
    assert_eq!(from_here(&guess), 429);
    assert_eq!(from_here(&house.key("editor", "1h")), 200, "another key from the same place");
    assert_eq!(house.ask(&editor, &Ask::new("GET", "/")).code, 200, "the same key from another place");
}

#[test]
fn a_bucket_does_not_outlive_its_namespace() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/rides"));
    house.done(&editor, &Ask::new("PUT", "/rides/secret").body("of the old one"));
    let (code, told) = house.api.ask("DELETE", "/api/v1/namespaces/rides", &Value::Null);
    assert!((200..300).contains(&code), "{told}");
    let until = Instant::now() + Duration::from_secs(20);
    while house.api.ask("GET", "/api/v1/namespaces/rides", &Value::Null).0 != 404 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
    house.api.ask("POST", "/api/v1/namespaces", &json!({ "metadata": { "name": "rides" } }));
    let admin = json!({ "user": "root", "groups": ["system:masters"], "s3": true });
    let (_, made) = house.api.ask("POST", "/bedplate/v1/tokens", &admin);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let admin = Key { id: text("accessKeyId"), secret: text("secretAccessKey") };
    assert_eq!(self::code(&house.ask(&admin, &Ask::new("GET", "/rides/secret"))), "404 NoSuchBucket");
    house.done(&admin, &Ask::new("PUT", "/rides"));
    assert_eq!(self::code(&house.ask(&admin, &Ask::new("GET", "/rides/secret"))), "404 NoSuchKey");
}

#[test]
fn roles_policies_and_scopes_decide_by_operation_and_by_key() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    house.done(&editor, &Ask::new("PUT", "/care/open/a").body("1"));
    house.done(&editor, &Ask::new("PUT", "/care/closed").body("2"));
    let kinds = "/apis/bedplate.dev/v1alpha1/namespaces/care";
    let object = |kind: &str, name: &str, spec: Value| json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec });
    let viewer = json!({ "role": "viewer", "subjects": [{ "kind": "User", "name": "viewer" }] });
    let made = house.api.ask("POST", &format!("{kinds}/rolebindings"), &object("RoleBinding", "viewer", viewer));
    assert_eq!(made.0, 201, "{}", made.1);
    let cedar = "@id(\"one-key\") permit (principal == User::\"viewer\", action == Action::\"BucketObject.read-data\", \
        resource == BucketObject::\"care/open/a\");";
    let made =
        house.api.ask("POST", &format!("{kinds}/policies"), &object("Policy", "one-key", json!({ "cedar": cedar })));
    assert_eq!(made.0, 201, "{}", made.1);
    let viewer = house.key("viewer", "1h");
    let ask = |key: &Key, method: &str, path: &str| code(&house.ask(key, &Ask::new(method, path)));
    assert_eq!(ask(&viewer, "GET", "/care?list-type=2"), "200 ");
    assert_eq!(ask(&viewer, "GET", "/care/open/a"), "200 ");
    assert_eq!(ask(&viewer, "GET", "/care/closed"), "403 AccessDenied");
    assert_eq!(ask(&viewer, "GET", "/care/nothing"), "403 AccessDenied", "who may not read is not told what is there");
    for (method, path) in
        [("PUT", "/care/open/a"), ("DELETE", "/care/open/a"), ("DELETE", "/care"), ("POST", "/care/b?uploads")]
    {
        assert_eq!(ask(&viewer, method, path), "403 AccessDenied", "{method} {path}");
    }
    let narrowed = json!({ "user": "editor", "s3": true, "scope": "get,list,read-data:buckets,bucketobjects:care" });
    let (_, made) = house.api.ask("POST", "/bedplate/v1/tokens", &narrowed);
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let narrowed = Key { id: text("accessKeyId"), secret: text("secretAccessKey") };
    assert_eq!(ask(&narrowed, "GET", "/care/closed"), "200 ");
    assert_eq!(ask(&narrowed, "PUT", "/care/closed"), "403 AccessDenied");
    assert_eq!(ask(&narrowed, "GET", "/rides/x"), "404 NoSuchBucket");
}

#[test]
fn a_copy_takes_the_right_to_read_what_is_copied() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    house.done(&editor, &Ask::new("PUT", "/care/secret").body("of care"));
    let spec = json!({ "role": "editor", "subjects": [{ "kind": "User", "name": "rider" }] });
    let object = json!({ "apiVersion": "bedplate.dev/v1alpha1", "kind": "RoleBinding", "metadata": { "name": "rider" }, "spec": spec });
    house.api.ask("POST", "/apis/bedplate.dev/v1alpha1/namespaces/rides/rolebindings", &object);
    let rider = house.key("rider", "1h");
    house.done(&rider, &Ask::new("PUT", "/rides"));
    let copy = |source: &str| Ask::new("PUT", "/rides/stolen").header("x-amz-copy-source", source);
    assert_eq!(code(&house.ask(&rider, &copy("/care/secret"))), "404 NoSuchBucket");
    assert_eq!(code(&house.ask(&rider, &copy("/nowhere/secret"))), "404 NoSuchBucket");
    let begun = house.done(&rider, &Ask::new("POST", "/rides/stolen?uploads")).body();
    let upload = begun.split_once("<UploadId>").unwrap().1.split('<').next().unwrap();
    let part = Ask::new("PUT", format!("/rides/stolen?partNumber=1&uploadId={upload}"));
    let part = part.header("x-amz-copy-source", "/care/secret");
    assert_eq!(code(&house.ask(&rider, &part)), "404 NoSuchBucket");
    assert_eq!(code(&house.ask(&rider, &Ask::new("GET", "/rides/stolen"))), "404 NoSuchKey");
}

#[test]
fn what_does_not_come_whole_is_not_there() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    let body = "x".repeat(1 << 20);
    let whole = signed(&Ask::new("PUT", "/care/cut").body(&body), &house.address(), &editor.id, &editor.secret);
    let head = |length: usize| {
        let headers = whole.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
        format!(
            "PUT /care/cut HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n",
            house.address()
        )
    };
    let sent = |head: String, body: &[u8]| {
        let mut stream = std::net::TcpStream::connect(house.address()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        if body.len() < whole.body.len() {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    // The connection ends half-way; or other bytes come than those that were signed.
    assert!(!sent(head(body.len()), &body.as_bytes()[..700_000]).contains("200 OK"));
    let mut other = body.clone().into_bytes();
    other[900_000] = b'y';
    let refused = sent(head(body.len()), &other);
    assert!(refused.contains("<Code>BadDigest</Code>"), "{refused}");
    assert_eq!(code(&house.ask(&editor, &Ask::new("GET", "/care/cut"))), "404 NoSuchKey");
    assert_eq!(crate::kill::files(&house.home.path().join("buckets"), ""), 0, "something is left of it");
    house.done(&editor, &Ask::new("PUT", "/care/cut").body(&body));
}

/// A file system of so many MiB, until it is dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(mebibytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_of_the_object() {
    let Some(disk) = Small::mount(8) else {
        return not_run("a full disk under the buckets: no file system can be mounted here");
    };
    let house = house(&["--data", disk.0.path().to_str().unwrap()]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    house.done(&editor, &Ask::new("PUT", "/care/first").body("y".repeat(2 << 20)));
    let refused = house.ask(&editor, &Ask::new("PUT", "/care/large").body("x".repeat(12 << 20)));
    assert_eq!(code(&refused), "503 ServiceUnavailable");
    assert_eq!(code(&house.ask(&editor, &Ask::new("GET", "/care/large"))), "404 NoSuchKey");
    assert_eq!(crate::kill::files(&disk.0.path().join("buckets"), ""), 1, "something is left of it");
    house.done(&editor, &Ask::new("PUT", "/care/second").body("y".repeat(2 << 20)));
    assert_eq!(house.done(&editor, &Ask::new("GET", "/care/first")).body().len(), 2 << 20);
}

#[test]
fn a_backup_has_the_buckets() {
    let house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    house.done(&editor, &Ask::new("PUT", "/care/kept").body("as it was"));
    let place = tempfile::tempdir().unwrap();
    let (file, home) = (place.path().join("all.tar.gz"), place.path().join("home"));
    let taken = said(&mut bedplate(house.home.path(), &["backup", file.to_str().unwrap(), "--with-keys"]));
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    house.done(&editor, &Ask::new("PUT", "/care/kept").body("as it became"));
    let restored = said(&mut bedplate(&home, &["restore", file.to_str().unwrap()]));
    assert_eq!(restored.code, Some(0), "{}", restored.err);
    let server = up(&home, &[]);
    let api = Api::of(&home, &home);
    let again = House { home: place, server: Some(server), api };
    assert_eq!(again.done(&editor, &Ask::new("GET", "/care/kept")).body(), "as it was");
}

/// Rounds of a platform that is killed while objects are put.
const KILLS: usize = 5;

#[test]
fn killed_while_objects_are_put_those_acknowledged_are_whole_and_the_others_are_not_there() {
    let mut house = house(&[]);
    let editor = house.key("editor", "1h");
    house.done(&editor, &Ask::new("PUT", "/care"));
    let body = |number: usize| format!("{number} ").repeat(40_000);
    let (mut acknowledged, mut number) = (Vec::new(), 0);
    for round in 0..KILLS {
        let address = house.address();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (address, id, secret) = (address.clone(), editor.id.clone(), editor.secret.clone());
                let first = number + writer * 1_000_000;
                std::thread::spawn(move || {
                    let mut done = Vec::new();
                    for number in first..first + 1_000 {
                        let ask = Ask::new("PUT", format!("/care/{number}")).body(format!("{number} ").repeat(40_000));
                        let reply = std::panic::catch_unwind(|| send(&address, &signed(&ask, &address, &id, &secret)));
                        match reply {
                            Ok(reply) if reply.code == 200 => done.push(number),
                            _ => break,
                        }
                    }
                    done
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300 + 137 * round as u64));
        // Dropped, it is killed: nothing is left to be tidied up.
        house.server = None;
        for writer in writers {
            acknowledged.extend(writer.join().unwrap());
        }
        number += 10_000_000;
        house.server = Some(up(house.home.path(), &[]));
    }
    assert!(acknowledged.len() > 20, "it was killed at work: {}", acknowledged.len());
    for number in &acknowledged {
        let reply = house.done(&editor, &Ask::new("GET", format!("/care/{number}")));
        assert!(reply.body() == body(*number), "{number} is not whole");
    }
    // What is listed beyond that is whole as well: its answer was on its way.
    let mut after = String::new();
    loop {
        let path = format!("/care?list-type=2&start-after={after}");
        let listed = house.done(&editor, &Ask::new("GET", path)).body();
        let keys: Vec<String> =
            listed.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
        let Some(last) = keys.last() else { break };
        after.clone_from(last);
        for key in keys.iter().filter(|key| !acknowledged.contains(&key.parse().unwrap())) {
            let reply = house.done(&editor, &Ask::new("GET", format!("/care/{key}")));
            assert!(reply.body() == body(key.parse().unwrap()), "{key} is not whole");
        }
    }
}
