//! The Lambda adapter: settings, clients, logs and metrics, clock and deadline, batches of stream records and
//! queue messages with partial failures, and the publication of a revision.
//!
//! A function's `main.rs` calls [`start`] and passes the [`Services`] to its handler. The handler takes its
//! dependencies as arguments, so that Lambda and the local stack run the same code.

mod alerts;
mod batch;
mod clients;
mod clock;
mod metrics;
pub mod outgoing;
mod queue;
mod settings;
mod start;

pub use alerts::OperationsAlerts;
pub use batch::{
    Done, MostlyPoisoned, NewRevision, RawStreamEvent, RecordError, StreamBatch, read_record, stream_batch,
};
pub use clients::{function_config, https_client};
pub use clock::{Clock, Deadline, SystemClock};
pub use metrics::Metrics;
pub use outgoing::Outgoing;
pub use queue::{QueueBatch, check_not_ahead, queue_batch};
pub use settings::{
    REFERENCE_KEYS, SETTINGS, Settings, SettingsError, reference_keys, reference_keys_from_env,
};
pub use start::{Services, run, start, start_beside};
