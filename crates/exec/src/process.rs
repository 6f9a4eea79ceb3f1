//! A child in a process group of its own, which ends when this value does.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::log::Copy;
use crate::{ExecError, Job};

/// The group's leader is not reaped before [`Group::end`], so that its id cannot name another process meanwhile.
pub(crate) struct Group(Option<Child>);

impl Group {
    /// Starts the job's program; its output goes to the log.
    pub fn start(job: &Job) -> Result<(Self, Copy), ExecError> {
        create_folder(&job.workdir)?;
        let log = create_log(&job.log)?;
        let failed = |source| ExecError::Start { program: job.program.clone(), source };
        let (output, input) = io::pipe().map_err(failed)?;
        let group = Self(Some(command(job, input).and_then(|mut command| command.spawn()).map_err(failed)?));
        Ok((group, Copy::start(output, log).map_err(failed)?))
    }

    pub fn leader(&self) -> Option<Pid> {
        self.0.as_ref().map(Pid::from_child)
    }

    /// Closes the leader's standard input: the sign for a worker to leave.
    pub fn close_stdin(&mut self) {
        if let Some(child) = &mut self.0 {
            child.stdin.take();
        }
    }

    /// A group that is gone already is what was wanted.
    pub fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader() {
            let _ = kill_process_group(leader, signal);
        }
    }

    /// Kills what is left of the group and reaps the leader, which must be over or about to be.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::KILL);
        match self.0.take() {
            Some(mut child) => child.wait(),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(mut child) = self.0.take() {
            // Reaping takes as long as dying does: not on the caller's thread.
            let _ = std::thread::Builder::new().name("exec-reap".into()).spawn(move || child.wait());
        }
    }
}

fn command(job: &Job, output: io::PipeWriter) -> io::Result<Command> {
    let mut command = Command::new(&job.program);
    command.args(&job.args).current_dir(&job.workdir).process_group(0);
    command.env_clear().envs(job.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
    Ok(command)
}

fn create_folder(path: &Path) -> Result<(), ExecError> {
    fs::create_dir_all(path).map_err(|source| ExecError::Folder { path: path.to_owned(), source })
}

fn create_log(path: &Path) -> Result<File, ExecError> {
    path.parent().map_or(Ok(()), create_folder)?;
    File::create(path).map_err(|source| ExecError::Log { path: path.to_owned(), source })
}
