//! `judge`: assess, decide, and make what follows the account's next revision.
//!
//! Both ways of running duewatch, the domain alone and the functions over
//! DynamoDB, call exactly this; it is what one write of an account holds.

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::assess::{Assessment, assess};
use crate::classification::Classification;
use crate::decision::{Cause, Decision, decide};
use crate::policy::{Policy, Restriction};
use crate::standing::Standing;

impl Account {
    /// Judges the account at `now` and makes the outcome its next revision: the
    /// standing, the decision if there is one, and the intents.
    ///
    /// An account's time never goes back: where somebody with a faster clock has judged it
    /// already, it is judged at that instant again, so that nothing is undone, and nobody
    /// reminded, because clocks differ.
    pub fn judge(&mut self, policy: &Policy, now: DateTime<Utc>, cause: Cause) {
        let now = self.not_before(now);
        let assessment = assess(self, policy, now);
        let decision = decide(self, policy, &assessment, now, cause);
        let next_action_at = assessment.next_action_at;
        self.intents = assessment.intents;
        self.revision = self.revision.next();
        let policy = match self.standing.policy.take() {
            Some(known) if known.version == policy.version && known.id == policy.id => known,
            _ => policy.reference(),
        };
        match decision {
            Some(decision) => {
                self.standing = Standing {
                    stage: decision.to.clone(),
                    restrictions: assessment.stage.map_or_else(Vec::new, |stage| stage.restrictions.clone()),
                    since: Some(decision.at),
                    policy: Some(policy),
                    next_action_at,
                    reminded_through: Some(now),
                    classification: assessment.classification,
                };
                self.remember(decision);
            }
            None => {
                self.standing.policy = Some(policy);
                self.standing.next_action_at = next_action_at;
                self.standing.reminded_through = Some(now);
                self.standing.classification = assessment.classification;
            }
        }
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
    pub fn would_be_restricted(&self, policy: &Policy, now: DateTime<Utc>) -> bool {
        assess(self, policy, self.not_before(now))
            .restrictions()
            .iter()
            .any(|restriction| !self.standing.restrictions.contains(restriction))
    }

    /// Whether judging the account at `now` would put it on a milder rung than the one on
    /// which it stands, whatever restrictions that one brings.
    #[must_use]
    pub fn would_be_eased(&self, policy: &Policy, now: DateTime<Utc>) -> bool {
        let rung = |name: &str| policy.stages.iter().position(|stage| stage.name.as_str() == name);
        let now = self.not_before(now);
        rung(assess(self, policy, now).stage_name()) < rung(self.standing.stage.as_str())
    }

    /// Whether judging the account at `now` would leave it as it stands: the same stage,
    /// restrictions and regulatory class, nobody to remind, and the same instant of the next look. Before that
    /// instant it does, as long as the facts and the policy stay as they are.
    #[must_use]
    pub fn is_confirmed(&self, policy: &Policy, now: DateTime<Utc>) -> bool {
        let assessment = assess(self, policy, self.not_before(now));
        self.standing.stage.as_str() == assessment.stage_name()
            && are_the_same(&self.standing.restrictions, assessment.restrictions())
            && assessment.intents.is_empty()
            && self.is_classified_as(&assessment, policy)
            && self.standing.next_action_at == assessment.next_action_at
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
        let stage = policy.stages.iter().find(|stage| stage.name == decision.to);
        if let Some(stage) = stage.filter(|stage| are_the_same(&stage.restrictions, &restrictions)) {
            restrictions.clone_from(&stage.restrictions);
        }
        then.standing.stage = decision.to.clone();
        then.standing.restrictions = restrictions;
        then.standing.since = Some(decision.at);
        then
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

/// Whether both lists hold the same, in whatever order.
fn are_the_same(one: &[Restriction], other: &[Restriction]) -> bool {
    one.iter().all(|restriction| other.contains(restriction))
        && other.iter().all(|restriction| one.contains(restriction))
}
