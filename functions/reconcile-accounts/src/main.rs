//! `reconcile-accounts` on Lambda.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use duewatch_app::{Clock, Deadline, SystemClock};
use duewatch_runtime::{run, start};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(reconcile_accounts::NAME).await?;
    run(async |event: LambdaEvent<EventBridgeEvent>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        reconcile_accounts::handle(&services, event.payload, deadline).await
    })
    .await
}
