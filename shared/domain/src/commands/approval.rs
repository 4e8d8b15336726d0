//! Relief that one person alone may not grant: commands that forgive or defer, above the limits of the policy.
//!
//! The relief that commands without an approval granted on the last days is added up, so that a sum cannot be
//! split into parts that each lie below a limit. A command of an exempt sender, or one that was approved, adds
//! nothing.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::apply::Applied;
use super::canonical::message_checksum;
use super::check::within;
use super::command::Command;
use super::event::InboundMessage;
use super::take::applied_message;
use crate::account::{Account, Approval, Installment, LastApproval, UnapprovedRelief};
use crate::kernel::{
    InstallmentNumber, MAX_MESSAGES, MAX_SOURCES, Money, RECENT_MESSAGES, Refusal, business_date,
};
use crate::ledger::Settlement;
use crate::policy::{ApprovalRules, Timeline};

/// What a command would forgive or defer.
#[derive(Clone, Copy, Debug)]
enum Relief {
    Amount(Money),
    PauseDays(u32),
}

impl Account {
    /// Applies a message as [`take_under`](Self::take_under) does, where the policy lets one person alone send it.
    ///
    /// # Errors
    /// As of [`take`](Self::take); [`Refusal::NeedsApproval`] where the account would take it from two people alone.
    pub fn take_unapproved(
        &mut self,
        message: &InboundMessage,
        timeline: &Timeline<'_>,
    ) -> Result<Applied, Refusal> {
        let event = &message.event;
        let rules = timeline.current().approval.as_ref();
        let granted =
            rules.and_then(|rules| Some((rules, self.relief_of(&event.command, timeline, event.at)?)));
        let Some((rules, relief)) = granted else { return self.take_under(message, Some(timeline)) };
        let mut taken = self.clone();
        let applied = taken.take_under(message, Some(timeline))?;
        if applied == Applied::Changed {
            taken.add_relief(rules, relief, business_date(self.time_zone, event.at))?;
            *self = taken;
        }
        Ok(applied)
    }

    /// Applies a message that was approved, once: as of its own instant, also after later messages of its source.
    ///
    /// # Errors
    /// As of [`Account::apply`]; and where the id came before with different content, an approval of the same time
    /// or a later one was used before, or the source is one too many.
    pub fn take_approved(
        &mut self,
        message: &InboundMessage,
        approval: &Approval,
        timeline: &Timeline<'_>,
    ) -> Result<Applied, Refusal> {
        let (event, source) = (&message.event, &message.source);
        if let Some(last) = self.last_approval.as_ref().filter(|last| last.at >= approval.at) {
            let is_it = (&last.proposal, last.at) == (&approval.proposal, approval.at);
            let late = Refusal::OutOfOrder { at: approval.at, last: last.at };
            return if is_it { Ok(Applied::Unchanged) } else { Err(late) };
        }
        let checksum = message_checksum(message);
        if let Some(known) = self.messages_of(source).find(|known| known.event_id == message.event_id) {
            let is_it = (known.at, known.checksum) == (event.at, checksum);
            let differs = Refusal::MessageDiffers(message.event_id.clone());
            return if is_it { Ok(Applied::Unchanged) } else { Err(differs) };
        }
        if self.messages_of(source).next().is_none() {
            within(self.sources().len() + 1, MAX_SOURCES, Refusal::TooManySources)?;
        }
        let of_this_instant = self.messages_of(source).filter(|known| known.at == event.at).count();
        within(of_this_instant + 1, MAX_MESSAGES, Refusal::TooManyMessages)?;
        let applied = self.apply_under(&event.command, event.at, Some(timeline))?;
        if applied == Applied::Changed {
            let is_later =
                |known: &crate::account::AppliedMessage| known.source == *source && known.at > event.at;
            match self.recent_messages.iter().position(is_later) {
                // It stays behind the source's later messages, which it must not make late.
                Some(place) => self.recent_messages.insert(place, applied_message(message, checksum)),
                None => self.recent_messages.push(applied_message(message, checksum)),
            }
            let count = self.messages_of(source).count();
            let last = self.messages_of(source).last().map(|last| last.at);
            let of_last = self.messages_of(source).filter(|known| Some(known.at) == last).count();
            self.forget_messages(source, count.saturating_sub(RECENT_MESSAGES).min(count - of_last));
            let mut command = message.as_last_command(self.revision.next());
            command.approval = Some(approval.clone());
            self.last_command = Some(command);
            self.last_approval = Some(LastApproval { proposal: approval.proposal.clone(), at: approval.at });
        }
        Ok(applied)
    }

