//! Where an account stands, as the first sentence of a page.

use chrono::NaiveDate;
use duewatch_domain::formats::FiguresLine;
use serde::Serialize;

use crate::account::AccountView;
use crate::installments::InstallmentState;

/// Where an account stands. The first that holds, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Situation {
    /// The contract begins on a later day.
    NotOpened {
        opens_on: NaiveDate,
    },
    /// Overdue, and a payment is on its way.
    PaymentOnItsWay {
        amount: String,
        since: Option<NaiveDate>,
    },
    /// Overdue, and a hold keeps a restriction back.
    OverdueHeld {
        amount: String,
        since: Option<NaiveDate>,
    },
    /// Overdue, in days that do not count.
    OverduePaused {
        amount: String,
        since: Option<NaiveDate>,
        until: NaiveDate,
    },
    /// Overdue and restricted.
    OverdueRestricted {
        amount: String,
        since: Option<NaiveDate>,
    },
    Overdue {
        amount: String,
        since: Option<NaiveDate>,
    },
    /// Nothing is overdue, and a restriction is in force: another account of the customer imposes it, or it waits for
    /// its end.
    Restricted,
    DueOn {
        amount: String,
        on: NaiveDate,
    },
    /// Nothing is left to pay.
    NothingDue,
    /// No sentence fits: the account has no figures though it is open.
    Unknown,
}

impl AccountView<'_> {
    /// Where the account stands.
    #[must_use]
    pub fn situation(&self) -> Situation {
        let Some(figures) = &self.figures else {
            return match self.stage {
                None => Situation::NotOpened { opens_on: self.opened_on },
                Some(_) => Situation::Unknown,
            };
        };
        match &self.clears {
            Some(clears) => self.overdue(figures, clears.today.clone()),
            None if !self.restrictions.is_empty() => Situation::Restricted,
            None => self.upcoming(),
        }
    }

    fn overdue(&self, figures: &FiguresLine, amount: String) -> Situation {
        let since = figures.oldest_due_on;
        let pause = self.pauses.iter().find(|pause| pause.is_running);
        if self.in_process.as_ref().is_some_and(|process| process.failed_at.is_none()) {
            return Situation::PaymentOnItsWay { amount, since };
        }
        if !self.restrictions.is_empty() {
            return Situation::OverdueRestricted { amount, since };
        }
        match pause {
            Some(pause) => Situation::OverduePaused { amount, since, until: pause.until },
            None if self.held.is_some() => Situation::OverdueHeld { amount, since },
            None => Situation::Overdue { amount, since },
        }
    }

    /// The next installment with an open amount.
    fn upcoming(&self) -> Situation {
        let open = self.installments.iter().filter(|one| one.state == InstallmentState::Upcoming);
        match open.min_by_key(|one| one.due_on) {
            Some(next) => Situation::DueOn { amount: next.open.clone(), on: next.due_on },
            None => Situation::NothingDue,
        }
    }
}
