//! A single-threaded executor. It polls tasks after they were woken, in the order of their numbers, and runs
//! nothing by itself.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The number of a task, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u64);

#[derive(Debug)]
pub(super) enum TaskEnd<T> {
    With(T),
    /// The task panicked without catching it.
    Panicked,
}

struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The unfinished tasks.
pub(super) struct Executor<T> {
    next: u64,
    tasks: BTreeMap<TaskId, Task<T>>,
}

impl<T> Executor<T> {
    pub(super) const fn new() -> Self {
        Self { next: 0, tasks: BTreeMap::new() }
    }

    pub(super) const fn next_id(&self) -> TaskId {
        TaskId(self.next)
    }

    pub(super) fn spawn(&mut self, future: impl Future<Output = T> + 'static) -> TaskId {
        let id = self.next_id();
        self.next += 1;
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks.insert(id, Task { future: Box::pin(future), woken });
        id
    }

    /// Drops a task where it stands, like a killed process.
    pub(super) fn kill(&mut self, id: TaskId) {
        self.tasks.remove(&id);
    }

    /// Polls the first woken task, and returns its end if it finished; none: all tasks wait.
    pub(super) fn poll_one(&mut self) -> Option<(TaskId, Option<TaskEnd<T>>)> {
        let (id, task) =
            self.tasks.iter_mut().find(|(_, task)| task.woken.0.swap(false, Ordering::Relaxed))?;
        let id = *id;
        let waker = Waker::from(Arc::clone(&task.woken));
        let mut context = Context::from_waker(&waker);
        let ended = match catch_unwind(AssertUnwindSafe(|| task.future.as_mut().poll(&mut context))) {
            Ok(Poll::Pending) => None,
            Ok(Poll::Ready(value)) => Some(TaskEnd::With(value)),
            Err(_) => Some(TaskEnd::Panicked),
        };
        if ended.is_some() {
            self.tasks.remove(&id);
        }
        Some((id, ended))
    }
}
