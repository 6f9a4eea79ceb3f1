//! Sessions and one-time codes: random secrets of which only the hash is kept, bounded in number and in time.

use std::collections::HashMap;

use bedplate_identity::Principal;
use bedplate_types::Timestamp;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

/// A working day.
const SESSION_MICROS: i64 = 12 * 3_600 * 1_000_000;
/// Long enough to find the terminal and click.
const CODE_MICROS: i64 = 10 * 60 * 1_000_000;
const MOST_SESSIONS: usize = 1_000;
const MOST_CODES: usize = 100;
const MOST_ELSEWHERE: usize = 1_000;

/// How somebody came in, which decides how long they are believed.
#[derive(Clone, PartialEq, Eq)]
pub enum Holder {
    /// Asked again at each request, so that revoking the token ends the session.
    Token(String),
    /// By a one-time code, which the platform itself handed out.
    Code(Principal),
}

/// Who is signed in at the console. Shared by the router and by whoever hands out codes.
#[derive(Default)]
pub struct Sessions {
    sessions: Mutex<Shelf<Holder>>,
    codes: Mutex<Shelf<Principal>>,
    elsewhere: Mutex<Shelf<Secrets>>,
}

/// What a sign-in at the provider began with, by its state, for as long as somebody may take to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    pub state: String,
    pub nonce: String,
    /// Of PKCE (RFC 7636).
    pub verifier: String,
    pub redirect_uri: String,
}

impl Sessions {
    /// A code that signs `principal` in once, within ten minutes: `/login?code=<code>`.
    #[must_use]
    pub fn issue_code(&self, principal: Principal, now: Timestamp, random: [u8; 32]) -> String {
        let code = hex::encode(random);
        self.codes.lock().put(&code, principal, now, CODE_MICROS, MOST_CODES);
        code
    }

    /// Takes the code: a second use finds nothing.
    pub(crate) fn take_code(&self, code: &str, now: Timestamp) -> Option<Principal> {
        self.codes.lock().take(code, now)
    }

    pub(crate) fn begin_elsewhere(&self, secrets: &Secrets, now: Timestamp) {
        self.elsewhere.lock().put(&secrets.state, secrets.clone(), now, CODE_MICROS, MOST_ELSEWHERE);
    }

    /// Takes it: the provider's answer counts once.
    pub(crate) fn take_elsewhere(&self, state: &str, now: Timestamp) -> Option<Secrets> {
        self.elsewhere.lock().take(state, now)
    }

    pub(crate) fn open(&self, holder: Holder, now: Timestamp, random: [u8; 32]) -> String {
        let id = hex::encode(random);
        self.sessions.lock().put(&id, holder, now, SESSION_MICROS, MOST_SESSIONS);
        id
    }

    pub(crate) fn find(&self, id: &str, now: Timestamp) -> Option<Holder> {
        self.sessions.lock().find(id, now)
    }

    pub(crate) fn close(&self, id: &str) {
        self.sessions.lock().things.remove(&hashed(id));
    }
}

/// Things under the hash of their secret, each until its time; the one that ends first makes room.
struct Shelf<T> {
    things: HashMap<[u8; 32], (Timestamp, T)>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { things: HashMap::new() }
    }
}

impl<T: Clone> Shelf<T> {
    fn put(&mut self, secret: &str, thing: T, now: Timestamp, lasts: i64, most: usize) {
        self.things.retain(|_, (until, _)| *until > now);
        if self.things.len() >= most
            && let Some(first) = self.things.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| *key)
        {
            self.things.remove(&first);
        }
        let until = Timestamp::from_micros(now.micros().saturating_add(lasts));
        self.things.insert(hashed(secret), (until, thing));
    }

    fn find(&self, secret: &str, now: Timestamp) -> Option<T> {
        self.things.get(&hashed(secret)).filter(|(until, _)| *until > now).map(|(_, thing)| thing.clone())
    }

    fn take(&mut self, secret: &str, now: Timestamp) -> Option<T> {
        self.things.remove(&hashed(secret)).filter(|(until, _)| *until > now).map(|(_, thing)| thing)
    }
}

/// What a form of the holder of `secret` (a cookie) carries: who cannot read the cookie cannot write the form.
pub(crate) fn form_key(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("bedplate console form {secret}").as_bytes()))
}

fn hashed(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_code_works_once_and_not_for_long() {
        let sessions = Sessions::default();
        let code = sessions.issue_code(Principal::new("user:admin"), at(0), [1; 32]);
        assert_eq!(sessions.take_code(&code, at(1)), Some(Principal::new("user:admin")));
        assert_eq!(sessions.take_code(&code, at(2)), None);
        let late = sessions.issue_code(Principal::new("user:admin"), at(0), [2; 32]);
        assert_eq!(sessions.take_code(&late, at(CODE_MICROS)), None);
    }

    #[test]
    fn a_session_ends_by_time_and_by_signing_out() {
        let sessions = Sessions::default();
        let id = sessions.open(Holder::Token("t".into()), at(0), [3; 32]);
        assert!(sessions.find(&id, at(SESSION_MICROS - 1)).is_some());
        assert!(sessions.find(&id, at(SESSION_MICROS)).is_none());
        sessions.close(&id);
        assert!(sessions.find(&id, at(1)).is_none());
    }

    #[test]
    fn the_shelf_is_bounded_and_the_oldest_leaves_first() {
        let mut shelf = Shelf::default();
        for i in 0..5 {
            shelf.put(&i.to_string(), i, at(i), 1_000, 3);
        }
        let left: Vec<_> = (0..5).filter_map(|i: i64| shelf.find(&i.to_string(), at(10))).collect();
        assert_eq!(left, [2, 3, 4]);
    }
}