    /// Adds what is granted to the relief of the last days.
    fn add_relief(&mut self, rules: &ApprovalRules, relief: Relief, today: NaiveDate) -> Result<(), Refusal> {
        // A command that is dated back counts on the last day: the days looked back on never move back.
        let today = self.unapproved_relief.last().map_or(today, |last| last.on.max(today));
        let since = today - TimeDelta::days(i64::from(rules.within_days) - 1);
        self.unapproved_relief.retain(|day| day.on >= since);
        if self.unapproved_relief.last().is_none_or(|last| last.on < today) {
            let amount = self.currency.zero();
            self.unapproved_relief.push(UnapprovedRelief { on: today, amount, pause_days: 0 });
        }
        if let Some(day) = self.unapproved_relief.last_mut() {
            match relief {
                Relief::Amount(amount) => day.amount += amount,
                Relief::PauseDays(days) => day.pause_days = day.pause_days.saturating_add(days),
            }
        }
        let days = &self.unapproved_relief;
        let needs = |sum: String, limit: String| Refusal::NeedsApproval {
            sum,
            limit,
            within_days: rules.within_days,
        };
        match relief {
            Relief::Amount(_) => {
                let sum: Money = days.iter().map(|day| day.amount).sum();
                let limit = rules.amount_above.filter(|limit| sum > *limit);
                limit.map_or(Ok(()), |limit| Err(needs(sum.to_string(), limit.to_string())))
            }
            Relief::PauseDays(_) => {
                let sum = days.iter().fold(0_u32, |sum, day| sum.saturating_add(day.pause_days));
                let limit = rules.pause_days_above.filter(|limit| sum > *limit);
                limit.map_or(Ok(()), |limit| Err(needs(format!("{sum} days"), format!("{limit} days"))))
            }
        }
    }

    /// What a command would forgive or defer as of an instant; none: it does neither.
    ///
    /// A new schedule defers all that is outstanding, and so does switched-off enforcement.
    fn relief_of(&self, command: &Command, timeline: &Timeline<'_>, at: DateTime<Utc>) -> Option<Relief> {
        let amount = match command {
            Command::PauseStarted(pause) => {
                let days = (pause.until - pause.from).num_days();
                return Some(Relief::PauseDays(u32::try_from(days).unwrap_or_default()));
            }
            Command::InstallmentAdjusted(adjusted) => adjusted.amount,
            Command::FeeWaived(waived) => {
                let open = self.open_late_fee(timeline, at, waived.number);
                waived.amount.map_or(open, |amount| amount.min(open))
            }
            Command::WrittenOff(written_off) => self.open_of(timeline, at, written_off.number),
            Command::ScheduleReplaced(_) | Command::EnforcementOff(_) => self.open_of(timeline, at, None),
            _ => return None,
        };
        amount.is_positive().then_some(Relief::Amount(amount))
    }

    /// The late fee that is open of an installment; of all without a number.
    fn open_late_fee(
        &self,
        timeline: &Timeline<'_>,
        at: DateTime<Utc>,
        number: Option<InstallmentNumber>,
    ) -> Money {
        let fees = Settlement::of(self, Some(timeline), at).open_late_fees().into_iter();
        let named =
            fees.filter(|(place, _)| self.installments.get(*place).is_some_and(|one| is_named(one, number)));
        named.fold(self.currency.zero(), |sum, (_, fee)| sum + fee)
    }

    /// Everything that is open of an installment, its late fee included; of all without a number.
    fn open_of(
        &self,
        timeline: &Timeline<'_>,
        at: DateTime<Utc>,
        number: Option<InstallmentNumber>,
    ) -> Money {
        let settlement = Settlement::of(self, Some(timeline), at);
        let own = self.installments.iter().enumerate().filter(|(_, one)| is_named(one, number));
        let own = own.map(|(place, one)| one.amount_due() - settlement.paid(place).own);
        own.filter(|open| open.is_positive())
            .fold(self.open_late_fee(timeline, at, number), |sum, open| sum + open)
    }
}

fn is_named(installment: &Installment, number: Option<InstallmentNumber>) -> bool {
    !installment.written_off && (number.is_none() || installment.number() == number)
}
