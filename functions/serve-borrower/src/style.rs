//! The one stylesheet, and the policy of the content that names it.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The stylesheet, within each page.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The policy of the content: this stylesheet, forms to this origin, and nothing else.
pub(crate) fn content_policy() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| STANDARD.encode(Sha256::digest(STYLE.as_bytes())));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}
