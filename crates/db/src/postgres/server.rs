//! A server, and the thread that carries what is said to it.

use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::{Error, NoTls};

use super::address::Address;
use super::connection::Connection;
use super::error::{Failure, connecting};
use super::listen::listen;
use super::tx::PostgresTx;
use crate::{DbError, Tx};

/// The longest a caller waits for one answer.
const ANSWER: Duration = Duration::from_secs(60);

/// One server; its connections hold on to it.
pub(super) struct Server {
    address: Address,
    /// What this process is called among those that share the database.
    instance: OnceLock<String>,
    // Taken out once, when it is dropped.
    runtime: Option<Runtime>,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, DbError> {
        let address = Address::parse(url)?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("bedplate-postgres").enable_all().build();
        let runtime = runtime.map_err(|error| DbError::Unreachable {
            server: address.name.clone(),
            why: format!("no thread for its connections: {error}"),
        })?;
        Ok(Self { address, instance: OnceLock::new(), runtime: Some(runtime) })
    }

    pub(super) fn name(&self) -> &str {
        &self.address.name
    }

    pub(super) fn unreachable(&self, why: impl Into<String>) -> DbError {
        DbError::Unreachable { server: self.name().to_owned(), why: why.into() }
    }

    /// What this process is called among those that share the database; the server made it up.
    pub(super) fn instance(self: &std::sync::Arc<Self>) -> Result<String, DbError> {
        if let Some(known) = self.instance.get() {
            return Ok(known.clone());
        }
        let mut connection = self.connect()?;
        let rows = PostgresTx::new(&mut connection, "BEGIN; ").query("SELECT CAST(gen_random_uuid() AS TEXT)", &[])?;
        let made = rows.first().map_or(Ok(""), |row| row.text(0))?.to_owned();
        Ok(self.instance.get_or_init(|| made).clone())
    }

    /// Counts what others commit, from now on.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        let (told, hears) = watch::channel(0);
        if let Some(runtime) = &self.runtime {
            let me = self.instance.get().cloned().unwrap_or_default();
            runtime.spawn(listen(self.address.config.clone(), me, told));
        }
        hears
    }

    /// A new connection, set up as we want it.
    pub(super) fn connect(self: &std::sync::Arc<Self>) -> Result<Connection, DbError> {
        let config = self.address.config.clone();
        let client = self.wait(async move {
            let (client, connection) = config.connect(NoTls).await?;
            // It ends when the client is dropped, or when the server is gone; either is seen by whoever asks next.
            tokio::spawn(connection);
            Ok(client)
        });
        let client = client.map_err(|failure| connecting(self, &failure))?;
        Connection::set_up(std::sync::Arc::clone(self), client)
    }

    /// Carries out `work` on the server's own thread, while this one waits.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::Silent) };
        let (send, answer) = sync_channel(1);
        runtime.spawn(async move { drop(send.send(timeout(ANSWER, work).await)) });
        match answer.recv() {
            Ok(Ok(outcome)) => outcome.map_err(Failure::Told),
            Ok(Err(_)) | Err(_) => Err(Failure::Silent),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last handle may be dropped inside an async runtime, where nothing may be waited for.
            runtime.shutdown_background();
        }
    }
}
