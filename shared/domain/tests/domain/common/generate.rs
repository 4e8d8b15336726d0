//! Generated accounts and policies for the laws.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{AccruedFee, Dated, InterestMethod, InterestTerms, PaymentKind, ScheduleKind};
use duewatch_domain::commands::{
    CauseRecorded, Contract, CreditPaidOut, Drawn, EnforcementOff, EnforcementOn, FeeWaived,
    InstallmentAdded, InstallmentAdjusted, InstallmentHeld, InstallmentReleased, NewInstallment, NoticeSent,
    PauseEnded, PauseStarted, PaymentProcessEnded, PaymentProcessStarted, PaymentReceived, PaymentReversed,
    ScheduleReplaced, ScoreRecorded, WriteOffUndone, WrittenOff,
};
use duewatch_domain::kernel::InstallmentNumber;
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{business_date, start_of_day};
use duewatch_domain::policy::HardshipCause as RecordedCause;
use duewatch_domain::policy::{self, Policy};
use duewatch_domain::{Account, Command};
use duewatch_testkit::ContractTerms;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use self::answers::{answered, answering};

#[path = "answers.rs"]
pub(crate) mod answers;

/// A zone, and a first date whose following year includes the zone's oddity.
pub(crate) type OddZone = (&'static str, &'static str);

/// Without daylight saving; with it, in both hemispheres; with half an hour of it; with a midnight that is
/// missing or comes twice.
pub(crate) const PLACES: &[OddZone] = &[
    ("Asia/Shanghai", "2023-01-01"),
    ("Asia/Kolkata", "2024-01-01"),
    ("America/New_York", "2023-01-01"),
    ("Australia/Lord_Howe", "2023-04-01"),
    ("America/Sao_Paulo", "2017-09-01"),
    ("America/Havana", "2023-03-01"),
    ("Asia/Beirut", "2022-01-01"),
    ("Pacific/Chatham", "2023-01-01"),
];

/// A zone that skipped 2011-12-30.
pub(crate) const DATE_SKIPPED: &[OddZone] = &[("Pacific/Apia", "2011-10-01")];

const MINUTES_PER_DAY: i64 = 24 * 60;
/// The days over which facts and evaluations are spread.
pub(crate) const SPAN_DAYS: i64 = 240;

/// An account after its facts, its policy, and an instant at or after the last fact.
#[derive(Clone, Debug)]
pub(crate) struct DomainCase {
    pub(crate) account: Account,
    pub(crate) policy: Policy,
    pub(crate) now: DateTime<Utc>,
    /// The instant at which the first day begins.
    pub(crate) begin: DateTime<Utc>,
}

/// A fact that may reach an account.
#[derive(Clone, Debug)]
pub(crate) enum DomainFact {
    Pay {
        minor: i64,
        targets: Vec<u32>,
    },
    /// A payment whose value date precedes its receipt by so many days; negative: follows it.
    PayBackdated {
        minor: i64,
        days: i64,
    },
    Waive {
        number: Option<u32>,
        minor: Option<i64>,
    },
    /// Reverses the payment of that number, if there is one.
    Reverse {
        payment: usize,
        dated: Dated,
        /// None: all that is left of it.
        minor: Option<i64>,
    },
    /// Pays credit out; none: all of it.
    PayOut(Option<i64>),
    Hold(u32),
    Release(u32),
    Pause {
        from: i64,
        days: i64,
    },
    EndPause {
        on: i64,
    },
    WriteOff(Option<u32>),
    UndoWriteOff(Option<u32>),
    Enforce(bool),
    Adjust {
        number: u32,
        minor: i64,
    },
    Add(DomainDue),
    /// The number of the draw, and its plan.
    Draw(usize, Vec<DomainDue>),
    Replace(Vec<DomainDue>, Option<ScheduleKind>, Option<AccruedFee>),
    Cause {
        cause: RecordedCause,
        days: Option<i64>,
    },
    Score {
        score: u32,
        days: Option<i64>,
    },
    Process {
        days: i64,
    },
    EndProcess,
    Notice(usize),
    Promise {
        minor: i64,
        days: i64,
    },
    /// Ends the promise of that number, if there is one.
    EndPromise(usize),
    Dispute,
    CloseDispute(usize),
    Report,
    Prefer {
        leads: Option<Vec<u32>>,
        at: Option<u32>,
    },
}

/// An installment: its number, days from the first date, principal, interest.
pub(crate) type DomainDue = (u32, i64, i64, Option<i64>);

pub(crate) fn minutes() -> impl Strategy<Value = i64> {
    0..SPAN_DAYS * MINUTES_PER_DAY
}

