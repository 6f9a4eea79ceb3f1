//! What goes to the terminal: errors for people, and the log.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use bedplate_types::Problem;

/// Colours are for a terminal, unless NO_COLOR is set (no-color.org).
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// What failed, why, and the command that fixes it; gives the exit code.
pub fn problem(problem: &Problem) -> ExitCode {
    let mut err = std::io::stderr().lock();
    let (red, dim, reset) = if colours(&err) { ("\x1b[31;1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let _ = writeln!(err, "{red}error:{reset} {}", problem.what);
    let _ = writeln!(err, "  {dim}why:{reset} {}", problem.why);
    if let Some(fix) = &problem.fix {
        let _ = writeln!(err, "  {dim}fix:{reset} {fix}");
    }
    ExitCode::from(problem.kind.exit_code())
}

/// The log goes to standard error: warnings, more with -v. Never s3s' own: it calls whatever a client is refused an error,
/// and shows requests with what they are signed with. Nor Ballista's: it shows plans, with what people look for.
pub fn start_log(verbose: u8) {
    let usual = match verbose {
        0 => "warn,kube_client=off,s3s=off,ballista_core=off,ballista_executor=off,ballista_scheduler=off",
        1 => "info,bedplate=debug,s3s=off,ballista_core=off,ballista_executor=off,ballista_scheduler=off",
        _ => "debug,s3s=off,ballista_core=off,ballista_executor=off,ballista_scheduler=off",
    };
    let filter = std::env::var("BEDPLATE_LOG").unwrap_or_else(|_| usual.to_owned());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(colours(&std::io::stderr()))
        .compact()
        .try_init();
}
