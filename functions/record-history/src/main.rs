//! `record-history` on Lambda.

use duewatch_app::{Clock, Deadline, SystemClock};
use duewatch_runtime::{RawStreamEvent, run, start};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let services = start(record_history::NAME).await?;
    run(async |event: LambdaEvent<RawStreamEvent>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        Ok::<_, lambda_runtime::Error>(record_history::handle(&services, event.payload, deadline).await)
    })
    .await
}
