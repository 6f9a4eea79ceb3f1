//! What was looked up lately: what a push source feeds, and where features are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long it is remembered: a changed view counts within this time.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How much of it at most: clients choose what they ask for.
const MOST: usize = 1_000;

/// Values by what they were asked for with.
pub struct Memory<K, V>(Mutex<HashMap<K, (Instant, Arc<V>)>>);

impl<K: std::hash::Hash + Eq, V> Memory<K, V> {
    pub fn new() -> Self {
        Self(Mutex::default())
    }

    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        self.0.lock().get(key).filter(|(at, _)| at.elapsed() < REMEMBERED).map(|(_, value)| Arc::clone(value))
    }

    pub fn keep(&self, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut remembered = self.0.lock();
        remembered.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(key, (Instant::now(), Arc::clone(&value)));
        value
    }
}