/// A case whose policy only has stages and reminders.
pub(crate) fn case(places: &'static [OddZone]) -> impl Strategy<Value = DomainCase> {
    case_of(places, fact().boxed(), classifying_policy().boxed())
}

/// A case with every fact and every table.
pub(crate) fn any_case(places: &'static [OddZone]) -> impl Strategy<Value = DomainCase> {
    let fact = prop_oneof![3 => fact(), 1 => recorded(), 1 => answered()];
    let policy = prop_oneof![1 => policy(), 1 => any_policy(), 1 => patient_policy(), 1 => every_policy()];
    case_of(places, fact.boxed(), policy.boxed())
}

/// A case under a policy of that strategy.
pub(crate) fn case_under(
    places: &'static [OddZone],
    policy: impl Strategy<Value = Policy> + 'static,
) -> impl Strategy<Value = DomainCase> {
    case_of(places, fact().boxed(), policy.boxed())
}

/// A case with every fact, under a policy of that strategy.
pub(crate) fn any_case_under(
    places: &'static [OddZone],
    policy: impl Strategy<Value = Policy> + 'static,
) -> impl Strategy<Value = DomainCase> {
    case_of(places, prop_oneof![2 => fact(), 1 => recorded()].boxed(), policy.boxed())
}

fn case_of(
    places: &'static [OddZone],
    fact: BoxedStrategy<DomainFact>,
    policy: BoxedStrategy<Policy>,
) -> impl Strategy<Value = DomainCase> {
    (opened(places), vec((0..SPAN_DAYS / 2 * MINUTES_PER_DAY, fact), 0..12), policy, minutes()).prop_map(
        |((mut account, begin), mut facts, policy, look)| {
            facts.sort_by_key(|(minute, _)| *minute);
            for (minute, fact) in &facts {
                happen(&mut account, fact, begin, *minute);
            }
            let last = facts.last().map_or(0, |(minute, _)| *minute);
            DomainCase { account, policy, now: begin + TimeDelta::minutes(look.max(last)), begin }
        },
    )
}

/// The terms of a generated account in a zone, opened on a date.
pub(crate) fn generated_terms<'a>(time_zone: &'a str, opened_on: &'a str) -> ContractTerms<'a> {
    ContractTerms { policy_id: "generated", time_zone, opened_on, ..ContractTerms::default() }
}

/// An account of 1 to 12 installments, and the instant at which its days begin.
pub(crate) fn opened(places: &'static [OddZone]) -> impl Strategy<Value = (Account, DateTime<Utc>)> {
    (select(places), vec(due(0..1), 1..=12), interest()).prop_map(
        |((zone, first), installments, interest)| {
            let terms = generated_terms(zone, first);
            let first: NaiveDate = first.parse().unwrap();
            let contract = Contract {
                interest,
                installments: (1..)
                    .zip(installments)
                    .map(|(number, (_, day, principal, interest))| {
                        installment(first, (number, day, principal, interest))
                    })
                    .collect(),
                ..terms.contract()
            };
            let account = Account::open(&contract).unwrap();
            let begin = start_of_day(account.time_zone, first);
            (account, begin)
        },
    )
}

/// The contract's interest terms, where it states them.
pub(crate) fn interest() -> impl Strategy<Value = Option<InterestTerms>> {
    let terms = |millionths: i64| InterestTerms {
        method: InterestMethod::Annuity,
        annual_rate: rust_decimal::Decimal::new(millionths, 6),
    };
    weighted(0.5, (0_i64..400_000).prop_map(terms))
}

fn due(numbers: std::ops::Range<u32>) -> impl Strategy<Value = DomainDue> {
    (numbers, 0..SPAN_DAYS, 1_i64..60_000, weighted(0.3, 0_i64..2_000))
}

fn installment(first: NaiveDate, (number, day, principal, interest): DomainDue) -> NewInstallment {
    NewInstallment {
        number: InstallmentNumber(number),
        due_on: first + TimeDelta::days(day),
        principal: cents(principal),
        interest: cents(interest.unwrap_or(0)),
        fee: Money::ZERO,
        draw_id: None,
    }
}

pub(crate) fn cents(minor: i64) -> Money {
    Money::from_minor(minor, 2)
}

pub(crate) fn payment(number: usize, minor: i64, targets: &[u32]) -> Command {
    payment_of(number, minor, targets, None)
}

fn payment_of(number: usize, minor: i64, targets: &[u32], value_date: Option<NaiveDate>) -> Command {
    Command::PaymentReceived(PaymentReceived {
        payment_id: format!("P-{number}").parse().unwrap(),
        amount: cents(minor),
        currency: None,
        value_date,
        kind: PaymentKind::Repayment,
        applies_to: targets.iter().copied().map(InstallmentNumber).collect(),
    })
}

