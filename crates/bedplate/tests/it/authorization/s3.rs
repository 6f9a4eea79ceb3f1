//! Requests of S3, signed as AWS' Signature Version 4 has it, and how each is tried.

use ring::{digest, hmac};

use super::cases::Case;
use super::http::{Ask, Reply, send};
use super::world::{PLANTED, World};

/// In the bucket of `flights`.
const KEY: &str = "kept/planted.txt";
const NOWHERE: &str = "nowhere";
/// What a caller who has nothing is asked as.
const NOBODY: (&str, &str) = ("0000000000000000", "made up");

/// Puts what nobody else may see into a bucket of `flights`, and makes one of `rides`.
pub fn furnish(world: &mut World) {
    for bucket in ["flights", "rides"] {
        done(world, Ask::new("PUT", format!("/{bucket}")));
        let put = Ask::new("PUT", format!("/{bucket}/{KEY}"));
        let text = if bucket == "flights" { PLANTED } else { "mine" };
        done(world, put.body(text));
    }
    let begun = done(world, Ask::new("POST", format!("/flights/{KEY}?uploads")));
    let (_, id) = begun.split_once("<UploadId>").unwrap_or_else(|| panic!("{begun}"));
    world.upload = id.split('<').next().unwrap().to_owned();
    world.secrets.insert(world.upload.clone());
}

#[track_caller]
fn done(world: &World, ask: Ask) -> String {
    let reply = knock(world, &world.admin, &ask);
    assert_eq!(reply.code, 200, "{ask:?}: {}", reply.body());
    reply.body()
}

/// The keys in the bucket of `flights`, with their tags.
pub fn listed(world: &World) -> String {
    let listed = done(world, Ask::new("GET", "/flights?list-type=2"));
    let uploads = done(world, Ask::new("GET", "/flights?uploads"));
    format!("{listed}{uploads}")
}

/// The same on the bucket of `flights` and on that of a namespace that is not there.
pub fn case(world: &World, method: &str, path: &str) -> Option<Case> {
    let at = |bucket: &str| {
        let (plain, question) = path.split_once('?').unwrap_or((path, ""));
        let target = plain.replace("{bucket}", bucket).replace("{*key}", KEY);
        let pairs = question.split('&').map(|pair| match pair {
            "uploadId" => format!("uploadId={}", world.upload),
            "partNumber" => "partNumber=1".to_owned(),
            other => other.to_owned(),
        });
        let question = pairs.collect::<Vec<_>>().join("&");
        let ask = Ask::new(method, [target, question].join("?").trim_end_matches('?').to_owned());
        let is_copy = path.contains("Copy");
        let ask = if is_copy { ask.header("x-amz-copy-source", format!("/{bucket}/{KEY}")) } else { ask };
        match path {
            "/{bucket}?delete" => ask.body(format!("<Delete><Object><Key>{NOWHERE}</Key></Object></Delete>")),
            _ if path.ends_with("?uploadId") && method == "POST" => {
                // A part that was never put: whoever may is told so.
                let part = "<Part><PartNumber>9</PartNumber><ETag>x</ETag></Part>";
                ask.body(format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"))
            }
            _ => ask,
        }
    };
    // The administrator's own attempts must change nothing either.
    let harmless = |mut ask: Ask| {
        let is_removal = method == "DELETE" && !path.ends_with("uploadId");
        if is_removal && path != "/{bucket}" {
            ask.path = ask.path.replace(KEY, NOWHERE);
        }
        if method == "PUT" && path.starts_with("/{bucket}/{*key}") && !path.contains("partNumber") {
            ask = ask.header("if-none-match", "*");
        }
        if method == "DELETE" && path.ends_with("uploadId") || path.contains("partNumber") {
            ask.path = ask.path.replace(&world.upload, "no-such-upload");
        }
        if method == "POST" && path.ends_with("?uploads") {
            ask = ask.header("x-amz-tagging", "refused=yes");
        }
        if path.contains("x-id=CopyObject") {
            ask = ask.header("x-amz-tagging", "refused=yes");
        }
        ask
    };
    let (there, not_there) = (harmless(at("flights")), harmless(at(NOWHERE)));
    Some(Case { there, not_there, words: ["flights".into(), NOWHERE.into()] })
}

/// The answer; a refusal of the signature, or for want of one, is told as HTTP has it elsewhere.
pub fn knock(world: &World, token: &str, ask: &Ask) -> Reply {
    if token.is_empty() {
        return of_nobody(send(&world.s3, ask));
    }
    let nobody = (NOBODY.0.to_owned(), NOBODY.1.to_owned());
    let (id, secret) = world.access_keys.get(token).unwrap_or(&nobody);
    let reply = send(&world.s3, &signed(ask, &world.s3, id, secret));
    if *id == NOBODY.0 { of_nobody(reply) } else { reply }
}

fn of_nobody(reply: Reply) -> Reply {
    let code = if reply.code == 403 { 401 } else { reply.code };
    Reply { code, ..reply }
}

/// Signature Version 4 in a header, with the payload signed.
pub fn signed(ask: &Ask, host: &str, id: &str, secret: &str) -> Ask {
    let date = now();
    let (day, payload) = (&date[..8], sha256(&[ask.body.as_bytes(), &ask.raw].concat()));
    let (path, query) = ask.path.split_once('?').unwrap_or((&ask.path, ""));
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort();
    let headers = format!("host:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n");
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!("{}\n{path}\n{}\n{headers}\n{names}\n{payload}", ask.method, pairs.join("&"));
    let scope = format!("{day}/us-east-1/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [day, "us-east-1", "s3", "aws4_request"] {
        key = hmac(&key, part);
    }
    let signature = hex::encode(hmac(&key, &text));
    let shown = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    ask.clone().header("x-amz-content-sha256", payload).header("x-amz-date", date).header("authorization", shown)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// `20261127T074400Z`
#[expect(clippy::disallowed_methods, reason = "a signature is of its moment")]
fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}
