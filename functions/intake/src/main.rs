//! `intake` on Lambda.

use intake::SenderMap;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = duewatch_runtime::start(intake::NAME).await?;
    let services = services.with_tombstone_key(duewatch_runtime::tombstone_key_from_env()?);
    let senders = SenderMap::from_env()?;
    duewatch_runtime::run(async |event, deadline| {
        Ok::<_, lambda_runtime::Error>(intake::handle(&services, &senders, event, deadline).await)
    })
    .await
}
