//! The Lambda adapter: settings, clients, logs and metrics, batches of stream records and queue messages with
//! partial failures.
//!
//! A function's `main.rs` calls [`start`] and passes the [`Services`](duewatch_app::Services) to its handler. The handler takes its
//! dependencies as arguments, so that Lambda and the local stack run the same code.

mod batch;
mod clients;
mod escaping;
mod firing;
mod metrics;
mod queue;
mod settings;
mod start;

pub use batch::{Done, MostlyPoisoned, NewRevision, RawStreamEvent, StreamBatch, read_record, stream_batch};
pub use clients::{function_config, https_client};
pub use escaping::{EscapeStyle, Escaping};
pub use firing::FiringError;
pub use metrics::Metrics;
pub use queue::{QueueBatch, queue_batch};
pub use settings::{
    ANCHOR_KEY, PAGE_KEY, POLICY_KEYS, REFERENCE_KEYS, SETTINGS, Settings, SettingsError, TOMBSTONE_KEY,
    anchor_key_from_env, page_key_from_env, reference_keys, reference_keys_from_env, tombstone_key_from_env,
};
pub use start::{run, run_batches, services, services_over, start, start_beside};
