//! Names and ARNs of the local services.

/// The region of all local resources.
pub const LOCAL_REGION: &str = "us-east-1";
/// The account of all local resources, from AWS's own examples.
pub const LOCAL_ACCOUNT: &str = "123456789012";

/// The ARN of a local topic.
#[must_use]
pub fn topic_arn(name: &str) -> String {
    arn("sns", name)
}

/// The ARN of a local resource.
#[must_use]
pub fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:{LOCAL_REGION}:{LOCAL_ACCOUNT}:{name}")
}
