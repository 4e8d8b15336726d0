//! The log of one thread, in a process in which other threads log too.
#![allow(clippy::unwrap_used, reason = "a log that cannot be read ends the test")]

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::fmt::MakeWriter;

/// Sets the subscriber of this thread until the guard is dropped.
///
/// Each place that logs remembers whether a subscriber wants its events. While there is only one subscriber in the
/// process, `tracing` asks the thread that comes by first; on a thread without a subscriber the answer is never,
/// and the events of this thread would be lost as well. A second subscriber, which wants nothing, makes it ask
/// all of them.
#[must_use]
pub fn listen(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(NoSubscriber::default()));
    set_default(subscriber)
}

/// The text of a log, for a subscriber to write to.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All that has been logged.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of metrics in a log of JSON lines, as CloudWatch reads them.
    #[must_use]
    pub fn metrics(&self) -> Vec<Value> {
        let lines: Vec<Value> = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let metrics = lines.iter().filter_map(|line| line["fields"]["line"].as_str());
        metrics.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