/// A draw of the amount that its plan repays.
fn drawn(draw: usize, installments: Vec<NewInstallment>) -> Command {
    Command::Drawn(Drawn {
        draw_id: format!("D-{draw}").parse().unwrap(),
        amount: installments.iter().map(|one| one.principal).sum(),
        currency: None,
        installments,
    })
}

fn dated() -> impl Strategy<Value = Dated> {
    select(&[Dated::Original, Dated::Reversal][..])
}

pub(crate) fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![1_i64..60_000, 1_i64..200_000]
}

pub(crate) fn targets() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![2 => Just(Vec::new()), 1 => vec(1_u32..=13, 1..4)]
}

pub(crate) fn fact() -> impl Strategy<Value = DomainFact> {
    let number = || weighted(0.8, 1_u32..=12);
    prop_oneof![
        5 => (amount(), targets()).prop_map(|(minor, targets)| DomainFact::Pay { minor, targets }),
        2 => (amount(), -3_i64..60).prop_map(|(minor, days)| DomainFact::PayBackdated { minor, days }),
        1 => (number(), weighted(0.5, 1_i64..2_000)).prop_map(|(number, minor)| DomainFact::Waive { number, minor }),
        2 => (0_usize..4, dated(), weighted(0.4, 1_i64..60_000))
            .prop_map(|(payment, dated, minor)| DomainFact::Reverse { payment, dated, minor }),
        1 => weighted(0.7, 1_i64..30_000).prop_map(DomainFact::PayOut),
        1 => (1_u32..=12).prop_map(DomainFact::Hold),
        1 => (1_u32..=12).prop_map(DomainFact::Release),
        3 => (0..SPAN_DAYS, 1_i64..40).prop_map(|(from, days)| DomainFact::Pause { from, days }),
        1 => (0..SPAN_DAYS).prop_map(|on| DomainFact::EndPause { on }),
        1 => number().prop_map(DomainFact::WriteOff),
        1 => number().prop_map(DomainFact::UndoWriteOff),
        1 => weighted(0.4, Just(())).prop_map(|off| DomainFact::Enforce(off.is_none())),
        1 => (1_u32..=12, -5_000_i64..20_000).prop_map(|(number, minor)| DomainFact::Adjust { number, minor }),
        1 => due(1..20).prop_map(DomainFact::Add),
        1 => (0_usize..3, vec(due(20..40), 1..4)).prop_map(|(draw, dues)| DomainFact::Draw(draw, dues)),
        1 => replaced(vec(due(1..40), 0..4)),
    ]
}

/// A new schedule of each kind, with each fate of the late fee.
pub(crate) fn replaced(dues: impl Strategy<Value = Vec<DomainDue>>) -> impl Strategy<Value = DomainFact> {
    let kinds = [
        ScheduleKind::Correction,
        ScheduleKind::DueDateChange,
        ScheduleKind::Forbearance,
        ScheduleKind::ReAge,
    ];
    let fees = [AccruedFee::Keep, AccruedFee::Waive, AccruedFee::Move];
    (dues, weighted(0.6, select(kinds.to_vec())), weighted(0.6, select(fees.to_vec())))
        .prop_map(|(dues, kind, fee)| DomainFact::Replace(dues, kind, fee))
}

/// The command of an officer's, a system's or a borrower's record, on a local date.
fn recording(fact: &DomainFact, today: NaiveDate) -> Command {
    let until = |days: &Option<i64>| days.map(|days| today + TimeDelta::days(days));
    let (by, reason) = ("generated".to_owned(), "generated".to_owned());
    match fact {
        DomainFact::Cause { cause, days } => {
            Command::CauseRecorded(CauseRecorded { cause: *cause, by, reason, until: until(days) })
        }
        DomainFact::Score { score, days } => {
            Command::ScoreRecorded(ScoreRecorded { score: *score, by, until: until(days) })
        }
        DomainFact::Process { days } => Command::PaymentInProcess(PaymentProcessStarted {
            until: today + TimeDelta::days(*days),
            method: None,
            amount: None,
        }),
        DomainFact::Notice(stage) => {
            let name = serde_json::Value::String(format!("stage {stage}"));
            Command::NoticeSent(NoticeSent { of: NoticeOf::Stage(serde_json::from_value(name).unwrap()) })
        }
        _ => Command::PaymentProcessEnded(PaymentProcessEnded { reason, outcome: None, next_try_on: None }),
    }
}

