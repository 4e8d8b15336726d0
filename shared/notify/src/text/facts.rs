//! What messages are about.

use chrono::NaiveDate;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::policy::Restriction;

use crate::Reference;

/// The most accounts that one message is about.
pub const MAX_ACCOUNTS: usize = 50;

/// As much of an account's number as tells its holder which one it is: at most its last four
/// characters, and never more than half of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedAccount(String);

impl MaskedAccount {
    /// The number as a message shows it: `*1234`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&AccountId> for MaskedAccount {
    fn from(account_id: &AccountId) -> Self {
        let count = account_id.as_str().chars().count();
        let hidden = count - (count / 2).min(4);
        // A star is in the alphabet of text messages; a bullet is not, and would double their price.
        Self(std::iter::once('*').chain(account_id.as_str().chars().skip(hidden)).collect())
    }
}

/// What is owed on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// It is not late yet.
    Coming {
        /// How much falls due.
        amount: Money,
        /// When.
        due_on: NaiveDate,
    },
    /// It is late.
    Overdue {
        /// All that is overdue.
        amount: Money,
        /// When the oldest part of it was due.
        oldest_due_on: NaiveDate,
        /// As the policy counts them.
        days_past_due: u32,
    },
}

impl Owed {
    pub(super) fn amount(self) -> Money {
        match self {
            Self::Coming { amount, .. } | Self::Overdue { amount, .. } => amount,
        }
    }

    pub(super) fn due_on(self) -> NaiveDate {
        match self {
            Self::Coming { due_on, .. } => due_on,
            Self::Overdue { oldest_due_on, .. } => oldest_due_on,
        }
    }

    pub(super) fn days_past_due(self) -> u32 {
        match self {
            Self::Coming { .. } => 0,
            Self::Overdue { days_past_due, .. } => days_past_due,
        }
    }
}

/// What happens to an account next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// It reaches a stage, unless money comes.
    Stage {
        /// What the stage brings.
        restrictions: &'a [Restriction],
        /// From which date.
        on: NaiveDate,
    },
    /// The message is the notice that a stage's restrictions wait for.
    Notice {
        /// What the stage brings.
        restrictions: &'a [Restriction],
        /// The first date on which it can.
        from: NaiveDate,
    },
    /// The message announces a version of the policy.
    Rules {
        /// The first date on which that can bind.
        from: NaiveDate,
    },
}

/// What a message says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts<'a> {
    /// Which one.
    pub account: MaskedAccount,
    /// What its amounts are in.
    pub currency: Currency,
    /// What is owed on it; none: nothing that the message is about.
    pub owed: Option<Owed>,
    /// What happens to it next; none: nothing that is known.
    pub next: Option<Next<'a>>,
}

/// The accounts of a message that one template speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// Which template.
    pub template: &'a str,
    /// At least one account.
    pub accounts: Vec<AccountFacts<'a>>,
}

/// How to be written to no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut<'a> {
    /// By an answer.
    Reply,
    /// By what the lender says: an address, a number.
    Text(&'a str),
}

/// What one message to a borrower says. It may stand for reminders of several accounts, each
/// with its own template: the first section gives the message its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFacts<'a> {
    /// At least one, and at most [`MAX_ACCOUNTS`] accounts in all.
    pub sections: Vec<Section<'a>>,
    /// The date on which it was to leave, where an outage has kept it back.
    pub late_since: Option<NaiveDate>,
    /// How many earlier messages it stands for, which did not leave.
    pub stands_for: u32,
    /// How to pay, in the lender's words; none: as the contract says.
    pub how_to_pay: Option<&'a str>,
    /// How to get help or to appeal, in the lender's words; none: by telling us.
    pub how_to_appeal: Option<&'a str>,
    /// The public address of the policy.
    pub rules_at: Option<&'a str>,
    /// How to opt out, where the law wants that said.
    pub opt_out: Option<OptOut<'a>>,
    /// What the message can be verified by.
    pub reference: Reference,
}

/// What a message to a contact person says: nothing of an account, and there is no room for an
/// amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactPersonFacts<'a> {
    /// Which template.
    pub template: &'a str,
    /// How the borrower reaches the lender.
    pub call_back: &'a str,
    /// What the message can be verified by.
    pub reference: Reference,
}
