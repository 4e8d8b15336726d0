//! The portfolio of the benchmark: the same accounts every time, generated one by one so that a million of
//! them need not fit into memory at once.

use chrono::{DateTime, Months, NaiveDate, Utc};
use duewatch_cli::input::PolicyFile;
use duewatch_domain::account::PaymentKind;
use duewatch_domain::commands::{NewInstallment, PaymentReceived};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{AccountId, InstallmentNumber};
use duewatch_domain::{Contract, policy};
use duewatch_store::PaymentFact;
use duewatch_testkit::{LATE, LIMITED, reminders, stages};

use super::Failure;

/// Gentle first: a reminder before the due date, a stage that only sends messages, one that restricts.
fn policy_text() -> String {
    let steps = reminders(&[("current", -3, "app", "due_soon"), ("late", 5, "sms", "late")]);
    duewatch_testkit::policy_text("scale", "grace_days = 3", &format!("{}{steps}", stages(&[LATE, LIMITED])))
}

/// Monthly installments of each account.
const INSTALLMENTS: u32 = 12;
/// Of a hundred borrowers at the month's end, those who miss the due date.
const LATE_PERCENT: u32 = 10;
/// The due date at the month's end, which makes the peak.
const PEAK_DUE_ON: (i32, u32, u32) = (2025, 1, 31);
/// The other accounts are due on this day and the 16 days after it.
const REST_DUE_FROM: (i32, u32, u32) = (2025, 2, 12);
const REST_DAYS: u32 = 17;

/// The instants of the benchmark, all in the accounts' time zone, Shanghai. Between import and the last of
/// them no debt falls due but at the month's end.
#[derive(Clone, Copy, Debug)]
pub struct BenchmarkInstants {
    /// 27 January, 00:00.
    pub import: DateTime<Utc>,
    /// 28 January, 10:00: the reminder three days before the month's end.
    pub remind: DateTime<Utc>,
    /// 29 January, 12:00: nine in ten borrowers pay.
    pub pay: DateTime<Utc>,
    /// 4 February, 00:00: the remaining accounts are late.
    pub late: DateTime<Utc>,
    /// 5 February, 10:00: the late borrowers get a message.
    pub tell: DateTime<Utc>,
    /// 8 February, 00:00: the late accounts are restricted.
    pub restrict: DateTime<Utc>,
    /// 8 February, 12:00: their borrowers pay.
    pub lift: DateTime<Utc>,
}

impl BenchmarkInstants {
    /// Calculates the instants.
    ///
    /// # Errors
    /// Never: the texts are good.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self {
            import: "2025-01-26T16:00:00Z".parse()?,
            remind: "2025-01-28T02:00:00Z".parse()?,
            pay: "2025-01-29T04:00:00Z".parse()?,
            late: "2025-02-03T16:00:00Z".parse()?,
            tell: "2025-02-05T02:00:00Z".parse()?,
            restrict: "2025-02-07T16:00:00Z".parse()?,
            lift: "2025-02-08T04:00:00Z".parse()?,
        })
    }
}

/// A portfolio of `accounts` accounts, a share of which is due at the month's end.
#[derive(Clone, Copy, Debug)]
pub struct Book {
    pub accounts: u32,
    /// Accounts due on the month's last day, of a hundred.
    pub peak_percent: u32,
}

impl Book {
    /// The policy of all accounts.
    ///
    /// # Errors
    /// Never: the text is good.
    pub fn policy() -> Result<PolicyFile, Failure> {
        let text = policy_text();
        Ok(PolicyFile { policy: policy::parse(&text)?, text })
    }

    /// Whether the account is due at the month's end.
    #[must_use]
    pub const fn is_peak(self, number: u32) -> bool {
        number % 100 < self.peak_percent
    }

    /// Whether the account is due at the month's end and its borrower misses the date.
    #[must_use]
    pub const fn is_late(self, number: u32) -> bool {
        self.is_peak(number) && (number / 100) % 100 < LATE_PERCENT
    }

    /// The numbers of the accounts that `wanted` picks.
    pub fn numbers(self, wanted: impl Fn(Self, u32) -> bool) -> impl Iterator<Item = u32> {
        (0..self.accounts).filter(move |number| wanted(self, *number))
    }

    /// The id of an account.
    ///
    /// # Errors
    /// Never: the text is good.
    pub fn account_id(number: u32) -> Result<AccountId, Failure> {
        Ok(format!("loan-{number:08}").parse()?)
    }

    /// The contract of an account.
    ///
    /// # Errors
    /// Never: the dates and texts are good.
    pub fn contract(self, number: u32) -> Result<Contract, Failure> {
        let first_due = if self.is_peak(number) {
            date(PEAK_DUE_ON)?
        } else {
            date(REST_DUE_FROM)? + chrono::Days::new(u64::from(number % REST_DAYS))
        };
        let principal = principal_minor(number);
        let installments = (0..INSTALLMENTS)
            .filter_map(|month| {
                Some(NewInstallment {
                    number: InstallmentNumber(month + 1),
                    due_on: first_due.checked_add_months(Months::new(month))?,
                    principal: Money::from_minor(principal, 2),
                    interest: Money::from_minor(principal / 100, 2),
                    fee: Money::ZERO,
                    draw_id: None,
                })
            })
            .collect();
        Ok(Contract {
            restrictions: Vec::new(),
            account_id: Self::account_id(number)?,
            customer_id: format!("customer-{number:08}").parse()?,
            policy_id: "scale".parse()?,
            currency: "CNY".parse()?,
            time_zone: "Asia/Shanghai".parse()?,
            opened_on: date((2024, 12, 20))?,
            interest: None,
            installments,
        })
    }

    /// The payment of an account's first installment.
    ///
    /// # Errors
    /// Never: the texts are good.
    pub fn payment(number: u32, at: DateTime<Utc>) -> Result<PaymentFact, Failure> {
        let principal = principal_minor(number);
        let payment = PaymentReceived {
            payment_id: format!("payment-{number:08}-01").parse()?,
            amount: Money::from_minor(principal + principal / 100, 2),
            currency: Some("CNY".parse()?),
            value_date: None,
            kind: PaymentKind::Repayment,
            applies_to: Vec::new(),
        };
        Ok(PaymentFact::received(Self::account_id(number)?, &payment, at))
    }
}

/// Between 300.00 and 1,999.00.
fn principal_minor(number: u32) -> i64 {
    (300 + i64::from(number) * 7_919 % 1_700) * 100
}

fn date((year, month, day): (i32, u32, u32)) -> Result<NaiveDate, Failure> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| "no such date".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_months_end_is_late_whatever_the_size() {
        for (accounts, peak_percent) in [(10_000, 20), (100_000, 20), (100_000, 5)] {
            let book = Book { accounts, peak_percent };
            let peak = book.numbers(Book::is_peak).count();
            let late = book.numbers(Book::is_late).count();
            assert_eq!(peak, (accounts * peak_percent / 100) as usize);
            assert_eq!(late, peak / 10);
        }
    }
}
