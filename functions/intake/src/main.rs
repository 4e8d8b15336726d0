//! `intake` on Lambda.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    duewatch_runtime::run_batches(intake::NAME, intake::handle).await
}
