//! Generated cases: small portfolios in odd zones, with every kind of fact.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::Zone;
use duewatch_domain::kernel::{Currency, Money};
use duewatch_domain::kernel::{end_of_day, start_of_day};
use duewatch_domain::policy;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::RunFiles;
use crate::domain;

/// First days near which the zones below change in an odd way.
const FROM: &[&str] =
    &["2011-12-20", "2017-10-10", "2022-03-15", "2023-03-01", "2023-10-20", "2024-02-20", "2024-03-28"];

const ZONES: &[&str] = &[
    "Asia/Shanghai",
    "Asia/Kolkata",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
];

/// The most days by which facts precede the first day.
const DAYS_BEFORE: i64 = 8;

/// The usual amount of a payment of that number.
const PAYMENT_MINORS: [i64; 3] = [5_000, 25_345, 100_000];

/// An installment: days from the first day, principal and interest in minor units.
type GeneratedDue = (i64, i64, Option<i64>);

#[derive(Clone, Debug)]
struct GeneratedLoan {
    zone: Zone,
    currency: Currency,
    opened_after_days: i64,
    opened_by_event: bool,
    installments: Vec<GeneratedDue>,
}

#[derive(Clone, Debug)]
enum GeneratedFact {
    Pay { id: usize, minor: Option<i64>, value_date: Option<i64>, kind: &'static str, targets: Vec<u32> },
    Reverse { id: usize, dated: &'static str },
    Pause { from: i64, days: i64 },
    EndPause { on: i64 },
    WriteOff { undone: bool, number: Option<u32> },
    Enforce(bool),
    Adjust { number: u32, minor: i64 },
    Add { number: u32, due: GeneratedDue },
    Draw { id: usize, dues: Vec<GeneratedDue> },
    Replace { number: u32, dues: Vec<GeneratedDue> },
    OpenAgain,
    Cause { cause: &'static str, days: Option<i64> },
    Score { score: u32, days: Option<i64> },
    Process { days: i64 },
    EndProcess,
    Notice(usize),
    Promise { id: usize, minor: i64, days: i64 },
    EndPromise { id: usize, outcome: &'static str },
    Dispute { id: usize },
    CloseDispute { id: usize, outcome: &'static str },
    Report,
    Waive { number: Option<u32>, minor: Option<i64> },
}

/// The time of a fact within its day.
#[derive(Clone, Copy, Debug)]
enum TimeOfDay {
    /// At local midnight, where sweeps and days meet.
    FirstSecond,
    /// The second at which a day is evaluated.
    LastSecond,
    /// Milliseconds after midnight.
    Later(i64),
}

fn due() -> impl Strategy<Value = GeneratedDue> {
    (-40_i64..40, 1_i64..60_000, weighted(0.3, 0_i64..2_000))
}

fn loan() -> impl Strategy<Value = GeneratedLoan> {
    (
        select(ZONES),
        select(&["CNY", "JPY", "KWD"][..]),
        -40_i64..15,
        weighted(0.25, Just(())),
        vec(due(), 1..6),
    )
        .prop_map(|(zone, currency, opened_after_days, by_event, installments)| GeneratedLoan {
            zone: zone.parse().unwrap(),
            currency: currency.parse().unwrap(),
            opened_after_days,
            opened_by_event: by_event.is_some(),
            installments,
        })
}

fn fact() -> impl Strategy<Value = GeneratedFact> {
    let number = || 1_u32..7;
    let paid = (
        0..PAYMENT_MINORS.len(),
        weighted(0.1, 1_i64..60_000),
        weighted(0.3, -40_i64..40),
        prop_oneof![8 => Just("repayment"), 1 => Just("merchant_refund"), 1 => Just("goodwill")],
        prop_oneof![2 => Just(Vec::new()), 1 => vec(number(), 1..4)],
    );
    prop_oneof![
        8 => paid.prop_map(|(id, minor, value_date, kind, targets)| GeneratedFact::Pay { id, minor, value_date, kind, targets }),
        3 => (0..PAYMENT_MINORS.len(), select(&["original", "reversal"][..])).prop_map(|(id, dated)| GeneratedFact::Reverse { id, dated }),
        2 => (-40_i64..40, 1_i64..30).prop_map(|(from, days)| GeneratedFact::Pause { from, days }),
        1 => (-40_i64..40).prop_map(|on| GeneratedFact::EndPause { on }),
        2 => (any::<bool>(), weighted(0.7, number())).prop_map(|(undone, number)| GeneratedFact::WriteOff { undone, number }),
        2 => any::<bool>().prop_map(GeneratedFact::Enforce),
        1 => (number(), -5_000_i64..10_000).prop_map(|(number, minor)| GeneratedFact::Adjust { number, minor }),
        1 => (weighted(0.5, number()), weighted(0.5, 1_i64..2_000)).prop_map(|(number, minor)| GeneratedFact::Waive { number, minor }),
        1 => (7_u32..12, due()).prop_map(|(number, due)| GeneratedFact::Add { number, due }),
        1 => (0_usize..3, vec(due(), 1..4)).prop_map(|(id, dues)| GeneratedFact::Draw { id, dues }),
        1 => (12_u32..40, vec(due(), 0..3)).prop_map(|(number, dues)| GeneratedFact::Replace { number, dues }),
        1 => Just(GeneratedFact::OpenAgain),
        6 => recorded(),
        4 => answered(),
    ]
}

/// The facts that officers, systems or borrowers record beside the money.
fn recorded() -> impl Strategy<Value = GeneratedFact> {
    let days = || weighted(0.5, -5_i64..30);
    prop_oneof![
        2 => (select(&["temporary", "long_term", "unknown"][..]), days())
            .prop_map(|(cause, days)| GeneratedFact::Cause { cause, days }),
        1 => (300_u32..700, days()).prop_map(|(score, days)| GeneratedFact::Score { score, days }),
        2 => (0_i64..20).prop_map(|days| GeneratedFact::Process { days }),
        1 => Just(GeneratedFact::EndProcess),
        2 => (0_usize..4).prop_map(GeneratedFact::Notice),
    ]
}

/// The borrower's answers, and reports to a bureau.
fn answered() -> impl Strategy<Value = GeneratedFact> {
    let id = || 0_usize..2;
    prop_oneof![
        3 => (id(), 1_i64..90_000, 0_i64..20).prop_map(|(id, minor, days)| GeneratedFact::Promise { id, minor, days }),
        1 => (id(), select(&["kept", "broken"][..])).prop_map(|(id, outcome)| GeneratedFact::EndPromise { id, outcome }),
        2 => id().prop_map(|id| GeneratedFact::Dispute { id }),
        1 => (id(), select(&["upheld", "rejected", "withdrawn"][..]))
            .prop_map(|(id, outcome)| GeneratedFact::CloseDispute { id, outcome }),
        1 => Just(GeneratedFact::Report),
    ]
}

fn time() -> impl Strategy<Value = TimeOfDay> {
    prop_oneof![
        1 => Just(TimeOfDay::FirstSecond),
        1 => Just(TimeOfDay::LastSecond),
        2 => (0_i64..96).prop_map(|quarter| TimeOfDay::Later(quarter * 900_000)),
        2 => (0_i64..86_400_000).prop_map(TimeOfDay::Later),
    ]
}

fn stage() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        (0_u32..40).prop_map(|days| format!("delinquent_days = {days}")),
        (0_u32..40).prop_map(|days| format!("days_past_due = {days}")),
        (0_u32..500).prop_map(|amount| format!("overdue_amount = \"{amount}\"")),
        (0_u32..10).prop_map(|tenths| format!("overdue_share = \"0.{tenths}\"")),
        (1_u32..4).prop_map(|count| format!("unpaid_installments = {count}")),
    ];
    let recorded = prop_oneof![
        select(&["cause = \"temporary\"", "cause = \"long_term\""][..]).prop_map(str::to_owned),
        (300_u32..700).prop_map(|score| format!("score_at_most = {score}")),
    ];
    let restrictions = select(
        &[
            "",
            r#"{ kind = "limit_credit_line", percent = 50 }"#,
            r#"{ kind = "limit_credit_line", percent = 20 }, { kind = "freeze_drawdown" }"#,
            r#"{ kind = "suspend_account" }"#,
        ][..],
    );
    (condition, weighted(0.2, recorded), restrictions, weighted(0.4, 0_u32..12)).prop_map(
        |(condition, recorded, restrictions, notice)| {
            let recorded = recorded.map_or_else(String::new, |recorded| format!(", {recorded}"));
            let notice = notice.map_or_else(String::new, |days| format!("notice_days = {days}, "));
            let restrictions = restrictions.replacen("{ kind", &format!("{{ {notice}kind"), 1);
            format!("when = {{ {condition}{recorded} }}\nrestrictions = [{restrictions}]")
        },
    )
}

/// The tables before the first stage.
fn tables() -> impl Strategy<Value = String> {
    let materiality = (0_u32..300, 0_u32..60, select(&["both", "either"][..])).prop_map(
        |(amount, percent, exceed)| {
            format!(
                "materiality = {{ amount = \"{amount}\", share = \"0.{percent:02}\", exceed = \"{exceed}\" }}\n"
            )
        },
    );
    let buffer = (1_u32..20, 1_u32..800, 1_u32..15).prop_map(|(days, amount, months)| {
        format!("buffer = {{ days = {days}, amount = \"{amount}\", months = {months} }}\n")
    });
    let cause = (1_u32..20).prop_map(|days| format!("cause = {{ temporary_holds_days = {days} }}\n"));
    let process = (1_u32..12).prop_map(|days| format!("payment_in_process = {{ max_days = {days} }}\n"));
    let promise = (1_u32..12).prop_map(|days| format!("promise = {{ max_days = {days} }}\n"));
    let dispute = (1_u32..20).prop_map(|days| format!("dispute = {{ holds_days = {days} }}\n"));
    let held = (weighted(0.3, materiality), weighted(0.4, buffer), weighted(0.5, cause));
    let waited_for = (weighted(0.5, process), weighted(0.5, promise), weighted(0.5, dispute));
    let holds = (1_u32..12).prop_map(|days| format!("holds = {{ at_most_days = {days} }}\n"));
    (held, waited_for, weighted(0.4, holds)).prop_map(
        |((materiality, buffer, cause), (process, promise, dispute), holds)| {
            [materiality, buffer, cause, process, promise, dispute, holds].into_iter().flatten().collect()
        },
    )
}

/// A reminder step, with the stage whose notice it may be.
type GeneratedStep = (String, Option<usize>);

fn reminders() -> impl Strategy<Value = Option<(&'static str, Vec<GeneratedStep>)>> {
    let channel = select(&["sms", "email", "app"][..]);
    let again = prop_oneof![
        2 => Just(""),
        1 => Just("every_days = 2\nat_most = 4\n"),
        1 => Just("unless_reported = true\n"),
    ];
    let step = (any::<Index>(), -10_i64..20, channel, again, weighted(0.6, 0_usize..4)).prop_map(
        |(stage, days, channel, again, notice_of)| {
            let stage = ["current", "stage 0", "stage 1"][stage.index(3)];
            let step = format!(
                "[[reminders.steps]]\nstage = \"{stage}\"\ndays = {days}\nchannel = \"{channel}\"\ntemplate = \"late\"\n{again}"
            );
            (step, notice_of)
        },
    );
    weighted(0.7, (select(&["00:00", "02:30", "10:00", "23:59"][..]), vec(step, 1..6)))
}

/// The tables after everything else: a late fee, business days, a classification.
fn last_tables() -> impl Strategy<Value = String> {
    let late_fee = weighted(0.5, domain::late_fee());
    (late_fee, domain::last_tables()).prop_map(|(late_fee, tables)| late_fee.unwrap_or_default() + &tables)
}

/// A policy of either day count, over all conditions, tables and options, with and without reminders, notices
/// and a rule for the customer's other accounts.
fn policy_text() -> impl Strategy<Value = String> {
    let head = (select(&["day_after", "due_day"][..]), 0_u32..4, weighted(0.5, domain::settling()));
    let last_tables = (last_tables(), weighted(0.5, 0_usize..4));
    (head, tables(), vec(stage(), 1..7), reminders(), last_tables).prop_map(
        |((day_count, grace_days, settling), tables, stages, reminders, (last_tables, customer))| {
            let settling = settling.unwrap_or_default();
            let mut text = format!(
                "id = \"generated\"\nversion = 1\neffective_on = 2010-01-01\n\
                 day_count = \"{day_count}\"\ngrace_days = {grace_days}\n{settling}{tables}"
            );
            let valid = |longer: String| policy::parse(&longer).is_ok().then_some(longer);
            // A stage out of order, or a table that names an unknown stage, is left out.
            for (place, stage) in stages.iter().enumerate() {
                text =
                    valid(format!("{text}[[stages]]\nname = \"stage {place}\"\n{stage}\n")).unwrap_or(text);
            }
            if let Some(place) = customer {
                let restrictions =
                    r#"[{ kind = "limit_credit_line", percent = 30 }, { kind = "freeze_drawdown" }]"#;
                let rule = format!("[customer]\nstage = \"stage {place}\"\nrestrictions = {restrictions}\n");
                text = valid(format!("{text}{rule}")).unwrap_or(text);
            }
            let Some((send_at, steps)) = reminders else { return text + &last_tables };
            let mut with_steps = format!("{text}[reminders]\nsend_at = \"{send_at}\"\n");
            for (step, notice_of) in steps {
                let notice =
                    notice_of.and_then(|of| valid(format!("{with_steps}{step}notice_of = \"stage {of}\"\n")));
                let plain = || valid(format!("{with_steps}{step}"));
                with_steps = notice.or_else(plain).unwrap_or(with_steps);
            }
            with_steps + &last_tables
        },
    )
}

pub(crate) fn files() -> impl Strategy<Value = RunFiles> {
    (
        select(FROM),
        4_i64..28,
        policy_text(),
        vec(loan(), 1..=6),
        vec((any::<Index>(), -DAYS_BEFORE..32, time()), 1..8),
        vec((any::<Index>(), any::<Index>(), fact()), 0..25),
    )
        .prop_map(|(from, days, policy, loans, instants, facts)| {
            let from: NaiveDate = from.parse().unwrap();
            // Few instants and many facts: several share one.
            let instants: Vec<DateTime<Utc>> = instants
                .iter()
                .map(|(loan, day, time)| instant(loans[loan.index(loans.len())].zone, from, *day, *time))
                .collect();
            let mut book = Vec::new();
            let mut events = Vec::new();
            for (number, loan) in loans.iter().enumerate() {
                let line = loan.book_line(number, from);
                if loan.opened_by_event {
                    let at = instant(loan.zone, from, loan.opened_after_days, TimeOfDay::Later(30_600_000));
                    events.push(event(at, number, "account_opened", json!({ "account": line })));
                } else {
                    book.push(line);
                }
            }
            for (at, loan, fact) in facts {
                let (at, number) = (instants[at.index(instants.len())], loan.index(loans.len()));
                let (kind, fields) = fact.written(&loans[number], number, from, at);
                events.push(event(at, number, kind, fields));
            }
            RunFiles { policy, book, events, from, to: from + TimeDelta::days(days) }
        })
}

fn instant(zone: Zone, from: NaiveDate, day: i64, time: TimeOfDay) -> DateTime<Utc> {
    let day = from + TimeDelta::days(day);
    match time {
        TimeOfDay::FirstSecond => start_of_day(zone, day),
        TimeOfDay::LastSecond => end_of_day(zone, day),
        TimeOfDay::Later(milliseconds) => start_of_day(zone, day) + TimeDelta::milliseconds(milliseconds),
    }
}

fn event(at: DateTime<Utc>, account: usize, kind: &str, mut fields: Value) -> Value {
    fields["at"] = json!(at.to_rfc3339());
    fields["type"] = json!(kind);
    fields["account_id"] = json!(format!("A-{account}"));
    fields
}

impl GeneratedLoan {
    fn amount(&self, minor: i64) -> String {
        self.currency.text(Money::from_minor(minor, self.currency.minor_units()))
    }

    fn installment(&self, number: u32, from: NaiveDate, (day, principal, interest): GeneratedDue) -> Value {
        json!({
            "number": number,
            "due_on": from + TimeDelta::days(day),
            "principal": self.amount(principal),
            "interest": self.amount(interest.unwrap_or(0)),
        })
    }

    fn book_line(&self, number: usize, from: NaiveDate) -> Value {
        let dues = (1..).zip(&self.installments);
        json!({
            "account_id": format!("A-{number}"),
            "customer_id": format!("C-{}", number % 2),
            "policy_id": "another",
            "currency": self.currency.code(),
            "time_zone": self.zone.name(),
            "opened_on": from + TimeDelta::days(self.opened_after_days),
            "installments": dues.map(|(number, due)| self.installment(number, from, *due)).collect::<Vec<_>>(),
        })
    }
}

impl GeneratedFact {
    /// The event type and the fields; sometimes of an event that must be refused.
    fn written(
        self,
        loan: &GeneratedLoan,
        account: usize,
        from: NaiveDate,
        at: DateTime<Utc>,
    ) -> (&'static str, Value) {
        let date = |day: i64| json!(from + TimeDelta::days(day));
        let reason = "generated";
        let until = |days: i64| json!(at.date_naive() + TimeDelta::days(days));
        match self {
            Self::Pay { id, minor, value_date, kind, targets } => {
                // The same id mostly has the same amount, like a payment that is reported twice.
                let minor = minor.unwrap_or(PAYMENT_MINORS[id]);
                let mut fields = json!({
                    "payment_id": format!("P-{id}"), "amount": loan.amount(minor), "kind": kind, "applies_to": targets,
                });
                if let Some(day) = value_date {
                    fields["value_date"] = date(day);
                    fields["currency"] = json!(loan.currency.code());
                }
                ("payment_received", fields)
            }
            Self::Reverse { id, dated } => {
                ("payment_reversed", json!({ "payment_id": format!("P-{id}"), "dated": dated }))
            }
            Self::Pause { from, days } => {
                ("pause_started", json!({ "from": date(from), "until": date(from + days) }))
            }
            Self::EndPause { on } => ("pause_ended", json!({ "on": date(on) })),
            Self::WriteOff { undone, number } => (
                if undone { "write_off_undone" } else { "written_off" },
                json!({ "number": number, "reason": reason }),
            ),
            Self::Enforce(true) => ("enforcement_on", json!({ "reason": reason })),
            Self::Enforce(false) => ("enforcement_off", json!({ "reason": reason })),
            Self::Adjust { number, minor } => (
                "installment_adjusted",
                json!({ "number": number, "amount": loan.amount(minor), "reason": reason }),
            ),
            Self::Add { number, due } => {
                ("installment_added", json!({ "installment": loan.installment(number, from, due) }))
            }
            Self::Draw { id, dues } => {
                let principal = dues.iter().map(|(_, principal, _)| principal).sum();
                let dues = (40 + 10 * u32::try_from(id).unwrap()..).zip(dues);
                let plan: Vec<_> = dues.map(|(number, due)| loan.installment(number, from, due)).collect();
                (
                    "drawn",
                    json!({ "draw_id": format!("D-{id}"), "amount": loan.amount(principal), "installments": plan }),
                )
            }
            Self::Replace { number, dues } => {
                let dues = (number..).zip(dues).map(|(number, due)| loan.installment(number, from, due));
                ("schedule_replaced", json!({ "installments": dues.collect::<Vec<_>>(), "reason": reason }))
            }
            Self::Cause { cause, days } => (
                "cause_recorded",
                json!({ "cause": cause, "by": reason, "reason": reason, "until": days.map(until) }),
            ),
            Self::Score { score, days } => {
                ("score_recorded", json!({ "score": score, "by": reason, "until": days.map(until) }))
            }
            Self::Process { days } => ("payment_in_process", json!({ "until": until(days) })),
            Self::EndProcess => ("payment_process_ended", json!({ "reason": reason })),
            Self::Notice(stage) => ("notice_sent", json!({ "stage": format!("stage {stage}") })),
            Self::Promise { id, minor, days } => (
                "promise_made",
                json!({ "promise_id": format!("PR-{id}"), "amount": loan.amount(minor), "until": until(days) }),
            ),
            Self::EndPromise { id, outcome } => {
                ("promise_ended", json!({ "promise_id": format!("PR-{id}"), "outcome": outcome }))
            }
            Self::Dispute { id } => {
                ("dispute_opened", json!({ "dispute_id": format!("C-{id}"), "reason": reason }))
            }
            Self::CloseDispute { id, outcome } => {
                ("dispute_closed", json!({ "dispute_id": format!("C-{id}"), "outcome": outcome }))
            }
            Self::Report => ("bureau_reported", json!({})),
            Self::Waive { number, minor } => (
                "fee_waived",
                json!({ "number": number, "amount": minor.map(|minor| loan.amount(minor)), "reason": reason }),
            ),
            Self::OpenAgain => ("account_opened", json!({ "account": loan.book_line(account, from) })),
        }
    }
}
