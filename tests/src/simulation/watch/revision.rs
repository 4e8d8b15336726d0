//! The checks of every revision of an account.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::NoticeOf;
use duewatch_domain::account::{Installment, InstallmentLabel};
use duewatch_domain::commands::{Command, NoticeSent};
use duewatch_domain::policy::{Announcement, Stage};
use duewatch_domain::{Account, Policy};

use super::judged::{assessed_at, check_assessment, check_notices};
use super::{Broken, Checked, LenderCommand, POLICY_LAG, Story, Version, Watch, hold};
use crate::model::Model;
use crate::simulation::network::CallerId;

/// The days on which money that cannot be posted keeps a restriction back, where the policy names none.
const MONEY_HOLD_DAYS: u32 = 3;

/// The time ahead for which the model shows that nothing changes.
const AHEAD: TimeDelta = TimeDelta::days(400);

impl Watch {
    pub(super) fn revision_written(
        &mut self,
        event_id: &str,
        account: Account,
        caller: CallerId,
        its_now: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Checked {
        let id = account.account_id.to_string();
        self.hear_of_notice(&id, &account);
        let Some(story) = self.stories.get(&id) else { return Ok(()) };
        let before = story.versions.last().map(|version| &version.account);
        let next = before.map_or(1, |before| before.revision.0 + 1);
        hold!(
            "one revision",
            account.revision.0 == next,
            "{id}: revision {} after {}",
            account.revision,
            next - 1
        );
        let mut models = self.facts_of(story, &account, caller)?;
        self.check_cross_restrictions(before, &account, caller)?;
        let imposed = account.imposed_by().iter().map(|one| {
            (one.account_id.clone(), (one.restriction.since, one.restriction.restrictions.clone()))
        });
        models.iter_mut().for_each(|model| model.impose(imposed.clone()));
        let published: Vec<Policy> = self.published(&account, now).into_iter().cloned().collect();
        models.iter_mut().for_each(|model| model.learn_versions(published.clone()));
        let is_propagation = before.map_or(&[][..], Account::imposed_by) != account.imposed_by();
        let may_be_held = decides_nothing(before, &account) && self.is_unpostable(&account);
        let policy = self.policy_used(&account, &models[0], may_be_held, now)?;
        let check = |model: &Model| -> Result<Model, Broken> {
            check_assessment(before, &account, model, policy, its_now)?;
            let model = self.evaluated(&account, model, policy, now)?;
            self.check_timetable(&account, &model, policy, now)?;
            Ok(model)
        };
        let mut judged = check(&models[0]);
        for other in &models[1..] {
            if judged.is_err() {
                judged = check(other).or(judged);
            }
        }
        let is_hold = may_be_held && judged.is_err();
        let mut model = if is_hold { models[0].clone() } else { judged? };
        if is_hold {
            self.check_deferral(&account, &model, its_now)?;
            model.vouches_until(account.status.next_action_at);
        }
        check_notices(&account, &model)?;
        self.check_notice_in_time(before, &account, &model, policy)?;
        self.check_restriction(before, &account, caller)?;
        let is_later = policy.version > 1;
        let was_announced = policy.announcement.is_some();
        let decided = account.decision_of_this_revision().is_some();
        let lifted = account.decision_of_this_revision().is_some_and(|one| !one.lifted.is_empty());
        let restricted = account.decision_of_this_revision().is_some_and(|one| !one.applied.is_empty());
        let intents = account.contact_requests.len();
        let notices = account.contact_requests.iter().filter(|request| request.notice_of.is_some()).count();
        if let Some(taken) = before.and_then(|before| newly_taken(before, &account))
            && let Some(sent) = self.messages.get_mut(taken)
        {
            sent.is_taken = true;
            let source = account.recent_messages().last().map(|last| last.source.to_string());
            if let (Some(story), Some(source)) = (self.stories.get_mut(&id), source) {
                story.taken.insert(source, sent.at);
            }
        }
        if let Some(story) = self.stories.get_mut(&id) {
            story.quarantined = false;
            story.versions.push(Version { account, model, event_id: event_id.to_owned(), is_held: is_hold });
        }
        self.count("holds", usize::from(is_hold));
        self.count("decisions", usize::from(decided));
        self.count("lifts", usize::from(lifted));
        self.count("restrictions", usize::from(restricted));
        self.count("reminders wanted", intents);
        self.count("notices wanted", notices);
        self.count("others heeded", usize::from(is_propagation));
        self.count("judged by a later version", usize::from(is_later));
        self.count("judged by an announced version", usize::from(was_announced));
        Ok(())
    }

    /// The model with the new facts of a revision: payments that the table holds, and the message that the
    /// account has taken. An account drops no fact and invents none. A command reads the payments before it
    /// is applied, and once more before a restriction: a payment may fall on either side, so there may be two
    /// models.
    fn facts_of(&self, story: &Story, account: &Account, caller: CallerId) -> Result<Vec<Model>, Broken> {
        let id = account.account_id.as_str();
        let before = story.versions.last();
        let model = before.map_or_else(|| Model::open(&story.contract), |before| before.model.clone());
        let mut news = Vec::new();
        let old = before.map_or(&[][..], |before| before.account.payments());
        let gone = old.iter().find(|one| account.payment(&one.payment_id).is_none());
        hold!("nothing is dropped", gone.is_none(), "{id}: {gone:?} has gone");
        let mut reversed = Vec::new();
        for payment in account.payments() {
            let known = old.iter().find(|one| one.payment_id == payment.payment_id);
            if known == Some(payment) {
                continue;
            }
            let facts = self.payments.get(&(id.to_owned(), payment.payment_id.to_string()));
            let fact = facts.and_then(|facts| {
                facts.iter().filter_map(|fact| fact.read.as_ref().ok()).find(|fact| {
                    fact.amount == payment.amount
                        && fact.received_at == payment.received_at
                        && fact.reversals().len() == payment.reversals.len()
                })
            });
            let Some(fact) = fact else {
                return Err(Broken {
                    promise: "nothing is made up",
                    how: format!("{id}: payment {} is not in the table as {payment:?}", payment.payment_id),
                });
            };
            let known = known.map_or(0, |known| 1 + known.reversals.len());
            news.extend(fact.commands().into_iter().skip(known));
            if !payment.reversals.is_empty() {
                reversed.push(InstallmentLabel::Chargeback(payment.payment_id.clone()));
            }
        }
        let model = self.with_notices_left(before, account, model)?;
        let taken = before.and_then(|before| newly_taken(&before.account, account));
        let changed = before.is_some_and(|before| differs(&before.account, account, &reversed));
        let is_erasure = self.erases(caller, &story.contract);
        hold!("nothing is made up", !changed || taken.is_some() || is_erasure, "{id} changed by itself");
        if let Some(taken) = taken {
            let Some(LenderCommand { command, at, is_taken, may_send, .. }) = self.messages.get(taken) else {
                return Err(Broken {
                    promise: "nothing is made up",
                    how: format!("{id}: {taken} was not sent"),
                });
            };
            hold!("each message once", !is_taken, "{id}: {taken} was taken twice");
            hold!("a sender says nothing that it may not", *may_send, "{id}: {taken} was taken");
            let source = account.recent_messages().last().map(|last| last.source.to_string());
            let last = source.as_ref().and_then(|source| story.taken.get(source));
            hold!(
                "the commands of a source come in order",
                last.is_none_or(|last| last <= at),
                "{id}: {taken} of {source:?} is of {at}, {last:?} was taken before"
            );
            let command = (command.clone(), *at);
            let after = with(&model, news.iter().cloned().chain([command.clone()]));
            let before = with(&model, std::iter::once(command).chain(news));
            return Ok(vec![after, before]);
        }
        Ok(vec![with(&model, news)])
    }

    /// Notes a notice that the lender sent by its own means, when a revision takes the report. The report may
    /// be days late, and the announced restriction may then follow at once.
    fn hear_of_notice(&mut self, id: &str, account: &Account) {
        let before = self.stories.get(id).and_then(|story| story.versions.last());
        let taken = before.and_then(|before| newly_taken(&before.account, account));
        let sent = taken.and_then(|taken| self.messages.get(taken));
        if let Some(LenderCommand { command: Command::NoticeSent(NoticeSent { of }), at, .. }) = sent {
            let told = self.notices_left.entry((id.to_owned(), of.to_string())).or_default();
            told.push(*at);
        }
    }

    /// The model with the notices that the revision records as sent; each of them really left.
    fn with_notices_left(
        &self,
        before: Option<&Version>,
        account: &Account,
        mut model: Model,
    ) -> Result<Model, Broken> {
        let old = before.map_or(&[][..], |before| before.account.notices());
        for notice in account.notices() {
            let planned = old.iter().any(|one| {
                one.of == notice.of && one.planned_at == notice.planned_at && one.sent_at.is_none()
            });
            let Some(sent_at) = notice.sent_at.filter(|_| planned) else { continue };
            let id = account.account_id.as_str();
            let told = self.notices_left.get(&(id.to_owned(), notice.of.to_string()));
            hold!(
                "a notice is noted when it has left",
                told.is_some_and(|told| told.iter().any(|at| *at <= sent_at)),
                "{id} revision {}: {notice:?}, it left at {told:?}",
                account.revision
            );
            model.notice_left(&notice.of, notice.planned_at, sent_at);
        }
        Ok(model)
    }

    /// The version in force for an account at an instant: the one with the highest number, in whatever order
    /// they were published. A version that owes an announcement binds so many days after one left that reaches it.
    fn binding<'a>(
        &self,
        published: &[&'a Policy],
        account: &Account,
        model: &Model,
        at: DateTime<Utc>,
    ) -> Option<&'a Policy> {
        let binds = |policy: &&&Policy| {
            let from = match owed_announcement(published, policy) {
                None => Some(policy.effective_on),
                Some(announcement) => {
                    let reaching = model.notices().filter(|(of, ..)| reaches(published, of, policy));
                    let days = TimeDelta::days(announcement.days.into());
                    let left_on = reaching.filter_map(|one| one.2).map(|left_at| model.date(left_at)).min();
                    left_on.map(|left_on| policy.effective_on.max(left_on + days))
                }
            };
            from.is_some_and(|from| from <= model.date(at))
        };
        let is_of = |policy: &&&Policy| policy.id == account.policy_id;
        let binding = published.iter().filter(is_of).filter(binds).max_by_key(|policy| policy.version);
        binding.or_else(|| published.first()).copied()
    }

