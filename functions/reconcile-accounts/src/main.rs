//! `reconcile-accounts` on Lambda.

use duewatch_runtime::{run, start};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(reconcile_accounts::NAME).await?;
    run(async |event, deadline| reconcile_accounts::handle(&services, event, deadline).await).await
}