/// The facts that officers, systems or borrowers record beside the money.
pub(crate) fn recorded() -> impl Strategy<Value = DomainFact> {
    let causes = select(&[RecordedCause::Temporary, RecordedCause::LongTerm, RecordedCause::Unknown][..]);
    let days = || weighted(0.5, 1_i64..60);
    prop_oneof![
        2 => (causes, days()).prop_map(|(cause, days)| DomainFact::Cause { cause, days }),
        1 => (300_u32..700, days()).prop_map(|(score, days)| DomainFact::Score { score, days }),
        2 => (1_i64..30).prop_map(|days| DomainFact::Process { days }),
        1 => Just(DomainFact::EndProcess),
        3 => (0_usize..7).prop_map(DomainFact::Notice),
    ]
}

/// The counts of an account's commands; the next ones are numbered after them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NumbersTaken {
    pub(crate) payments: usize,
    pub(crate) promises: usize,
    pub(crate) disputes: usize,
}

/// The command of a fact, on a local date. The fact's own days count from `first`.
pub(crate) fn command(
    fact: &DomainFact,
    first: NaiveDate,
    today: NaiveDate,
    taken: NumbersTaken,
    installment: fn(NaiveDate, DomainDue) -> NewInstallment,
) -> Command {
    let reason = "generated".to_owned();
    let on = |days: i64| first + TimeDelta::days(days);
    let installments = |dues: &[DomainDue]| dues.iter().map(|due| installment(first, *due)).collect();
    match fact {
        DomainFact::Pay { minor, targets } => payment(taken.payments, *minor, targets),
        DomainFact::PayBackdated { minor, days } => {
            payment_of(taken.payments, *minor, &[], Some(today - TimeDelta::days(*days)))
        }
        DomainFact::Waive { number, minor } => {
            let (number, amount) = (number.map(InstallmentNumber), minor.map(cents));
            Command::FeeWaived(FeeWaived { number, amount, reason })
        }
        DomainFact::Reverse { payment, dated, minor } => Command::PaymentReversed(PaymentReversed {
            payment_id: format!("P-{payment}").parse().unwrap(),
            amount: minor.map(cents),
            dated: *dated,
        }),
        DomainFact::PayOut(minor) => {
            Command::CreditPaidOut(CreditPaidOut { amount: minor.map(cents), reason: None })
        }
        DomainFact::Hold(number) => {
            Command::InstallmentHeld(InstallmentHeld { number: InstallmentNumber(*number), reason: None })
        }
        DomainFact::Release(number) => {
            let number = InstallmentNumber(*number);
            Command::InstallmentReleased(InstallmentReleased { number, reason: None })
        }
        DomainFact::Pause { from, days } => {
            Command::PauseStarted(PauseStarted { from: on(*from), until: on(from + days) })
        }
        DomainFact::EndPause { on: day } => Command::PauseEnded(PauseEnded { on: on(*day) }),
        DomainFact::WriteOff(number) => {
            Command::WrittenOff(WrittenOff { number: number.map(InstallmentNumber), reason })
        }
        DomainFact::UndoWriteOff(number) => {
            Command::WriteOffUndone(WriteOffUndone { number: number.map(InstallmentNumber), reason })
        }
        DomainFact::Enforce(true) => Command::EnforcementOn(EnforcementOn { reason }),
        DomainFact::Enforce(false) => Command::EnforcementOff(EnforcementOff { reason }),
        DomainFact::Adjust { number, minor } => Command::InstallmentAdjusted(InstallmentAdjusted {
            number: InstallmentNumber(*number),
            amount: cents(*minor),
            reason,
        }),
        DomainFact::Draw(draw, dues) => drawn(*draw, installments(dues)),
        DomainFact::Add(due) => {
            Command::InstallmentAdded(InstallmentAdded { installment: installment(first, *due) })
        }
        DomainFact::Replace(dues, kind, accrued_fee) => Command::ScheduleReplaced(ScheduleReplaced {
            installments: installments(dues),
            reason,
            kind: *kind,
            accrued_fee: *accrued_fee,
        }),
        DomainFact::Cause { .. }
        | DomainFact::Score { .. }
        | DomainFact::Process { .. }
        | DomainFact::EndProcess
        | DomainFact::Notice(_) => recording(fact, today),
        DomainFact::Promise { .. }
        | DomainFact::EndPromise(_)
        | DomainFact::Dispute
        | DomainFact::CloseDispute(_)
        | DomainFact::Report
        | DomainFact::Prefer { .. } => answering(fact, (taken.promises, taken.disputes), today),
    }
}

