//! The plan that a seed generates: a portfolio, the happenings of a month, and the faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{AccruedFee, DisputeOutcome, PromiseOutcome, ScheduleKind};
use duewatch_domain::commands::{
    CauseRecorded, Command, Contract, CreditPaidOut, DisputeClosed, DisputeOpened, Drawn, EnforcementOff,
    EnforcementOn, FeeWaived, InstallmentAdded, InstallmentAdjusted, InstallmentHeld, InstallmentReleased,
    NewInstallment, NoticeSent, PauseEnded, PauseStarted, PaymentProcessEnded, PaymentProcessStarted,
    PromiseEnded, PromiseMade, ScheduleReplaced, ScoreRecorded, WriteOffUndone, WrittenOff,
};
use duewatch_domain::commands::{Consent, ConsentChanged, ContactFact};
use duewatch_domain::kernel::InstallmentNumber;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::policy::Channel;
use duewatch_domain::policy::HardshipCause;
use duewatch_testkit::{ContractTerms, date};
use fastrand::Rng;
use serde_json::{Value, json};

use super::attacks::{Rewriting, attack};
use super::fault::{Fault, Outage, OutageKind};

/// The length of a run.
pub const DAYS: u32 = 30;

/// First days, near which some of the zones below change their clocks.
const FROM: [&str; 6] = ["2011-12-15", "2022-03-10", "2023-10-10", "2024-02-15", "2024-03-10", "2025-01-05"];

const ZONES: [&str; 8] = [
    "Asia/Shanghai",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "America/New_York",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
    "UTC",
];

