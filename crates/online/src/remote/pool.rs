//! A bounded number of connections. One that is made in vain is not tried again for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bedplate_types::ErrorKind;
use parking_lot::{Condvar, Mutex};
use redis::{Client, RedisResult};

use super::Connect;
use super::link::{self, Link};
use super::problem::{RedisProblem, Trouble, is_answer, is_stale, told, trouble};
use super::standing::{Standing, judge};

/// Connections at most: each answers one call at a time.
const MOST: usize = 16;
/// The longest that is waited for one.
const WAIT: Duration = Duration::from_secs(5);
/// After the first vain attempt, and the longest after many.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

pub(super) struct Pool {
    client: Client,
    how: Connect,
    server: String,
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    open: usize,
    vain: Option<Vain>,
}

/// Attempts that failed one after the other.
struct Vain {
    until: Instant,
    pause: Duration,
    trouble: Trouble,
}

/// What a connection is taken for, and given back after.
struct Taken<'a> {
    pool: &'a Pool,
    link: Option<Link>,
    is_new: bool,
}

impl Pool {
    pub(super) fn new(how: Connect) -> Result<Arc<Self>, RedisProblem> {
        let server = how.address.shown();
        let client = link::client(&how).map_err(|error| of(&server, told(&error)))?;
        let pool = Self { client, how, server, state: Mutex::default(), given_back: Condvar::new() };
        Ok(Arc::new(pool))
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// On a connection of its own.
    pub(super) fn standing(&self) -> Result<Standing, RedisProblem> {
        let judged = link::facts(&self.client).and_then(|(_, facts)| Ok((judge(&facts, self.how.may_lose)?, facts)));
        let ((keeps, loses), facts) = judged.map_err(|trouble| self.of(trouble))?;
        Ok(Standing { server: self.server.clone(), version: facts.shown_version(), keeps, loses })
    }

    /// Does `work`, which may be done twice with the same outcome, on a connection; on a new one if this one turns out to be
    /// gone.
    pub(super) fn with<T>(&self, mut work: impl FnMut(&mut Link) -> RedisResult<T>) -> Result<T, RedisProblem> {
        let mut taken = self.take()?;
        let done = taken.work(&mut work);
        match done {
            Err(error) if is_stale(&error) && !taken.is_new => {
                drop(taken);
                self.forget_idle();
                self.take()?.work(&mut work).map_err(|error| self.of(told(&error)))
            }
            done => done.map_err(|error| self.of(told(&error))),
        }
    }

    fn take(&self) -> Result<Taken<'_>, RedisProblem> {
        let until = Instant::now() + WAIT;
        let mut state = self.state.lock();
        while state.idle.is_empty() && state.open >= MOST {
            if self.given_back.wait_until(&mut state, until).timed_out() {
                let why = format!("is asked over all of its {MOST} connections already");
                return Err(self.of(trouble(ErrorKind::Busy, why, "ask again, or ask less at once")));
            }
        }
        if let Some(link) = state.idle.pop() {
            return Ok(Taken { pool: self, link: Some(link), is_new: false });
        }
        if let Some(vain) = state.vain.as_ref().filter(|vain| Instant::now() < vain.until) {
            return Err(self.of(vain.trouble.clone()));
        }
        state.open += 1;
        drop(state);
        // Counted from here on: whatever happens, its end gives the place back.
        let mut taken = Taken { pool: self, link: None, is_new: true };
        let opened = Link::open(&self.client, &self.how);
        taken.link = Some(self.noted(opened)?);
        Ok(taken)
    }

    fn noted(&self, opened: Result<Link, Trouble>) -> Result<Link, RedisProblem> {
        let mut state = self.state.lock();
        let before = state.vain.take();
        opened.map_err(|trouble| {
            let pause = before.map_or(PAUSES.0, |vain| (2 * vain.pause).min(PAUSES.1));
            state.vain = Some(Vain { until: Instant::now() + pause, pause, trouble: trouble.clone() });
            self.of(trouble)
        })
    }

    /// When one is gone, the others most likely are.
    fn forget_idle(&self) {
        let mut state = self.state.lock();
        state.open -= state.idle.len();
        let gone = std::mem::take(&mut state.idle);
        drop(state);
        self.given_back.notify_all();
        drop(gone);
    }

    fn of(&self, trouble: Trouble) -> RedisProblem {
        of(&self.server, trouble)
    }
}

fn of(server: &str, (why, kind, fix): Trouble) -> RedisProblem {
    RedisProblem { server: server.to_owned(), why, kind, fix }
}

impl Taken<'_> {
    /// A connection that an answer is still to come on is not used again.
    fn work<T>(&mut self, work: &mut impl FnMut(&mut Link) -> RedisResult<T>) -> RedisResult<T> {
        let Some(mut link) = self.link.take() else {
            return Err(std::io::Error::from(std::io::ErrorKind::NotConnected).into());
        };
        let done = work(&mut link);
        if done.as_ref().map_or_else(|error| is_answer(error) && !is_stale(error), |_| true) {
            self.link = Some(link);
        }
        done
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        match self.link.take() {
            Some(link) => state.idle.push(link),
            None => state.open -= 1,
        }
        self.pool.given_back.notify_one();
    }
}
