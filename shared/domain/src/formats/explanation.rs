//! `explain` for scripts: an account's decisions and its assessment, as one JSON object.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::decisions::{FiguresLine, ReasonLine, instant, maybe_instant};
use super::{DecisionLine, DecisionSubject};
use crate::account::{Account, Decision};
use crate::assessment::assess;
use crate::kernel::{AccountId, CustomerId, business_date};
use crate::policy::{PolicyRef, Restriction, Timeline};

/// An account's story. Before its opening it has no stage, no figures and no next action.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation<'a> {
    #[serde(serialize_with = "instant")]
    at: DateTime<Utc>,
    account_id: &'a AccountId,
    customer_id: &'a CustomerId,
    currency: &'static str,
    time_zone: &'a str,
    opened_on: NaiveDate,
    policy: PolicyRef,
    stage: Option<&'a str>,
    restrictions: Vec<Restriction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    figures: Option<FiguresLine>,
    reasons: Vec<ReasonLine>,
    #[serde(serialize_with = "maybe_instant")]
    next_action_at: Option<DateTime<Utc>>,
    decisions: Vec<DecisionLine<'a>>,
}

impl<'a> Explanation<'a> {
    /// The story at an instant, with the decisions that are known.
    #[must_use]
    pub fn new(
        account: &'a Account,
        decisions: &'a [Decision],
        timeline: &Timeline<'a>,
        at: DateTime<Utc>,
    ) -> Self {
        let (account_id, currency) = (&account.account_id, account.currency);
        let subject = DecisionSubject { account_id, currency };
        let mut story = Self {
            at,
            account_id,
            customer_id: &account.customer_id,
            currency: currency.code(),
            time_zone: account.time_zone.name(),
            opened_on: account.opened_on,
            policy: timeline.current().reference(),
            stage: None,
            restrictions: Vec::new(),
            class: None,
            figures: None,
            reasons: Vec::new(),
            next_action_at: None,
            decisions: decisions.iter().map(|decision| DecisionLine::new(subject, decision)).collect(),
        };
        if business_date(account.time_zone, at) >= account.opened_on {
            story.assess(account, timeline);
        }
        story
    }

    fn assess(&mut self, account: &Account, timeline: &Timeline<'a>) {
        let assessment = assess(account, timeline, self.at);
        self.stage = Some(assessment.stage_name());
        self.restrictions = assessment.restrictions().to_vec();
        self.class = assessment.class.map(ToString::to_string);
        self.figures = Some(FiguresLine::new(&assessment.figures, account.currency));
        self.reasons = assessment.reasons.iter().map(ReasonLine::new).collect();
        self.next_action_at = assessment.next_action_at;
    }
}
