//! Generated cases: a contract, a policy, and commands in the order in which they arrive.
//!
//! Instants, dates and amounts come from few values, so that they often coincide: a payment at the instant of
//! a new schedule, a sum that settles an installment to the cent, a reminder at the last second of a day.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::Dated;
use duewatch_domain::commands::NewInstallment;
use duewatch_domain::kernel::InstallmentNumber;
use duewatch_domain::kernel::{business_date, start_of_day};
use duewatch_domain::{Command, Contract, Policy};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::domain::{self, DomainDue, DomainFact, NumbersTaken, OddZone, cents};

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
/// The days over which facts are spread.
const SPAN_DAYS: i64 = 120;

/// An account's life.
#[derive(Clone)]
pub(crate) struct ModelCase {
    pub(crate) contract: Contract,
    pub(crate) policy: Policy,
    /// The instant at which the first day begins.
    pub(crate) begin: DateTime<Utc>,
    pub(crate) arrivals: Vec<Arrival>,
    /// Instants of evaluations beside those of the arrivals.
    pub(crate) evaluations: Vec<DateTime<Utc>>,
    /// Whether planned notices leave.
    pub(crate) notices_leave: bool,
}

/// As short as readable: a failing case is shown only in this form.
impl fmt::Debug for ModelCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "in {}, by {:?}", self.contract.time_zone, self.policy)?;
        for one in &self.contract.installments {
            writeln!(
                f,
                "  installment {} on {}: {} + {}",
                one.number, one.due_on, one.principal, one.interest
            )?;
        }
        for one in &self.arrivals {
            writeln!(f, "  {} (arrives {}) {:?}", one.at, one.arrives_at, one.command)?;
        }
        write!(f, "  looks: {:?}, notices leave: {}", self.evaluations, self.notices_leave)
    }
}

/// A command, the instant it became known, and the instant it arrived, which may be later.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: DateTime<Utc>,
    pub(crate) arrives_at: DateTime<Utc>,
    pub(crate) command: Command,
}

/// A case whose policy only has stages and reminders.
pub(crate) fn case(places: &'static [OddZone]) -> impl Strategy<Value = ModelCase> {
    case_of(places, fact().boxed(), domain::policy().boxed())
}

/// A case with every fact, table and option.
pub(crate) fn any_case(places: &'static [OddZone]) -> impl Strategy<Value = ModelCase> {
    let fact = prop_oneof![6 => fact(), 4 => domain::recorded(), 3 => domain::answers::answered()];
    let policy = prop_oneof![domain::patient_policy(), domain::every_policy()];
    case_of(places, fact.boxed(), policy.boxed())
}

/// A case with late fees, waterfalls, business days and classes, and many payments.
pub(crate) fn settling_case(places: &'static [OddZone]) -> impl Strategy<Value = ModelCase> {
    case_of(places, fact().boxed(), domain::settling_policy().boxed())
}

fn case_of(
    places: &'static [OddZone],
    fact: BoxedStrategy<DomainFact>,
    policy: BoxedStrategy<Policy>,
) -> impl Strategy<Value = ModelCase> {
    let dues = (vec(due(), 1..=12), domain::interest());
    let facts = vec((seconds(SPAN_DAYS), fact, delay()), 0..16);
    (select(places), dues, facts, policy, vec(seconds(2 * SPAN_DAYS), 4), any::<bool>()).prop_map(
        |((zone, first), (dues, interest), mut facts, policy, looks, notices_leave)| {
            let contract = Contract { interest, ..contract(zone, first, &dues) };
            let begin = start_of_day(contract.time_zone, contract.opened_on);
            facts.sort_by_key(|(second, ..)| *second);
            let mut taken = NumbersTaken::default();
            let mut arrivals: Vec<Arrival> = facts
                .iter()
                .map(|(second, fact, delay)| {
                    let at = begin + TimeDelta::seconds(*second);
                    let today = business_date(contract.time_zone, at);
                    let command = command(fact, contract.opened_on, today, &mut taken);
                    let delay = if may_be_late(&command) { *delay } else { 0 };
                    Arrival { at, arrives_at: at + TimeDelta::seconds(delay), command }
                })
                .collect();
            arrivals.sort_by_key(|arrival| arrival.arrives_at);
            let looks = looks.into_iter().map(|second| begin + TimeDelta::seconds(second)).collect();
            ModelCase { contract, policy, begin, arrivals, evaluations: looks, notices_leave }
        },
    )
}

