//! The caller of a command, as the platform knows it.

use aws_config::SdkConfig;
use duewatch_store::Person;

/// The variables that name the user of this machine.
const USER: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];
/// The variables by which the SDK finds tables elsewhere than on AWS.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"];

/// Why the caller is not known.
#[derive(Debug, thiserror::Error)]
#[error("who calls is not known: {0}")]
pub struct UnknownCaller(String);

/// The caller's ARN by STS; with tables on this machine, the user of the machine, or `local`.
///
/// # Errors
/// When STS does not answer.
pub async fn caller(config: &SdkConfig) -> Result<String, UnknownCaller> {
    person(config).await.map(|person| person.name)
}

/// The caller as STS names them, with the id under which a queue would state them as a sender.
///
/// # Errors
/// When STS does not answer.
pub async fn person(config: &SdkConfig) -> Result<Person, UnknownCaller> {
    if is_local(|name| std::env::var(name).ok()) {
        return Ok(Person { name: local_user(|name| std::env::var(name).ok()), user_id: None });
    }
    let sent = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let identity =
        sent.map_err(|error| UnknownCaller(aws_sdk_sts::error::DisplayErrorContext(error).to_string()))?;
    let name = identity.arn.ok_or_else(|| UnknownCaller("STS names no caller".to_owned()))?;
    Ok(Person { name, user_id: identity.user_id })
}

/// Whether the tables lie on this machine.
fn is_local(lookup: impl Fn(&str) -> Option<String>) -> bool {
    let endpoint = ENDPOINTS.into_iter().find_map(|name| lookup(name).filter(|url| !url.is_empty()));
    let host = endpoint.as_deref().and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
    let host = host.map(|rest| rest.split('/').next().unwrap_or_default());
    host.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    })
}

fn local_user(lookup: impl Fn(&str) -> Option<String>) -> String {
    let user = USER.into_iter().find_map(|name| lookup(name).filter(|user| !user.trim().is_empty()));
    let printable = |user: String| user.chars().filter(|mark| !mark.is_control()).collect();
    user.map_or_else(|| "local".to_owned(), printable)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8000", true)]
    #[case("http://localhost:8000/", true)]
    #[case("http://[::1]:8000", true)]
    #[case("https://dynamodb.eu-central-1.amazonaws.com", false)]
    #[case("http://localhost.example:8000", false)]
    #[case("http://127.0.0.1@example.com", false)]
    #[case("", false)]
    fn only_an_endpoint_on_this_machine_is_local(#[case] url: &str, #[case] expected: bool) {
        for name in ENDPOINTS {
            assert_eq!(is_local(|asked| (asked == name).then(|| url.to_owned())), expected, "{name}={url}");
        }
        assert!(!is_local(|_| None));
    }

    #[test]
    fn the_user_of_the_machine_is_named_without_marks_that_a_terminal_obeys() {
        assert_eq!(
            local_user(|name| (name == "USER").then(|| "anna\u{1b}[2J".to_owned())).find('\u{1b}'),
            None
        );
        assert_eq!(local_user(|name| (name == "LOGNAME").then(|| "anna".to_owned())), "anna");
        assert_eq!(local_user(|_| None), "local");
    }
}
