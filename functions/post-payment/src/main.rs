//! `post-payment` on Lambda.

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    duewatch_runtime::run_batches(post_payment::NAME, post_payment::handle).await
}
