//! The layers of the workspace and of the domain, the names and the documentation of the sources, read from them
//! and from the manifests.

mod binaries;
mod docs;
mod domain;
mod imports;
mod linked;
mod names;
mod source;
mod workspace;
