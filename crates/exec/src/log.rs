//! A process's output, copied to a file of bounded size.

use std::io::{self, Read, Write};
use std::time::Duration;

use bedplate_types::Bytes;
use tokio::sync::oneshot;

/// A log has no more than this, besides the line that says it was cut.
pub const LOG_LIMIT: Bytes = Bytes(64 << 20);

/// How long output is waited for after the end. Only a process that left the group can still hold the pipe by then.
const LINGER: Duration = Duration::from_secs(1);

/// How a log came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// Bytes the process wrote, including those that were cut.
    pub bytes: u64,
    /// It wrote more than [`LOG_LIMIT`].
    pub cut: bool,
    /// Why the file is not complete, if it is not.
    pub failure: Option<String>,
}

/// A copy under way, on a thread of its own: the pipe is read to its end, whatever becomes of the file.
pub(crate) struct Copy(oneshot::Receiver<LogEnd>);

impl Copy {
    pub fn start(from: impl Read + Send + 'static, to: impl Write + Send + 'static) -> io::Result<Self> {
        let (send, receive) = oneshot::channel();
        let copy = move || {
            // Nobody listens any more when the run was dropped.
            let _ = send.send(copy(from, to, LOG_LIMIT));
        };
        std::thread::Builder::new().name("exec-log".into()).spawn(copy)?;
        Ok(Self(receive))
    }

    pub async fn end(self) -> LogEnd {
        match tokio::time::timeout(LINGER, self.0).await {
            Ok(Ok(end)) => end,
            _ => LogEnd {
                failure: Some("a process outside the group still holds the output".into()),
                ..LogEnd::default()
            },
        }
    }
}

fn copy(mut from: impl Read, to: impl Write, limit: Bytes) -> LogEnd {
    let mut log = Bounded { to, limit, end: LogEnd::default() };
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => log.take(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                log.fail(&error);
                break;
            }
        }
    }
    log.end
}

struct Bounded<W> {
    to: W,
    limit: Bytes,
    end: LogEnd,
}

impl<W: Write> Bounded<W> {
    fn take(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.limit.0.saturating_sub(self.end.bytes)).unwrap_or(usize::MAX);
        self.end.bytes += bytes.len() as u64;
        self.write(&bytes[..room.min(bytes.len())]);
        if room < bytes.len() && !self.end.cut {
            self.end.cut = true;
            self.write(format!("\n[the log was cut here: it may have no more than {}]\n", self.limit).as_bytes());
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.end.failure.is_none()
            && let Err(error) = self.to.write_all(bytes)
        {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.end.failure = Some(error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &[u8], limit: u64) -> (LogEnd, String) {
        let mut file = Vec::new();
        let end = copy(said, &mut file, Bytes(limit));
        (end, String::from_utf8(file).unwrap())
    }

    #[test]
    fn what_fits_is_whole() {
        let (end, text) = check(b"hello", 5);
        assert_eq!((end, text.as_str()), (LogEnd { bytes: 5, ..LogEnd::default() }, "hello"));
    }

    #[test]
    fn what_does_not_is_cut_and_says_so_once() {
        let (end, text) = check(&[b'x'; 200_000], 1024);
        assert_eq!((end.bytes, end.cut, end.failure), (200_000, true, None));
        assert_eq!(&text[..1024], "x".repeat(1024));
        assert_eq!(&text[1024..], "\n[the log was cut here: it may have no more than 1.0 KiB]\n");
    }

    #[test]
    fn a_full_disk_stops_the_file_but_not_the_reading() {
        let mut small = [0; 3];
        let end = copy(&b"hello"[..], &mut small[..], LOG_LIMIT);
        assert_eq!((end.bytes, end.failure.is_some()), (5, true));
    }
}
