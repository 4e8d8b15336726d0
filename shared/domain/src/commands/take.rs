//! Messages: an account applies each once, and those of one source in the order of their instants.

use super::apply::Applied;
use super::canonical::message_checksum;
use super::check::within;
use super::contract::Contract;
use super::event::InboundMessage;
use crate::account::{Account, AppliedMessage};
use crate::kernel::{MAX_MESSAGES, MAX_SOURCES, RECENT_MESSAGES, Refusal, Source};
use crate::policy::Timeline;

impl Account {
    /// Applies a message once. Order and repetition are judged per source: a message that was applied already
    /// changes nothing, the same id from another source is another message, and a message may arrive after a
    /// later one of another source.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged. Beside those of [`Account::apply`]: the id came before
    /// with different content, a later message of the source was applied already, or the source is one too
    /// many.
    pub fn take(&mut self, message: &InboundMessage) -> Result<Applied, Refusal> {
        self.take_under(message, None)
    }

    /// Applies a message as [`take`](Self::take) does, by the account's policy as [`Account::apply_under`] does.
    ///
    /// # Errors
    /// As of [`take`](Self::take).
    pub fn take_under(
        &mut self,
        message: &InboundMessage,
        timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        let (event, source) = (&message.event, &message.source);
        let checksum = message_checksum(message);
        let known = self.messages_of(source).find(|known| known.event_id == message.event_id);
        if let Some(known) = known {
            return if (known.at, known.checksum) == (event.at, checksum) {
                Ok(Applied::Unchanged)
            } else {
                Err(Refusal::MessageDiffers(message.event_id.clone()))
            };
        }
        match self.messages_of(source).last() {
            Some(last) if last.at > event.at => {
                return Err(Refusal::OutOfOrder { at: event.at, last: last.at });
            }
            Some(_) => {}
            None => within(self.sources().len() + 1, MAX_SOURCES, Refusal::TooManySources)?,
        }
        let of_this_instant = self.messages_of(source).filter(|known| known.at == event.at).count();
        within(of_this_instant + 1, MAX_MESSAGES, Refusal::TooManyMessages)?;
        let applied = self.apply_under(&event.command, event.at, timeline)?;
        if applied == Applied::Changed {
            let of_source = self.messages_of(source).count();
            let excess = (of_source + 1).saturating_sub(RECENT_MESSAGES);
            self.forget_messages(source, excess.min(of_source - of_this_instant));
            self.recent_messages.push(applied_message(message, checksum));
            self.last_command = Some(message.as_last_command(self.revision.next()));
        }
        Ok(applied)
    }

    /// Opens an account as [`Account::open`] does, by a message. The account knows the message where that names
    /// a source or an actor: it is the first of its source.
    ///
    /// # Errors
    /// A [`Refusal`] where the contract's installments contradict each other.
    pub fn open_by(contract: &Contract, message: &InboundMessage) -> Result<Self, Refusal> {
        let mut account = Self::open(contract)?;
        if message.is_named() {
            account.recent_messages.push(applied_message(message, message_checksum(message)));
        }
        account.last_command = Some(message.as_last_command(account.revision.next()));
        Ok(account)
    }

    /// The known messages of a source, in the order of their instants.
    pub(super) fn messages_of(&self, source: &Source) -> impl Iterator<Item = &AppliedMessage> {
        self.recent_messages.iter().filter(move |known| known.source == *source)
    }

    /// Forgets the oldest messages of a source. Each is older than the source's last one, and therefore out of
    /// order from now on.
    pub(super) fn forget_messages(&mut self, source: &Source, mut count: usize) {
        self.recent_messages.retain(|known| {
            let is_forgotten = count > 0 && known.source == *source;
            count -= usize::from(is_forgotten);
            !is_forgotten
        });
    }

    /// The sources of the known messages, with the number of each one's messages.
    pub(super) fn sources(&self) -> Vec<(&Source, usize)> {
        let mut sources: Vec<(&Source, usize)> = Vec::new();
        for message in &self.recent_messages {
            match sources.iter_mut().find(|(source, _)| **source == message.source) {
                Some((_, count)) => *count += 1,
                None => sources.push((&message.source, 1)),
            }
        }
        sources
    }
}

pub(super) fn applied_message(message: &InboundMessage, checksum: u32) -> AppliedMessage {
    AppliedMessage {
        event_id: message.event_id.clone(),
        at: message.event.at,
        checksum,
        source: message.source.clone(),
        actor: message.stated_actor().cloned(),
        command_type: message.is_named().then(|| message.event.command.name().to_owned()),
    }
}
