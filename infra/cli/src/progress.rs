//! A progress bar for work that takes longer than two seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long work may take before a bar appears.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bar on a terminal, nothing elsewhere; it appears only on long work.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// A bar over `length` steps.
    #[must_use]
    pub fn new(what: &'static str, length: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} [{bar:40}] {percent:>3} %  {elapsed} gone, {eta} to go")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Self { bar, begun: Instant::now(), shown: !std::io::stderr().is_terminal() }
    }

    /// Sets the number of completed steps.
    pub fn set(&mut self, done: u64) {
        if !self.shown && self.begun.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