/// The first version binds from the begin, the others are published on the way.
type PolicyVersions = (&'static str, &'static [&'static str]);

const POLICIES: [PolicyVersions; 9] = [
    ("graceful", &[include_str!("policies/graceful-1.toml"), include_str!("policies/graceful-2.toml")]),
    ("replacing", &[include_str!("policies/replacing-1.toml"), include_str!("policies/replacing-2.toml")]),
    ("amounts", &[include_str!("policies/amounts-1.toml"), include_str!("policies/amounts-2.toml")]),
    ("patient", &[include_str!("policies/patient-1.toml"), include_str!("policies/patient-2.toml")]),
    (
        "noticing",
        &[
            include_str!("policies/noticing-1.toml"),
            include_str!("policies/noticing-2.toml"),
            include_str!("policies/noticing-3.toml"),
            include_str!("policies/noticing-4.toml"),
        ],
    ),
    ("charging", &[include_str!("policies/charging-1.toml"), include_str!("policies/charging-2.toml")]),
    ("crediting", &[include_str!("policies/crediting-1.toml"), include_str!("policies/crediting-2.toml")]),
    (
        "material",
        &[
            include_str!("policies/material-1.toml"),
            include_str!("policies/material-2.toml"),
            include_str!("policies/material-3.toml"),
        ],
    ),
    (
        "stepped",
        &[
            include_str!("policies/stepped-1.toml"),
            include_str!("policies/stepped-2.toml"),
            include_str!("policies/stepped-3.toml"),
        ],
    ),
];

/// The seeds below this one know only the first [`FIRST_POLICIES`], and none of the facts that [`further`] adds: what
/// they found once they find again.
const FURTHER_SEEDS: u64 = 1_000_000;
const FIRST_POLICIES: usize = 7;

/// The number of policies that the plan of a seed knows.
const fn known_policies(seed: u64) -> usize {
    if seed < FURTHER_SEEDS { FIRST_POLICIES } else { POLICIES.len() }
}

/// Messages that are always refused.
const GARBLED: [&str; 4] = [
    "nonsense",
    "{}",
    r#"{"event_id":"G-1","at":"2011-01-01T00:00:00Z","type":"forgiven","account_id":"A-0"}"#,
    r#"{"event_id":"G-2","at":"2300-01-01T00:00:00Z","type":"enforcement_on","account_id":"A-0","reason":"too early"}"#,
];

/// The contents of a run, generated from a seed.
#[derive(Clone, Debug)]
pub struct SimulationPlan {
    pub seed: u64,
    pub begin: DateTime<Utc>,
    /// The last instant of happenings and faults.
    pub end: DateTime<Utc>,
    /// The ids of the policies, with the text of each version.
    pub policies: Vec<PolicyVersions>,
    pub book: Vec<Contract>,
    /// The deeds of the lender's systems, in order of time.
    pub happenings: Vec<PlannedDeed>,
    /// The frequency of each fault, in ten thousandths of its chances.
    pub faults: BTreeMap<Fault, u32>,
    pub outages: Vec<Outage>,
    /// The number of ordered groups of a stream that are delivered side by side.
    pub groups: usize,
    /// The time for which records gather in an ordered group before delivery, for large batches.
    pub gathers: TimeDelta,
    /// K, the number of shards of the due index.
    pub due_shards: u32,
    /// The first firing of `anchor-history`; none: the history is not anchored in this run.
    pub anchored_from: Option<DateTime<Utc>>,
    /// The functions, or `lender`, whose requests a script puts into every order. It serves all other
    /// requests at once.
    pub contest: &'static [&'static str],
}

/// A deed of the lender's systems at an instant.
#[derive(Clone, Debug)]
pub struct PlannedDeed {
    /// The number in the whole plan, the same whatever is left out.
    pub number: usize,
    pub at: DateTime<Utc>,
    /// The index of the account in the portfolio; none: the deed concerns no account.
    pub account: Option<usize>,
    pub deed: Deed,
}

/// A deed of the lender's systems.
#[derive(Clone, Debug)]
pub enum Deed {
    Open,
    /// Puts an item into the payments table, unless its key exists.
    Pay(Value),
    /// Reverses a payment, if the table holds it.
    Reverse {
        payment_id: String,
        /// `original` or `reversal`.
        dated: &'static str,
        /// None: all that is left of it.
        amount: Option<Money>,
    },
    /// The payment system writes an attribute of its own onto a payment's item.
    Note {
        payment_id: String,
    },
    /// Sends a command to the queue.
    Command(Box<Command>),
    /// Publishes a later version of a policy: the indexes of both.
    Publish(usize, usize),
    /// Queues the accounts under a policy for evaluation, a while after the publication.
    Queue(usize, usize),
    /// Puts an item into the payments table that is no payment, or none that can be posted.
    Poison(Value),
    /// Sends a message to the queue that duewatch does not know.
    Garble(&'static str),
    /// A newer release writes the account's item.
    Newer,
    /// Calls `post-payment` with a record that its stream never had.
    Forge(Value),
    /// Requeues a file of failed records that was made by hand, with one record.
    Requeue(Value),
    /// Takes an item out of the payments table.
    Remove {
        payment_id: String,
    },
    /// Sends a command to the queue as another sender than the lender's own system.
    SentBy(&'static str, Box<Command>),
    /// Changes the account's anchored history.
    Rewrite(Rewriting),
    /// Erases the personal data of the account's customer.
    Erase,
    /// Fires the sweep's schedule out of turn.
    Fire,
}

impl Deed {
    const fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pay(_) => "pay",
            Self::Reverse { .. } => "reverse",
            Self::Note { .. } => "note",
            Self::Command(command) => command.name(),
            Self::Publish(..) => "publish",
            Self::Queue(..) => "queue",
            Self::Poison(_) => "poison",
            Self::Garble(_) => "garble",
            Self::Newer => "newer",
            Self::Forge(_) => "forge",
            Self::Requeue(_) => "requeue",
            Self::Remove { .. } => "remove",
            Self::SentBy(..) => "sent by",
            Self::Rewrite(_) => "rewrite",
            Self::Erase => "erase",
            Self::Fire => "fire",
        }
    }
}

impl fmt::Display for PlannedDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4}  {}  ", self.number, self.at.to_rfc3339())?;
        if let Some(account) = self.account {
            write!(f, "A-{account}  ")?;
        }
        f.write_str(self.deed.name())?;
        match &self.deed {
            Deed::Pay(item) | Deed::Poison(item) | Deed::Forge(item) | Deed::Requeue(item) => {
                write!(f, " {item}")
            }
            Deed::Reverse { payment_id, dated, amount: None } => write!(f, " {payment_id} {dated}"),
            Deed::Reverse { payment_id, dated, amount: Some(amount) } => {
                write!(f, " {payment_id} {dated} {amount}")
            }
            Deed::Note { payment_id } | Deed::Remove { payment_id } => write!(f, " {payment_id}"),
            Deed::SentBy(sender, command) => write!(f, " {sender} {command:?}"),
            Deed::Rewrite(kind) => write!(f, " {kind:?}"),
            Deed::Publish(policy, version) | Deed::Queue(policy, version) => {
                write!(f, " {} version {}", POLICIES[*policy].0, version + 1)
            }
            Deed::Command(command) => write!(f, " {command:?}"),
            Deed::Garble(body) => write!(f, " {body}"),
            Deed::Open | Deed::Newer | Deed::Fire | Deed::Erase => Ok(()),
        }
    }
}

