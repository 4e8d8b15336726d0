//! `serve-borrower` on Lambda.

use duewatch_runtime::{page_key_from_env, reference_keys_from_env, run, start};
use serve_borrower::{Help, Pages};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(serve_borrower::NAME).await?;
    let pages = Pages::new(services, page_key_from_env()?, reference_keys_from_env()?, Help::from_env());
    run(async |event, _| Ok::<_, lambda_runtime::Error>(serve_borrower::handle(&pages, event).await)).await
}
