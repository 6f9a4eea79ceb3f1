//! What was looked up lately: what a push source feeds, and where features are.
//!
//! One request at a time looks a thing up. While it is known, the others go on with what is known: thousands of requests a
//! second that all looked it up at once would stand still for tens of milliseconds, each second anew.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long it is remembered: a changed view counts within this time.
const REMEMBERED: Duration = Duration::from_secs(1);
/// From when on somebody looks it up again, while it is still remembered.
const RENEWED: Duration = Duration::from_millis(500);
/// How much of it at most: clients choose what they ask for.
const MOST: usize = 1_000;

/// Values by what they were asked for with.
pub struct Memory<K, V> {
    slots: Mutex<HashMap<K, Slot<V>>>,
    renewed: Duration,
    remembered: Duration,
}

struct Slot<V> {
    /// When looking it up began, and what came of it.
    known: Option<(Instant, Arc<V>)>,
    /// Held by the one who looks it up.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl<V> Slot<V> {
    fn younger_than(&self, age: Duration) -> Option<Arc<V>> {
        self.known.as_ref().filter(|(at, _)| at.elapsed() < age).map(|(_, value)| Arc::clone(value))
    }
}

impl<K: Hash + Eq + Clone, V> Memory<K, V> {
    pub fn new() -> Self {
        Self::of(RENEWED, REMEMBERED)
    }

    fn of(renewed: Duration, remembered: Duration) -> Self {
        Self { slots: Mutex::default(), renewed, remembered }
    }

    /// What is known, or else what `look_up` finds; a failure is not remembered.
    pub async fn get<E, F>(&self, key: K, look_up: impl FnOnce() -> F) -> Result<Arc<V>, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        match self.younger_than(&key, self.renewed) {
            Some(value) => Ok(value),
            // Looking up is a large future, and most have no need of it.
            None => Box::pin(self.renew(key, look_up())).await,
        }
    }

    async fn renew<E>(&self, key: K, look_up: impl Future<Output = Result<V, E>>) -> Result<Arc<V>, E> {
        let turn = self.turn(&key);
        let known = self.younger_than(&key, self.remembered);
        let _turn = match (turn.clone().try_lock_owned(), known) {
            (Ok(turn), _) => turn,
            (Err(_), Some(known)) => return Ok(known),
            (Err(_), None) => turn.lock_owned().await,
        };
        // Whoever had the turn before may have found it.
        if let Some(value) = self.younger_than(&key, self.renewed) {
            return Ok(value);
        }
        let began = Instant::now();
        let value = Arc::new(look_up.await?);
        if let Some(slot) = self.slots.lock().get_mut(&key) {
            slot.known = Some((began, Arc::clone(&value)));
        }
        Ok(value)
    }

    fn younger_than(&self, key: &K, age: Duration) -> Option<Arc<V>> {
        self.slots.lock().get(key)?.younger_than(age)
    }

    fn turn(&self, key: &K) -> Arc<tokio::sync::Mutex<()>> {
        let mut slots = self.slots.lock();
        if slots.len() >= MOST && !slots.contains_key(key) {
            slots.retain(|_, slot| slot.younger_than(self.remembered).is_some() || Arc::strong_count(&slot.turn) > 1);
            if slots.len() >= MOST {
                slots.clear();
            }
        }
        let slot = slots.entry(key.clone()).or_insert_with(|| Slot { known: None, turn: Arc::default() });
        Arc::clone(&slot.turn)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);
    const NEVER: Duration = Duration::ZERO;

    async fn found(memory: &Memory<u8, usize>, value: usize) -> usize {
        *memory.get(1, || async { Ok::<_, ()>(value) }).await.unwrap()
    }

    #[tokio::test]
    async fn many_who_ask_at_once_look_it_up_once() {
        let (memory, looked) = (Memory::of(LONG, LONG), AtomicUsize::new(0));
        let ask = || {
            memory.get(1_u8, || async {
                tokio::task::yield_now().await;
                Ok::<_, ()>(looked.fetch_add(1, Ordering::Relaxed))
            })
        };
        let all = join_all((0..50).map(|_| ask())).await;
        assert!(all.into_iter().all(|value| *value.unwrap() == 0));
        assert_eq!(looked.into_inner(), 1);
    }

    #[tokio::test]
    async fn while_one_renews_it_the_others_go_on_with_what_is_known() {
        let memory = Memory::of(NEVER, LONG);
        assert_eq!(found(&memory, 7).await, 7);
        let (tell, told) = oneshot::channel::<usize>();
        let renewing = memory.get(1, || async { told.await.map_err(drop) });
        tokio::pin!(renewing);
        assert!(futures::poll!(&mut renewing).is_pending());
        assert_eq!(found(&memory, 8).await, 7);
        tell.send(9).unwrap();
        assert_eq!(*renewing.await.unwrap(), 9);
        assert_eq!(found(&memory, 10).await, 10, "the turn is free again");
    }

    #[tokio::test]
    async fn what_is_too_old_is_given_to_nobody() {
        let memory = Memory::of(NEVER, NEVER);
        assert_eq!(found(&memory, 7).await, 7);
        let (tell, told) = oneshot::channel::<usize>();
        let first = memory.get(1, || async { told.await.map_err(drop) });
        let second = memory.get(1, || async { Ok::<_, ()>(11) });
        tokio::pin!(first, second);
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        tell.send(9).unwrap();
        assert_eq!((*first.await.unwrap(), *second.await.unwrap()), (9, 11));
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered_nor_one_who_gave_up() {
        let memory = Memory::<u8, usize>::of(LONG, LONG);
        assert_eq!(memory.get(1, || async { Err("gone") }).await, Err("gone"));
        {
            let given_up = memory.get(1, std::future::pending::<Result<usize, ()>>);
            tokio::pin!(given_up);
            assert!(futures::poll!(&mut given_up).is_pending());
        }
        assert_eq!(found(&memory, 5).await, 5);
    }

    #[tokio::test]
    async fn it_is_bounded() {
        let memory = Memory::of(LONG, LONG);
        for key in 0..5 * MOST {
            memory.get(key, || async { Ok::<_, ()>(key) }).await.unwrap();
        }
        assert!(memory.slots.lock().len() <= MOST);
    }
}