/// Zones where a date begins before midnight is shown, or an hour after; where a clock is set back across
/// midnight, by two hours, or forward by an odd number of seconds.
pub(crate) const ODD: &[OddZone] = &[
    ("America/Nuuk", "2024-01-01"),
    ("America/St_Johns", "2010-08-01"),
    ("Antarctica/Troll", "2023-01-01"),
    ("Africa/Casablanca", "2024-01-01"),
    ("Africa/Monrovia", "1971-11-01"),
];

/// Seconds from the first instant: often a day with other facts, and an edge of it.
fn seconds(days: i64) -> impl Strategy<Value = i64> {
    let day = prop_oneof![(0..days / 15).prop_map(|half_month| half_month * 15), 0..days];
    let time = prop_oneof![select(vec![0, 10 * 60 * 60, SECONDS_PER_DAY - 1]), 0..SECONDS_PER_DAY];
    (day, time).prop_map(|(day, time)| day * SECONDS_PER_DAY + time)
}

fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0), 1 => seconds(30)]
}

/// Facts of the lender's payment system may arrive late.
fn may_be_late(command: &Command) -> bool {
    matches!(command, Command::PaymentReceived(_) | Command::PaymentReversed(_))
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![select(vec![5_000, 10_000, 15_000, 20_000, 50_000]), 1_i64..60_000]
}

fn due() -> impl Strategy<Value = DomainDue> {
    let day = prop_oneof![(0_i64..12).prop_map(|tens| tens * 10), 0..SPAN_DAYS];
    let principal = prop_oneof![Just(10_000), amount()];
    (1_u32..8, day, principal, weighted(0.2, prop_oneof![Just(0), Just(5_000), 0_i64..2_000]))
}

/// The domain's facts, with more of those that act on allocated payments.
fn fact() -> impl Strategy<Value = DomainFact> {
    let targets = prop_oneof![Just(Vec::new()), vec(1_u32..8, 1..4)];
    let dated = select(&[Dated::Original, Dated::Reversal][..]);
    let number = || weighted(0.8, 1_u32..8);
    prop_oneof![
        5 => domain::fact(),
        6 => (amount(), targets).prop_map(|(minor, targets)| DomainFact::Pay { minor, targets }),
        3 => (0_usize..5, dated, weighted(0.4, amount()))
            .prop_map(|(payment, dated, minor)| DomainFact::Reverse { payment, dated, minor }),
        1 => weighted(0.5, amount()).prop_map(DomainFact::PayOut),
        1 => (1_u32..8).prop_map(DomainFact::Hold),
        1 => (1_u32..8).prop_map(DomainFact::Release),
        1 => number().prop_map(DomainFact::WriteOff),
        1 => number().prop_map(DomainFact::UndoWriteOff),
        1 => (1_u32..8, select(vec![-10_000_i64, -5_000, 5_000, 10_000]))
            .prop_map(|(number, minor)| DomainFact::Adjust { number, minor }),
        1 => due().prop_map(DomainFact::Add),
        2 => domain::replaced(vec(due(), 0..4)),
    ]
}

fn contract(zone: &str, first: &str, dues: &[DomainDue]) -> Contract {
    let terms = domain::generated_terms(zone, first);
    let first: NaiveDate = first.parse().unwrap();
    Contract {
        installments: (1..)
            .zip(dues)
            .map(|(number, due)| installment(first, (number, due.1, due.2, due.3)))
            .collect(),
        ..terms.contract()
    }
}

fn installment(first: NaiveDate, (number, day, principal, interest): DomainDue) -> NewInstallment {
    NewInstallment {
        number: InstallmentNumber(number),
        due_on: first + TimeDelta::days(day),
        principal: cents(principal),
        interest: cents(interest.unwrap_or(0)),
        fee: cents(interest.unwrap_or(0) / 3),
        draw_id: None,
    }
}

/// The command of a fact, numbered in the order in which commands became known.
fn command(fact: &DomainFact, first: NaiveDate, today: NaiveDate, taken: &mut NumbersTaken) -> Command {
    let command = domain::command(fact, first, today, *taken, installment);
    taken.payments += usize::from(matches!(command, Command::PaymentReceived(_)));
    taken.promises += usize::from(matches!(fact, DomainFact::Promise { .. }));
    taken.disputes += usize::from(matches!(fact, DomainFact::Dispute));
    command
}
