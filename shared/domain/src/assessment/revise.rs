//! `judge`: assess, decide, and make the account's next revision of the result.
//!
//! Both ways of running duewatch, the domain alone and the functions over DynamoDB, call exactly this. One
//! write of an account holds the result.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::assess::{Assessment, assess};
use super::binding::Rules;
use super::decide::{Trigger, decide};
use crate::account::{
    Account, AccountStatus, BoundVersion, Classification, ContactRequest, CrossRestriction, Decision,
    DeferralReason, HoldUse, Notice, NoticeOf, Reason, listed_order,
};
use crate::kernel::{MAX_BOUND_VERSIONS, business_date, earlier, start_of_day};
use crate::policy::{Policy, Restriction, Stage, StageName, Timeline};

/// The assessment of an account by the version that binds it, before it becomes a revision.
///
/// A transition assesses once: [`Account::assess_by`] yields this, the checks before a write read it, and
/// [`Account::revise`] consumes it.
#[derive(Clone, Debug)]
pub struct BoundAssessment<'p> {
    timeline: Timeline<'p>,
    policy: &'p Policy,
    /// The assessed instant, never before the account's last assessment.
    now: DateTime<Utc>,
    assessment: Assessment<'p>,
}

impl BoundAssessment<'_> {
    /// Whether the assessment would add a restriction to the account.
    #[must_use]
    pub fn restricts(&self, account: &Account) -> bool {
        let present = &account.status.restrictions;
        self.assessment.restrictions().iter().any(|restriction| !present.contains(restriction))
    }

    /// The use of the holds' days where money that cannot be posted keeps restrictions back on the assessed day; none:
    /// its days in this episode are used up, or those of all holds.
    #[must_use]
    pub fn held_by_money(&self) -> Option<HoldUse> {
        let (known, day) = (&self.assessment.holds, self.assessment.day);
        if known.money_on == Some(day) {
            return Some(known.clone());
        }
        let most = self.policy.most_held_days();
        let is_over = known.over_on.is_some_and(|over_on| over_on <= day)
            || known.money_days >= self.policy.money_hold_days()
            || most.is_some_and(|most| known.used_by(day) >= most);
        (!is_over).then(|| known.with_money_on(day))
    }

    /// Whether the assessment would put the account on a milder stage than its present one, whatever
    /// restrictions the milder stage brings.
    #[must_use]
    pub fn eases(&self, account: &Account) -> bool {
        let stages = &self.policy.stages;
        let stage_index = |name: &str| stages.iter().position(|stage| stage.name.as_str() == name);
        stage_index(self.assessment.stage_name()) < stage_index(account.status.stage.as_str())
    }

    /// Defers the restrictions that the assessment would add, while new restrictions are on hold. The account
    /// keeps those that a stricter one would replace. Its stage, lifts, milder restrictions and reminders stay as
    /// assessed. The account is evaluated again at `until`.
    pub fn defer_new_restrictions(&mut self, account: &Account, until: DateTime<Utc>) {
        let present = &account.status.restrictions;
        let assessed = self.assessment.restrictions();
        let mut borne: Vec<Restriction> = Vec::with_capacity(assessed.len());
        for one in assessed {
            if present.iter().any(|known| one.adds_nothing_to(known)) {
                borne.push(one.clone());
                continue;
            }
            let replaced = present.iter().filter(|known| one.covers(known) && !assessed.contains(known));
            let replaced: Vec<_> = replaced.filter(|known| !borne.contains(known)).cloned().collect();
            borne.extend(replaced);
        }
        let is_deferred = !are_the_same(&borne, assessed);
        self.assessment.restrictions = Cow::Owned(borne);
        if is_deferred {
            let by = DeferralReason::Hold;
            self.assessment.reasons.push(Reason::RestrictionsDeferred { by, until: None });
            self.assessment.next_action_at = earlier(self.assessment.next_action_at, Some(until));
        }
    }

    /// Dates what the assessment decides no earlier than an instant: a hold on new restrictions ended then.
    pub fn decides_no_earlier_than(&mut self, at: DateTime<Utc>) {
        self.assessment.binds_from = self.assessment.binds_from.max(Some(at.min(self.now)));
    }
}

impl Account {
    /// Assesses the account at `now` by the version that binds it.
    ///
    /// An account's time never goes back. Where a faster clock has assessed it at a later instant, it is
    /// assessed at that instant again, so that differing clocks reverse no decision and repeat no reminder.
    #[must_use]
    pub fn assess_by<'p>(&self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>) -> BoundAssessment<'p> {
        let now = self.not_before(now);
        let rules = rules.into();
        let timeline = rules.timeline(self, now);
        let (policy, assessment) = self.assessed(rules, &timeline, now);
        BoundAssessment { timeline, policy, now, assessment }
    }

