//! `record-history` on Lambda.

use duewatch_runtime::{Clock, Deadline, RawStreamEvent, SystemClock, run, start};
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
