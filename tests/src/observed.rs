//! The requests of an SDK client, as an observer sees them.

use std::fmt;

use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// An observer of requests.
pub trait RequestObserver: fmt::Debug + Send + Sync + 'static {
    /// A request is about to leave.
    ///
    /// # Errors
    /// When the request is not to leave.
    fn before(&self, target: &str, body: &[u8]) -> Result<(), BoxError>;

    /// The answer has arrived.
    fn after(&self) {}

    /// The observer as an interceptor of a client.
    fn observing(self) -> Observed<Self>
    where
        Self: Sized,
    {
        Observed(self)
    }
}

/// An observer as the SDK takes it.
#[derive(Debug)]
pub struct Observed<T>(T);

impl<T: RequestObserver> Intercept for Observed<T> {
    fn name(&self) -> &'static str {
        "Observed"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request: &HttpRequest = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        self.0.before(target, request.body().bytes().unwrap_or_default())
    }

    fn read_after_transmit(
        &self,
        _context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.after();
        Ok(())
    }
}
