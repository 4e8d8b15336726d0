//! `detect-overdue` on Lambda: fired by the schedule, or by the queue of shards.

use detect_overdue::{ShardQueue, SweepEvent};
use duewatch_app::{Clock, Deadline, SystemClock};
use duewatch_runtime::{run, start_beside};
use lambda_runtime::LambdaEvent;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (services, queue) = start_beside(detect_overdue::NAME, ShardQueue::from_env).await?;
    run(async |event: LambdaEvent<SweepEvent>| {
        let deadline = Deadline::of_lambda(event.context.deadline, SystemClock.now());
        detect_overdue::handle(&services, queue.as_ref(), event.payload, deadline).await
    })
    .await
}
