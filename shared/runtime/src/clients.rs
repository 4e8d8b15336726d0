//! The configuration of the AWS clients.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::SettingsError;

/// Region, credentials and endpoints from the environment, where Lambda puts them.
///
/// The SDK's own loader also looks for profiles, web identities and metadata services. No function has any,
/// and each function would be half a megabyte larger with them.
///
/// # Errors
/// When the region or the credentials are missing.
pub fn function_config(lookup: impl Fn(&str) -> Option<String>) -> Result<SdkConfig, SettingsError> {
    let find = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let needed = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let missing: Vec<&'static str> = needed.into_iter().filter(|name| find(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(SettingsError::Missing(missing));
    }
    let get = |name: &'static str| find(name).ok_or_else(|| SettingsError::Missing(vec![name]));
    let is_on = |name: &str| find(name).map(|value| value.eq_ignore_ascii_case("true"));
    let credentials = Credentials::new(
        get("AWS_ACCESS_KEY_ID")?,
        get("AWS_SECRET_ACCESS_KEY")?,
        find("AWS_SESSION_TOKEN"),
        None,
        "the environment",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(get("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Endpoints::found(find))
        .http_client(https_client());
    config.set_endpoint_url(find("AWS_ENDPOINT_URL"));
    config.set_use_fips(is_on("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(config.build())
}

/// Endpoints of single services, which precede the common one: `AWS_ENDPOINT_URL_DYNAMODB` and the like.
#[derive(Debug)]
struct Endpoints([(&'static str, Option<String>); 3]);

impl Endpoints {
    fn found(find: impl Fn(&str) -> Option<String>) -> Self {
        Self(
            ["DynamoDB", "SNS", "SQS"].map(|service| {
                (service, find(&format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase())))
            }),
        )
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_asked_for = key.env() == "AWS_ENDPOINT_URL";
        let found = self.0.iter().find(|(service, _)| is_asked_for && *service == key.service_id());
        found.and_then(|(_, endpoint)| endpoint.clone())
    }
}

/// The HTTPS client: the SDK's own, but over ring. aws-lc takes more room and, unless its build is told
/// otherwise, gathers entropy for tens of milliseconds at each start.
#[must_use]
pub fn https_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "AWS_REGION" => "cn-north-1",
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test",
            "AWS_ENDPOINT_URL" => "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_SNS" => "http://127.0.0.1:2",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn what_a_function_needs_to_call_anybody_is_named_where_it_is_missing() {
        for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let config = function_config(|name| environment(name).filter(|_| name != missing));
            assert_eq!(config.err(), Some(SettingsError::Missing(vec![missing])));
        }
    }

    #[test]
    fn a_service_may_have_an_endpoint_of_its_own() -> Result<(), SettingsError> {
        let config = function_config(environment)?;
        assert_eq!(config.region().map(AsRef::as_ref), Some("cn-north-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        let endpoints = Endpoints::found(environment);
        let of = |service: &str, env: &str| {
            let key = ServiceConfigKey::builder().service_id(service).env(env).profile("-").build();
            endpoints.load_config(key.expect("a whole key"))
        };
        assert_eq!(of("SNS", "AWS_ENDPOINT_URL").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(of("DynamoDB", "AWS_ENDPOINT_URL"), None);
        assert_eq!(of("SNS", "AWS_ACCOUNT_ID_ENDPOINT_MODE"), None);
        Ok(())
    }
}
