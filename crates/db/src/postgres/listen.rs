//! Hearing of the commits of other processes: each commit notifies a channel, and names the process it comes from.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Config, Error, NoTls};

const LISTEN: &str = "LISTEN bedplate_commits";
/// How soon one that cannot be heard any more is called again.
const AGAIN: Duration = Duration::from_millis(250);
const ANSWER: Duration = Duration::from_secs(10);

/// What is sent with a commit of the process called `instance`; it must need no quoting.
pub(super) fn notify(instance: &str) -> String {
    format!("SELECT pg_notify('bedplate_commits', '{instance}')")
}

/// Counts what others than `me` commit, until nobody reads the count any more.
pub(super) async fn listen(config: Config, me: String, told: watch::Sender<u64>) {
    loop {
        tokio::select! {
            () = told.closed() => return,
            ended = hear(&config, &me, &told) => drop(ended),
        }
        // Whatever was committed meanwhile was not heard.
        told.send_modify(|count| *count += 1);
        sleep(AGAIN).await;
    }
}

/// Ends with the connection.
async fn hear(config: &Config, me: &str, told: &watch::Sender<u64>) -> Result<(), Error> {
    let (client, connection) = config.connect(NoTls).await?;
    let mut connection = pin!(connection);
    let mut asked = pin!(timeout(ANSWER, client.batch_execute(LISTEN)));
    let mut is_heard = false;
    loop {
        let message = tokio::select! {
            answer = &mut asked, if !is_heard => {
                match answer {
                    Ok(answer) => answer?,
                    Err(_) => return Ok(()),
                }
                is_heard = true;
                told.send_modify(|count| *count += 1);
                continue;
            }
            message = poll_fn(|context| connection.poll_message(context)) => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(note))) if note.payload() != me => told.send_modify(|count| *count += 1),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Ok(()),
        }
    }
}
