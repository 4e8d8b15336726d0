//! Generated answers of borrowers, for the laws.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use duewatch_domain::Command;
use duewatch_domain::account::{DisputeOutcome, PromiseOutcome};
use duewatch_domain::commands::{
    BureauReported, ContactFact, DisputeClosed, DisputeOpened, PreferencesChanged, PromiseEnded, PromiseMade,
};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use super::{DomainFact, cents};

/// The command of a borrower's answer or choice, or of a bureau report, after so many promises and disputes.
pub(crate) fn answering(
    fact: &DomainFact,
    (promises, disputes): (usize, usize),
    today: NaiveDate,
) -> Command {
    match fact {
        DomainFact::Promise { minor, days } => Command::PromiseMade(PromiseMade {
            promise_id: format!("PR-{promises}").parse().unwrap(),
            amount: cents(*minor),
            until: today + TimeDelta::days(*days),
        }),
        DomainFact::EndPromise(number) => Command::PromiseEnded(PromiseEnded {
            promise_id: format!("PR-{number}").parse().unwrap(),
            outcome: PromiseOutcome::Broken,
        }),
        DomainFact::Dispute => Command::DisputeOpened(DisputeOpened {
            dispute_id: format!("D-{disputes}").parse().unwrap(),
            reason: "generated".to_owned(),
        }),
        DomainFact::CloseDispute(number) => Command::DisputeClosed(DisputeClosed {
            dispute_id: format!("D-{number}").parse().unwrap(),
            outcome: DisputeOutcome::Rejected,
        }),
        DomainFact::Prefer { leads, at } => {
            let at = at.map(|hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap());
            let preferences =
                PreferencesChanged { remind_days_before: leads.clone(), remind_at: at, ..Default::default() };
            Command::Contact(ContactFact::Preferences(preferences))
        }
        _ => Command::BureauReported(BureauReported {}),
    }
}

/// The borrower's answers and choices, and reports to a bureau.
pub(crate) fn answered() -> impl Strategy<Value = DomainFact> {
    prop_oneof![
        3 => (1_i64..90_000, 1_i64..30).prop_map(|(minor, days)| DomainFact::Promise { minor, days }),
        1 => (0_usize..2).prop_map(DomainFact::EndPromise),
        2 => Just(DomainFact::Dispute),
        1 => (0_usize..2).prop_map(DomainFact::CloseDispute),
        1 => Just(DomainFact::Report),
        2 => (weighted(0.7, vec(0_u32..=31, 0..3)), weighted(0.5, 0_u32..24))
            .prop_map(|(leads, at)| DomainFact::Prefer { leads, at }),
    ]
}
