//! Races in the order that a test chooses.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::error::BoxError;
use tokio::runtime::Handle;

use crate::observed::RequestObserver;

type HappeningFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A happening right before a call leaves: another invocation, or the lender's payment system. The test needs
/// a runtime of several threads.
#[derive(Clone)]
pub struct Interrupt {
    call: &'static str,
    containing: Vec<String>,
    left: Arc<AtomicUsize>,
    happening: Arc<dyn Fn() -> HappeningFuture + Send + Sync>,
    fails: bool,
}

impl Interrupt {
    /// Runs `happening` before the first `times` calls of that kind to that table.
    pub fn before<F, Fut>(call: &'static str, table: &str, times: usize, happening: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        Self {
            call,
            containing: vec![format!("\"TableName\":\"{table}\"")],
            left: Arc::new(AtomicUsize::new(times)),
            happening: Arc::new(move || Box::pin(happening())),
            fails: false,
        }
    }

    /// Fails the first `times` calls of that kind to that table before they leave.
    #[must_use]
    pub fn failing(call: &'static str, table: &str, times: usize) -> Self {
        Self { fails: true, ..Self::before(call, table, times, || async {}) }
    }

    /// Restricts the interrupt to calls that name this key.
    #[must_use]
    pub fn about(mut self, key: &str) -> Self {
        self.containing.push(format!("{{\"S\":\"{key}\"}}"));
        self
    }

    /// The number of times that are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").field("call", &self.call).finish_non_exhaustive()
    }
}

impl RequestObserver for Interrupt {
    fn before(&self, target: &str, body: &[u8]) -> Result<(), BoxError> {
        let body = String::from_utf8_lossy(body);
        let is_it = target.ends_with(&format!(".{}", self.call))
            && self.containing.iter().all(|part| body.contains(part));
        let comes = || self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_it && comes().is_ok() {
            if self.fails {
                return Err("the test lets it fail".into());
            }
            tokio::task::block_in_place(|| Handle::current().block_on((self.happening)()));
        }
        Ok(())
    }
}
