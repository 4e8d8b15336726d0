//! Attacks through the public interfaces, named after what must not happen.

mod erasure;
mod senders;
mod silence;
