//! Small scenarios, tried in every order of the contesting requests, and with each fault at each request.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_domain::commands::{Command, Contract, EnforcementOff, PauseStarted};
use duewatch_testkit::{ContractTerms, equal_installments, instant};
use serde_json::{Value, json};

use super::choices::Choices;
use super::fault::{Fault, Outage, OutageKind};
use super::plan::{Deed, PlannedDeed, SimulationPlan};
use super::watch::Broken;
use super::{Run, run_with};

/// The account of the scenarios becomes limited: the first instant of 9 October in Shanghai, seven days past
/// due, four of them delinquent.
const LIMITED_AT: &str = "2023-10-07T16:00:00Z";
/// No debt is due, nor will be for two weeks.
const QUIET_AT: &str = "2023-09-15T12:00:00Z";
/// The account is late, more than a day before any restriction.
const LATE_AT: &str = "2023-10-05T12:00:00Z";
/// The late account's reminder leaves.
const REMINDED_AT: &str = "2023-10-06T02:00:00Z";
/// The account is frozen, ten days delinquent, and imposes a suspension on the customer's other accounts: the
/// first instant of 14 October in Shanghai.
const FROZEN_AT: &str = "2023-10-13T16:00:00Z";
/// The account imposes that suspension.
const AFTER_FROZEN_AT: &str = "2023-10-13T17:00:00Z";
const MAX_ORDERS: usize = 200_000;
/// The faults that are tried at each request.
const STRIKING: [Fault; 9] = [
    Fault::Kill,
    Fault::TimeoutAfter,
    Fault::TimeoutBefore,
    Fault::ServerError,
    Fault::Throttle,
    Fault::TransactionConflict,
    Fault::Panic,
    Fault::Slow,
    Fault::PartialBatch,
];

/// A situation in which two or more callers contend.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    plan: SimulationPlan,
}

/// The extent to which a scenario was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The number of orders, or of faults at a request.
    pub ways: usize,
}

fn loan(account: usize, first_due_on: &str) -> Contract {
    ContractTerms {
        account_id: &format!("A-{account}"),
        policy_id: "graceful",
        opened_on: "2023-09-01",
        installments: equal_installments("250.00", &[first_due_on, "2023-12-01"]),
        ..ContractTerms::default()
    }
    .contract()
}

fn pay(id: &str, amount: &str, at: &str) -> Deed {
    Deed::Pay(money(id, amount, at))
}

fn money(id: &str, amount: &str, at: &str) -> Value {
    json!({"account_id": "A-0", "payment_id": id, "amount": amount, "currency": "CNY", "received_at": at})
}

/// One account, opened half a day before `at`, and the deeds at `at`.
fn scenario(name: &'static str, at: &str, contest: &'static [&'static str], deeds: Vec<Deed>) -> Scenario {
    let meet = instant(at);
    let begin = meet - TimeDelta::hours(12);
    let opens =
        if deeds.iter().any(|deed| matches!(deed, Deed::Open)) { None } else { Some((begin, Deed::Open)) };
    let happenings = opens.into_iter().chain(deeds.into_iter().map(|deed| (meet, deed))).enumerate();
    let plan = SimulationPlan {
        seed: 0,
        begin,
        end: meet + TimeDelta::hours(2),
        policies: SimulationPlan::policies(),
        book: vec![loan(0, "2023-10-01")],
        happenings: happenings
            .map(|(number, (at, deed))| PlannedDeed { number, at, account: Some(0), deed })
            .collect(),
        faults: std::collections::BTreeMap::new(),
        outages: Vec::new(),
        groups: 3,
        gathers: TimeDelta::zero(),
        due_shards: 1,
        anchored_from: None,
        contest,
    };
    Scenario { name, plan }
}

/// All scenarios.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let reason = || "simulated".to_owned();
    let day = |text: &str| text.parse().unwrap();
    let pause = Command::PauseStarted(PauseStarted { from: day("2023-10-05"), until: day("2023-10-20") });
    let off = Command::EnforcementOff(EnforcementOff { reason: reason() });
    vec![
        scenario(
            "a payment against the sweep that restricts",
            LIMITED_AT,
            &["lender", post_payment::NAME, detect_overdue::NAME],
            vec![pay("P-1", "250.00", LIMITED_AT)],
        ),
        scenario(
            "a payment that cures nothing against the sweep that restricts",
            LIMITED_AT,
            &["lender", post_payment::NAME, detect_overdue::NAME],
            vec![pay("P-1", "1.00", LIMITED_AT)],
        ),
        scenario(
            "two payments of one account",
            LIMITED_AT,
            &["lender", post_payment::NAME],
            vec![pay("P-1", "100.00", LIMITED_AT), pay("P-2", "150.00", LIMITED_AT)],
        ),
        scenario("two sweeps", LIMITED_AT, &[detect_overdue::NAME], vec![Deed::Fire]),
        scenario(
            "a command against the sweep that restricts",
            LIMITED_AT,
            &[intake::NAME, detect_overdue::NAME],
            vec![Deed::Command(Box::new(pause))],
        ),
        scenario(
            "a command against a payment",
            LIMITED_AT,
            &["lender", intake::NAME, post_payment::NAME],
            vec![Deed::Command(Box::new(off)), pay("P-1", "250.00", LIMITED_AT)],
        ),
        scenario(
            "an account that is opened against its payment",
            LIMITED_AT,
            &["lender", post_payment::NAME],
            vec![Deed::Open, pay("P-1", "250.00", LIMITED_AT)],
        ),
        scenario(
            "a payment against the reminder's last look",
            REMINDED_AT,
            &["lender", post_payment::NAME, send_reminders::NAME],
            vec![pay("P-1", "250.00", REMINDED_AT)],
        ),
        scenario(
            "money that cannot be posted beside money that cures",
            LIMITED_AT,
            &["lender", post_payment::NAME, detect_overdue::NAME],
            vec![Deed::Poison(money("X-1", "-1.00", LIMITED_AT)), pay("P-1", "250.00", LIMITED_AT)],
        ),
        after_an_outage(scenario(
            "a payment against the watch that finds it, and an account that is late",
            LIMITED_AT,
            &["lender", post_payment::NAME, reconcile_accounts::NAME],
            vec![pay("P-1", "100.00", REMINDED_AT)],
        )),
        until_the_stream_forgets(scenario(
            "a payment that its stream forgot against the watch that finds it",
            LATE_AT,
            &[detect_overdue::NAME, reconcile_accounts::NAME],
            vec![pay("P-1", "100.00", LATE_AT)],
        )),
        until_the_stream_forgets(scenario(
            "a payment in advance that its stream forgot, where only the watch looks",
            QUIET_AT,
            &[reconcile_accounts::NAME],
            vec![pay("P-1", "100.00", QUIET_AT)],
        )),
        beside_another(
            scenario(
                "a payment against what its account asks of the customer's other",
                FROZEN_AT,
                &["lender", post_payment::NAME, send_reminders::NAME],
                vec![pay("P-1", "250.00", FROZEN_AT)],
            ),
            |begin, _| begin,
        ),
        beside_another(
            scenario(
                "an account that is opened against the one that asks something of it",
                FROZEN_AT,
                &["lender", detect_overdue::NAME, send_reminders::NAME],
                Vec::new(),
            ),
            |_, meet| meet,
        ),
        // Only the lender's requests contend: what they bring about happens at once.
        beside_another(
            scenario(
                "an account that is opened against the payment of the one that asks something of it",
                AFTER_FROZEN_AT,
                &["lender"],
                vec![pay("P-1", "250.00", AFTER_FROZEN_AT)],
            ),
            |_, meet| meet,
        ),
    ]
}

