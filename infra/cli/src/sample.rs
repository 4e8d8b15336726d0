//! A generated sample portfolio: several products and time zones, and borrowers who pay on time, late, in
//! part, too much, by reversal, or not at all. Equal seeds give equal portfolios.

use std::path::PathBuf;

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::account::{Dated, PaymentKind};
use duewatch_domain::commands::{Command, NewInstallment, PaymentReceived, PaymentReversed};
use duewatch_domain::commands::{Consent, ConsentChanged, ContactFact};
use duewatch_domain::kernel::{AccountId, CustomerId, InstallmentNumber, PaymentId};
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{at_local_time, plus_days};
use duewatch_domain::policy::Channel;
use duewatch_domain::{Contract, Event, Zone, policy};
use fastrand::Rng;

use crate::input::{NumberedLine, PolicyFile};

/// The policy of the sample portfolio.
pub const POLICY: &str = include_str!("../sample/policy.toml");

/// A portfolio, its events and its policy.
#[derive(Clone, Debug)]
pub struct Sample {
    pub policy: PolicyFile,
    pub book: Vec<NumberedLine<Contract>>,
    /// In the order of `at`.
    pub events: Vec<NumberedLine<Event>>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// A credit product of the sample lender.
struct Product {
    name: &'static str,
    zone: &'static str,
    currency: &'static str,
    installments: u32,
    principal: std::ops::Range<i64>,
    interest_percent: i64,
}

const PRODUCTS: [Product; 5] = [
    Product {
        name: "installment-loan",
        zone: "Asia/Shanghai",
        currency: "CNY",
        installments: 12,
        principal: 300..2_000,
        interest_percent: 1,
    },
    Product {
        name: "card-statement",
        zone: "Asia/Shanghai",
        currency: "CNY",
        installments: 12,
        principal: 100..5_000,
        interest_percent: 0,
    },
    Product {
        name: "pay-in-three",
        zone: "Europe/London",
        currency: "GBP",
        installments: 3,
        principal: 20..150,
        interest_percent: 0,
    },
    Product {
        name: "small-firm-loan",
        zone: "America/New_York",
        currency: "USD",
        installments: 24,
        principal: 400..4_000,
        interest_percent: 2,
    },
    Product {
        name: "two-wheeler-loan",
        zone: "Asia/Kolkata",
        currency: "INR",
        installments: 18,
        principal: 1_500..6_000,
        interest_percent: 2,
    },
];

/// A borrower's way to pay one installment.
#[derive(Clone, Copy)]
enum Habit {
    OnTime,
    FewDaysLate,
    WeeksLate,
    InParts,
    TooMuch,
    Chargeback,
    Never,
}

impl Habit {
    /// Shares of a hundred borrowers.
    const SHARES: [(Self, u32); 7] = [
        (Self::OnTime, 52),
        (Self::FewDaysLate, 16),
        (Self::WeeksLate, 11),
        (Self::InParts, 7),
        (Self::TooMuch, 4),
        (Self::Chargeback, 4),
        (Self::Never, 6),
    ];

    fn any(rng: &mut Rng) -> Self {
        let mut ticket = rng.u32(0..100);
        for (habit, share) in Self::SHARES {
            if ticket < share {
                return habit;
            }
            ticket -= share;
        }
        Self::Never
    }
}

/// The first day of every sample.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2025, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

impl Sample {
    /// A sample of so many accounts over so many days.
    ///
    /// # Errors
    /// When the shipped policy is invalid; a test ensures that it is not.
    pub fn new(accounts: u32, days: u32, seed: u64) -> Result<Self, policy::PolicyError> {
        let policy = PolicyFile { policy: policy::parse(POLICY)?, text: POLICY.to_owned() };
        let to = plus_days(FIRST_DAY, i64::from(days.max(1)) - 1);
        let mut maker = Maker { rng: Rng::with_seed(seed), to, events: Vec::new(), payments: 0 };
        let book: Vec<Contract> =
            (1..=accounts).filter_map(|number| maker.account(number, &policy)).collect();
        maker.events.sort_by_key(|event| event.at);
        Ok(Self {
            policy,
            book: (1..).zip(book).map(|(line, value)| NumberedLine { line, value }).collect(),
            events: (1..).zip(maker.events).map(|(line, value)| NumberedLine { line, value }).collect(),
            from: FIRST_DAY,
            to,
        })
    }

