//! Builders over the portfolio and event formats, so that the tests read as statements.

pub(crate) mod accrual;
pub(crate) mod contact;
pub(crate) mod generate;
pub(crate) mod past;
pub(crate) mod people;
pub(crate) mod version_case;

use chrono::{DateTime, Utc};
use duewatch_domain::account::Figures;
use duewatch_domain::account::InstallmentLabel;
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::kernel::end_of_day;
use duewatch_domain::{
    Account, Applied, Assessment, Command, Contract, Policy, Refusal, Trigger, allocate, assess,
};
use duewatch_testkit::{
    ContractTerms, FOUR_MONTHS, FROZEN, LATE, LIMITED, SUSPENDED, equal_installments, local_instant, stages,
};
pub(crate) use duewatch_testkit::{date, instant, policy};
use serde_json::json;

/// `late` from delinquent day 1, `limited` from 5, `frozen` from 15 and 100.00
/// overdue, `suspended` from 30; three days of grace.
pub(crate) fn ladder() -> Policy {
    let frozen = ("frozen", "delinquent_days = 15, overdue_amount = \"100.00\"", FROZEN.2);
    policy("grace_days = 3", &stages(&[LATE, LIMITED, frozen, SUSPENDED]))
}

/// One stage with one condition in TOML; no grace.
pub(crate) fn only_stage(head: &str, when: &str) -> Policy {
    policy(head, &stages(&[("held", when, "")]))
}

/// An account, the facts that reach it, and its figures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestLoan {
    pub(crate) account: Account,
}

/// A loan in CNY, Shanghai, of `(number, due_on, principal)`.
pub(crate) fn loan(installments: &[(u32, &str, &str)]) -> TestLoan {
    loan_in("Asia/Shanghai", "CNY", installments)
}

pub(crate) fn loan_in(zone: &str, currency: &str, installments: &[(u32, &str, &str)]) -> TestLoan {
    let installments = installments
        .iter()
        .map(|(number, due_on, principal)| json!({ "number": number, "due_on": due_on, "principal": principal }))
        .collect();
    TestLoan::of(&ContractTerms { time_zone: zone, currency, installments, ..ContractTerms::default() })
}

/// A contract of installments in JSON, separated by commas.
pub(crate) fn contract(zone: &str, currency: &str, installments: &str) -> Contract {
    let installments = serde_json::from_str(&format!("[{installments}]")).expect(installments);
    ContractTerms { time_zone: zone, currency, installments, ..ContractTerms::default() }.contract()
}

/// Four installments of 250.00 CNY, due on the first of October to January.
pub(crate) fn four_installments() -> TestLoan {
    let installments = equal_installments("250.00", &FOUR_MONTHS);
    TestLoan::of(&ContractTerms { installments, ..ContractTerms::default() })
}

impl TestLoan {
    pub(crate) fn of(terms: &ContractTerms<'_>) -> Self {
        Self { account: Account::open(&terms.contract()).unwrap() }
    }

    /// Applies an event in the format's own words: its type and the rest of its fields. A date alone stands
    /// for that day's noon.
    pub(crate) fn try_learn(&mut self, on: &str, kind: &str, fields: &str) -> Result<Applied, Refusal> {
        let command = command(kind, fields);
        let at = self.local(on);
        self.account.apply(&command, at)
    }

    /// Applies an event that must change the account.
    pub(crate) fn learns(&mut self, on: &str, kind: &str, fields: &str) -> &mut Self {
        let applied = self.try_learn(on, kind, fields);
        assert_eq!(applied, Ok(Applied::Changed), "{kind} {fields}");
        self
    }

