//! `send-reminders` on Lambda.

use duewatch_runtime::{reference_keys_from_env, run, start};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(send_reminders::NAME).await?;
    let keys = reference_keys_from_env()?;
    run(async |event, deadline| send_reminders::handle(&services, &keys, event, deadline).await).await
}
