//! Before anything else: whoever tries out credentials is made to wait, whichever protocol they speak.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderMap};
use bedplate_identity::{Authenticator, Lockout, Source, shown_token, token_id};
use bedplate_types::{Clock, ErrorKind, Problem, Span, Timestamp};
use parking_lot::Mutex;
use serde_json::json;

use super::connection::Peer;

/// A token that was right so lately is no guess: who holds it is served while others at the same address are locked out.
const PROVEN_MICROS: i64 = 3_600_000_000;
const MOST_PROVEN: usize = 10_000;

/// Counts wrong credentials by where they come from, for all listeners together.
#[derive(Clone)]
pub struct Gate {
    authenticator: Authenticator,
    clock: Arc<dyn Clock>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    lockout: Lockout,
    proven: HashMap<String, Timestamp>,
}

impl Memory {
    fn proves(&mut self, id: &str, now: Timestamp) {
        if let Some(at) = self.proven.get_mut(id) {
            *at = now;
            return;
        }
        if self.proven.len() >= MOST_PROVEN {
            self.proven.clear();
        }
        self.proven.insert(id.to_owned(), now);
    }
}

/// What a request tries.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Token(String),
    /// A way in whose credential is not a header: known by its answer.
    SignIn,
    /// Signed with this access key, for whoever knows its secret: known by its answer.
    Signed(String),
}

impl Gate {
    pub fn new(authenticator: Authenticator, clock: Arc<dyn Clock>) -> Self {
        Self { authenticator, clock, memory: Arc::default() }
    }

    /// The routes behind the gate.
    pub fn before(&self, routes: Router) -> Router {
        routes.layer(middleware::from_fn_with_state(self.clone(), pass))
    }

    fn locked(&self, attempt: &Attempt, sources: &[Source], now: Timestamp) -> Option<Span> {
        let memory = self.memory.lock();
        let left = memory.lockout.remaining(sources, now)?;
        let is_proven = match attempt {
            Attempt::Token(token) => token_id(token)
                .is_ok_and(|id| memory.proven.get(&id).is_some_and(|at| now.micros_since(*at) < PROVEN_MICROS)),
            Attempt::SignIn | Attempt::Signed(_) => false,
        };
        (!is_proven).then_some(left)
    }

    /// Whether the token is right, once for everybody behind the gate; what is wrong with it, they say themselves.
    fn judge(&self, token: &str, sources: &[Source], now: Timestamp) {
        match self.authenticator.token(token) {
            Ok(known) => self.memory.lock().proves(&known.id, now),
            Err(error) if error.may_be_a_guess() => self.failed(sources, now),
            Err(_) => {}
        }
    }

    fn failed(&self, sources: &[Source], now: Timestamp) {
        self.memory.lock().lockout.failed(sources, now);
    }
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let is_grpc = is_grpc(request.headers());
    if let Err(why) = by_certificate(&mut request) {
        return nobody(&why, is_grpc);
    }
    let Some(attempt) = attempt(&request) else { return next.run(request).await };
    let ip = request.extensions().get::<Peer>().map(|peer| peer.addr.ip());
    let address = ip.map(Source::address);
    let sources: Vec<_> = match &attempt {
        Attempt::Token(token) => address.into_iter().chain(Source::prefix(token)).collect(),
        Attempt::SignIn => address.into_iter().collect(),
        Attempt::Signed(id) => ip.map(|ip| Source::key(id, ip)).into_iter().collect(),
    };
    let now = gate.clock.now();
    if let Some(left) = gate.locked(&attempt, &sources, now) {
        return wait(left, is_grpc);
    }
    match attempt {
        Attempt::Token(token) => {
            gate.judge(&token, &sources, now);
            next.run(request).await
        }
        Attempt::SignIn => {
            let answer = next.run(request).await;
            if answer.status() == StatusCode::UNAUTHORIZED {
                gate.failed(&sources, now);
            }
            answer
        }
        Attempt::Signed(_) => {
            let answer = next.run(request).await;
            if answer.extensions().get::<bedplate_s3::Guessed>().is_some() {
                gate.failed(&sources, now);
            }
            answer
        }
    }
}

/// A request without a token is that of the machine whose certificate the connection began with.
fn by_certificate(request: &mut Request) -> Result<(), String> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return Ok(());
    }
    match request.extensions().get::<Peer>().and_then(|peer| peer.certificate.clone()) {
        None => Ok(()),
        Some(Ok(admission)) => {
            let value = HeaderValue::from_str(&admission.authorization()).map_err(|error| error.to_string())?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
            Ok(())
        }
        Some(Err(why)) => Err(why),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content.is_some_and(|content| content.starts_with("application/grpc"))
}

/// As gRPC has it.
fn refusal(kind: ErrorKind, told: &str) -> Response {
    bedplate_flight::refusal(&Problem::new(kind, "signing in", told))
}

