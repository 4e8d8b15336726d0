//! `detect-overdue` on Lambda: fired by the schedule, or by the queue of shards.

use detect_overdue::ShardQueue;
use duewatch_runtime::{run, start_beside};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let (services, queue) = start_beside(detect_overdue::NAME, ShardQueue::from_env).await?;
    run(async |event, deadline| detect_overdue::handle(&services, queue.as_ref(), event, deadline).await)
        .await
}
