//! Live progress on standard error: one line an object, as short as its state.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use bedplate_kinds::Phase;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;

/// The lines on the terminal; without a terminal, one plain line a change.
pub struct Progress {
    shown: bool,
    bars: MultiProgress,
    lines: Mutex<BTreeMap<String, (ProgressBar, Phase)>>,
}

impl Progress {
    pub fn start(shown: bool) -> Self {
        Self { shown, bars: MultiProgress::new(), lines: Mutex::default() }
    }

    /// Says where an object stands.
    pub fn tell(&self, object: &str, phase: Phase, message: &str) {
        if !self.shown {
            return;
        }
        let mut lines = self.lines.lock();
        let new = !lines.contains_key(object);
        let (bar, last) = lines.entry(object.to_owned()).or_insert_with(|| (self.line(object), Phase::Pending));
        if std::io::stderr().is_terminal() {
            draw(bar, phase, message);
        } else if (new || *last != phase) && phase.is_settled() {
            let line = format!("{object}: {phase:?} {message}");
            eprintln!("{}", line.trim_end());
        }
        *last = phase;
    }

    fn line(&self, object: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner:.cyan} {prefix:<34} {msg:.dim}");
        if let Ok(style) = style {
            bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_prefix(object.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    pub fn end(&self) {
        for (bar, _) in self.lines.lock().values() {
            bar.finish();
        }
    }
}

fn draw(bar: &ProgressBar, phase: Phase, message: &str) {
    match phase {
        Phase::Ready | Phase::Succeeded => bar.finish_with_message(format!("✓ {message}")),
        Phase::Failed => bar.finish_with_message(format!("✗ {message}")),
        Phase::Pending | Phase::Running => bar.set_message(message.to_owned()),
    }
}
