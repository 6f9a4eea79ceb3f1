//! Every operation of every listener, tried by everybody who may not.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::cases::{Case, case};
use super::console::{form, session};
use super::grpc;
use super::http::{Ask, Reply, send};
use super::s3;
use super::world::{World, operations};
use crate::pages::form_key;

/// A caller: by token, or at the console by the session that a token opens.
struct Door<'a> {
    world: &'a World,
    operation: &'a Value,
}

impl Door<'_> {
    fn knock(&self, token: &str, ask: &Ask) -> Reply {
        let (path, mut ask) = (self.operation["path"].as_str().unwrap(), ask.clone());
        let is_page = matches!(path, "/" | "/catalogue") || path.starts_with("/ns/");
        if self.operation["listener"] == "flight" {
            return grpc::knock(self.world, token, &ask);
        }
        if self.operation["listener"] == "s3" {
            return s3::knock(self.world, token, &ask);
        }
        if self.operation["listener"] == "inference" {
            if !token.is_empty() {
                ask = ask.header("authorization", format!("Bearer {token}"));
            }
            return send(&self.world.inference, &ask);
        }
        match (is_page, token) {
            (true, token) if !token.is_empty() => self.world.ask("", ask.header("cookie", session(self.world, token))),
            _ if path == "/login" && ask.method == "POST" => {
                let body = ask.body.clone();
                send(&self.world.control, &form(self.world, &body))
            }
            _ => self.world.ask(token, ask),
        }
    }
}

/// What is told must be the same whatever is there: the names asked for are made one.
fn told(reply: &Reply, words: &[String; 2]) -> String {
    let words = words.iter().filter(|word| !word.is_empty());
    let body = reply.body();
    let body = form_key(&body).map_or_else(|| body.clone(), |key| body.replace(key, "KEY"));
    format!("{} {}", reply.code, words.fold(body, |body, word| body.replace(word.as_str(), "WORD")))
}

#[track_caller]
fn holds_no_secret(world: &World, who: &str, ask: &Ask, reply: &Reply) {
    let answer = String::from_utf8_lossy(&reply.bytes).into_owned();
    let sent = format!("{} {}", ask.path, ask.body);
    for secret in &world.secrets {
        assert!(
            !answer.contains(secret.as_str()) || sent.contains(secret.as_str()),
            "{who} {ask:?} was told {secret}: {answer}"
        );
    }
}

/// Every operation has a case, and refuses everybody who may not.
pub fn walk(world: &World) {
    let before = world.declared();
    let mut without = Vec::new();
    for operation in operations() {
        match case(world, &operation) {
            Some(case) => check(&Door { world, operation: &operation }, &case),
            None => without.push(format!("{} {}", operation["method"], operation["path"])),
        }
    }
    assert!(without.is_empty(), "these operations have no authorisation case: {without:#?}");
    assert_eq!(world.declared(), before, "somebody changed something");
}

fn nonsense() -> String {
    static MADE: AtomicU64 = AtomicU64::new(1);
    format!("bp_{:012x}nonsense", MADE.fetch_add(1, Ordering::Relaxed))
}

fn check(door: &Door<'_>, case: &Case) {
    let who = door.operation["who"].as_str().unwrap();
    // Another one each time: the same one would be locked out.
    for nobody in [String::new(), nonsense()] {
        let nobody = nobody.as_str();
        let replies = [door.knock(nobody, &case.there), door.knock(nobody, &case.not_there)];
        if who == "open" {
            assert!(
                !matches!(replies[0].code, 403 | 404 | 500..) || is_expected(door.operation, replies[0].code),
                "{}: {}",
                door.operation,
                replies[0].body()
            );
        } else {
            assert_eq!(
                replies.each_ref().map(|reply| reply.code),
                [401, 401],
                "{}: {}",
                door.operation,
                replies[0].body()
            );
            let same = [told(&replies[0], &case.words), told(&replies[1], &case.words)];
            assert_eq!(same[0], same[1], "{}", door.operation);
        }
        replies
            .iter()
            .zip([&case.there, &case.not_there])
            .for_each(|(reply, ask)| holds_no_secret(door.world, "nobody", ask, reply));
    }
    for (name, token) in &door.world.others {
        let replies = [door.knock(token, &case.there), door.knock(token, &case.not_there)];
        replies
            .iter()
            .zip([&case.there, &case.not_there])
            .for_each(|(reply, ask)| holds_no_secret(door.world, name, ask, reply));
        match who {
            "open" => {}
            "signedIn" => assert!(
                (200..300).contains(&replies[0].code) || is_expected(door.operation, replies[0].code),
                "{name} {}: {}",
                door.operation,
                replies[0].body()
            ),
            _ => refused(door, case, name, &replies),
        }
    }
    is_not_always_refused(door, case);
}

