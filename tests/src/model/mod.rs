//! A second, independent implementation of the rules, against which the simulations check duewatch.
//!
//! The model is deliberately naive. It keeps the contract and the list of facts, derives everything from them
//! at each question, counts days one by one and finds the next change by trying one instant after another.
//! Beside the facts it remembers only the results of evaluations, because delinquency episodes and notices
//! depend on the facts known at the time; its user reports each evaluation. It uses the domain's plain data
//! and none of its rules, so that only the same mistake, made in two different ways, could stay unseen.
//!
//! ```text
//! calendar.rs   when a date begins, which date counts
//! books.rs      from the facts to the amounts due and paid
//! recorded.rs   hardship causes, scores, payments in process
//! answers.rs    promises, disputes, choices of borrowers, reports to a bureau
//! holds.rs      the days on which holds keep restrictions back
//! memory.rs     the results of evaluations
//! ledger.rs     the account where dates of payments matter, with its late fee
//! classes.rs    the regulatory class
//! course.rs     from the debts to a day's figures, stage and restrictions
//! reminders.rs  the reminders and notices that are due
//! ```

mod answers;
mod books;
mod calendar;
mod classes;
mod course;
mod holds;
mod ledger;
mod memory;
mod policies;
mod recorded;
mod reminders;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::InstallmentLabel;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::commands::{Command, Contract, NoticeSent};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{AccountId, PaymentId};
use duewatch_domain::policy::Restriction;

use self::books::Books;
pub use self::books::Debt;
pub use self::classes::ModelClass;
use self::course::{ModelCourse, ModelImposed};
use self::ledger::ModelLedger;
use self::memory::{Memory, Noticed};
use self::policies::ModelPolicies;
pub use self::reminders::Reminder;

/// An account in the model: its contract and the facts known since.
#[derive(Clone, Debug)]
pub struct Model {
    contract: Contract,
    facts: Vec<ModelFact>,
    /// The published versions of its policy, as far as they are known, and those that it was evaluated under.
    published: Vec<Policy>,
    policies: Option<ModelPolicies>,
    memory: Memory,
    /// The instants at which notices of stages left, the first hundred, each with the number of facts known before.
    letters: Vec<(DateTime<Utc>, usize)>,
    /// The restrictions imposed by the customer's other accounts, by account.
    imposed: ModelImposed,
}

/// An accepted command.
#[derive(Clone, Debug)]
struct ModelFact {
    at: DateTime<Utc>,
    command: Command,
}

/// The model's account status at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAssessment {
    /// `current` without a stage.
    pub stage: String,
    /// The first day of the stage; none: the account was never in another.
    pub holds_since: Option<NaiveDate>,
    /// The stage whose restrictions are in force, `current` for none.
    pub restricting: String,
    /// The first day of these restrictions; none: they never changed.
    pub restricted_since: Option<NaiveDate>,
    pub restrictions: Vec<Restriction>,
    /// The restrictions imposed on the customer's other accounts.
    pub imposes: Vec<Restriction>,
    pub days_past_due: u32,
    /// Days past due without grace and paused days.
    pub delinquent_days: u32,
    /// The open amount past due, with its late fee.
    pub overdue: Money,
    /// The oldest open due date past due.
    pub oldest_due_on: Option<NaiveDate>,
    /// The whole open amount.
    pub outstanding: Money,
    /// The open late fee; none: the policy has none.
    pub late_fee: Option<Money>,
    /// The number of open installments past due.
    pub unpaid_installments: u32,
    /// None: the policy has no classes, or the account is in the normal one.
    pub class: Option<ModelClass>,
}

impl Model {
    /// Opens an account under its contract, without further facts.
    #[must_use]
    pub fn open(contract: &Contract) -> Self {
        Self {
            contract: contract.clone(),
            facts: Vec::new(),
            published: Vec::new(),
            policies: None,
            memory: Memory::default(),
            letters: Vec::new(),
            imposed: BTreeMap::new(),
        }
    }

    /// Takes an accepted command with the instant at which it became known; for a payment, the instant of
    /// receipt. A repeated command counts once.
    pub fn take(&mut self, command: &Command, at: DateTime<Utc>) {
        if let Command::NoticeSent(NoticeSent { of }) = command {
            self.memory.note(Noticed { of: of.clone(), planned_at: at, left_at: Some(at) });
            self.write_letter(of, at);
        }
        self.facts.push(ModelFact { at, command: command.clone() });
    }

    /// Learns of the published versions of its policy.
    pub fn learn_versions(&mut self, published: impl IntoIterator<Item = Policy>) {
        self.published = published.into_iter().collect();
    }