fn nobody(why: &str, is_grpc: bool) -> Response {
    let told = format!("the certificate is that of nobody here: {why}");
    if is_grpc {
        return refusal(ErrorKind::Unauthenticated, &told);
    }
    let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 401, "reason": "Unauthorized",
        "message": told, "error": told });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn attempt(request: &Request) -> Option<Attempt> {
    let has_code = || request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("code=")));
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/login" | "/bedplate/v1/login") => Some(Attempt::SignIn),
        (&Method::GET, "/login" | "/login/callback") if has_code() => Some(Attempt::SignIn),
        _ => match bedplate_s3::access_key(request.headers(), request.uri()) {
            Some(id) => Some(Attempt::Signed(id)),
            None => shown_token(authorization(request.headers())).map(Attempt::Token),
        },
    }
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}

/// The same in every protocol but gRPC: a Kubernetes `Status` that has the inference protocol's `error` as well.
fn wait(left: Span, is_grpc: bool) -> Response {
    let seconds = left.micros().div_euclid(1_000_000) + 1;
    let told = format!("too many wrong credentials came from here: try again in {seconds} s");
    if is_grpc {
        return refusal(ErrorKind::Busy, &told);
    }
    let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 429,
        "reason": "TooManyRequests", "message": told, "error": told, "details": { "retryAfterSeconds": seconds } });
    let mut answer = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::body::Body;
    use axum::routing::{get, post};
    use bedplate_db::Db;
    use bedplate_identity::{MIGRATIONS, NewToken, Principal};
    use tower::ServiceExt;

    use super::*;

    struct Turned(AtomicI64);

    impl Clock for Turned {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::Relaxed))
        }
    }

    struct Fixture {
        _folder: tempfile::TempDir,
        clock: Arc<Turned>,
        routes: Router,
        good: [String; 2],
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("it.db"), MIGRATIONS).unwrap();
        let give = |random: u8| {
            let new = NewToken::new(Principal::new("user:ana"), "");
            db.write(move |tx| bedplate_identity::issue(tx, &new, Timestamp::from_micros(0), [random; 32])).unwrap()
        };
        let good = [give(1), give(2)];
        let clock = Arc::new(Turned(AtomicI64::new(0)));
        let gate = Gate::new(Authenticator::new(db, clock.clone()), clock.clone());
        let routes = Router::new().route("/", get(|| async { "in" }));
        let routes = routes.route("/login", post(|| async { StatusCode::UNAUTHORIZED }));
        Fixture { _folder: folder, clock, routes: gate.before(routes), good }
    }

    impl Fixture {
        async fn ask(&self, from: &str, method: Method, path: &str, token: Option<&str>) -> Response {
            let mut request = axum::http::Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let addr: SocketAddr = format!("{from}:4000").parse().unwrap();
            let request = request.extension(Peer { addr, certificate: None }).body(Body::empty()).unwrap();
            self.routes.clone().oneshot(request).await.unwrap()
        }

        async fn get(&self, from: &str, token: Option<&str>) -> u16 {
            self.ask(from, Method::GET, "/", token).await.status().as_u16()
        }
    }

    fn guess(number: usize) -> String {
        let tail: String = format!("{number:043}");
        format!("bp_{tail}")
    }

    #[tokio::test]
    async fn who_guesses_is_made_to_wait_and_cannot_probe_and_nobody_else_is() {
        let fixture = fixture();
        assert_eq!(fixture.get("10.0.0.1", Some(&fixture.good[0])).await, 200);
        for number in 0..10 {
            fixture.get("10.0.0.1", Some(&guess(number << 40))).await;
        }
        let refused = fixture.ask("10.0.0.1", Method::GET, "/", Some(&fixture.good[1])).await;
        assert_eq!((refused.status().as_u16(), &refused.headers()[header::RETRY_AFTER]), (429, &HeaderValue::from(6)));
        assert_eq!(fixture.get("10.0.0.1", Some(&fixture.good[0])).await, 200, "it was known before");
        assert_eq!(fixture.get("10.0.0.1", None).await, 200, "without a credential nothing is tried");
        assert_eq!(fixture.get("10.0.0.2", Some(&fixture.good[1])).await, 200);
        fixture.clock.0.fetch_add(5_000_000, Ordering::Relaxed);
        assert_eq!(fixture.get("10.0.0.1", Some(&fixture.good[1])).await, 200, "the window is over");
    }

    #[tokio::test]
    async fn one_token_guessed_at_from_many_sides_is_closed_to_them_all() {
        let fixture = fixture();
        for number in 0..10 {
            fixture.get(&format!("10.0.1.{number}"), Some(&guess(number))).await;
        }
        assert_eq!(fixture.get("10.0.2.1", Some(&guess(99))).await, 429);
        assert_eq!(fixture.get("10.0.2.1", Some(&fixture.good[0])).await, 200);
    }

    #[tokio::test]
    async fn ways_in_without_a_header_count_by_their_answer() {
        let fixture = fixture();
        for _ in 0..10 {
            assert_eq!(fixture.ask("10.0.0.1", Method::POST, "/login", None).await.status().as_u16(), 401);
        }
        assert_eq!(fixture.ask("10.0.0.1", Method::POST, "/login", None).await.status().as_u16(), 429);
    }
}
