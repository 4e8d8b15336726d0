//! The rules once more, written apart: what a simulation checks duewatch against.
//!
//! It is deliberately naive. It keeps the contract and the list of facts and nothing
//! else, derives everything from them each time it is asked, counts days one by one and
//! looks for the next change by trying one instant after another. It uses the domain's
//! plain data and none of its rules, so that a mistake would have to be made twice, in
//! two different ways, to stay unseen.
//!
//! ```text
//! calendar.rs   when a date begins, which date counts
//! books.rs      from the facts to what is owed and what is paid of it
//! course.rs     from what is owed to a day's figures and stage
//! reminders.rs  whom to tell
//! ```

mod books;
mod calendar;
mod course;
mod reminders;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use duewatch_domain::Policy;
use duewatch_domain::account::Label;
use duewatch_domain::command::{Command, Contract};
use duewatch_domain::ids::PaymentId;
use duewatch_domain::money::Money;
use duewatch_domain::policy::Restriction;

use self::books::Books;
pub use self::books::Debt;
use self::course::Course;
pub use self::reminders::Reminder;

/// An account as the model knows it: how it began, and what became known since.
#[derive(Clone, Debug)]
pub struct Model {
    contract: Contract,
    facts: Vec<Fact>,
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
    /// What the account may not do.
    pub restrictions: Vec<Restriction>,
    /// The first day on which the stage holds; none: `current`.
    pub holds_since: Option<NaiveDate>,
    /// Days since the oldest due date that still owes.
    pub days_past_due: u32,
    /// The same without grace and paused days.
    pub delinquent_days: u32,
    /// What is unpaid of what is past due.
    pub overdue: Money,
    /// The oldest due date past due that still owes.
    pub oldest_due_on: Option<NaiveDate>,
    /// What is unpaid in all.
    pub outstanding: Money,
    /// How many installments past due still owe.
    pub unpaid_installments: u32,
}

impl Model {
    /// An account under its contract, of which nothing else is known.
    #[must_use]
    pub fn open(contract: &Contract) -> Self {
        Self { contract: contract.clone(), facts: Vec::new() }
    }

    /// Takes a command that was not refused, and when it became known: of a payment, when
    /// it was received. What comes twice counts once.
    pub fn take(&mut self, command: &Command, at: DateTime<Utc>) {
        self.facts.push(Fact { at, command: command.clone() });
    }

    /// Whether a payment of that id was ever taken.
    #[must_use]
    pub fn knows_payment(&self, id: &PaymentId) -> bool {
        self.facts.iter().any(|fact| match &fact.command {
            Command::PaymentReceived(received) => received.payment_id == *id,
            _ => false,
        })
    }

    /// What still owes, due or not, by due date, then number.
    #[must_use]
    pub fn debts(&self) -> Vec<Debt> {
        self.books().debts()
    }

    /// Whether that installment still owes: a reminder about it has its reason.
    #[must_use]
    pub fn owes(&self, label: &Label) -> bool {
        self.debts().iter().any(|debt| debt.label == *label)
    }

    /// What a policy makes of the facts at `now`.
    #[must_use]
    pub fn judge(&self, policy: &Policy, now: DateTime<Utc>) -> Judged {
        let course = Course::of(&self.books(), policy);
        course.judge(course.judged_day(now))
    }

    /// The reminders that were planned later than `after` and by `now`, and are owed at
    /// `now`: one a channel. `after` is when somebody looked last; nothing is owed from
    /// before anybody did.
    #[must_use]
    pub fn reminders(
        &self,
        policy: &Policy,
        after: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Vec<Reminder> {
        let Some(after) = after else { return Vec::new() };
        let course = Course::of(&self.books(), policy);
        reminders::owed(&course, &course.judge(course.judged_day(now)), after, now)
    }

    /// The first instant after `now` and not after `until` at which time alone brings
    /// another stage, other restrictions or a reminder.
    #[must_use]
    pub fn next_change(
        &self,
        policy: &Policy,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let course = Course::of(&self.books(), policy);
        let today = course.judged_day(now);
        let before = course.judge(today);
        let (mut day, mut judged) = (today, before.clone());
        self.instants(policy, now, until).into_iter().find(|instant| {
            if course.judged_day(*instant) != day {
                day = course.judged_day(*instant);
                judged = course.judge(day);
            }
            judged.stage != before.stage
                || judged.restrictions != before.restrictions
                || !reminders::owed(&course, &judged, now, *instant).is_empty()
        })
    }

    fn books(&self) -> Books {
        Books::of(&self.contract, &self.facts)
    }

    /// Every instant in `(now, until]` at which something could happen: each date's begin
    /// and last second, and each time at which reminders leave.
    fn instants(&self, policy: &Policy, now: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let zone = calendar::zone(self.contract.time_zone);
        let send_at = policy.reminders.as_ref().map_or(NaiveTime::MIN, |reminders| reminders.send_at);
        let mut instants = Vec::new();
        let mut date = calendar::business_date(zone, now);
        while calendar::begin(zone, date) <= until {
            instants.push(calendar::begin(zone, date));
            instants.push(calendar::local(zone, date, send_at));
            instants.push(calendar::last_second(zone, date));
            date = calendar::next(date);
        }
        instants.retain(|instant| *instant > now && *instant <= until);
        instants.sort_unstable();
        instants
    }
}
