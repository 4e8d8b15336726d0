//! `anchor-history` on Lambda.

use duewatch_runtime::{anchor_key_from_env, run, start};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(anchor_history::NAME).await?;
    let key = anchor_key_from_env()?;
    run(async |event, deadline| anchor_history::handle(&services, &key, event, deadline).await).await
}
