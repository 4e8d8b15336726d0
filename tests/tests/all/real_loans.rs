//! Five hundred loans of one lender, with the lender's own count of the days past due: an outside check on
//! the whole chain, from the file to the account status.
//!
//! The loans come in through the example converter. The embedded DynamoDB holds them, the payments arrive
//! through the payments table and its stream, and the sweep fires on its schedule. The set's licence is not
//! stated, so it is not part of the project; without the set the test checks nothing.

#![expect(clippy::explicit_write, reason = "the harness shows no eprintln of a test that passes")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_app::Clock;
use duewatch_cli::firings::Firings;
use duewatch_cli::replay::{CaseFiles, Engine, Outputs, ReplayCase, replay};
use duewatch_domain::formats::{DailyLines, parse_book_line, parse_event_line};
use duewatch_domain::kernel::{end_of_day, plus_days, start_of_day};
use duewatch_domain::{Account, Command, Policy, Trigger, assess, policy};
use duewatch_stack::{Stack, StackClock, Transport, sweep_every};
use duewatch_store::PaymentFact;
use duewatch_tests::lender_csv::{self, LenderLoan, LenderTerms, Status, read_file};
use serde::Deserialize;

const LOANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/loan-payments.csv");
/// The day on which the lender counted the unpaid loans.
const COUNTED_ON: NaiveDate = NaiveDate::from_ymd_opt(2016, 12, 8).unwrap();
/// The lender's count is one day more than its own dates give.
const OFF_BY_ONE: &str = "xqd20160428";
/// Listed as paid in time, and paid a day late; the lender has no count for it.
const LATE_WITHOUT_A_COUNT: &str = "xqd20160271";

fn terms() -> LenderTerms {
    LenderTerms { time_zone: "Asia/Shanghai".parse().unwrap(), currency: "CNY".parse().unwrap() }
}

fn loans() -> Option<Vec<LenderLoan>> {
    if !Path::new(LOANS).exists() {
        writeln!(std::io::stderr(), "skipped: the lender's file is not there, {LOANS}").unwrap();
        return None;
    }
    Some(read_file(Path::new(LOANS), &terms()).unwrap())
}

/// The event of a changed account status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct PublishedChange {
    at: DateTime<Utc>,
    account_id: String,
    to: String,
    applied: Vec<serde_json::Value>,
    lifted: Vec<serde_json::Value>,
}

/// The stack, driven as AWS would.
struct DrivenStack {
    stack: Stack,
    policy: Policy,
    firings: Firings,
    changes: BTreeMap<String, Vec<PublishedChange>>,
}

impl DrivenStack {
    async fn start(from: NaiveDate) -> Self {
        let clock = StackClock::simulated(start_of_day(terms().time_zone, from));
        let stack = Stack::start(clock, Transport::InProcess).await.unwrap();
        let text = lender_csv::policy(from);
        let policy = policy::parse(&text).unwrap();
        stack
            .store()
            .install_policy(&policy, &text, &duewatch_stack::local_policy_key().unwrap())
            .await
            .unwrap();
        let firings = Firings::new(sweep_every().unwrap(), Vec::new());
        Self { stack, policy, firings, changes: BTreeMap::new() }
    }

    /// Lets time pass: the sweep fires on its schedule, except where no account is due.
    async fn pass_until(&mut self, until: DateTime<Utc>) {
        if until > self.stack.clock().now() {
            self.drain().await;
        }
        while let Some(due) = self.stack.earliest_due().unwrap() {
            let firing = self.firings.at_or_after(due);
            if firing > until {
                break;
            }
            self.stack.clock().set(firing);
            self.stack.fire_sweeps().await.unwrap();
            self.drain().await;
        }
        self.stack.clock().set(until);
    }

    async fn drain(&mut self) {
        #[derive(Deserialize)]
        struct PublishedChangeBody {
            data: PublishedChangeData,
        }
        #[derive(Deserialize)]
        struct PublishedChangeData {
            decision: PublishedChange,
        }
        self.stack.drain().await.unwrap();
        assert_eq!(self.stack.given_up().count(), 0);
        for message in self.stack.services().sns.take() {
            let kind = message.attributes.get("type").map(String::as_str);
            assert_eq!(kind, Some("duewatch.account.changed.v1"), "{}", message.message);
            let body: PublishedChangeBody = serde_json::from_str(&message.message).unwrap();
            let change = body.data.decision;
            self.changes.entry(change.account_id.clone()).or_default().push(change);
        }
    }