/// What answers with another code than 200 to whoever may ask it.
fn is_expected(operation: &Value, code: u16) -> bool {
    let path = operation["path"].as_str().unwrap();
    matches!(
        (path, code),
        ("/openapi/v2" | "/v2/{*rest}", 404)
            | ("/login" | "/login/callback", 401)
            // A form that the console did not make.
            | ("/logout", 403)
            // There is no provider of identities here.
            | ("/login/oidc" | "/bedplate/v1/login" | "/bedplate/v1/login/device", 404)
            // An empty plan is none.
            | ("/bedplate/v1/plan/apply", 422)
    ) || code == 501 && grpc::NOTHING_BEHIND.iter().any(|call| path.ends_with(call))
}

fn refused(door: &Door<'_>, case: &Case, name: &str, replies: &[Reply; 2]) {
    let operation = door.operation;
    let same = [told(&replies[0], &case.words), told(&replies[1], &case.words)];
    assert_eq!(same[0], same[1], "{name} can tell what is there: {operation}");
    let is_batch = operation["path"].as_str().unwrap().ends_with("/batch");
    match (operation["hidden"].as_str().unwrap(), replies[0].code) {
        ("forbidden", 403) | ("notFound", 404) => {}
        // A batch is answered as a whole, and says what of it was refused.
        ("notFound", 200) if is_batch => {
            assert_eq!(replies[0].json()["summary"]["successful"], 0, "{}", replies[0].body())
        }
        ("leftOut", 200) => {
            let body = replies[0].body();
            for told in ["/ns/flights", "\"flights\"", "late-arrival", "planted-user", "<Name>flights"] {
                assert!(!body.contains(told), "{name} {operation}: {body}");
            }
        }
        (hidden, code) => panic!("{name} {operation}: {code} where {hidden} was promised: {}", replies[0].body()),
    }
}

/// Else a test that refuses everything would pass: the administrator may, and what is tried changes nothing.
fn is_not_always_refused(door: &Door<'_>, case: &Case) {
    let mut ask = case.there.clone();
    let path = door.operation["path"].as_str().unwrap();
    let is_own = path.starts_with("/bedplate/v1/tokens") || path.ends_with("/lineage") || path.ends_with("/batch");
    if ask.method != "GET" && is_own {
        return;
    }
    if ask.method != "GET" {
        ask.path += if ask.path.contains('?') { "&dryRun=All" } else { "?dryRun=All" };
    }
    let reply = door.knock(&door.world.admin, &ask);
    // Of all namespaces, one is always there; and who asked for a change is known well enough not to vote on it.
    let comes_later = ["may not be deleted", "the two-person rule wants somebody else", "there is no such upload"];
    if comes_later.iter().any(|why| reply.body().contains(why)) {
        return;
    }
    let is_refused = matches!(reply.code, 401 | 403) || (reply.code == 404 && door.operation["hidden"] == "notFound");
    let is_page_to_sign_in = matches!(path, "/login" | "/login/callback" | "/logout");
    assert!(!is_refused || is_page_to_sign_in, "the administrator is refused: {}: {}", door.operation, reply.body());
}
