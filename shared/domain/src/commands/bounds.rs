//! The bounds of an account, checked after it is read from the table.

use super::check::{check_date, check_total, within};
use crate::account::Account;
use crate::kernel::{
    MAX_ACCOUNTS_OF_CUSTOMER, MAX_DISPUTES, MAX_DRAWS, MAX_HOLDING_CASES, MAX_INSTALLMENTS, MAX_LEADS,
    MAX_MESSAGES, MAX_NOTICES, MAX_ORIGINS, MAX_PAUSES, MAX_PAYMENTS, MAX_PROMISES, MAX_SOURCES, MAX_TARGETS,
    MAX_WAIVERS, RECENT_MESSAGES, Refusal,
};

impl Account {
    /// Checks that the account keeps within its bounds. An account opened by this code does; any writer may
    /// have written one that is read.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn check_bounds(&self) -> Result<(), Refusal> {
        check_date("opened_on", self.opened_on)?;
        for installment in &self.installments {
            check_date("due_on", installment.due_on)?;
        }
        for payment in &self.payments {
            check_date("value_date", payment.value_date)?;
            check_date("received_at", payment.received_at.date_naive())?;
            within(payment.applies_to.len(), MAX_TARGETS, Refusal::TooManyTargets)?;
        }
        for pause in &self.pauses {
            check_date("from", pause.from)?;
            check_date("until", pause.until)?;
        }
        for waiver in &self.waivers {
            check_date("at", waiver.at.date_naive())?;
        }
        within(self.installments.len(), MAX_INSTALLMENTS, Refusal::TooManyInstallments)?;
        within(self.draws.len(), MAX_DRAWS, Refusal::TooManyDraws)?;
        within(self.waivers.len(), MAX_WAIVERS, Refusal::TooManyWaivers)?;
        within(self.payments.len(), MAX_PAYMENTS, Refusal::TooManyPayments)?;
        let too_many = Refusal::unfit("origin", "an account keeps fewer");
        within(self.origins(), MAX_ORIGINS, too_many)?;
        within(self.pauses.len(), MAX_PAUSES, Refusal::TooManyPauses)?;
        self.check_responses()?;
        within(self.notices.len(), MAX_NOTICES, Refusal::TooManyNotices)?;
        within(self.imposed_by.len(), MAX_ACCOUNTS_OF_CUSTOMER - 1, Refusal::TooManyAccounts)?;
        let sources = self.sources();
        within(sources.len(), MAX_SOURCES, Refusal::TooManySources)?;
        for (_, messages) in sources {
            within(messages, RECENT_MESSAGES + MAX_MESSAGES, Refusal::TooManyMessages)?;
        }
        check_total("installments", self.largest_amount_due())
    }

    pub(crate) fn check_responses(&self) -> Result<(), Refusal> {
        for promise in &self.promises {
            check_date("until", promise.until)?;
            check_date("at", promise.at.date_naive())?;
        }
        for dispute in &self.disputes {
            check_date("at", dispute.at.date_naive())?;
        }
        let too_many = |field| Refusal::unfit(field, "an account keeps fewer");
        within(self.promises.len(), MAX_PROMISES, too_many("promise_id"))?;
        within(self.disputes.len(), MAX_DISPUTES, too_many("dispute_id"))?;
        within(self.cases.len(), MAX_HOLDING_CASES, too_many("case_id"))?;
        let leads = self.reminder_preference.iter().flat_map(|known| &known.days_before);
        within(leads.count(), MAX_LEADS, too_many("remind_days_before"))
    }
}