    async fn open(&self, loan: &LenderLoan, at: DateTime<Utc>) {
        let contract = parse_book_line(&loan.book_line(&terms())).unwrap();
        self.stack.transitions().open(&contract, at, Trigger::Time).await.unwrap();
    }

    /// Puts the payment into the payments table; only the stream reports it.
    async fn pay(&mut self, loan: &LenderLoan) {
        let event = parse_event_line(&loan.payment_line(&terms()).unwrap()).unwrap();
        let Command::PaymentReceived(payment) = event.command else { panic!("no payment") };
        let fact = PaymentFact::received(event.account_id, &payment, event.at);
        self.stack.store().record_payment(&fact).await.unwrap();
        self.drain().await;
    }

    async fn stored(&self, loan: &LenderLoan) -> Account {
        self.stack.store().account(&loan.account_id).await.unwrap().unwrap().account
    }
}

fn standing(account: &Account) -> (&str, usize) {
    (account.status.stage.as_str(), account.status.restrictions.len())
}

fn days_of_the_daily_line(account: &Account, policy: &Policy, day: NaiveDate) -> u32 {
    let mut line = Vec::new();
    DailyLines::new(account, policy).write(account, day, &mut line);
    daily_line(&line).days_past_due
}

#[derive(Deserialize)]
struct DailyLine {
    date: NaiveDate,
    account_id: String,
    stage: String,
    days_past_due: u32,
}

fn daily_line(line: &[u8]) -> DailyLine {
    serde_json::from_slice(line).unwrap()
}

/// A happening; those of one instant come in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LoanMoment {
    Open(usize),
    Pay(usize),
}

fn moments(loans: &[LenderLoan]) -> Vec<(DateTime<Utc>, LoanMoment)> {
    let terms = terms();
    let opened = loans.iter().enumerate().map(|(place, loan)| {
        let at = start_of_day(terms.time_zone, loan.opened_on);
        (at, LoanMoment::Open(place))
    });
    let paid = loans.iter().enumerate().filter_map(|(place, loan)| {
        let at = loan.paid_off_at(&terms)?;
        Some((at, LoanMoment::Pay(place)))
    });
    let mut moments: Vec<_> = opened.chain(paid).collect();
    moments.sort_unstable();
    moments
}

