//! A function that does nothing: what `lambda_runtime` alone takes to start, for the
//! `cold-start` benchmark to compare with.

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, lambda_runtime::Error>(event.payload))).await
}