/// The parts left out of a plan, to find the smallest one that still fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// By their index in the portfolio.
    pub accounts: BTreeSet<usize>,
    /// By their number.
    pub happenings: BTreeSet<usize>,
    pub faults: BTreeSet<Fault>,
    /// By their index.
    pub outages: BTreeSet<usize>,
    /// Days at the end.
    pub days: u32,
}

impl fmt::Display for Without {
    /// As the flags of the command that repeats the run.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut flag = |name: &str, values: Vec<String>| {
            if values.is_empty() { Ok(()) } else { write!(f, " --without-{name} {}", values.join(",")) }
        };
        flag("accounts", self.accounts.iter().map(ToString::to_string).collect())?;
        flag("happenings", ranges(&self.happenings))?;
        flag("faults", self.faults.iter().map(ToString::to_string).collect())?;
        flag("outages", self.outages.iter().map(ToString::to_string).collect())?;
        flag("days", if self.days == 0 { Vec::new() } else { vec![self.days.to_string()] })
    }
}

/// `1,2,3,7` as `1-3,7`.
fn ranges(numbers: &BTreeSet<usize>) -> Vec<String> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(text).collect()
}

impl SimulationPlan {
    /// The plan that a seed generates.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let from = date(FROM[rng.usize(..FROM.len())]);
        let begin = from.and_time(NaiveTime::MIN).and_utc();
        let end = begin + TimeDelta::days(i64::from(DAYS));
        let known = known_policies(seed);
        let book: Vec<Contract> =
            (0..rng.usize(2..7)).map(|place| loan(&mut rng, place, from, known)).collect();
        let mut happenings = happenings(&mut rng, &book, known, (from, begin, end));
        if seed >= FURTHER_SEEDS {
            further(&mut rng, &book, (from, begin, end), &mut happenings);
        }
        let mut plan = Self {
            seed,
            begin,
            end,
            policies: POLICIES[..known].to_vec(),
            book,
            happenings,
            faults: Fault::some(&mut rng),
            outages: OutageKind::some(&mut rng, begin, end),
            groups: rng.usize(1..5),
            due_shards: rng.u32(1..4),
            gathers: TimeDelta::minutes([0, 0, 5, 360][rng.usize(..4)]),
            anchored_from: None,
            contest: &[],
        };
        attack(&mut plan);
        plan.happenings.sort_by_key(|happening| happening.at);
        for (number, happening) in plan.happenings.iter_mut().enumerate() {
            happening.number = number;
        }
        plan
    }

    /// The policies that the plan of every seed knows.
    pub(super) fn policies() -> Vec<PolicyVersions> {
        POLICIES[..FIRST_POLICIES].to_vec()
    }

    /// Leaves parts out of the plan.
    #[must_use]
    pub fn without(mut self, without: &Without) -> Self {
        self.end -= TimeDelta::days(i64::from(without.days.min(DAYS)));
        let end = self.end;
        self.happenings.retain(|happening| {
            happening.at <= end
                && !without.happenings.contains(&happening.number)
                && happening.account.is_none_or(|account| !without.accounts.contains(&account))
        });
        self.faults.retain(|fault, _| !without.faults.contains(fault));
        let outages = std::mem::take(&mut self.outages).into_iter().enumerate();
        self.outages =
            outages.filter(|(place, _)| !without.outages.contains(place)).map(|(_, one)| one).collect();
        self
    }
}

pub(super) fn plus(from: NaiveDate, days: i64) -> NaiveDate {
    from + TimeDelta::days(days)
}

/// A loan of two to five installments, monthly or more frequent, around the month of the run.
fn loan(rng: &mut Rng, place: usize, from: NaiveDate, known: usize) -> Contract {
    let (policy, _) = POLICIES[rng.usize(..known)];
    let currency = ["CNY", "USD", "JPY"][rng.usize(..3)];
    let apart = [7, 10, 30][rng.usize(..3)];
    let first = plus(from, rng.i64(-35..12));
    let installments = (0..rng.u64(2..6))
        .map(|number| {
            let principal = [25_000, 40_000, 33_300][rng.usize(..3)];
            let interest = [0, 200, 1_900][rng.usize(..3)];
            json!({
                "number": number + 1,
                "due_on": first + Days::new(number * apart),
                "principal": amount(currency, principal),
                "interest": amount(currency, interest),
            })
        })
        .collect();
    let zone = ZONES[rng.usize(..ZONES.len())];
    ContractTerms {
        account_id: &format!("A-{place}"),
        customer_id: &format!("C-{}", place % 2),
        policy_id: policy,
        currency,
        time_zone: zone,
        opened_on: &plus(first, -rng.i64(1..40)).to_string(),
        installments,
    }
    .contract()
}

