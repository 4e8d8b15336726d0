//! What the local services' names and ARNs bear.

/// The region of everything local.
pub const LOCAL_REGION: &str = "us-east-1";
/// The account of everything local: the one of AWS's own examples.
pub(super) const LOCAL_ACCOUNT: &str = "123456789012";

/// The ARN of a local topic.
#[must_use]
pub fn topic_arn(name: &str) -> String {
    arn("sns", name)
}

/// The ARN of something local.
pub(super) fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{LOCAL_REGION}:{LOCAL_ACCOUNT}:{name}")
}
