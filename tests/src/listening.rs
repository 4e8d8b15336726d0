//! The log of one thread, in a process in which other threads log too.

use std::sync::OnceLock;

use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Subscriber};

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