/// Applies a fact to the account. A refusal must change nothing.
pub(crate) fn happen(account: &mut Account, fact: &DomainFact, begin: DateTime<Utc>, minute: i64) {
    let at = begin + TimeDelta::minutes(minute);
    let today = business_date(account.time_zone, at);
    let taken = NumbersTaken {
        payments: account.payments().len(),
        promises: account.promises().len(),
        disputes: account.disputes().len(),
    };
    let command = command(fact, account.opened_on, today, taken, installment);
    let before = account.clone();
    if account.apply(&command, at).is_err() {
        assert_eq!(*account, before, "refused, and yet changed by {command:?}");
    }
}

/// A policy over all five conditions, with both day counts, with and without reminders.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    policy_of(stage().boxed(), none(), none(), no_notice())
}

fn none() -> BoxedStrategy<String> {
    Just(String::new()).boxed()
}

fn no_notice() -> BoxedStrategy<Option<usize>> {
    Just(None).boxed()
}

/// A policy over all five conditions, with business days and a classification.
pub(crate) fn classifying_policy() -> impl Strategy<Value = Policy> {
    policy_of(stage().boxed(), none(), last_tables().boxed(), no_notice())
}

/// The tables after everything else.
pub(crate) fn last_tables() -> impl Strategy<Value = String> {
    (weighted(0.3, business_days()), weighted(0.5, classification()))
        .prop_map(|(days, classes)| [days, classes].into_iter().flatten().collect())
}

/// Half of the policies with a late fee, a third with another waterfall.
pub(crate) fn any_policy() -> impl Strategy<Value = Policy> {
    policy_of(stage().boxed(), settling_or_none(), late_fee_or_none(), no_notice())
}

/// Most policies with another waterfall, half with a late fee, and some with business days and a
/// classification.
#[allow(dead_code, reason = "the tests of the model use it")]
pub(crate) fn settling_policy() -> impl Strategy<Value = Policy> {
    let first = prop_oneof![1 => none(), 3 => settling()];
    let last = (late_fee_or_none(), last_tables()).prop_map(|(late_fee, tables)| late_fee + &tables);
    policy_of(stage().boxed(), first.boxed(), last.boxed(), no_notice())
}

fn settling_or_none() -> BoxedStrategy<String> {
    prop_oneof![2 => none(), 1 => settling()].boxed()
}

fn late_fee_or_none() -> BoxedStrategy<String> {
    prop_oneof![none(), late_fee()].boxed()
}

/// The keys of the waterfall and of overpayments.
pub(crate) fn settling() -> impl Strategy<Value = String> {
    let four = Just(["penalty", "fee", "interest", "principal"].to_vec()).prop_shuffle();
    let twelve = (four.clone(), four.clone(), four.clone(), any::<bool>()).prop_map(
        |(past_due, due, in_advance, mixed)| {
            let of = |class: &str, names: &[&str]| -> Vec<String> {
                names.iter().map(|name| format!("{class}_{name}")).collect()
            };
            let (mut first, second) = (of("past_due", &past_due), of("due", &due));
            if mixed {
                first = first.into_iter().zip(second).flat_map(|(one, other)| [one, other]).collect();
            } else {
                first.extend(second);
            }
            first.extend(of("in_advance", &in_advance));
            first
        },
    );
    let any_twelve = twelve.clone().prop_shuffle();
    let four = four.prop_map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let overpayment = select(&["next", "last", "credit"][..]);
    (prop_oneof![2 => four, 2 => twelve, 1 => any_twelve], overpayment)
        .prop_map(|(names, overpayment)| format!("waterfall = {names:?}\noverpayment = \"{overpayment}\"\n"))
}