fn amount(currency: &str, hundredths: i64) -> String {
    let currency: Currency = currency.parse().unwrap();
    let minor = if currency.minor_units() == 0 { hundredths / 100 } else { hundredths };
    currency.text(Money::from_minor(minor, currency.minor_units()))
}

fn happenings(
    rng: &mut Rng,
    book: &[Contract],
    known: usize,
    (from, begin, end): (NaiveDate, DateTime<Utc>, DateTime<Utc>),
) -> Vec<PlannedDeed> {
    let mut all = Vec::new();
    let mut add = |at: DateTime<Utc>, account: Option<usize>, deed: Deed| {
        all.push(PlannedDeed { number: 0, at: at.clamp(begin, end), account, deed });
    };
    for (place, contract) in book.iter().enumerate() {
        let opens = if rng.u8(..4) > 0 { begin } else { moment(rng, contract, from) };
        add(opens, Some(place), Deed::Open);
        for payment in 0..rng.u32(..7) {
            let at = moment(rng, contract, from);
            let id = format!("P-{place}-{payment}");
            add(at, Some(place), Deed::Pay(payment_item(rng, contract, &id, at)));
            let later = |rng: &mut Rng| at + TimeDelta::seconds([0, 1, 900, 86_400][rng.usize(..4)]);
            if rng.u8(..3) == 0 {
                let dated = ["original", "reversal"][rng.usize(..2)];
                let at = if rng.bool() { later(rng) } else { moment(rng, contract, from).max(at) };
                add(at, Some(place), Deed::Reverse { payment_id: id.clone(), dated, amount: None });
            }
            if rng.u8(..4) == 0 {
                add(later(rng), Some(place), Deed::Note { payment_id: id });
            }
        }
        for _ in 0..rng.u32(..4) {
            let at = moment(rng, contract, from);
            add(at, Some(place), Deed::Command(Box::new(command(rng, contract, from))));
        }
        for _ in 0..rng.u32(..4) {
            let at = moment(rng, contract, from);
            add(at, Some(place), Deed::Command(Box::new(recording(rng, at))));
        }
        if rng.u8(..8) == 0 {
            let at = moment(rng, contract, from);
            add(at, Some(place), Deed::Poison(poison(rng, contract, place, at)));
        }
        if rng.u8(..8) == 0 {
            add(moment(rng, contract, from), Some(place), Deed::Garble(GARBLED[rng.usize(..GARBLED.len())]));
        }
        if rng.u8(..30) == 0 {
            add(moment(rng, contract, from), Some(place), Deed::Newer);
        }
    }
    for policy in 0..known {
        if rng.u8(..3) == 0 {
            let contract = &book[rng.usize(..book.len())];
            add(moment(rng, contract, from), None, Deed::Publish(policy, 1));
        }
    }
    all
}