/// Adds a second account of the customer, which is not late, opened at the instant that `opened` chooses
/// between the begin and the contest.
fn beside_another(
    mut scenario: Scenario,
    opened: fn(DateTime<Utc>, DateTime<Utc>) -> DateTime<Utc>,
) -> Scenario {
    let SimulationPlan { begin, end, book, happenings, .. } = &mut scenario.plan;
    let at = opened(*begin, *end - TimeDelta::hours(2));
    book.push(loan(1, "2023-11-01"));
    happenings.push(PlannedDeed { number: happenings.len(), at, account: Some(1), deed: Deed::Open });
    scenario
}

/// Adds an outage of streams and schedules that outlasts the retention of a stream.
fn until_the_stream_forgets(mut scenario: Scenario) -> Scenario {
    let SimulationPlan { end, outages, .. } = &mut scenario.plan;
    let from = *end - TimeDelta::hours(3);
    *end += TimeDelta::hours(25);
    let until = *end - TimeDelta::hours(2);
    outages.extend([OutageKind::Mappings, OutageKind::Schedule].map(|kind| Outage {
        kind,
        only: None,
        from,
        until,
    }));
    scenario
}

/// Adds an outage of the schedules until the contest.
fn after_an_outage(mut scenario: Scenario) -> Scenario {
    let SimulationPlan { begin: from, end, .. } = scenario.plan;
    let until = end - TimeDelta::hours(2);
    scenario.plan.outages.push(Outage { kind: OutageKind::Schedule, only: None, from, until });
    scenario
}

/// A way in which a promise is broken.
type Way<W> = (W, Broken);

/// Tries a scenario in the orders of the contesting requests, up to `most` orders. Those in which the callers seldom
/// interrupt each other come first: an order that breaks a promise mostly needs one interruption or two.
///
/// # Errors
/// The first order in which a promise is broken.
pub fn every_order(scenario: &Scenario, most: usize) -> Result<Tried, Way<Vec<usize>>> {
    let most = most.min(MAX_ORDERS);
    let mut scripts = VecDeque::from([Vec::new()]);
    for ways in 0..most {
        let Some(script) = scripts.pop_front() else { return Ok(Tried { ways }) };
        let Run { ended, choices, .. } =
            run_with(scenario.plan.clone(), Choices::scripted(script.clone(), None));
        if let Err(broken) = ended {
            return Err((script, broken));
        }
        let room = (most - ways).saturating_sub(scripts.len());
        scripts.extend(choices.iter().flat_map(Choices::next_scripts).take(room));
    }
    Ok(Tried { ways: most })
}

/// Tries a scenario with each fault at each request.
///
/// # Errors
/// The first fault, and the number of its request, with which a promise is broken.
pub fn every_fault(scenario: &Scenario) -> Result<Tried, Way<(Fault, u64)>> {
    let mut ways = 0;
    for fault in STRIKING {
        let mut request = 0;
        loop {
            request += 1;
            let strike = (fault, request);
            let Run { ended, served, .. } =
                run_with(scenario.plan.clone(), Choices::scripted(Vec::new(), Some(strike)));
            if let Err(broken) = ended {
                return Err((strike, broken));
            }
            ways += 1;
            if request >= served {
                break;
            }
        }
    }
    Ok(Tried { ways })
}