    /// The path in error messages for the sample's events.
    #[must_use]
    pub fn events_path() -> PathBuf {
        PathBuf::from("events.jsonl")
    }
}

struct Maker {
    rng: Rng,
    to: NaiveDate,
    events: Vec<Event>,
    payments: u32,
}

impl Maker {
    /// An account and its events. None of the texts here can fail to parse.
    fn account(&mut self, number: u32, policy: &PolicyFile) -> Option<Contract> {
        let product = &PRODUCTS[self.rng.usize(..PRODUCTS.len())];
        let zone: Zone = product.zone.parse().ok()?;
        let currency: Currency = product.currency.parse().ok()?;
        let account_id: AccountId = format!("{}-{number:04}", product.name).parse().ok()?;
        let customer_id: CustomerId = format!("customer-{:04}", self.rng.u32(1..=number)).parse().ok()?;
        let opened_on = plus_days(FIRST_DAY, -self.rng.i64(1..60));
        let principal = self.rng.i64(product.principal.clone());
        let day = self.rng.i64(0..28);
        let first_due = plus_days(FIRST_DAY, day);
        let installments: Vec<NewInstallment> = (0..product.installments)
            .filter_map(|month| {
                Some(NewInstallment {
                    number: InstallmentNumber(month + 1),
                    due_on: first_due.checked_add_months(Months::new(month))?,
                    principal: Money::from_minor(principal * 100, 2),
                    interest: Money::from_minor(principal * product.interest_percent, 2),
                    fee: Money::ZERO,
                    draw_id: None,
                })
            })
            .collect();
        self.history(&account_id, zone, currency, &installments)?;
        self.says(number, &account_id, zone, first_due)?;
        Some(Contract {
            restrictions: Vec::new(),
            account_id,
            customer_id,
            policy_id: policy.policy.id.clone(),
            currency,
            time_zone: zone,
            opened_on,
            interest: None,
            installments,
        })
    }

    fn history(
        &mut self,
        account: &AccountId,
        zone: Zone,
        currency: Currency,
        installments: &[NewInstallment],
    ) -> Option<()> {
        // Most borrowers keep their habit; one in four pays in another way.
        let habit = Habit::any(&mut self.rng);
        let wavers = self.rng.u32(0..4) == 0;
        let to = self.to;
        for installment in installments.iter().filter(|one| one.due_on <= to) {
            let habit = if wavers { Habit::any(&mut self.rng) } else { habit };
            let owed = installment.principal + installment.interest;
            let due = installment.due_on;
            match habit {
                Habit::OnTime => {
                    let days = -self.rng.i64(0..4);
                    self.pays(account, zone, currency, plus_days(due, days), owed)?;
                }
                Habit::FewDaysLate => {
                    let days = self.rng.i64(2..9);
                    self.pays(account, zone, currency, plus_days(due, days), owed)?;
                }
                Habit::WeeksLate => {
                    let days = self.rng.i64(15..45);
                    self.pays(account, zone, currency, plus_days(due, days), owed)?;
                }
                Habit::InParts => {
                    let part = Money::from_minor(1_000, 2);
                    self.pays(account, zone, currency, due, part)?;
                    let days = self.rng.i64(4..20);
                    self.pays(account, zone, currency, plus_days(due, days), owed - part)?;
                }
                Habit::TooMuch => {
                    let more = Money::from_minor(self.rng.i64(1..50) * 100, 2);
                    self.pays(account, zone, currency, plus_days(due, -1), owed + more)?;
                }
                Habit::Chargeback => {
                    let (payment_id, at) = self.pays(account, zone, currency, due, owed)?;
                    let back = at + TimeDelta::days(self.rng.i64(2..6));
                    let command = Command::PaymentReversed(PaymentReversed {
                        payment_id,
                        amount: None,
                        dated: Dated::Original,
                    });
                    self.happens(account, back, command);
                    let days = self.rng.i64(20..30);
                    self.pays(account, zone, currency, plus_days(due, days), owed)?;
                }
                Habit::Never => {}
            }
        }
        Some(())
    }

    /// The opt-outs of some borrowers from text messages.
    fn says(&mut self, number: u32, account: &AccountId, zone: Zone, from: NaiveDate) -> Option<()> {
        if number.is_multiple_of(8) {
            let at = at_local_time(zone, plus_days(from, 1), NaiveTime::from_hms_opt(12, 0, 0)?);
            let change = ConsentChanged {
                channel: Some(Channel::Sms),
                consent: Consent::Withdrawn,
                by: "the customer".to_owned(),
            };
            self.happens(account, at, Command::Contact(ContactFact::Consent(change)));
        }
        Some(())
    }

    fn pays(
        &mut self,
        account: &AccountId,
        zone: Zone,
        currency: Currency,
        on: NaiveDate,
        amount: Money,
    ) -> Option<(PaymentId, DateTime<Utc>)> {
        self.payments += 1;
        let payment_id: PaymentId = format!("payment-{:05}", self.payments).parse().ok()?;
        let second = self.rng.u32(8 * 3_600..21 * 3_600);
        let at = at_local_time(zone, on, NaiveTime::from_num_seconds_from_midnight_opt(second, 0)?);
        let command = Command::PaymentReceived(PaymentReceived {
            payment_id: payment_id.clone(),
            amount,
            currency: Some(currency),
            value_date: Some(on),
            kind: PaymentKind::Repayment,
            applies_to: Vec::new(),
        });
        self.happens(account, at, command);
        Some((payment_id, at))
    }

    fn happens(&mut self, account: &AccountId, at: DateTime<Utc>, command: Command) {
        self.events.push(Event { at, account_id: account.clone(), command });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_book() {
        let one = Sample::new(20, 90, 7).unwrap();
        let other = Sample::new(20, 90, 7).unwrap();
        assert_eq!(one.book.len(), 20);
        assert!(one.book.iter().zip(&other.book).all(|(a, b)| a.value == b.value));
        assert!(one.events.iter().zip(&other.events).all(|(a, b)| a.value == b.value));
        assert!(one.events.is_sorted_by_key(|event| event.value.at));
    }
}