/// The table of a late fee, with rates and caps that are met often.
pub(crate) fn late_fee() -> impl Strategy<Value = String> {
    let rate = prop_oneof![1_i64..100_000, 1_i64..10_000_000];
    let fee = prop_oneof![
        3 => rate.clone().prop_map(|rate| (Some(rate), None, None, None)),
        1 => (1_i64..3_000).prop_map(|fixed| (None, Some(fixed), None, None)),
        1 => (rate.clone(), 1_i64..3_000).prop_map(|(rate, fixed)| (Some(rate), Some(fixed), None, None)),
        1 => (1_i64..3_000).prop_map(|letter| (None, None, Some(letter), None)),
        1 => (rate, 1_i64..3_000).prop_map(|(rate, letter)| (Some(rate), None, Some(letter), None)),
        1 => (weighted(0.5, 1_i64..3_000), 500_i64..9_000)
            .prop_map(|(letter, times)| (None, None, letter, Some(times))),
    ];
    let caps = (
        weighted(0.3, 10_000_000_i64..300_000_000),
        weighted(0.2, 3_000_i64..9_000),
        weighted(0.4, 3_000_i64..12_000),
        weighted(0.4, (0_i64..200_000_000, 0_i64..300_000_000)),
        weighted(0.3, 6_u32..12),
    );
    let arrears = proptest::bool::weighted(0.25);
    (fee, caps, arrears).prop_map(
        |((rate, fixed, letter, times), (share, amount, month, annual, free), arrears)| {
            let nine = |steps: i64| format!("\"0.{steps:09}\"");
            let two = |minor: i64| format!("\"{}\"", cents(minor));
            let lines = [
                rate.map(|rate| format!("daily_rate = {}", nine(rate))),
                fixed.map(|fixed| format!("fixed = {}", two(fixed))),
                letter.map(|letter| format!("per_letter = {}", two(letter))),
                times
                    .map(|times| format!("contract_rate_times = \"{}.{:03}\"", times / 1_000, times % 1_000)),
                free.map(|days| format!("free_days = {days}")),
                share.map(|share| format!("cap_per_installment = {}", nine(share))),
                amount.map(|amount| format!("cap_per_installment_amount = {}", two(amount))),
                month.map(|month| format!("cap_per_month = {}", two(month))),
                annual.map(|(rate, more)| {
                    format!("contract_annual_rate = {}\nannual_cost_cap = {}", nine(rate), nine(rate + more))
                }),
            ];
            let mut lines: Vec<String> = lines.into_iter().flatten().collect();
            lines.extend(arrears.then(|| "fee_arrears_count = true".to_owned()));
            format!("[late_fee]\n{}\n", lines.join("\n"))
        },
    )
}

/// A policy with every condition and option, and the tables that defer consequences.
pub(crate) fn patient_policy() -> impl Strategy<Value = Policy> {
    patient_policy_with(tables(false).boxed(), none())
}

/// A policy with every condition and option, and always every deferring table.
pub(crate) fn full_policy() -> impl Strategy<Value = Policy> {
    let first = (settling(), tables(true)).prop_map(|(settling, tables)| settling + &tables);
    let last = (late_fee(), business_days(), classification())
        .prop_map(|(late_fee, days, classes)| late_fee + &days + &classes);
    patient_policy_with(first.boxed(), last.boxed())
}

/// A full policy with business days, a classification, a late fee and a waterfall.
pub(crate) fn every_policy() -> impl Strategy<Value = Policy> {
    let first = (settling_or_none(), tables(false)).prop_map(|(settling, tables)| settling + &tables);
    let last = (late_fee_or_none(), last_tables()).prop_map(|(late_fee, tables)| late_fee + &tables);
    patient_policy_with(first.boxed(), last.boxed())
}

fn patient_policy_with(
    tables: BoxedStrategy<String>,
    last_tables: BoxedStrategy<String>,
) -> impl Strategy<Value = Policy> {
    let stage = (stage(), weighted(0.2, cause_or_score()), weighted(0.3, 0_u32..15));
    let stage = stage.prop_map(|(stage, more, notice)| {
        let stage = match more {
            Some(more) => stage.replacen("when = { ", &format!("when = {{ {more}, "), 1),
            None => stage,
        };
        match notice {
            Some(days) => stage.replacen("{ kind", &format!("{{ notice_days = {days}, kind"), 1),
            None => stage,
        }
    });
    policy_of(stage.boxed(), tables, last_tables, weighted(0.5, 0_usize..7).boxed())
}

fn cause_or_score() -> impl Strategy<Value = String> {
    prop_oneof![
        select(&["cause = \"temporary\"", "cause = \"long_term\""][..]).prop_map(str::to_owned),
        (300_u32..700).prop_map(|score| format!("score_at_most = {score}")),
    ]
}

/// The tables before the first stage: every one, or half of them.
fn tables(every: bool) -> impl Strategy<Value = String> {
    let exceed = select(&["both", "either"][..]);
    let materiality = (0_u32..500, 0_u32..100, exceed).prop_map(|(amount, percent, exceed)| {
        format!(
            "materiality = {{ amount = \"{amount}\", share = \"0.{percent:02}\", exceed = \"{exceed}\" }}\n"
        )
    });
    let buffer = (1_u32..40, 1_u32..800, 1_u32..15).prop_map(|(days, amount, months)| {
        format!("buffer = {{ days = {days}, amount = \"{amount}\", months = {months} }}\n")
    });
    let cause = (1_u32..40).prop_map(|days| format!("cause = {{ temporary_holds_days = {days} }}\n"));
    let process = (1_u32..20).prop_map(|days| format!("payment_in_process = {{ max_days = {days} }}\n"));
    let promise = (1_u32..20).prop_map(|days| format!("promise = {{ max_days = {days} }}\n"));
    let dispute = (1_u32..40).prop_map(|days| format!("dispute = {{ holds_days = {days} }}\n"));
    let maybe = |table: BoxedStrategy<String>| {
        if every { table.prop_map(Some).boxed() } else { weighted(0.5, table).boxed() }
    };
    let held = (maybe(materiality.boxed()), maybe(buffer.boxed()), maybe(cause.boxed()));
    let holds = (1_u32..25).prop_map(|days| format!("holds = {{ at_most_days = {days} }}\n"));
    let waited_for = (maybe(process.boxed()), maybe(promise.boxed()), maybe(dispute.boxed()));
    (held, waited_for, maybe(holds.boxed())).prop_map(
        |((materiality, buffer, cause), (process, promise, dispute), holds)| {
            [materiality, buffer, cause, process, promise, dispute, holds].into_iter().flatten().collect()
        },
    )
}

