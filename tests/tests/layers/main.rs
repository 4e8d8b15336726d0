//! The layers of the workspace and of the domain, and the documentation of the sources, read from the sources
//! and the manifests themselves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's own input is known to be good")]

mod docs;
mod domain;
mod imports;
mod source;
mod workspace;
