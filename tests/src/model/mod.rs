//! The rules once more, written apart: what a simulation checks duewatch against.
//!
//! It is deliberately naive. It keeps the contract and the list of facts, derives everything
//! from them each time it is asked, counts days one by one and looks for the next change by
//! trying one instant after another. Beside the facts it only remembers what was found when
//! somebody looked, for lapses and notices are judged on what was known at the time; whoever
//! looks tells it so. It uses the domain's plain data and none of its rules, so that a mistake
//! would have to be made twice, in two different ways, to stay unseen.
//!
//! ```text
//! calendar.rs   when a date begins, which date counts
//! books.rs      from the facts to what is owed and what is paid of it
//! recorded.rs   causes, scores, payments under way
//! answers.rs    promises, disputes, choices of borrowers, reports to a bureau
//! memory.rs     what was found by those who looked
//! ledger.rs     what is owed where it matters when money came, with its late fee
//! classes.rs    the regulatory class
//! course.rs     from what is owed to a day's figures, stage and restrictions
//! reminders.rs  whom to tell
//! ```

mod answers;
mod books;
mod calendar;
mod classes;
mod course;
mod ledger;
mod memory;
mod recorded;
mod reminders;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::Label;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::commands::{Command, Contract};
use duewatch_domain::kernel::Money;
use duewatch_domain::kernel::{AccountId, PaymentId};
use duewatch_domain::policy::Restriction;

use self::books::Books;
pub use self::books::Debt;
pub use self::classes::Classified;
use self::course::Course;
use self::ledger::Ledger;
use self::memory::{Memory, Noticed};
pub use self::reminders::Reminder;

/// An account as the model knows it: how it began, and what became known since.
#[derive(Clone, Debug)]
pub struct Model {
    contract: Contract,
    facts: Vec<Fact>,
    memory: Memory,
    /// What the customer's other accounts ask of it, by account.
    asked: BTreeMap<AccountId, Vec<Restriction>>,
}

/// A command that was taken.
#[derive(Clone, Debug)]
struct Fact {
    at: DateTime<Utc>,
    command: Command,
}

/// What the model says of an account at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The stage's name, `current` at the bottom.
    pub stage: String,
    /// The first of the days on which it is that stage; none: it was never another.
    pub holds_since: Option<NaiveDate>,
    /// The stage whose restrictions are in force, `current` for none.
    pub restricting: String,
    /// The first of the days on which it is that one; none: it was never another.
    pub restricted_since: Option<NaiveDate>,
    /// What the account may not do.
    pub restrictions: Vec<Restriction>,
    /// What the customer's other accounts may not do because of it.
    pub asks: Vec<Restriction>,
    /// Days since the oldest due date that still owes.
    pub days_past_due: u32,
    /// The same without grace and paused days.
    pub delinquent_days: u32,
    /// What is unpaid of what is past due, with its late fee.
    pub overdue: Money,
    /// The oldest due date past due that still owes.
    pub oldest_due_on: Option<NaiveDate>,
    /// What is unpaid in all.
    pub outstanding: Money,
    /// What is unpaid of the late fee; none: the policy has none.
    pub late_fee: Option<Money>,
    /// How many installments past due still owe.
    pub unpaid_installments: u32,
    /// The regulatory class; none: the policy has no classes, or it is the normal one.
    pub class: Option<Classified>,
}

impl Model {
    /// An account under its contract, of which nothing else is known.
    #[must_use]
    pub fn open(contract: &Contract) -> Self {
        Self {
            contract: contract.clone(),
            facts: Vec::new(),
            memory: Memory::default(),
            asked: BTreeMap::new(),
        }
    }

    /// Takes a command that was not refused, and when it became known: of a payment, when
    /// it was received. What comes twice counts once.
    pub fn take(&mut self, command: &Command, at: DateTime<Utc>) {
        if let Command::NoticeSent(of) = command {
            self.memory.note(Noticed { of: of.clone(), planned_at: at, left_at: Some(at) });
        }
        self.facts.push(Fact { at, command: command.clone() });
    }

    /// The customer's other accounts ask this now, and nothing else.
    pub fn heed(&mut self, asked: impl IntoIterator<Item = (AccountId, Vec<Restriction>)>) {
        self.asked = asked.into_iter().collect();
    }

    /// Somebody looks at `now`, and plans the notices that are owed. No look is before another.
    pub fn looked(&mut self, policy: &Policy, now: DateTime<Utc>) {
        let course = self.course(policy, now);
        let day = course.judged_day(now);
        let lapse = self.memory.lapse_on(&course, day);
        let classes = self.memory.classes_on(&course, day);
        let owed = reminders::owed(&course, &course.judge(day), now);
        self.memory.planned(&owed);
        self.memory.lapse = lapse;
        self.memory.classes = classes;
        self.memory.looked_at = Some(now);
    }

    /// A notice of something else than a stage is planned.
    pub fn announced(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>) {
        self.memory.note(Noticed { of: of.clone(), planned_at, left_at: None });
    }

    /// A notice that was planned for `planned_at` has left.
    pub fn notice_left(&mut self, of: &NoticeOf, planned_at: DateTime<Utc>, at: DateTime<Utc>) {
        self.memory.left(of, planned_at, at);
    }

