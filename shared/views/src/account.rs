//! An account as of an instant.

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::assessment::{Assessment, HeldRestriction};
use duewatch_domain::formats::{DecisionLine, DecisionSubject, FiguresLine, ReasonLine};
use duewatch_domain::kernel::{AccountId, CustomerId, Money, Revision, business_date};
use duewatch_domain::policy::{PolicyRef, Restriction, Timeline, Versions};
use duewatch_domain::{Account, Decision, allocate_at, assess};
use serde::Serialize;

use crate::clearing::Clearing;
use crate::installments::{self, BucketView, InstallmentView};
use crate::messages::MessageView;
use crate::operations::{OperationView, operations};
use crate::outlook::{self, CauseView, DisputeView, PromiseView, StepView};
use crate::payments::{PaymentView, ProcessView};

/// An account, whole. Before its opening it has no stage, no figures and no next action.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView<'a> {
    /// The instant of the view.
    pub at: DateTime<Utc>,
    /// The revision of the account that was read.
    pub revision: Revision,
    pub account_id: &'a AccountId,
    pub customer_id: &'a CustomerId,
    pub currency: &'static str,
    pub time_zone: &'a str,
    pub opened_on: NaiveDate,
    /// The version that binds the account.
    pub policy: PolicyRef,
    /// The stage by an assessment at the instant of the view; none: not opened yet.
    pub stage: Option<&'a str>,
    pub restrictions: Vec<Restriction>,
    /// The regulatory class, where the policy has a classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    pub figures: Option<FiguresLine>,
    pub reasons: Vec<ReasonLine>,
    /// The hold that keeps a restriction back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldRestriction>,
    /// None: nothing is overdue, or the account is not opened yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clears: Option<Clearing>,
    /// The next assessment, if no fact comes before; none: not before a new fact.
    pub next_action_at: Option<DateTime<Utc>>,
    /// The operations that the policy knows, by the restrictions decided last.
    pub operations: Vec<OperationView>,
    pub installments: Vec<InstallmentView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<BucketView>,
    /// Money that no installment has taken yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<CreditView>,
    /// In the order in which they became known.
    pub payments: Vec<PaymentView>,
    /// A payment under way, or a failed one that is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_process: Option<ProcessView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<PauseView>,
    /// The stages that come by themselves, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepView>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<PromiseView>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<DisputeView>,
    /// The borrower's own reason for being late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseView>,
    /// Oldest first.
    pub decisions: Vec<DecisionLine<'a>>,
    /// Oldest first; those that wait come last. None: the source of the view knows no messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<MessageView>>,
}

/// Money that waits for the next installment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreditView {
    pub amount: String,
}

/// Days that do not count as delinquent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PauseView {
    pub from: NaiveDate,
    /// The first day that counts again.
    pub until: NaiveDate,
    /// Whether the day of the view is in it.
    pub is_running: bool,
}

impl<'a> AccountView<'a> {
    /// The account at an instant, with the decisions that are known, oldest first.
    #[must_use]
    pub fn new(
        account: &'a Account,
        decisions: &'a [Decision],
        versions: &'a Versions,
        at: DateTime<Utc>,
    ) -> Self {
        let timeline = versions.timeline(account, at);
        let (account_id, currency) = (&account.account_id, account.currency);
        let subject = DecisionSubject { account_id, currency };
        let today = business_date(account.time_zone, at);
        let mut view = Self {
            at,
            revision: account.revision,
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
            held: None,
            clears: None,
            next_action_at: None,
            operations: operations(account, timeline.current()),
            installments: Vec::new(),
            buckets: Vec::new(),
            credit: None,
            payments: account.payments().iter().map(|payment| PaymentView::new(account, payment)).collect(),
            in_process: account
                .in_process()
                .and_then(|process| ProcessView::current(account, process, today)),
            pauses: pauses(account, today),
            steps: Vec::new(),
            promises: outlook::promises(account, today),
            disputes: outlook::disputes(account),
            cause: outlook::cause(account),
            decisions: decisions.iter().map(|decision| DecisionLine::new(subject, decision)).collect(),
            messages: None,
        };
        if today >= account.opened_on {
            let assessment = assess(account, &timeline, at);
            view.add_plan(account, &timeline, assessment.day);
            view.steps = outlook::steps(account, &timeline, at);
            view.add_assessment(account, versions, &assessment);
        }
        view
    }

    /// The view with the messages about the account.
    #[must_use]
    pub fn with_messages(self, messages: Option<Vec<MessageView>>) -> Self {
        Self { messages, ..self }
    }

    /// The view with the hold on all new restrictions, where nothing in the account holds its own back.
    #[must_use]
    pub fn with_held(self, held: Option<HeldRestriction>) -> Self {
        Self { held: self.held.or(held), ..self }
    }

    fn add_plan(&mut self, account: &Account, timeline: &Timeline<'_>, day: NaiveDate) {
        let (policy, allocation) = (timeline.current(), allocate_at(account, timeline));
        self.installments = installments::installments(account, policy, &allocation, day);
        self.buckets = installments::buckets(account, policy, &allocation, day);
        let credit = allocation.credit;
        self.credit = credit.is_positive().then(|| CreditView { amount: amount(account, credit) });
    }

    fn add_assessment(&mut self, account: &Account, versions: &Versions, assessment: &Assessment<'a>) {
        self.stage = Some(assessment.stage_name());
        self.restrictions = assessment.restrictions().to_vec();
        self.class = assessment.class.map(ToString::to_string);
        self.figures = Some(FiguresLine::new(&assessment.figures, account.currency));
        self.reasons = assessment.reasons.iter().map(ReasonLine::new).collect();
        self.held = HeldRestriction::of(account, assessment);
        let overdue = assessment.figures.overdue;
        self.clears = overdue.is_positive().then(|| Clearing::on(account, versions, overdue, self.at));
        self.next_action_at = assessment.next_action_at;
    }
}

fn pauses(account: &Account, today: NaiveDate) -> Vec<PauseView> {
    let views = account.pauses().iter().map(|pause| PauseView {
        from: pause.from,
        until: pause.until,
        is_running: pause.from <= today && today < pause.until,
    });
    views.collect()
}

/// An amount in the account's minor units.
pub(crate) fn amount(account: &Account, amount: Money) -> String {
    account.currency.text(amount)
}
