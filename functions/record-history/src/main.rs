//! `record-history` on Lambda.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    duewatch_runtime::run_batches(record_history::NAME, record_history::handle).await
}
