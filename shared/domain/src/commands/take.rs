//! Messages of the lender's systems: an account applies each once, in the order of their instants.

use super::apply::Applied;
use super::canonical::event_line;
use super::check::within;
use super::event::InboundMessage;
use crate::account::{Account, AppliedMessage};
use crate::kernel::{MAX_MESSAGES, RECENT_MESSAGES, Refusal};

impl Account {
    /// Applies a message of the lender's systems once, in the order of its instants. A message that was
    /// applied already changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged. Beside those of [`Account::apply`]: the id came before
    /// with different content, or a later message was applied already.
    pub fn take(&mut self, message: &InboundMessage) -> Result<Applied, Refusal> {
        let event = &message.event;
        let checksum = crc32fast::hash(event_line(event).as_bytes());
        let known = self.recent_messages.iter().find(|known| known.event_id == message.event_id);
        if let Some(known) = known {
            return if (known.at, known.checksum) == (event.at, checksum) {
                Ok(Applied::Unchanged)
            } else {
                Err(Refusal::MessageDiffers(message.event_id.clone()))
            };
        }
        if let Some(last) = self.recent_messages.last().filter(|last| last.at > event.at) {
            return Err(Refusal::OutOfOrder { at: event.at, last: last.at });
        }
        let of_this_instant = self.recent_messages.iter().filter(|known| known.at == event.at).count();
        within(of_this_instant + 1, MAX_MESSAGES, Refusal::TooManyMessages)?;
        let applied = self.apply(&event.command, event.at)?;
        if applied == Applied::Changed {
            // A forgotten message is older than the last one, and therefore out of order from now on.
            let excess = (self.recent_messages.len() + 1).saturating_sub(RECENT_MESSAGES);
            let older = self.recent_messages.len() - of_this_instant;
            self.recent_messages.drain(..excess.min(older));
            let event_id = message.event_id.clone();
            self.recent_messages.push(AppliedMessage { event_id, at: event.at, checksum });
        }
        Ok(applied)
    }
}