/// Parts of payments taken back, credit paid out, holds on one installment, new schedules of each kind, and the later
/// versions of the policies that have more than two, in any order.
fn further(
    rng: &mut Rng,
    book: &[Contract],
    (from, begin, end): (NaiveDate, DateTime<Utc>, DateTime<Utc>),
    all: &mut Vec<PlannedDeed>,
) {
    let mut add = |at: DateTime<Utc>, account: Option<usize>, deed: Deed| {
        all.push(PlannedDeed { number: 0, at: at.clamp(begin, end), account, deed });
    };
    for (place, contract) in book.iter().enumerate() {
        let number = contract.installments[rng.usize(..contract.installments.len())].number;
        let part = |rng: &mut Rng| Money::from_minor([50, 90, 400][rng.usize(..3)], 0);
        for _ in 0..rng.u32(..3) {
            let payment_id = format!("P-{place}-{}", rng.u32(..4));
            let dated = ["original", "reversal"][rng.usize(..2)];
            let amount = Some(part(rng));
            add(moment(rng, contract, from), Some(place), Deed::Reverse { payment_id, dated, amount });
        }
        for _ in 0..rng.u32(..4) {
            let command = match rng.u8(..6) {
                0 | 1 => Command::InstallmentHeld(InstallmentHeld { number, reason: None }),
                2 => Command::InstallmentReleased(InstallmentReleased { number, reason: None }),
                3 => Command::CreditPaidOut(CreditPaidOut {
                    amount: rng.bool().then(|| part(rng)),
                    reason: None,
                }),
                _ => {
                    let kinds = [None, Some(ScheduleKind::Correction), Some(ScheduleKind::Forbearance)];
                    let fees =
                        [None, Some(AccruedFee::Keep), Some(AccruedFee::Waive), Some(AccruedFee::Move)];
                    Command::ScheduleReplaced(ScheduleReplaced {
                        installments: vec![NewInstallment {
                            number: InstallmentNumber(51),
                            due_on: plus(from, rng.i64(-5..30)),
                            principal: contract.installments[0].principal,
                            interest: contract.currency.zero(),
                            fee: contract.currency.zero(),
                            draw_id: None,
                        }],
                        reason: "simulated".to_owned(),
                        kind: kinds[rng.usize(..3)],
                        accrued_fee: fees[rng.usize(..4)],
                    })
                }
            };
            add(moment(rng, contract, from), Some(place), Deed::Command(Box::new(command)));
        }
    }
    for (policy, (_, versions)) in POLICIES.iter().enumerate().skip(FIRST_POLICIES) {
        for version in 2..versions.len() {
            if rng.u8(..2) == 0 {
                let contract = &book[rng.usize(..book.len())];
                add(moment(rng, contract, from), None, Deed::Publish(policy, version));
            }
        }
    }
}

/// An instant of the month, often shortly before or at another event.
pub(super) fn moment(rng: &mut Rng, contract: &Contract, from: NaiveDate) -> DateTime<Utc> {
    let day = plus(from, rng.i64(0..i64::from(DAYS)));
    let start = |day| start_of_day(contract.time_zone, day);
    match rng.u8(..8) {
        0 => end_of_day(contract.time_zone, day),
        1..4 => start(day) + TimeDelta::seconds([0, 1, 3, 900][rng.usize(..4)]),
        4 => {
            let due = &contract.installments[rng.usize(..contract.installments.len())];
            start(plus(due.due_on, rng.i64(0..12))) + TimeDelta::milliseconds(rng.i64(0..3_000))
        }
        5 => start(day) + TimeDelta::hours(10),
        _ => start(day) + TimeDelta::milliseconds(rng.i64(0..86_400_000)),
    }
}

pub(super) fn payment_item(rng: &mut Rng, contract: &Contract, id: &str, at: DateTime<Utc>) -> Value {
    let due = &contract.installments[rng.usize(..contract.installments.len())];
    let whole = due.principal + due.interest + due.fee;
    let minor: i64 = contract.currency.text(whole).replace('.', "").parse().unwrap();
    let minor = match rng.u8(..6) {
        0 => 1,
        1 => (minor / 2).max(1),
        2 => minor * 3,
        _ => minor,
    };
    let kind = ["repayment", "repayment", "merchant_refund", "goodwill"][rng.usize(..4)];
    let mut item = json!({
        "account_id": contract.account_id.as_str(),
        "payment_id": id,
        "amount": contract.currency.text(Money::from_minor(minor, contract.currency.minor_units())),
        "currency": contract.currency.code(),
        "kind": kind,
        "received_at": at.to_rfc3339(),
    });
    if rng.u8(..4) == 0 {
        item["value_date"] = json!(plus(at.date_naive(), rng.i64(-20..3)));
    }
    if rng.u8(..4) == 0 {
        item["applies_to"] = json!([due.number]);
    }
    item
}

/// An item of the payments table that can never be posted.
pub(super) fn poison(rng: &mut Rng, contract: &Contract, place: usize, at: DateTime<Utc>) -> Value {
    let mut item = payment_item(rng, contract, &format!("X-{place}"), at);
    let (field, value) = [
        ("amount", json!("-5.00")),
        ("amount", json!("a lot")),
        ("kind", json!("barter")),
        ("currency", json!("XAF")),
        ("received_at", json!("yesterday")),
    ][rng.usize(..5)]
    .clone();
    item[field] = value;
    item
}

