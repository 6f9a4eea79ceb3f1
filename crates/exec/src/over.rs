//! The news that a process is over, before it is reaped.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::sync::oneshot;

/// Waits on a thread of its own. tokio would reap the process, and its counters would be gone.
pub(crate) struct Over {
    news: oneshot::Receiver<io::Result<()>>,
    heard: bool,
}

impl Over {
    pub fn watch(pid: Pid) -> io::Result<Self> {
        let (send, news) = oneshot::channel();
        let wait = move || {
            // Nobody listens any more when the run was dropped.
            let _ = send.send(until_zombie(pid));
        };
        std::thread::Builder::new().name("exec-wait".into()).spawn(wait)?;
        Ok(Self { news, heard: false })
    }

    /// Returns once the process is a zombie, also when asked again. May be dropped halfway.
    pub async fn happens(&mut self) -> io::Result<()> {
        if !self.heard {
            (&mut self.news).await.map_err(io::Error::other)??;
            self.heard = true;
        }
        Ok(())
    }
}

fn until_zombie(pid: Pid) -> io::Result<()> {
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
