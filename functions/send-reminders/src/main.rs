//! `send-reminders` on Lambda.

use duewatch_app::{Clock, Deadline, SystemClock};
use duewatch_runtime::{reference_keys_from_env, run, start};
use lambda_runtime::LambdaEvent;
use send_reminders::SendEvent;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(send_reminders::NAME).await?;
    let keys = reference_keys_from_env()?;
    run(async |event: LambdaEvent<SendEvent>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        send_reminders::handle(&services, &keys, event.payload, deadline).await
    })
    .await
}