fn command(rng: &mut Rng, contract: &Contract, from: NaiveDate) -> Command {
    let reason = || "simulated".to_owned();
    let day = plus(from, rng.i64(-10..25));
    let number = contract.installments[rng.usize(..contract.installments.len())].number;
    let new = |rng: &mut Rng, number: u32| NewInstallment {
        number: InstallmentNumber(number),
        due_on: plus(from, rng.i64(-5..30)),
        principal: contract.installments[0].principal,
        interest: contract.currency.zero(),
        fee: contract.currency.zero(),
        draw_id: None,
    };
    match rng.u8(..12) {
        0 | 1 => Command::PauseStarted(PauseStarted { from: day, until: plus(day, rng.i64(1..15)) }),
        2 => Command::PauseEnded(PauseEnded { on: day }),
        3 => Command::EnforcementOff(EnforcementOff { reason: reason() }),
        4 => Command::EnforcementOn(EnforcementOn { reason: reason() }),
        5 => Command::WrittenOff(WrittenOff { number: rng.bool().then_some(number), reason: reason() }),
        6 => {
            Command::WriteOffUndone(WriteOffUndone { number: rng.bool().then_some(number), reason: reason() })
        }
        7 => Command::InstallmentAdjusted(InstallmentAdjusted {
            number,
            amount: Money::from_minor([1, -1][rng.usize(..2)] * 50, 0),
            reason: reason(),
        }),
        8 => Command::InstallmentAdded(InstallmentAdded { installment: new(rng, 21) }),
        9 => Command::FeeWaived(FeeWaived {
            number: rng.bool().then_some(number),
            amount: rng.bool().then(|| Money::from_minor(1, 0)),
            reason: reason(),
        }),
        10 => {
            let plan = vec![new(rng, 41), new(rng, 42)];
            Command::Drawn(Drawn {
                draw_id: "D-1".parse().unwrap(),
                amount: plan[0].principal + plan[1].principal,
                currency: None,
                installments: plan,
            })
        }
        _ => Command::ScheduleReplaced(ScheduleReplaced {
            installments: vec![new(rng, 31), new(rng, 32)],
            reason: reason(),
            kind: None,
            accrued_fee: None,
        }),
    }
}

/// A command that officers, systems or borrowers record beside the money.
fn recording(rng: &mut Rng, at: DateTime<Utc>) -> Command {
    let (by, reason) = ("simulated".to_owned(), "simulated".to_owned());
    let day = |rng: &mut Rng| plus(at.date_naive(), rng.i64(-1..12));
    match rng.u8(..19) {
        0..3 => Command::CauseRecorded(CauseRecorded {
            cause: [
                HardshipCause::Temporary,
                HardshipCause::Temporary,
                HardshipCause::LongTerm,
                HardshipCause::Unknown,
            ][rng.usize(..4)],
            by,
            reason,
            until: rng.bool().then(|| day(rng)),
        }),
        3 => Command::ScoreRecorded(ScoreRecorded {
            score: rng.u32(300..700),
            by,
            until: rng.bool().then(|| day(rng)),
        }),
        4..7 => {
            Command::PaymentInProcess(PaymentProcessStarted { until: day(rng), method: None, amount: None })
        }
        7 => Command::PaymentProcessEnded(PaymentProcessEnded { reason, outcome: None, next_try_on: None }),
        8 | 9 => Command::PromiseMade(PromiseMade {
            promise_id: "PR-1".parse().unwrap(),
            amount: Money::from_minor(100, 0),
            until: day(rng),
        }),
        10 => Command::PromiseEnded(PromiseEnded {
            promise_id: "PR-1".parse().unwrap(),
            outcome: PromiseOutcome::Broken,
        }),
        11 => Command::DisputeOpened(DisputeOpened { dispute_id: "C-1".parse().unwrap(), reason }),
        12 => Command::DisputeClosed(DisputeClosed {
            dispute_id: "C-1".parse().unwrap(),
            outcome: DisputeOutcome::Rejected,
        }),
        13..17 => {
            let channel = Some([Channel::Sms, Channel::App, Channel::Email][rng.usize(..3)]);
            let consent = [Consent::Withdrawn, Consent::Withdrawn, Consent::Given][rng.usize(..3)];
            Command::Contact(ContactFact::Consent(ConsentChanged { channel, consent, by }))
        }
        _ => {
            let stage = json!(["limited", "frozen", "late"][rng.usize(..3)]);
            Command::NoticeSent(NoticeSent { of: NoticeOf::Stage(serde_json::from_value(stage).unwrap()) })
        }
    }
}
