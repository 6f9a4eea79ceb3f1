//! Many clients at once, each with its own connection, and how long each of their requests took.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What came of a load.
#[derive(Debug, Default)]
pub struct Done {
    pub seconds: f64,
    /// Microseconds a request, sorted.
    pub micros: Vec<u64>,
}

impl Done {
    pub fn of(seconds: f64, mut micros: Vec<u64>) -> Self {
        micros.sort_unstable();
        Self { seconds, micros }
    }

    pub fn a_second(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    /// Milliseconds below which `share` of the requests stayed.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let rank = (self.micros.len() as f64 * share).ceil() as usize;
        self.micros.get(rank.saturating_sub(1)).map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
    }
}

/// `clients` tasks ask until `total` requests are answered; `client(i)` makes the function that sends request `n`.
pub async fn closed<C, F, R>(clients: usize, total: usize, client: impl Fn(usize) -> C) -> Result<Done>
where
    C: Future<Output = Result<F>>,
    F: FnMut(usize) -> R + Send + 'static,
    R: Future<Output = Result<()>> + Send,
{
    let mut ready = Vec::new();
    for i in 0..clients {
        ready.push(client(i).await.context("a client cannot connect")?);
    }
    let started = Instant::now();
    let tasks = ready.into_iter().enumerate().map(|(i, mut ask)| {
        tokio::spawn(async move {
            let mut micros = Vec::with_capacity(total / clients + 1);
            for n in (i..total).step_by(clients) {
                let sent = Instant::now();
                ask(n).await?;
                micros.push(sent.elapsed().as_micros() as u64);
            }
            anyhow::Ok(micros)
        })
    });
    let mut all = Vec::with_capacity(total);
    for task in tasks.collect::<Vec<_>>() {
        all.extend(task.await??);
    }
    Ok(Done::of(started.elapsed().as_secs_f64(), all))
}

/// Calls `turn(n)` at `rate` a second for `seconds`; a late turn is made up for, so that the rate holds.
pub async fn paced<R: Future<Output = Result<()>>>(
    rate: usize,
    seconds: usize,
    mut turn: impl FnMut(usize) -> R,
) -> Result<()> {
    let started = tokio::time::Instant::now();
    for n in 0..rate * seconds {
        tokio::time::sleep_until(started + Duration::from_micros((n * 1_000_000 / rate) as u64)).await;
        turn(n).await?;
    }
    Ok(())
}

/// Microseconds since some moment that is the same for the whole process.
pub fn now() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let done = Done::of(2.0, (1..=100).rev().map(|ms| ms * 1_000).collect());
        assert_eq!((done.quantile_ms(0.5), done.quantile_ms(0.99), done.quantile_ms(1.0)), (50.0, 99.0, 100.0));
        assert!((done.a_second() - 50.0).abs() < 1e-9);
    }

    #[tokio::test]
    async fn every_request_is_made_once() {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let done = closed(3, 10, |_| {
            let seen = seen.clone();
            async move {
                Ok(move |n| {
                    seen.lock().unwrap().push(n);
                    async { Ok(()) }
                })
            }
        });
        assert_eq!(done.await.unwrap().micros.len(), 10);
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}
