//! A process under way: watched until it ends or must.

use std::io;
use std::time::Duration;

use bedplate_types::Span;
use rustix::process::Signal;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::log::Copy;
use crate::over::Over;
use crate::process::Group;
use crate::{ExecError, Exit, Job, Outcome, Usage, limits, procfs};

/// How long a process group may take to leave when asked to, before it is killed.
pub const GRACE: Duration = Duration::from_secs(2);

const SAMPLE_EVERY: Duration = Duration::from_millis(50);

/// A process that was started. Dropping it kills its whole group.
pub struct Running {
    group: Group,
    log: Copy,
    over: Over,
    pid: u32,
    started: Instant,
    wall: Duration,
    peak_rss_bytes: u64,
}

/// Why the waiting ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    ByItself,
    TimedOut,
    Cancelled,
}

/// Runs a job to its end; see [`spawn`] and [`Running::wait`].
///
/// # Errors
/// When it could not be started or watched. A process that fails is an [`Outcome`], not an error.
pub async fn run(job: Job, cancel: CancellationToken) -> Result<Outcome, ExecError> {
    spawn(&job)?.wait(&cancel).await
}

/// Starts a job within a tokio runtime.
///
/// # Errors
/// When a folder or the log cannot be created, the program cannot be started, or a limit cannot be set.
pub fn spawn(job: &Job) -> Result<Running, ExecError> {
    let started = Instant::now();
    let (group, log) = Group::start(job)?;
    let lost = |pid, source: io::Error| ExecError::Watch { pid, source };
    let leader = group.leader().ok_or_else(|| lost(0, io::ErrorKind::NotFound.into()))?;
    let pid = leader.as_raw_nonzero().get().unsigned_abs();
    limits::apply(leader, &job.limits).map_err(|(what, source)| ExecError::Limit {
        what,
        program: job.program.clone(),
        source,
    })?;
    let over = Over::watch(leader).map_err(|error| lost(pid, error))?;
    let peak_rss_bytes = procfs::peak_rss_bytes(pid).unwrap_or_default();
    Ok(Running { group, log, over, pid, started, wall: duration(job.limits.wall), peak_rss_bytes })
}

fn duration(span: Span) -> Duration {
    Duration::from_micros(span.micros().unsigned_abs())
}

impl Running {
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the end, or brings it about when cancelled or out of time. The group's other
    /// processes have been killed by then; the kernel may take a moment more to carry it out.
    ///
    /// # Errors
    /// When the kernel does not tell of the process any more.
    pub async fn wait(mut self, cancel: &CancellationToken) -> Result<Outcome, ExecError> {
        let end = self.until_over(cancel).await?;
        if end != End::ByItself {
            self.stop().await?;
        }
        self.settle(end).await
    }

    async fn until_over(&mut self, cancel: &CancellationToken) -> Result<End, ExecError> {
        let deadline = self.started + self.wall;
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                over = self.over.happens() => {
                    over.map_err(|source| ExecError::Watch { pid: self.pid, source })?;
                    return Ok(End::ByItself);
                }
                () = cancel.cancelled() => return Ok(End::Cancelled),
                () = sleep_until(deadline) => return Ok(End::TimedOut),
                _ = ticks.tick() => {}
            }
            self.sample();
        }
    }

    /// Asks, waits a little, kills.
    async fn stop(&mut self) -> Result<(), ExecError> {
        self.sample();
        self.group.close_stdin();
        self.group.signal(Signal::TERM);
        if timeout(GRACE, self.over.happens()).await.is_err() {
            self.sample();
            self.group.signal(Signal::KILL);
        }
        self.over.happens().await.map_err(|source| ExecError::Watch { pid: self.pid, source })
    }

    fn sample(&mut self) {
        let now = procfs::peak_rss_bytes(self.pid).unwrap_or_default();
        self.peak_rss_bytes = self.peak_rss_bytes.max(now);
    }

    /// The process is a zombie: its counters are read before it is reaped, and gone afterwards.
    async fn settle(self, end: End) -> Result<Outcome, ExecError> {
        let usage = Usage {
            cpu_seconds: procfs::cpu_seconds(self.pid).unwrap_or_default(),
            wall_seconds: self.started.elapsed().as_secs_f64(),
            peak_rss_bytes: self.peak_rss_bytes,
        };
        let status = self.group.end().map_err(|source| ExecError::Watch { pid: self.pid, source })?;
        let exit = match end {
            End::ByItself => Exit::of(status),
            End::TimedOut => Exit::TimedOut,
            End::Cancelled => Exit::Cancelled,
        };
        Ok(Outcome { pid: self.pid, exit, usage, log: self.log.end().await })
    }
}
