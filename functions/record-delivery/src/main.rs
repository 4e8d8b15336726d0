//! `record-delivery` on Lambda.

use aws_lambda_events::sqs::SqsEvent;
use duewatch_app::{Clock, Deadline, SystemClock};
use duewatch_runtime::{run, start};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(record_delivery::NAME).await?;
    run(async |event: LambdaEvent<SqsEvent>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        Ok::<_, lambda_runtime::Error>(record_delivery::handle(&services, event.payload, deadline).await)
    })
    .await
}
