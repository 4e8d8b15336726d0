//! `record-delivery` on Lambda.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    duewatch_runtime::run_batches(record_delivery::NAME, record_delivery::handle).await
}