    /// Replaces the restrictions imposed by the customer's other accounts, with the instant since when.
    pub fn impose(
        &mut self,
        imposed: impl IntoIterator<Item = (AccountId, (DateTime<Utc>, Vec<Restriction>))>,
    ) {
        self.imposed = imposed.into_iter().collect();
    }

    /// Evaluates the account at `now` and plans the notices that are due. Evaluations come in order of time.
    pub fn evaluated(&mut self, policy: &Policy, now: DateTime<Utc>) {
        let policies = self.policies(policy, now);
        let course = self.course(&policies, now);
        let day = course.judged_day(now);
        let episode = self.memory.episode_on(&course, day);
        let classes = self.memory.classes_on(&course, day);
        let assessed = course.judge(day);
        let due = reminders::due_reminders(&course, &assessed, now);
        let holds = course.holds_on(day);
        self.memory.holds = holds;
        self.memory.restrictions = assessed.restrictions;
        self.memory.vouched_until = None;
        self.memory.planned(&due);
        self.memory.episode = episode;
        self.memory.classes = classes;
        self.memory.evaluated_at = Some(now);
        self.policies = Some(policies);
    }

    /// The last evaluation tells until when nothing changes by itself; none: for ever.
    pub fn vouches_until(&mut self, next: Option<DateTime<Utc>>) {
        self.memory.vouched_until = Some(next.unwrap_or(DateTime::<Utc>::MAX_UTC));
    }

    /// Plans a notice of another subject than a stage.
    pub fn announced(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>) {
        self.memory.note(Noticed { of: of.clone(), planned_at, left_at: None });
    }