fn policy_of(
    stage: BoxedStrategy<String>,
    tables: BoxedStrategy<String>,
    last_tables: BoxedStrategy<String>,
    notice_of: BoxedStrategy<Option<usize>>,
) -> impl Strategy<Value = Policy> {
    let day_count = select(&["day_after", "due_day"][..]);
    let reminders = weighted(0.5, (send_at(), vec((step(), notice_of), 0..8)));
    let customer = weighted(0.3, 0_usize..7);
    let stage_fees = vec(weighted(0.3, 1_i64..3_000), 7);
    (day_count, 0_u32..6, tables, vec(stage, 0..7), reminders, last_tables, customer, stage_fees).prop_map(
        |(day_count, grace, tables, stages, reminders, last_tables, customer, stage_fees)| {
            let mut ladder = format!(
                "id = \"generated\"\nversion = 1\neffective_on = 2010-01-01\nday_count = \"{day_count}\"\ngrace_days = {grace}\n{tables}"
            );
            let mut names = vec!["current".to_owned()];
            for (place, stage) in stages.iter().enumerate() {
                // A stage that would shadow an earlier one is left out.
                let longer = format!("{ladder}[[stages]]\nname = \"stage {place}\"\n{stage}\n");
                if policy::parse(&longer).is_ok() {
                    ladder = longer;
                    names.push(format!("stage {place}"));
                }
            }
            if let Some((send_at, steps)) = reminders {
                ladder.push_str(&format!("[reminders]\nsend_at = \"{send_at}\"\n"));
                for ((stage, rest), notice_of) in steps {
                    let stage = &names[stage % names.len()];
                    let step = format!("[[reminders.steps]]\nstage = \"{stage}\"\n{rest}\n");
                    // The step is a notice if that stage requires one.
                    let notice = notice_of.map(|of| format!("{ladder}{step}notice_of = \"stage {of}\"\n"));
                    let notice = notice.filter(|longer| policy::parse(longer).is_ok());
                    // The step counts from its stage if it may.
                    let counted = step.replace("# from the stage", "from = \"stage\"");
                    let counted = Some(format!("{ladder}{counted}"));
                    let counted = counted.filter(|longer| policy::parse(longer).is_ok());
                    ladder = notice.or(counted).unwrap_or_else(|| format!("{ladder}{step}"));
                }
            }
            ladder.push_str(&last_tables);
            // A fee for each stage that may have one.
            for (place, fee) in stage_fees.into_iter().enumerate().filter_map(|(place, fee)| Some((place, fee?))) {
                let key = format!("per_stage.\"stage {place}\" = \"{}\"", cents(fee));
                let longer = ladder.replacen("[late_fee]\n", &format!("[late_fee]\n{key}\n"), 1);
                if policy::parse(&longer).is_ok() {
                    ladder = longer;
                }
            }
            if let Some(name) = customer.and_then(|place| names.get(place + 1)) {
                ladder.push_str(&format!(
                    "[customer]\nstage = \"{name}\"\nrestrictions = [{{ kind = \"freeze_drawdown\" }}]\n"
                ));
            }
            // A rate may be raised beyond the limit of the late fee's annual cap.
            let parsed = policy::parse(&ladder);
            let parsed = parsed.or_else(|_| policy::parse(&ladder.replace("percent = 150", "percent = 100")));
            let mut parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{ladder}"));
            // Whether such fees will once be material is beyond the horizon of a day-by-day model.
            if let (Some(fee), Some(_)) = (&mut parsed.late_fee, &parsed.materiality) {
                fee.fee_arrears_count = false;
            }
            parsed
        },
    )
}