    /// [Assesses](Self::assess_by) the account and makes the result its [next revision](Self::revise).
    pub fn judge<'p>(&mut self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>, trigger: Trigger) {
        let assessed = self.assess_by(rules, now);
        self.revise(assessed, trigger);
    }

    /// Makes an assessment of the account its next revision: the account status, the decision if there is
    /// one, and the contact requests.
    pub fn revise(&mut self, assessed: BoundAssessment<'_>, trigger: Trigger) {
        let BoundAssessment { timeline, policy, now, assessment } = assessed;
        self.remember_versions(&timeline);
        let decision = decide(self, policy, &assessment, now, trigger);
        if !self.keeps_taken_over(policy, assessment.stage) {
            self.taken_over.clear();
        }
        let next_action_at = assessment.next_action_at;
        self.contact_requests = assessment.contact_requests;
        let planned: Vec<Notice> = self.contact_requests.iter().filter_map(planned_notice).collect();
        planned.into_iter().for_each(|notice| self.keep_notice(notice));
        self.begin_revision();
        let asked_at = decision.as_ref().map_or(now, |decision| decision.at);
        let imposes = self.imposing(assessment.imposes, assessment.restricting, asked_at);
        let policy = match self.status.policy.take() {
            Some(known) if known.version == policy.version && known.id == policy.id => known,
            _ => policy.reference(),
        };
        match decision {
            Some(decision) => {
                self.status = AccountStatus {
                    stage: decision.to.clone(),
                    restrictions: assessment.restrictions.into_owned(),
                    since: Some(decision.at),
                    policy: Some(policy),
                    next_action_at,
                    last_assessed_at: Some(now),
                    delinquency_history: assessment.delinquency_history,
                    holds: assessment.holds,
                    classification: assessment.classification,
                    imposes,
                };
                self.remember(decision);
            }
            None => {
                self.status.policy = Some(policy);
                self.status.next_action_at = next_action_at;
                self.status.last_assessed_at = Some(now);
                self.status.delinquency_history = assessment.delinquency_history;
                self.status.holds = assessment.holds;
                self.status.classification = assessment.classification;
                self.status.imposes = imposes;
            }
        }
    }

    /// Remembers the versions that have bound the account, once a second one has.
    fn remember_versions(&mut self, timeline: &Timeline<'_>) {
        if timeline.is_single() {
            return;
        }
        let opened_on = self.opened_on;
        let bound = timeline
            .bound_from()
            .map(|(from, version)| BoundVersion { version, from: from.unwrap_or(opened_on) });
        let bound: Vec<BoundVersion> = bound.collect();
        let excess = bound.len().saturating_sub(MAX_BOUND_VERSIONS);
        self.bound_versions = bound[excess..].to_vec();
    }

    /// The cross-restriction that the account imposes from this revision on: the present one, where its
    /// restrictions stay the same.
    fn imposing(
        &mut self,
        restrictions: &[Restriction],
        restricting: Option<&Stage>,
        at: DateTime<Utc>,
    ) -> Option<CrossRestriction> {
        if self.status.imposed_restrictions() == restrictions {
            return self.status.imposes.take();
        }
        Some(CrossRestriction {
            restrictions: restrictions.to_vec(),
            stage: restricting.map_or_else(StageName::current, |stage| stage.name.clone()),
            since: at,
            revision: self.revision,
        })
    }

    /// Makes a next revision that decides nothing: money that cannot be posted defers a restriction, by the days of
    /// `holds`, and the account is evaluated again at `until`.
    pub fn defer_restriction(&mut self, holds: HoldUse, until: DateTime<Utc>) {
        self.begin_revision();
        self.status.holds = holds;
        self.contact_requests.clear();
        self.status.next_action_at = Some(until);
    }

    /// Whether an assessment at `now` would leave the account as it is: the same stage, restrictions,
    /// regulatory class, delinquency history and cross-restriction, no reminder due, and a next evaluation in
    /// time. Before that evaluation the account stays as it is, as long as the facts and the policy do.
    ///
    /// An evaluation may come earlier than necessary: the publication of a version queues every account under
    /// its policy. An announcement due then leaves at that evaluation, if the evaluation comes in time.
    #[must_use]
    pub fn is_confirmed<'p>(&self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>) -> bool {
        let rules = rules.into();
        self.is_confirmed_by(&self.assess_by(rules, now), rules)
    }

    /// Like [`is_confirmed`](Self::is_confirmed), for an assessment of the account by these rules.
    #[must_use]
    pub fn is_confirmed_by<'p>(&self, assessed: &BoundAssessment<'p>, rules: impl Into<Rules<'p>>) -> bool {
        let BoundAssessment { policy, now, assessment, .. } = assessed;
        let (rules, now) = (rules.into(), *now);
        let looked_at = self.status.next_action_at;
        let looks_by = |at: DateTime<Utc>| looked_at.is_some_and(|looked_at| looked_at <= at);
        let waits = |request: &ContactRequest| matches!(request.notice_of, Some(NoticeOf::Policy(_)));
        self.status.stage.as_str() == assessment.stage_name()
            && are_the_same(&self.status.restrictions, assessment.restrictions())
            && assessment.contact_requests.iter().all(waits)
            && rules.announces_by(self, now).is_none_or(looks_by)
            && self.is_classified_as(assessment, policy)
            && (looked_at == assessment.next_action_at
                || assessment.next_action_at.map_or(looked_at.is_some(), looks_by))
            && self.status.delinquency_history == assessment.delinquency_history
            && self.status.imposed_restrictions() == assessment.imposes
    }

    /// The account after one of its recent decisions, as far as the decision's event tells: stage,
    /// restrictions, since when. The changes of later decisions are reversed, and the policy gives the order
    /// in which the stage lists its restrictions, unless the decision states the order itself.
    #[must_use]
    pub fn as_decided(&self, decision: &Decision, policy: &Policy) -> Self {
        let mut then = self.clone();
        let mut restrictions = std::mem::take(&mut then.status.restrictions);
        for later in self.recent_decisions().iter().rev().take_while(|one| one.revision > decision.revision) {
            restrictions.retain(|one| !later.applied.contains(one));
            restrictions.extend(later.lifted.iter().cloned());
        }
        let stage = policy.stages.iter().find(|stage| stage.name == decision.to);
        let restrictions = match decision.in_force.as_slice() {
            [] => listed_order(restrictions, stage),
            in_force => in_force.to_vec(),
        };
        then.status.stage = decision.to.clone();
        then.status.restrictions = restrictions;
        then.status.since = Some(decision.at);
        then
    }

    /// The assessment by the version that binds the account, with the effects of the other versions: an
    /// announcement, and an earlier evaluation.
    fn assessed<'p>(
        &self,
        rules: Rules<'p>,
        timeline: &Timeline<'p>,
        now: DateTime<Utc>,
    ) -> (&'p Policy, Assessment<'p>) {
        let policy = timeline.current();
        let mut assessment = assess(self, timeline, now);
        // A version that was published late binds later than its effective date says.
        let bound_from = timeline.bound_from().last().and_then(|(from, _)| from);
        let bound_at = bound_from.map(|from| start_of_day(self.time_zone, from));
        assessment.binds_from = bound_at.max(bound_at.and(policy.published_at));
        if let Some((version, owed)) = rules.to_announce(self, now) {
            assessment.contact_requests.push(ContactRequest {
                channel: owed.announcement.channel,
                fallbacks: Vec::new(),
                template: owed.announcement.template.clone(),
                installment: None,
                due_on: None,
                planned_at: now,
                not_before: None,
                missed: 0,
                notice_of: Some(NoticeOf::Policy(version.version)),
            });
        }
        if let Some((next, at)) = rules.next(self, now) {
            let before = assessment.next_action_at.filter(|next_action_at| *next_action_at < at);
            assessment.next_action_at =
                before.or_else(|| self.first_evaluation(rules, timeline, (next, at), &assessment, now));
        }
        (policy, assessment)
    }

    /// The first evaluation under a version that is about to bind an account: when it binds, or, where its
    /// assessment is the same then, when that first changes.
    fn first_evaluation(
        &self,
        rules: Rules<'_>,
        timeline: &Timeline<'_>,
        (next, at): (&Policy, DateTime<Utc>),
        before: &Assessment<'_>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut judged = self.clone();
        judged.status.last_assessed_at = Some(now);
        judged.status.delinquency_history = before.delinquency_history;
        judged.status.holds.clone_from(&before.holds);
        judged.status.classification.clone_from(&before.classification);
        let mut timeline = timeline.clone();
        timeline.bind(business_date(self.time_zone, at), next);
        let then = assess(&judged, &timeline, at);
        let is_same = then.stage_name() == before.stage_name()
            && are_the_same(then.restrictions(), before.restrictions())
            && then.contact_requests.is_empty()
            && then.delinquency_history == before.delinquency_history
            && then.class == before.class
            && then.imposes == before.imposes;
        if is_same { earlier(then.next_action_at, rules.next(self, at).map(|(_, at)| at)) } else { Some(at) }
    }

    /// Whether the account status has the assessed class, and no fact has come since that changes it.
    fn is_classified_as(&self, assessment: &Assessment<'_>, policy: &Policy) -> bool {
        match (&self.status.classification, &policy.classification, &assessment.classification) {
            (Some(known), Some(rules), Some(assessed)) => {
                let name = |one: &Classification| one.class().map(|held| held.name.clone());
                name(known) == name(assessed)
                    && known.on(assessment.day, rules, policy.day_count) == *assessed
            }
            (known, _, assessed) => known == assessed,
        }
    }

    /// `now`, or the instant of the last assessment where that is later.
    fn not_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.status.last_assessed_at.map_or(now, |judged_at| judged_at.max(now))
    }
}

fn planned_notice(request: &ContactRequest) -> Option<Notice> {
    let of = request.notice_of.clone()?;
    Some(Notice { of, planned_at: request.planned_at, sent_at: None })
}

/// Whether both lists hold the same restrictions, in any order.
fn are_the_same(one: &[Restriction], other: &[Restriction]) -> bool {
    one.iter().all(|restriction| other.contains(restriction))
        && other.iter().all(|restriction| one.contains(restriction))
}
