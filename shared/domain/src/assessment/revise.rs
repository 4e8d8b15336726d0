//! `judge`: assess, decide, and make what follows the account's next revision.
//!
//! Both ways of running duewatch, the domain alone and the functions over
//! DynamoDB, call exactly this; it is what one write of an account holds.

use chrono::{DateTime, Utc};

use super::assess::{Assessment, assess};
use super::binding::{Binding, Rules};
use super::decide::{Cause, decide};
use crate::account::{Account, Ask, Classification, Decision, Intent, Notice, NoticeOf, Standing};
use crate::kernel::earlier;
use crate::policy::{Policy, Restriction, Stage, StageName};

impl Account {
    /// Judges the account at `now` and makes the outcome its next revision: the
    /// standing, the decision if there is one, and the intents.
    ///
    /// An account's time never goes back: where somebody with a faster clock has judged it
    /// already, it is judged at that instant again, so that nothing is undone, and nobody
    /// reminded, because clocks differ.
    ///
    /// Where the policy has several versions, it is judged by the one that binds it.
    pub fn judge<'p>(&mut self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>, cause: Cause) {
        let now = self.not_before(now);
        let (policy, assessment) = self.assessed(rules.into(), now);
        let decision = decide(self, policy, &assessment, now, cause);
        let next_action_at = assessment.next_action_at;
        self.intents = assessment.intents;
        let planned: Vec<Notice> = self.intents.iter().filter_map(planned_notice).collect();
        planned.into_iter().for_each(|notice| self.keep_notice(notice));
        self.revision = self.revision.next();
        let asked_at = decision.as_ref().map_or(now, |decision| decision.at);
        let asks_of_others = self.asking(assessment.asks_of_others, assessment.restricting, asked_at);
        let policy = match self.standing.policy.take() {
            Some(known) if known.version == policy.version && known.id == policy.id => known,
            _ => policy.reference(),
        };
        match decision {
            Some(decision) => {
                self.standing = Standing {
                    stage: decision.to.clone(),
                    restrictions: assessment.restrictions.into_owned(),
                    since: Some(decision.at),
                    policy: Some(policy),
                    next_action_at,
                    reminded_through: Some(now),
                    lapses: assessment.lapses,
                    classification: assessment.classification,
                    asks_of_others,
                };
                self.remember(decision);
            }
            None => {
                self.standing.policy = Some(policy);
                self.standing.next_action_at = next_action_at;
                self.standing.reminded_through = Some(now);
                self.standing.lapses = assessment.lapses;
                self.standing.classification = assessment.classification;
                self.standing.asks_of_others = asks_of_others;
            }
        }
    }

    /// What it asks of the customer's other accounts from this revision on: as it did, where
    /// that is the same.
    fn asking(
        &mut self,
        restrictions: &[Restriction],
        restricting: Option<&Stage>,
        at: DateTime<Utc>,
    ) -> Option<Ask> {
        if self.standing.asks() == restrictions {
            return self.standing.asks_of_others.take();
        }
        Some(Ask {
            restrictions: restrictions.to_vec(),
            stage: restricting.map_or_else(StageName::current, |stage| stage.name.clone()),
            since: at,
            revision: self.revision,
        })
    }

    /// Makes the account's next revision one that decides nothing: a restriction is
    /// held back, and the account is looked at again at `until`.
    pub fn hold(&mut self, until: DateTime<Utc>) {
        self.revision = self.revision.next();
        self.intents.clear();
        self.standing.next_action_at = Some(until);
    }

    /// Whether judging the account at `now` would add a restriction.
    #[must_use]
    pub fn would_be_restricted<'p>(&self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>) -> bool {
        let now = self.not_before(now);
        assess(self, rules.into().in_force(self, now), now)
            .restrictions()
            .iter()
            .any(|restriction| !self.standing.restrictions.contains(restriction))
    }

    /// Whether judging the account at `now` would put it on a milder rung than the one on
    /// which it stands, whatever restrictions that one brings.
    #[must_use]
    pub fn would_be_eased<'p>(&self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>) -> bool {
        let now = self.not_before(now);
        let policy = rules.into().in_force(self, now);
        let rung = |name: &str| policy.stages.iter().position(|stage| stage.name.as_str() == name);
        rung(assess(self, policy, now).stage_name()) < rung(self.standing.stage.as_str())
    }

    /// Whether judging the account at `now` would leave it as it stands: the same stage,
    /// restrictions, regulatory class and memory, the same asked of the customer's others, nobody to remind, and a next look in time.
    /// Before that look it does, as long as the facts and the policy stay as they are.
    ///
    /// A look may come earlier than it must: whoever publishes a version queues every account
    /// under it. What is to be announced then is announced at that look, if it comes in time.
    #[must_use]
    pub fn is_confirmed<'p>(&self, rules: impl Into<Rules<'p>>, now: DateTime<Utc>) -> bool {
        let (rules, now) = (rules.into(), self.not_before(now));
        let (policy, assessment) = self.assessed(rules, now);
        let looked_at = self.standing.next_action_at;
        let looks_by = |at: DateTime<Utc>| looked_at.is_some_and(|looked_at| looked_at <= at);
        let waits = |intent: &Intent| matches!(intent.notice_of, Some(NoticeOf::Policy(_)));
        self.standing.stage.as_str() == assessment.stage_name()
            && are_the_same(&self.standing.restrictions, assessment.restrictions())
            && assessment.intents.iter().all(waits)
            && rules.announces_by(self, now).is_none_or(looks_by)
            && self.is_classified_as(&assessment, policy)
            && (looked_at == assessment.next_action_at
                || assessment.next_action_at.map_or(looked_at.is_some(), looks_by))
            && self.standing.lapses == assessment.lapses
            && self.standing.asks() == assessment.asks_of_others
    }

    /// The account as it stood after one of its recent decisions, as far as the decision's
    /// event tells: stage, restrictions, since when. What later decisions changed is taken
    /// back; the policy only says in which order the stage lists its restrictions.
    #[must_use]
    pub fn as_decided(&self, decision: &Decision, policy: &Policy) -> Self {
        let mut then = self.clone();
        let mut restrictions = std::mem::take(&mut then.standing.restrictions);
        for later in self.recent_decisions().iter().rev().take_while(|one| one.revision > decision.revision) {
            restrictions.retain(|one| !later.applied.contains(one));
            restrictions.extend(later.lifted.iter().cloned());
        }
        // What others ask comes after what the stage brings.
        let stage = policy.stages.iter().find(|stage| stage.name == decision.to);
        let listed = stage.map_or(&[][..], |stage| &stage.restrictions);
        if listed.iter().all(|one| restrictions.contains(one)) {
            restrictions
                .sort_by_key(|one| listed.iter().position(|other| other == one).unwrap_or(listed.len()));
        }
        then.standing.stage = decision.to.clone();
        then.standing.restrictions = restrictions;
        then.standing.since = Some(decision.at);
        then
    }

    /// What the version that binds the account says of it, and what follows from the others:
    /// an announcement, and an earlier look.
    fn assessed<'p>(&self, rules: Rules<'p>, now: DateTime<Utc>) -> (&'p Policy, Assessment<'p>) {
        let Binding { policy, at } = rules.binding(self, now);
        let mut assessment = assess(self, policy, now);
        assessment.binds_from = at;
        if let Some((version, announcement)) = rules.to_announce(self) {
            assessment.intents.push(Intent {
                channel: announcement.channel,
                fallbacks: Vec::new(),
                template: announcement.template.clone(),
                installment: None,
                due_on: None,
                planned_at: now,
                missed: 0,
                notice_of: Some(NoticeOf::Policy(version.version)),
            });
        }
        if let Some((next, at)) = rules.next(self, now) {
            let before = assessment.next_action_at.filter(|next_action_at| *next_action_at < at);
            assessment.next_action_at = before.or_else(|| self.first_look(rules, next, at, &assessment, now));
        }
        (policy, assessment)
    }

    /// The first look at an account that a version is about to bind: when it does, or, where it
    /// says the same of the account then, when it first says something else.
    fn first_look(
        &self,
        rules: Rules<'_>,
        next: &Policy,
        at: DateTime<Utc>,
        before: &Assessment<'_>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut judged = self.clone();
        judged.standing.reminded_through = Some(now);
        judged.standing.lapses = before.lapses;
        judged.standing.classification.clone_from(&before.classification);
        let then = assess(&judged, next, at);
        let is_same = then.stage_name() == before.stage_name()
            && are_the_same(then.restrictions(), before.restrictions())
            && then.intents.is_empty()
            && then.lapses == before.lapses
            && then.class == before.class
            && then.asks_of_others == before.asks_of_others;
        if is_same { earlier(then.next_action_at, rules.next(self, at).map(|(_, at)| at)) } else { Some(at) }
    }

    /// Whether its standing tells the class that it was assessed to be in, and no fact has
    /// come since that says something else.
    fn is_classified_as(&self, assessment: &Assessment<'_>, policy: &Policy) -> bool {
        match (&self.standing.classification, &policy.classification, &assessment.classification) {
            (Some(known), Some(rules), Some(assessed)) => {
                let name = |one: &Classification| one.class().map(|held| held.name.clone());
                name(known) == name(assessed)
                    && known.on(assessment.day, rules, policy.day_count) == *assessed
            }
            (known, _, assessed) => known == assessed,
        }
    }

    /// `now`, or the instant of the last judgement where that is later.
    fn not_before(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.standing.reminded_through.map_or(now, |judged_at| judged_at.max(now))
    }
}

fn planned_notice(intent: &Intent) -> Option<Notice> {
    let of = intent.notice_of.clone()?;
    Some(Notice { of, planned_at: intent.planned_at, sent_at: None })
}

/// Whether both lists hold the same, in whatever order.
fn are_the_same(one: &[Restriction], other: &[Restriction]) -> bool {
    one.iter().all(|restriction| other.contains(restriction))
        && other.iter().all(|restriction| one.contains(restriction))
}