fn stage() -> impl Strategy<Value = String> {
    let when = (
        weighted(0.5, 0_u32..50),
        weighted(0.3, 0_u32..60),
        weighted(0.3, 0_u32..1_500),
        weighted(0.3, 0_u32..=100),
        weighted(0.3, 0_u32..5),
    );
    let restrictions = select(
        &[
            "",
            r#"{ kind = "limit_credit_line", percent = 50 }"#,
            r#"{ kind = "limit_credit_line", percent = 20 }, { kind = "freeze_drawdown" }"#,
            r#"{ kind = "raise_rate", percent = 150 }"#,
            r#"{ kind = "suspend_account" }, { kind = "call_the_guarantor" }"#,
        ][..],
    );
    // Some stages ask for days alone, as a fee per stage needs.
    let alone = (1_u32..50).prop_map(|days| (Some(days), None, None, None, None));
    let when = prop_oneof![4 => when, 1 => alone];
    (when, restrictions).prop_map(|((delinquent, past_due, amount, share, unpaid), restrictions)| {
        let mut conditions: Vec<String> = [
            delinquent.map(|days| format!("delinquent_days = {days}")),
            past_due.map(|days| format!("days_past_due = {days}")),
            amount.map(|amount| format!("overdue_amount = \"{amount}.50\"")),
            share.map(|percent| format!("overdue_share = \"{}.{:02}\"", percent / 100, percent % 100)),
            unpaid.map(|count| format!("unpaid_installments = {count}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if conditions.is_empty() {
            conditions.push("days_past_due = 1".to_owned());
        }
        format!("when = {{ {} }}\nrestrictions = [{restrictions}]", conditions.join(", "))
    })
}

/// Due dates that move by a calendar of its own.
fn business_days() -> impl Strategy<Value = String> {
    let moves = select(&["next", "previous", "modified_next", "modified_previous"][..]);
    let weekend = select(&["\"saturday\", \"sunday\"", "\"friday\"", ""][..]);
    let first: NaiveDate = "2011-01-01".parse().unwrap();
    // Holidays of so many days, every so many days.
    (moves, any::<bool>(), weekend, 1..10_i64, 50..120_i64).prop_map(
        move |(moves, month_end, weekend, days, every)| {
            let holidays: Vec<String> = (0..5_800 / every)
                .flat_map(|time| (0..days).map(move |day| time * every + day))
                .map(|day| (first + TimeDelta::days(day)).to_string())
                .collect();
            format!(
                "[business_days]\ncalendar = \"own\"\nmove = \"{moves}\"\nmonth_end = {month_end}\n\
             [calendars.own]\nsource = \"generated\"\nfrom = 2011-01-01\nto = 2026-12-31\n\
             weekend = [{weekend}]\nholidays = [{}]\n",
                holidays.join(", ")
            )
        },
    )
}

/// Classes, some with a probation after their cure.
fn classification() -> impl Strategy<Value = String> {
    let cured = select(&["below_threshold", "nothing_overdue"][..]);
    (vec(1_u32..40, 1..5), 0_usize..4, cured, 0_u32..5, 0_u32..8).prop_map(
        |(steps, probation_from, cured, months, more)| {
            let mut days_past_due = 0;
            let classes: Vec<String> = steps
                .iter()
                .zip(0..)
                .map(|(days, place)| {
                    days_past_due += days;
                    format!("{{ name = \"class {place}\", days_past_due = {days_past_due} }}")
                })
                .collect();
            format!(
                "[classification]\nname = \"generated\"\nnormal = \"normal\"\nclasses = [{}]\n\
                 probation_from = \"class {}\"\ncured = \"{cured}\"\nprobation_months = {months}\n\
                 probation_after_forbearance_months = {}\ncounts = \"{}\"\n",
                classes.join(", "),
                probation_from % classes.len(),
                months + more,
                if months % 2 == 0 { "material_days" } else { "days_past_due" },
            )
        },
    )
}

fn send_at() -> impl Strategy<Value = &'static str> {
    select(&["00:00", "02:30", "10:00", "23:59"][..])
}

fn step() -> impl Strategy<Value = (usize, String)> {
    let channel = select(&["sms", "email", "phone", "app", "letter"][..]);
    let again = weighted(0.3, (1_u32..12, 1_u32..6));
    (0_usize..8, -10_i64..40, channel, again, weighted(0.2, Just(())), weighted(0.3, Just(()))).prop_map(
        |(stage, days, channel, again, unless_reported, from_stage)| {
            let mut step = format!("days = {days}\nchannel = \"{channel}\"\ntemplate = \"text\"");
            if let Some((every, most)) = again {
                step += &format!("\nevery_days = {every}\nat_most = {most}");
            }
            if unless_reported.is_some() {
                step += "\nunless_reported = true";
            }
            // Only a step of a stage can count from that stage; the mark is replaced later.
            if from_stage.is_some() {
                step += "\n# from the stage";
            }
            (stage, step)
        },
    )
}