    /// The last notice of each thing: when it was planned, and when it left, as far as is known.
    pub fn notices(&self) -> impl Iterator<Item = (&NoticeOf, DateTime<Utc>, Option<DateTime<Utc>>)> {
        self.memory.notices.iter().map(|notice| (&notice.of, notice.planned_at, notice.left_at))
    }

    /// The first day of the lapse that goes on, and the day on which the one before it was
    /// found to be over.
    #[must_use]
    pub fn lapse(&self) -> (Option<NaiveDate>, Option<NaiveDate>) {
        (self.memory.lapse.since, self.memory.lapse.over_on)
    }

    /// The date on the account's calendar.
    #[must_use]
    pub fn date(&self, now: DateTime<Utc>) -> NaiveDate {
        calendar::business_date(calendar::zone(self.contract.time_zone), now)
    }

    /// Whether a payment of that id was ever taken.
    #[must_use]
    pub fn knows_payment(&self, id: &PaymentId) -> bool {
        self.facts.iter().any(|fact| match &fact.command {
            Command::PaymentReceived(received) => received.payment_id == *id,
            _ => false,
        })
    }

    /// What still owes, due or not, by the date by which it is to be paid, then as the contract
    /// has it; with the money that came, and credit that waits where nothing else comes.
    #[must_use]
    pub fn debts(&self, policy: &Policy) -> Vec<Debt> {
        Ledger::of(&self.books(), policy, self.contract.opened_on).debts
    }

    /// Whether that installment still owes: a reminder about it has its reason.
    #[must_use]
    pub fn owes(&self, policy: &Policy, label: &Label) -> bool {
        self.debts(policy).iter().any(|debt| debt.label == *label)
    }

    /// What a policy makes of the facts at `now`.
    #[must_use]
    pub fn judge(&self, policy: &Policy, now: DateTime<Utc>) -> Judged {
        let course = self.course(policy, now);
        course.judge(course.judged_day(now))
    }

    /// The reminders and notices that are owed at `now` to whoever looks then: reminders were
    /// planned since somebody looked last, and none is owed from before anybody did.
    #[must_use]
    pub fn reminders(&self, policy: &Policy, now: DateTime<Utc>) -> Vec<Reminder> {
        let course = self.course(policy, now);
        reminders::owed(&course, &course.judge(course.judged_day(now)), now)
    }

    /// Whether time alone brings another stage, other restrictions, here or on the customer's
    /// other accounts, a lapse or a reminder
    /// between a look at `now` and one at `then`, when `next` is the policy that binds.
    #[must_use]
    pub fn changes(
        &self,
        (policy, now): (&Policy, DateTime<Utc>),
        (next, then): (&Policy, DateTime<Utc>),
    ) -> bool {
        let mut seen = self.clone();
        seen.looked(policy, now);
        let before = seen.judge(policy, now);
        let course = seen.course(next, then);
        Changes { before, seen: None, course: &course }.come_by(then)
    }

    /// The first instant after `now` and not after `until` at which it does.
    #[must_use]
    pub fn next_change(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut seen = self.clone();
        seen.looked(policy, now);
        let course = seen.course(policy, until);
        let before = course.judge(course.judged_day(now));
        let mut changes = Changes { before, seen: None, course: &course };
        self.instants(policy, now, until).into_iter().find(|instant| changes.come_by(*instant))
    }

    /// How the account fares, looked at up to an instant.
    fn course<'p>(&self, policy: &'p Policy, until: DateTime<Utc>) -> Course<'p> {
        Course::of(&self.books(), policy, &self.memory, &self.asked, until)
    }

    fn books(&self) -> Books {
        Books::of(&self.contract, &self.facts)
    }

    /// Every instant in `(now, until]` at which something could happen: each date's begin
    /// and last second, and each time at which reminders leave.
    fn instants(&self, policy: &Policy, now: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let zone = calendar::zone(self.contract.time_zone);
        let send_at = policy.reminders.as_ref().map_or(NaiveTime::MIN, |reminders| reminders.send_at);
        let chosen = self.books().answers.choice.and_then(|choice| choice.time).unwrap_or(send_at);
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

/// What is found by looking one instant after another, beside what was found before.
struct Changes<'a> {
    course: &'a Course<'a>,
    before: Judged,
    /// The day that was looked at last.
    seen: Option<(NaiveDate, Judged)>,
}

impl Changes<'_> {
    fn come_by(&mut self, then: DateTime<Utc>) -> bool {
        let (course, before) = (self.course, &self.before);
        let day = course.judged_day(then);
        let known = self.seen.take().filter(|(seen, _)| *seen == day);
        let (_, judged) = self.seen.insert(known.unwrap_or_else(|| (day, course.judge(day))));
        judged.stage != before.stage
            || judged.restrictions != before.restrictions
            || judged.class.as_ref().map(|class| &class.name)
                != before.class.as_ref().map(|class| &class.name)
            || judged.asks != before.asks
            || course.memory.lapse_on(course, day) != course.memory.lapse
            || !reminders::owed(course, judged, then).is_empty()
    }
}
