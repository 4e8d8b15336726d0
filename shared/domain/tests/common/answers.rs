//! Generated answers of borrowers, for the laws.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use duewatch_domain::Command;
use duewatch_domain::account::{DisputeOutcome, PromiseOutcome};
use duewatch_domain::commands::{PersonFact, PreferencesChanged};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::{Fact, cents};

/// The command of a borrower's answer or choice, or of a bureau report, after so many promises and disputes.
pub(crate) fn answering(fact: &Fact, (promises, disputes): (usize, usize), today: NaiveDate) -> Command {
    match fact {
        Fact::Promise { minor, days } => Command::PromiseMade {
            promise_id: format!("PR-{promises}").parse().unwrap(),
            amount: cents(*minor),
            until: today + TimeDelta::days(*days),
        },
        Fact::EndPromise(number) => Command::PromiseEnded {
            promise_id: format!("PR-{number}").parse().unwrap(),
            outcome: PromiseOutcome::Broken,
        },
        Fact::Dispute => Command::DisputeOpened {
            dispute_id: format!("D-{disputes}").parse().unwrap(),
            reason: "generated".to_owned(),
        },
        Fact::CloseDispute(number) => Command::DisputeClosed {
            dispute_id: format!("D-{number}").parse().unwrap(),
            outcome: DisputeOutcome::Rejected,
        },
        Fact::Prefer { leads, at } => {
            let at = at.map(|hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap());
            let preferences =
                PreferencesChanged { remind_days_before: leads.clone(), remind_at: at, ..Default::default() };
            Command::OfPerson(PersonFact::Preferences(preferences))
        }
        _ => Command::BureauReported,
    }
}

/// The borrower's answers and choices, and reports to a bureau.
pub(crate) fn answered() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => (1_i64..90_000, 1_i64..30).prop_map(|(minor, days)| Fact::Promise { minor, days }),
        1 => (0_usize..2).prop_map(Fact::EndPromise),
        2 => Just(Fact::Dispute),
        1 => (0_usize..2).prop_map(Fact::CloseDispute),
        1 => Just(Fact::Report),
        2 => (weighted(0.7, vec(0_u32..=31, 0..3)), weighted(0.5, 0_u32..24))
            .prop_map(|(leads, at)| Fact::Prefer { leads, at }),
    ]
}