    /// The versions that may bind an account at an instant, as an invocation at `now` knows them:
    /// one that was published within [`POLICY_LAG`] may be unknown to it.
    pub(super) fn binding_at(
        &self,
        account: &Account,
        model: &Model,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<&Policy> {
        let all = self.published(account, now);
        let long_known = self.published(account, now - POLICY_LAG).len().max(1);
        let known = (long_known..=all.len()).filter_map(|known| all.get(..known));
        known.filter_map(|known| self.binding(known, account, model, at)).collect()
    }

    /// The versions of an account's policy that were published by an instant, oldest first.
    pub(super) fn published(&self, account: &Account, by: DateTime<Utc>) -> Vec<&Policy> {
        let all = self.policies.get(account.policy_id.as_str()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|(_, at)| *at <= by).map(|(policy, _)| policy).collect()
    }

    /// The version by which the revision was evaluated: the one in force, among those that the evaluator
    /// could know. A revision without a decision keeps the version of the last evaluation, if there was one.
    fn policy_used(
        &self,
        account: &Account,
        model: &Model,
        is_hold: bool,
        now: DateTime<Utc>,
    ) -> Result<&Policy, Broken> {
        let id = account.policy_id.as_str();
        let version = match &account.status.policy {
            None if is_hold => self.published(account, now).first().map_or(0, |policy| policy.version),
            known => known.as_ref().map_or(0, |policy| policy.version),
        };
        let at = assessed_at(account);
        let is_in_force =
            self.binding_at(account, model, at, now).iter().any(|policy| policy.version == version);
        match self.policy(id, version) {
            Some(policy) if is_hold || is_in_force => Ok(policy),
            _ => Err(Broken {
                promise: "the policy in force",
                how: format!("{}: judged by {id} version {version} at {now}", account.account_id),
            }),
        }
    }

    /// The model after the evaluation of the revision. The customer receives the announcement of a waiting
    /// version once.
    fn evaluated(
        &self,
        account: &Account,
        model: &Model,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Result<Model, Broken> {
        let (id, revision, at) = (account.account_id.as_str(), account.revision, assessed_at(account));
        let mut seen = model.clone();
        seen.evaluated(policy, at);
        seen.vouches_until(account.status.next_action_at);
        let long_known = self.published(account, now - POLICY_LAG);
        let published = self.published(account, now);
        let told_in_this = |of: &NoticeOf| {
            account.contact_requests.iter().find(|request| request.notice_of.as_ref() == Some(of))
        };
        for version in &published {
            let Some(announcement) = owed_announcement(&published, version) else { continue };
            let of = NoticeOf::Policy(version.version);
            let is_told = seen.notices().any(|(known, ..)| reaches(&published, known, version));
            let tells = told_in_this(&of);
            // One version is announced at a time, the earliest first.
            let tells_another = published
                .iter()
                .filter(|one| one.version < version.version)
                .any(|one| told_in_this(&NoticeOf::Policy(one.version)).is_some());
            let is_known = long_known.iter().any(|known| known.version == version.version);
            let may_wait = !is_known || tells_another;
            let is_right = match tells {
                None => is_told || may_wait,
                Some(request) => {
                    !is_told
                        && request.channel == announcement.channel
                        && request.template == announcement.template
                        && request.planned_at == at
                }
            };
            hold!(
                "every customer is told of a stricter version",
                is_right,
                "{id} revision {revision}: {of} is announced as {tells:?}, told before: {is_told}"
            );
            if tells.is_some() {
                seen.announced(&of, at);
            }
        }
        Ok(seen)
    }

    /// Only notices that left in time count: no restriction begins before its notice has left and the notice
    /// days are over, and no stricter version binds an account before its announcement has left and the
    /// announced days are over.
    fn check_notice_in_time(
        &self,
        before: Option<&Account>,
        account: &Account,
        model: &Model,
        policy: &Policy,
    ) -> Checked {
        let (id, revision) = (account.account_id.as_str(), account.revision);
        let today = model.date(assessed_at(account));
        let is_told = |of: &NoticeOf, since: Option<NaiveDate>, days: u32| {
            let told = self.notices_left.get(&(id.to_owned(), of.to_string()));
            let mut told_on = told.into_iter().flatten().map(|at| model.date(*at));
            told_on.any(|date| Some(date) >= since && date + TimeDelta::days(days.into()) <= today)
        };
        let oldest = model.debts(policy).first().map(|oldest| oldest.due_on);
        let old = before.map_or(&[][..], |before| &before.status.restrictions);
        let restrictions = &account.status.restrictions;
        let stage = policy.stages.iter().find(|stage| stage.restrictions == *restrictions);
        let new = restrictions.iter().filter(|one| !old.contains(one));
        let days = new.filter_map(|one| one.notice_days).max();
        if let (Some(stage), Some(days)) = (stage, days) {
            hold!(
                "nothing is restricted before the notice it owes has left",
                is_told(&NoticeOf::Stage(stage.name.clone()), oldest, days),
                "{id} revision {revision}: {restrictions:?} on {today}, told at {:?}",
                self.notices_left
            );
        }
        let published = self.policies.get(account.policy_id.as_str()).into_iter().flatten();
        let published: Vec<&Policy> = published.map(|(policy, _)| policy).collect();
        if let Some(announcement) = owed_announcement(&published, policy)
            && account.status.policy.as_ref().is_some_and(|used| used.version == policy.version)
        {
            let versions = published.iter().map(|one| NoticeOf::Policy(one.version));
            let mut reaching = versions.filter(|of| reaches(&published, of, policy));
            hold!(
                "a stricter version never binds an account that was not told",
                reaching.any(|of| is_told(&of, None, announcement.days)),
                "{id} revision {revision}: judged by version {} on {today}, told at {:?}",
                policy.version,
                self.notices_left
            );
        }
        Ok(())
    }

    /// The most days on which money that cannot be posted keeps a restriction back, by any published version.
    pub(super) fn money_hold_days(&self, account: &Account) -> u32 {
        let published = self.policies.get(account.policy_id.as_str()).into_iter().flatten();
        let days = published.map(|(policy, _)| policy.holds.as_ref().and_then(|holds| holds.hold_days));
        days.map(|days| days.unwrap_or(MONEY_HOLD_DAYS)).max().unwrap_or(MONEY_HOLD_DAYS)
    }

    /// Whether the table holds a payment for the account that cannot be posted.
    pub(super) fn is_unpostable(&self, account: &Account) -> bool {
        self.payments_at(account.account_id.as_str(), self.step).iter().any(|fact| {
            fact.read
                .as_ref()
                .map_or(true, |fact| fact.post_to(&mut account.clone(), DateTime::<Utc>::MAX_UTC).is_err())
        })
    }

    /// A restriction is deferred only where a policy in force leads the account to a stage at least as
    /// severe, and the next evaluation is soon.
    fn check_deferral(&self, account: &Account, model: &Model, its_now: DateTime<Utc>) -> Checked {
        let (id, revision) = (account.account_id.as_str(), account.revision);
        let stage = account.status.stage.as_str();
        let published = self.policies.get(account.policy_id.as_str()).map_or(&[][..], Vec::as_slice);
        let climbs = published.iter().any(|(policy, _)| {
            let stage_index = |name: &str| policy.stages.iter().position(|stage| stage.name.as_str() == name);
            stage_index(&model.judge(policy, its_now.max(assessed_at(account))).stage) >= stage_index(stage)
        });
        hold!("lifted when paid", climbs, "{id} revision {revision}: {stage} is held although less is due");
        let soon = its_now + TimeDelta::hours(2);
        let again = account.status.next_action_at.is_some_and(|again| again <= soon);
        hold!("no silent overdue", again, "{id} revision {revision} is held for long: {:?}", account.status);
        Ok(())
    }

    /// Each restriction that an account applies for another was really imposed by that one. Before a further
    /// restriction is applied, the other account's payments are read, and all of them are posted.
    fn check_cross_restrictions(
        &self,
        before: Option<&Account>,
        account: &Account,
        caller: CallerId,
    ) -> Checked {
        let (id, revision) = (account.account_id.as_str(), account.revision);
        let known = before.map_or(&[][..], Account::imposed_by);
        for taken in account.imposed_by().iter().filter(|taken| !known.contains(taken)) {
            let other = taken.account_id.as_str();
            let story =
                self.stories.get(other).filter(|story| story.contract.customer_id == account.customer_id);
            let versions = story.map_or(&[][..], |story| &story.versions);
            hold!(
                "nothing is made up",
                versions.iter().any(|version| version.account.imposes().as_ref() == Some(taken)),
                "{id} revision {revision}: {other} never asked {taken:?}"
            );
            let had = known.iter().find(|known| known.account_id == taken.account_id);
            if had.is_some_and(|had| had.restriction.restrictions == taken.restriction.restrictions) {
                continue;
            }
            let reading = self.readings.get(&(caller, other.to_owned())).copied().unwrap_or_default();
            let seen = reading.payments_at;
            hold!(
                "a payment always wins",
                seen.is_some(),
                "{id} revision {revision}: {taken:?} without a look at the payments of {other}"
            );
            let Some(asking) = versions.last() else { continue };
            for fact in self.payments_at(other, seen.unwrap_or_default()) {
                let its_now = assessed_at(account);
                let posted =
                    fact.read.as_ref().map(|fact| fact.post_to(&mut asking.account.clone(), its_now));
                hold!(
                    "a payment always wins",
                    // Money that cannot be posted blocks for a bounded time.
                    !matches!(posted, Ok(Ok(duewatch_domain::commands::Applied::Changed))),
                    "{id} revision {revision}: {taken:?} although {:?} was in the table",
                    fact.read
                );
            }
        }
        Ok(())
    }

    /// Before a restriction is added, the account's payments are read, and all that can be posted are in the
    /// same write.
    fn check_restriction(&self, before: Option<&Account>, account: &Account, caller: CallerId) -> Checked {
        let none = Vec::new();
        let old = before.map_or(&none, |before| &before.status.restrictions);
        let added: Vec<_> = account.status.restrictions.iter().filter(|one| !old.contains(one)).collect();
        if added.is_empty() {
            return Ok(());
        }
        let id = account.account_id.as_str();
        let reading = self.readings.get(&(caller, id.to_owned())).copied().unwrap_or_default();
        let seen = reading.payments_at;
        hold!("a payment always wins", seen.is_some(), "{id}: {added:?} without a look at the payments");
        for fact in self.payments_at(id, seen.unwrap_or_default()) {
            // Money that is dated ahead of the clock is none yet.
            let its_now = assessed_at(account);
            let posted = fact.read.as_ref().map(|fact| fact.post_to(&mut account.clone(), its_now));
            hold!(
                "a payment always wins",
                !matches!(posted, Ok(Ok(duewatch_domain::commands::Applied::Changed))),
                "{id} revision {}: {added:?} although {:?} was in the table",
                account.revision,
                fact.read
            );
        }
        Ok(())
    }

    /// The next action is at the next change: no earlier and no later.
    fn check_timetable(
        &self,
        account: &Account,
        model: &Model,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Checked {
        let (id, revision) = (account.account_id.as_str(), account.revision);
        let at = assessed_at(account);
        // An account evaluated without knowledge of the latest version is queued by its publisher.
        let long_known = self.published(account, now - POLICY_LAG);
        let same = |then: DateTime<Utc>| {
            let binding =
                self.binding(&long_known, account, model, then).filter(|next| next.version > policy.version);
            !model.changes((policy, at), (binding.unwrap_or(policy), then))
        };
        match account.status.next_action_at {
            None => {
                let far = at + AHEAD;
                hold!(
                    "no silent overdue",
                    same(far),
                    "{id} revision {revision} waits for nothing, but by {far} it changes"
                );
            }
            Some(next) => {
                hold!(
                    "no silent overdue",
                    next > at,
                    "{id} revision {revision}: judged at {at}, waits for {next}"
                );
                // A tiny fee may take centuries to reach an amount.
                let far = at + AHEAD;
                let before = (next - TimeDelta::seconds(1)).min(far);
                hold!(
                    "no silent overdue",
                    before <= at || same(before),
                    "{id} revision {revision}, judged at {at}, waits for {next}, but changes at {:?}",
                    model.next_change(policy, at, before)
                );
                hold!(
                    "no idle work",
                    next > far || !same(next) || !self.published(account, now).into_iter().all(is_plain),
                    "{id} revision {revision} waits for {next}, but nothing changes then"
                );
            }
        }
        Ok(())
    }
}

/// The announcement that a version owes: its own, or that of the latest version before it that has one. Each version
/// of such a policy is as strict as the one before, or stricter, and the number of days is the same.
pub(super) fn owed_announcement<'a>(published: &[&'a Policy], policy: &Policy) -> Option<&'a Announcement> {
    let up_to = published.iter().filter(|one| one.version <= policy.version);
    let announced = up_to.filter_map(|one| Some((one.version, one.announcement.as_ref()?)));
    announced.max_by_key(|(version, _)| *version).map(|(_, announcement)| announcement)
}

