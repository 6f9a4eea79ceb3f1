//! The other side: what a worker does so as not to outlive its server.

use std::io::{self, Read};

/// Calls `gone` when `stdin` ends, which is when the server that started this process closed it or is gone itself.
///
/// A worker's main calls this first: `watch_parent(std::io::stdin(), || std::process::exit(…))`.
///
/// # Errors
/// When no thread can be started.
pub fn watch_parent(mut stdin: impl Read + Send + 'static, gone: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let watch = move || {
        // Nobody writes here; what comes is thrown away, and an error means no server just as the end does.
        let _ = io::copy(&mut stdin, &mut io::sink());
        gone();
    };
    std::thread::Builder::new().name("exec-parent".into()).spawn(watch).map(drop)
}