fn is_late(loan: &LenderLoan) -> bool {
    loan.paid_at.is_none_or(|paid_at| paid_at.date() > loan.due_on)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stack_counts_the_days_that_the_lender_counted() {
    let Some(loans) = loans() else { return };
    let zone = terms().time_zone;
    let mut watched = DrivenStack::start(loans.iter().map(|loan| loan.opened_on).min().unwrap()).await;
    let mut ours: BTreeMap<&str, u32> = BTreeMap::new();
    for (at, what) in moments(&loans) {
        watched.pass_until(at).await;
        match what {
            LoanMoment::Open(place) => watched.open(&loans[place], at).await,
            LoanMoment::Pay(place) => {
                let loan = &loans[place];
                let before = watched.stored(loan).await;
                let late = is_late(loan);
                assert_eq!(standing(&before), if late { ("late", 1) } else { ("current", 0) }, "{loan:?}");
                let days = assess(&before, &watched.policy, at).figures.days_past_due;
                ours.insert(loan.account_id.as_str(), days);
                watched.pay(loan).await;
                assert_eq!(standing(&watched.stored(loan).await), ("current", 0), "{loan:?}");
            }
        }
    }
    watched.pass_until(end_of_day(zone, COUNTED_ON)).await;
    for loan in loans.iter().filter(|loan| loan.status == Status::Collection) {
        let stored = watched.stored(loan).await;
        assert_eq!(standing(&stored), ("late", 1), "{loan:?}");
        ours.insert(loan.account_id.as_str(), days_of_the_daily_line(&stored, &watched.policy, COUNTED_ON));
    }
    assert_agrees_with_the_lender(&loans, &ours);
    assert_flagged_at_midnight_and_lifted_when_paid(&loans, &watched.changes);
}

/// Of the 200 rows that the lender lists as late, 199 agree; the other is named.
fn assert_agrees_with_the_lender(loans: &[LenderLoan], ours: &BTreeMap<&str, u32>) {
    let called_late: Vec<&LenderLoan> = loans.iter().filter(|loan| loan.status != Status::PaidOff).collect();
    let differing: Vec<(&str, u32, Option<u32>)> = called_late
        .iter()
        .map(|loan| (loan.account_id.as_str(), ours[loan.account_id.as_str()], loan.past_due_days))
        .filter(|(_, ours, lenders)| Some(*ours) != *lenders)
        .collect();
    assert_eq!(differing, [(OFF_BY_ONE, 1, Some(2))]);
    assert_eq!((called_late.len(), called_late.len() - differing.len()), (200, 199));
    let late_all_the_same: Vec<(&str, u32, Option<u32>)> = loans
        .iter()
        .filter(|loan| loan.status == Status::PaidOff && ours[loan.account_id.as_str()] > 0)
        .map(|loan| (loan.account_id.as_str(), ours[loan.account_id.as_str()], loan.past_due_days))
        .collect();
    assert_eq!(late_all_the_same, [(LATE_WITHOUT_A_COUNT, 1, None)]);
}

fn assert_flagged_at_midnight_and_lifted_when_paid(
    loans: &[LenderLoan],
    changes: &BTreeMap<String, Vec<PublishedChange>>,
) {
    let late: BTreeSet<&str> =
        loans.iter().filter(|loan| is_late(loan)).map(|loan| loan.account_id.as_str()).collect();
    let flagged: BTreeSet<&str> = changes.keys().map(String::as_str).collect();
    assert_eq!(flagged, late);
    for loan in loans.iter().filter(|loan| is_late(loan)) {
        let seen: Vec<(DateTime<Utc>, &str, usize, usize)> = changes[loan.account_id.as_str()]
            .iter()
            .map(|change| (change.at, change.to.as_str(), change.applied.len(), change.lifted.len()))
            .collect();
        let midnight = start_of_day(terms().time_zone, plus_days(loan.due_on, 1));
        let mut expected = vec![(midnight, "late", 1, 0)];
        expected.extend(loan.paid_off_at(&terms()).map(|paid_at| (paid_at, "current", 0, 1)));
        assert_eq!(seen, expected, "{loan:?}");
    }
}

/// The lender's way: the converted files, and `replay` over them.
#[test]
fn both_engines_replay_the_lenders_files_alike_and_to_the_lenders_count() {
    let Some(loans) = loans() else { return };
    let directory = tempfile::tempdir().unwrap();
    let written = lender_csv::write(&loans, &terms(), directory.path()).unwrap();
    let files = CaseFiles {
        policies: vec![written.policy],
        book: written.book,
        format: None,
        events: written.events,
    };
    let case = ReplayCase::read(&files, written.from, COUNTED_ON, sweep_every().unwrap()).unwrap();
    let run = |engine| {
        let (daily, decisions) = (directory.path().join("daily"), directory.path().join("decisions"));
        let outputs =
            Outputs { daily: Some(daily.clone()), decisions: Some(decisions.clone()), contacts: None };
        let summary = replay(&case, engine, &outputs).unwrap();
        (summary, fs::read_to_string(daily).unwrap(), fs::read_to_string(decisions).unwrap())
    };
    let stack = run(Engine::Stack);
    assert!(stack == run(Engine::Pure), "the engines differ");
    let (summary, daily, decisions) = stack;
    // 201 were late, 101 of them paid.
    assert_eq!((summary.tally.restricted, summary.tally.lifted, decisions.lines().count()), (201, 101, 302));
    let never_paid = loans.iter().filter(|loan| loan.status == Status::Collection);
    let theirs: BTreeMap<&str, Option<u32>> =
        never_paid.map(|loan| (loan.account_id.as_str(), loan.past_due_days)).collect();
    let last_day: Vec<DailyLine> = daily
        .lines()
        .map(|line| daily_line(line.as_bytes()))
        .filter(|line| line.date == COUNTED_ON)
        .collect();
    let late: BTreeMap<&str, Option<u32>> = last_day
        .iter()
        .filter(|line| line.stage == "late")
        .map(|line| (line.account_id.as_str(), Some(line.days_past_due)))
        .collect();
    assert_eq!((last_day.len(), late), (500, theirs));
}