    /// Records that the notice planned for `planned_at` left.
    pub fn notice_left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) {
        if self.memory.left(of, planned_at, at) {
            self.write_letter(of, at);
        }
    }

    fn write_letter(&mut self, of: &NoticeOf, at: DateTime<Utc>) {
        if matches!(of, NoticeOf::Stage(_)) && self.letters.len() < 100 {
            self.letters.push((at, self.facts.len()));
            self.letters.sort_unstable();
        }
    }

    /// The last notice of each subject, with its planned instant and, where known, the instant it left.
    pub fn notices(&self) -> impl Iterator<Item = (&NoticeOf, DateTime<Utc>, Option<DateTime<Utc>>)> {
        self.memory.notices.iter().map(|notice| (&notice.of, notice.planned_at, notice.left_at))
    }

    /// The first day of the running delinquency episode, and the day on which the episode before it was found
    /// to be over.
    #[must_use]
    pub fn episodes(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        (self.memory.episode.since, self.memory.episode.over_on)
    }

    /// The date in the account's time zone.
    #[must_use]
    pub fn date(&self, now: DateTime<Utc>) -> NaiveDate {
        calendar::business_date(calendar::zone(self.contract.time_zone), now)
    }

    /// Whether the model ever took a payment with that id.
    #[must_use]
    pub fn knows_payment(&self, id: &PaymentId) -> bool {
        self.facts.iter().any(|fact| match &fact.command {
            Command::PaymentReceived(received) => received.payment_id == *id,
            _ => false,
        })
    }

    /// The open debts, due or not, by the date by which they are to be paid, then in the contract's order.
    /// All received money and waiting credit is allocated, as if no payment had paid a late fee.
    #[must_use]
    pub fn debts(&self, policy: &Policy) -> Vec<Debt> {
        let policies = self.policies_at_last(policy);
        ModelLedger::of(&self.books(&policies), &policies, self.contract.opened_on).debts
    }

    /// The open debts as the policy's order allocates the payments, late fees included.
    #[must_use]
    pub fn shown_debts(&self, policy: &Policy) -> Vec<Debt> {
        let policies = self.policies_at_last(policy);
        ModelLedger::of(&self.books(&policies), &policies, self.contract.opened_on).shown().to_vec()
    }

    /// Whether the installment is open, so that a reminder about it is justified.
    #[must_use]
    pub fn owes(&self, policy: &Policy, label: &InstallmentLabel) -> bool {
        let books = self.books(&self.policies_at_last(policy));
        let is_held = books.pieces.iter().any(|piece| piece.held && piece.label == *label);
        !is_held && self.debts(policy).iter().any(|debt| debt.label == *label)
    }

    /// The account status at `now` under a policy.
    #[must_use]
    pub fn judge(&self, policy: &Policy, now: DateTime<Utc>) -> ModelAssessment {
        let policies = self.policies(policy, now);
        let course = self.course(&policies, now);
        course.judge(course.judged_day(now))
    }

    /// The reminders and notices due at an evaluation at `now`: the reminders planned since the last
    /// evaluation. Nothing from before the first evaluation is due.
    #[must_use]
    pub fn reminders(&self, policy: &Policy, now: DateTime<Utc>) -> Vec<Reminder> {
        let policies = self.policies(policy, now);
        let course = self.course(&policies, now);
        reminders::due_reminders(&course, &course.judge(course.judged_day(now)), now)
    }

    /// Whether time alone changes the stage, the restrictions of this account or the customer's others, the
    /// delinquency episode or the reminders between an evaluation at `now` and one at `then`, where `next` is
    /// the policy in force at `then`.
    #[must_use]
    pub fn changes(
        &self,
        (policy, now): (&Policy, DateTime<Utc>),
        (next, then): (&Policy, DateTime<Utc>),
    ) -> bool {
        let mut seen = self.clone();
        seen.evaluated(policy, now);
        let before = seen.judge(policy, now);
        let policies = seen.policies(next, then);
        let course = seen.course(&policies, then);
        Changes { before, seen: None, course: &course }.come_by(then)
    }

    /// The first instant of such a change in `(now, until]`.
    #[must_use]
    pub fn next_change(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut seen = self.clone();
        seen.evaluated(policy, now);
        let policies = seen.policies(policy, now);
        let course = seen.course(&policies, until);
        let before = course.judge(course.judged_day(now));
        let mut changes = Changes { before, seen: None, course: &course };
        self.instants(policy, now, until).into_iter().find(|instant| changes.come_by(*instant))
    }

    /// The course of the account up to an instant.
    fn course<'p>(&self, policies: &'p ModelPolicies, until: DateTime<Utc>) -> ModelCourse<'p> {
        ModelCourse::of(&self.books(policies), policies, &self.memory, &self.imposed, until)
    }

    fn books(&self, policies: &ModelPolicies) -> Books {
        Books::of(&self.contract, &self.facts, &self.letters, policies)
    }

    /// The versions that bound the account up to `policy`.
    fn policies(&self, policy: &Policy, now: DateTime<Utc>) -> ModelPolicies {
        let place = (calendar::zone(self.contract.time_zone), self.contract.opened_on);
        let times = (self.memory.evaluated_at, now);
        ModelPolicies::after(self.policies.as_ref(), &self.published, policy, place, times)
    }

    fn policies_at_last(&self, policy: &Policy) -> ModelPolicies {
        self.policies(policy, self.memory.evaluated_at.unwrap_or(DateTime::<Utc>::MIN_UTC))
    }

    /// Every instant in `(now, until]` at which a change is possible: the begin and the last second of each
    /// date, and each time at which reminders leave.
    fn instants(&self, policy: &Policy, now: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let zone = calendar::zone(self.contract.time_zone);
        let send_at = policy.reminders.as_ref().map_or(NaiveTime::MIN, |reminders| reminders.send_at);
        let chosen = self
            .books(&self.policies(policy, now))
            .answers
            .choice
            .and_then(|choice| choice.time)
            .unwrap_or(send_at);
        let mut instants = Vec::new();
        let mut date = calendar::business_date(zone, now);
        while calendar::begin(zone, date) <= until {
            instants.push(calendar::begin(zone, date));
            instants.push(calendar::local(zone, date, send_at));
            instants.push(calendar::local(zone, date, chosen));
            instants.push(calendar::last_second(zone, date));
            date = calendar::next(date);
        }
        instants.retain(|instant| *instant > now && *instant <= until);
        instants.sort_unstable();
        instants
    }
}

/// Compares evaluations at one instant after another with the evaluation before them.
struct Changes<'a> {
    course: &'a ModelCourse<'a>,
    before: ModelAssessment,
    /// The last evaluated day.
    seen: Option<(NaiveDate, ModelAssessment)>,
}

impl Changes<'_> {
    fn come_by(&mut self, then: DateTime<Utc>) -> bool {
        let (course, before) = (self.course, &self.before);
        let day = course.judged_day(then);
        let known = self.seen.take().filter(|(seen, _)| *seen == day);
        let (_, assessed) = self.seen.insert(known.unwrap_or_else(|| (day, course.judge(day))));
        assessed.stage != before.stage
            || assessed.restrictions != before.restrictions
            || assessed.class.as_ref().map(|class| &class.name)
                != before.class.as_ref().map(|class| &class.name)
            || assessed.imposes != before.imposes
            || course.memory.episode_on(course, day) != course.memory.episode
            || !reminders::due_reminders(course, assessed, then).is_empty()
    }
}