/// Whether a notice tells of a version: of itself, or of an earlier one under whose terms no stage begins later.
pub(super) fn reaches(published: &[&Policy], of: &NoticeOf, policy: &Policy) -> bool {
    let NoticeOf::Policy(told) = of else { return false };
    let days = |policy: &Policy| -> Vec<_> {
        policy.stages.iter().map(|stage| stage.when.delinquent_days).collect()
    };
    let told = published.iter().find(|one| one.version == *told && one.version <= policy.version);
    told.is_some_and(|told| days(policy).iter().zip(&days(told)).all(|(now, then)| now >= then))
}

/// The id of the message that an account has taken with its last revision.
fn newly_taken<'a>(before: &Account, account: &'a Account) -> Option<&'a str> {
    let last = account.recent_messages().last()?;
    (before.recent_messages().last() != Some(last)).then_some(last.event_id.as_str())
}

fn with(model: &Model, facts: impl IntoIterator<Item = (Command, DateTime<Utc>)>) -> Model {
    let mut model = model.clone();
    for (command, at) in facts {
        model.take(&command, at);
    }
    model
}

/// Whether the revision leaves all decisions as they were.
fn decides_nothing(before: Option<&Account>, account: &Account) -> bool {
    let Some(before) = before else { return account.status.policy.is_none() };
    assessed_at(before) == assessed_at(account)
        && account.contact_requests.is_empty()
        && account.decision_of_this_revision().is_none()
        && before.status.stage == account.status.stage
        && before.status.restrictions == account.status.restrictions
}

/// Whether the change goes beyond payments.
fn differs(before: &Account, account: &Account, reversed: &[InstallmentLabel]) -> bool {
    let old: Vec<&Installment> = before.installments().iter().collect();
    let new: Vec<&Installment> = account
        .installments()
        .iter()
        // A payment that is charged back in parts has several chargebacks of one label.
        .filter(|one| !reversed.contains(&one.label) || old.contains(one))
        .collect();
    old != new
        || before.pauses() != account.pauses()
        || before.is_enforced() != account.is_enforced()
        || before.cause() != account.cause()
        || before.score() != account.score()
        || before.in_process() != account.in_process()
}

/// Whether the policy defers no restriction, so that every evaluation has an effect.
fn is_plain(policy: &Policy) -> bool {
    let asks_for_more = |stage: &Stage| {
        stage.notice_days().is_some() || stage.when.cause.is_some() || stage.when.score_at_most.is_some()
    };
    policy.first_lapse_tolerance.is_none()
        && policy.cause.is_none()
        && policy.payment_in_process.is_none()
        && policy.announcement.is_none()
        && !policy.stages.iter().any(asks_for_more)
}
