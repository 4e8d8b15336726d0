//! The archive of accepted commands and of erasures, for a restore.
//!
//! Both go to the topic `archive`, which a delivery stream writes into a bucket. A command counts as taken once it is
//! archived: where the topic refuses it, the queue brings it again, and the account knows it by then.

use chrono::{DateTime, Utc};
use duewatch_domain::InboundMessage;
use duewatch_domain::kernel::CustomerId;
use duewatch_notify::{OutboundMessage, command_archived, erasure_archived};

use crate::{RecordError, Services};

/// Archives an accepted command, its personal texts sealed under a key of its customer.
///
/// # Errors
/// When a call fails; a later delivery may succeed.
pub(crate) async fn archive_command(
    services: &Services,
    command: &InboundMessage,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let archived = services.store().seal_command(command).await?;
    publish(services, command_archived(command, &archived, now), now).await
}

/// Archives that a customer's data was erased, so that a restore erases it again.
///
/// # Errors
/// When the topic refuses it.
pub async fn archive_erasure(
    services: &Services,
    customer_id: &CustomerId,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    publish(services, erasure_archived(customer_id, now), now).await
}

async fn publish(
    services: &Services,
    message: OutboundMessage,
    now: DateTime<Utc>,
) -> Result<(), RecordError> {
    let published = services.publisher.publish(&[message], now).await;
    published.map_err(|error| RecordError::Retry(format!("it is not archived: {error}")))
}
