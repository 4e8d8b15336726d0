//! The facts that messages state.

use chrono::NaiveDate;
use duewatch_domain::kernel::{AccountId, Currency, Money, is_unprintable};
use duewatch_domain::policy::Restriction;

use crate::Reference;

/// The most accounts in one message.
pub const MAX_ACCOUNTS: usize = 50;

/// The part of an account's number by which its holder recognises it: at most its last four characters, and
/// never more than half of it.
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
        // An id of an earlier release may hold characters that would turn or hide the words around it.
        let shown = || account_id.as_str().chars().filter(|one| !is_unprintable(*one));
        let count = shown().count();
        let hidden = count - (count / 2).min(4);
        // A star is in the alphabet of text messages; a bullet is not, and would double their price.
        Self(std::iter::once('*').chain(shown().skip(hidden)).collect())
    }
}

/// The amount due on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountOwed {
    /// Not due yet.
    Coming { amount: Money, due_on: NaiveDate },
    /// Past due.
    Overdue {
        /// The whole overdue amount.
        amount: Money,
        /// The due date of its oldest part.
        oldest_due_on: NaiveDate,
        /// As the policy counts them.
        days_past_due: u32,
    },
}

impl AmountOwed {
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

/// The next event of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// The account reaches a stage, unless a payment comes.
    Stage {
        /// The restrictions of the stage.
        restrictions: &'a [Restriction],
        on: NaiveDate,
    },
    /// The message is the notice that a stage's restrictions wait for.
    Notice {
        /// The restrictions of the stage.
        restrictions: &'a [Restriction],
        /// The first date on which they can be imposed.
        from: NaiveDate,
    },
    /// The message announces a version of the policy.
    Rules {
        /// The first date on which the version can bind.
        from: NaiveDate,
    },
}

/// A message's facts about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts<'a> {
    pub account: MaskedAccount,
    pub currency: Currency,
    /// `None` where the message concerns no amount.
    pub amount_owed: Option<AmountOwed>,
    /// `None` where no next event is known.
    pub next: Option<Next<'a>>,
}

/// The accounts of a message that share one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    pub template: &'a str,
    /// At least one account.
    pub accounts: Vec<AccountFacts<'a>>,
}

/// The way to opt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut<'a> {
    /// By a reply to the message.
    Reply,
    /// By an address or a number, in the lender's words.
    Text(&'a str),
}

/// The facts of one message to a borrower. It may replace reminders of several accounts, each with its own
/// template; the first section provides the message's subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFacts<'a> {
    /// At least one, and at most [`MAX_ACCOUNTS`] accounts in all.
    pub sections: Vec<Section<'a>>,
    /// The date on which the message was to leave, where an outage delayed it.
    pub late_since: Option<NaiveDate>,
    /// The number of earlier messages that did not leave and that this one replaces.
    pub stands_for: u32,
    /// How to pay, in the lender's words; `None` for "as the contract says".
    pub how_to_pay: Option<&'a str>,
    /// How to get help or to appeal, in the lender's words; `None` for "contact us".
    pub how_to_appeal: Option<&'a str>,
    /// The public address of the policy.
    pub rules_at: Option<&'a str>,
    /// The way to opt out, where the law requires it in the message.
    pub opt_out: Option<OptOut<'a>>,
    /// The reference by which the recipient can verify the message.
    pub reference: Reference,
}

/// The facts of a message to a third-party contact: none of an account, and no field for an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThirdPartyFacts<'a> {
    pub template: &'a str,
    /// How the borrower reaches the lender.
    pub call_back: &'a str,
    /// The reference by which the recipient can verify the message.
    pub reference: Reference,
}