    pub(crate) fn pays(&mut self, on: &str, id: &str, amount: &str) -> &mut Self {
        self.learns(on, "payment_received", &format!(r#""payment_id":"{id}","amount":"{amount}""#))
    }

    pub(crate) fn pays_for(&mut self, on: &str, id: &str, amount: &str, numbers: &str) -> &mut Self {
        let fields = format!(r#""payment_id":"{id}","amount":"{amount}","applies_to":{numbers}"#);
        self.learns(on, "payment_received", &fields)
    }

    pub(crate) fn reverses(&mut self, on: &str, id: &str, dated: &str) -> &mut Self {
        self.learns(on, "payment_reversed", &format!(r#""payment_id":"{id}","dated":"{dated}""#))
    }

    pub(crate) fn pauses(&mut self, on: &str, from: &str, until: &str) -> &mut Self {
        self.learns(on, "pause_started", &pause(from, until))
    }

    pub(crate) fn assessed(&mut self, on: &str, policy: &Policy, cause: Trigger) -> &mut Self {
        let now = self.local(on);
        self.account.judge(policy, now, cause);
        self
    }

    /// Evaluates the account at each of its next actions, as a sweep does, up to a local date's end.
    pub(crate) fn swept(&mut self, until: &str, policy: &Policy) {
        let until = end_of_day(self.account.time_zone, date(until));
        for _ in 0..100 {
            match self.account.status.next_action_at.filter(|at| *at <= until) {
                Some(at) => self.account.judge(policy, at, Trigger::Time),
                None => return,
            }
        }
        assert_eq!(self.account.status.next_action_at, None, "there is no end to it");
    }

    /// The instant of a local time, or of a date's noon.
    pub(crate) fn local(&self, text: &str) -> DateTime<Utc> {
        local_instant(self.account.time_zone, text)
    }

    /// The open debts, such as `1: 100.00, 2: 250.00`.
    pub(crate) fn unpaid(&self) -> String {
        let allocation = allocate(&self.account);
        let each: Vec<String> = allocation
            .open_installments
            .iter()
            .map(|open_installment| match &self.account.installments()[open_installment.place].label {
                InstallmentLabel::Number(number) => format!("{number}: {}", open_installment.amount),
                InstallmentLabel::Chargeback(payment) => {
                    format!("{payment} since {}: {}", open_installment.due_on, open_installment.amount)
                }
                InstallmentLabel::LateFees(on) => format!("late fees of {on}: {}", open_installment.amount),
            })
            .collect();
        each.join(", ")
    }

    /// The paid part of each installment, in the account's order.
    pub(crate) fn paid(&self) -> String {
        let paid: Vec<String> = allocate(&self.account).paid.iter().map(ToString::to_string).collect();
        paid.join(", ")
    }

    pub(crate) fn credit(&self) -> String {
        allocate(&self.account).credit.to_string()
    }

    /// The figures at the last second of a local date.
    pub(crate) fn figures(&self, on: &str, policy: &Policy) -> Figures {
        self.assessed_at(end_of_day(self.account.time_zone, date(on)), policy).figures
    }

    /// Days past due and delinquent days at the last second of a local date.
    pub(crate) fn days(&self, on: &str, policy: &Policy) -> (u32, u32) {
        let figures = self.figures(on, policy);
        (figures.days_past_due, figures.delinquent_days)
    }

    /// The stage at the last second of a local date.
    pub(crate) fn stage<'p>(&self, on: &str, policy: &'p Policy) -> &'p str {
        self.assessed_at(end_of_day(self.account.time_zone, date(on)), policy).stage_name()
    }

    pub(crate) fn assessed_at<'p>(&self, now: DateTime<Utc>, policy: &'p Policy) -> Assessment<'p> {
        assess(&self.account, policy, now)
    }

    /// The stage and the restrictions of the last decision.
    pub(crate) fn status_text(&self) -> String {
        let restrictions: Vec<String> =
            self.account.status.restrictions.iter().map(ToString::to_string).collect();
        format!("{} [{}]", self.account.status.stage, restrictions.join(", "))
    }
}

pub(crate) fn pause(from: &str, until: &str) -> String {
    format!(r#""from":"{from}","until":"{until}""#)
}

/// The command of an event line of that type with those fields.
pub(crate) fn command(kind: &str, fields: &str) -> Command {
    let comma = if fields.is_empty() { "" } else { "," };
    let line =
        format!(r#"{{"at":"2023-01-01T00:00:00Z","type":"{kind}","account_id":"A-1"{comma}{fields}}}"#);
    parse_event_line(&line).unwrap_or_else(|error| panic!("{error}\n{line}")).command
}
