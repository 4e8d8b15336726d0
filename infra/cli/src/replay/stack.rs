//! The engine over the whole stack: the embedded DynamoDB, its streams, the functions, SNS. The simulated
//! clock jumps from one moment to the next, and over firings that would find no due account.
//!
//! The decisions come from the messages on `account-events`, the daily lines from the accounts table. A
//! stored account status that the rules do not confirm ends the run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_app::{Clock, TransitionError};
use duewatch_domain::commands::PaymentReversed;
use duewatch_domain::contact::QueuedRequest;
use duewatch_domain::formats::DailyLines;
use duewatch_domain::kernel::{AccountId, CustomerId, EventId, Revision};
use duewatch_domain::kernel::{last_instant_of_day, plus_days, start_of_day};
use duewatch_domain::{Account, Command, Event, InboundMessage, Refusal, Trigger, Zone, assess};
use duewatch_stack::{Stack, StackClock, StackError, Transport, local_policy_key};
use duewatch_store::{
    Consumed, ContactOutcome, PaymentFact, ReversalFact, ReversalPut, Store, StoreError, Tables,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::moments::{Moment, MomentKind, happenings, zones};
use super::{EventStep, LineRecord, Opening, ReplayCase, ReplayError, Tally};
use crate::progress::Progress;

/// The most sweeps of one account between two moments. A ladder has at most 50 stages and 100 reminder steps,
/// each once an installment.
const MAX_FIRINGS: usize = 1_000_000;

/// Runs a case through a stack of its own.
///
/// # Errors
/// When an event is refused, a mapping gives up on a record, or the stack fails.
pub fn run_stack<'a>(
    case: &'a ReplayCase,
    daily: Option<&'a mut (dyn Write + Send + 'a)>,
    what: &'static str,
) -> Result<StackReport, ReplayError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let moments = all_moments(case);
        let begin = moments.first().map_or(DateTime::<Utc>::UNIX_EPOCH, |moment| moment.at);
        let stack = Stack::start(StackClock::simulated(begin), Transport::InProcess).await?.taking_facts();
        let mut run = StackRun::new(case, stack, daily);
        run.all(&moments, what).await?;
        run.report().await
    })
}

fn all_moments(case: &ReplayCase) -> Vec<Moment> {
    let mut moments = happenings(case, 0..case.openings.len(), 0..case.steps.len());
    for (zone, tz) in zones(case.openings.iter()).into_iter().enumerate() {
        let mut day = case.from;
        while day <= case.to {
            let at = start_of_day(tz, plus_days(day, 1));
            moments.push(Moment { at, what: MomentKind::DayOver { day, zone } });
            day = plus_days(day, 1);
        }
    }
    moments.sort_unstable();
    moments
}

/// The result of a run over a stack.
#[derive(Debug)]
pub struct StackReport {
    pub tally: Tally,
    /// The accounts in the table at the end, by id.
    pub accounts: Vec<Account>,
    /// Messages to borrowers and third-party contacts that arrived at SNS, by channel.
    pub reminders: BTreeMap<String, usize>,
    pub contacts: Contacts,
    /// The time from a payment's put into the payments table to the event of its lifted restriction, by the
    /// machine's clock.
    pub lift_times: Vec<Duration>,
    /// Revisions written.
    pub transitions: u64,
    /// The charged capacity, by operation and table.
    pub charged: BTreeMap<(&'static str, String), Consumed>,
    pub tables: Tables,
    pub(super) decisions: Vec<LineRecord>,
    /// The contact requests.
    pub(super) requests: Vec<LineRecord>,
}

/// The ends of contact requests in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Requests that a message covered.
    pub sent: usize,
    /// Requests that waited for the gate, whatever their end.
    pub deferred: usize,
    /// Requests that the gate suppressed.
    pub suppressed: usize,
    /// Requests whose reason had gone.
    pub withdrawn: usize,
}

fn kind_of(attributes: &BTreeMap<String, String>) -> &str {
    attributes.get("kind").map_or("", String::as_str)
}

/// Counts the contact records of the accounts' customers, and writes the contact requests of the run.
async fn contacts(
    case: &ReplayCase,
    store: &Store,
    accounts: &[Account],
) -> Result<(Contacts, Vec<LineRecord>), StoreError> {
    let customers: BTreeSet<&CustomerId> = accounts.iter().map(|account| &account.customer_id).collect();
    let mut contacts = Contacts::default();
    let mut requests = Vec::new();
    for customer_id in customers {
        let waiting = store.load_profile(customer_id).await?.requests;
        let record = store.contact_records(customer_id).await?;
        let all = || waiting.iter().chain(record.iter().map(|record| &record.request));
        contacts.deferred += all().filter(|queued| queued.waits_for.is_some()).count();
        let line = |queued: &QueuedRequest| {
            LineRecord::of_request(case, &queued.account_id, queued.revision, queued.borrower_request()?)
        };
        requests.extend(all().filter_map(line));
        for one in record {
            match one.outcome {
                ContactOutcome::Sent => contacts.sent += 1,
                ContactOutcome::Suppressed => contacts.suppressed += 1,
                ContactOutcome::Withdrawn => contacts.withdrawn += 1,
                ContactOutcome::Held | ContactOutcome::Unrenderable => {}
            }
        }
    }
    Ok((contacts, requests))
}

/// The earliest due instant in the indexes.
#[derive(Clone, Copy)]
enum EarliestDue {
    /// An item was written since the indexes were read.
    Unknown,
    /// `None` where nothing is due at any time.
    Known(Option<DateTime<Utc>>),
}

/// A run over a stack.
struct StackRun<'a> {
    case: &'a ReplayCase,
    stack: Stack,
    daily: Option<&'a mut (dyn Write + Send + 'a)>,
    zones: Vec<Zone>,
    view: HashMap<AccountId, View<'a>>,
    lines: BTreeMap<NaiveDate, DayLines>,
    seen: BTreeSet<(AccountId, Revision)>,
    tally: Tally,
    decisions: Vec<LineRecord>,
    reminders: BTreeMap<String, usize>,
    lift_times: Vec<Duration>,
    earliest_due: EarliestDue,
}

/// An account in the table as of its last change.
struct View<'a> {
    account: Account,
    lines: DailyLines<'a>,
}

/// The lines of a day, until it is over in every zone.
#[derive(Default)]
struct DayLines {
    zones_done: usize,
    lines: BTreeMap<AccountId, Vec<u8>>,
}

impl<'a> StackRun<'a> {
    fn new(case: &'a ReplayCase, stack: Stack, daily: Option<&'a mut (dyn Write + Send + 'a)>) -> Self {
        Self {
            case,
            stack,
            daily,
            zones: zones(case.openings.iter()),
            view: HashMap::new(),
            lines: BTreeMap::new(),
            seen: BTreeSet::new(),
            tally: Tally::default(),
            decisions: Vec::new(),
            reminders: BTreeMap::new(),
            lift_times: Vec::new(),
            earliest_due: EarliestDue::Unknown,
        }
    }

    async fn all(&mut self, moments: &[Moment], what: &'static str) -> Result<(), ReplayError> {
        let key = local_policy_key().map_err(StackError::from)?;
        for file in self.case.earlier.iter().chain([&self.case.policy]) {
            let store = self.stack.store();
            store.install_policy(&file.policy, &file.text, &key).await.map_err(StackError::from)?;
        }
        let mut progress = Progress::new(what, moments.len() as u64);
        for (done, moment) in moments.iter().enumerate() {
            match moment.what {
                MomentKind::DayOver { day, zone } => {
                    self.fire_until(moment.at - TimeDelta::nanoseconds(1)).await?;
                    self.day_over(day, zone).await?;
                }
                MomentKind::Open(place) => {
                    self.fire_until(moment.at).await?;
                    self.open(&self.case.openings[place]).await?;
                }
                MomentKind::Step(place) => {
                    self.fire_until(moment.at).await?;
                    self.step(&self.case.steps[place]).await?;
                }
            }
            progress.set(done as u64 + 1);
        }
        if let Some(end) = self.case.firings.end() {
            self.fire_until(end).await?;
        }
        Ok(())
    }

    async fn report(mut self) -> Result<StackReport, ReplayError> {
        self.refresh().await?;
        let mut accounts: Vec<Account> = self.view.into_values().map(|view| view.account).collect();
        accounts.sort_by(|one, other| one.account_id.cmp(&other.account_id));
        let store = self.stack.store();
        let contacts = contacts(self.case, store, &accounts).await;
        let (contacts, requests) = contacts.map_err(StackError::from)?;
        Ok(StackReport {
            contacts,
            tally: self.tally,
            transitions: accounts.iter().map(|account| account.revision.0).sum(),
            accounts,
            reminders: self.reminders,
            lift_times: self.lift_times,
            charged: store.meter().read(),
            tables: store.tables().clone(),
            decisions: self.decisions,
            requests,
        })
    }

    /// Fires the sweep whenever an account is due.
    async fn fire_until(&mut self, until: DateTime<Utc>) -> Result<(), ReplayError> {
        let mut fired: Option<DateTime<Utc>> = None;
        for _ in 0..MAX_FIRINGS {
            let due = match self.earliest_due {
                EarliestDue::Known(due) => due,
                EarliestDue::Unknown => self.stack.earliest_due()?,
            };
            self.earliest_due = EarliestDue::Known(due);
            // What a firing finds due and leaves as it is, the next one finds again: a last second ends.
            let again = fired.map(|fired| fired + TimeDelta::nanoseconds(1));
            let firing =
                due.map(|due| self.case.firings.at_or_after(again.map_or(due, |again| due.max(again))));
            let Some(firing) = firing.filter(|at| *at <= until) else { break };
            fired = Some(firing);
            self.stack.clock().set(firing);
            self.stack.fire_sweeps().await?;
            self.drain(None).await?;
        }
        Ok(())
    }

    async fn open(&mut self, opening: &Opening) -> Result<(), ReplayError> {
        self.stack.clock().set(opening.opens_at);
        let cause = if opening.by_event { Trigger::Fact } else { Trigger::Time };
        let transitions = self.stack.transitions();
        let account = opening.account.clone();
        let account_id = account.account_id.clone();
        transitions.create(account, opening.opens_at, cause).await.map_err(|error| match error {
            TransitionError::Store(error) => ReplayError::from(StackError::from(error)),
            TransitionError::Refused(refusal) => {
                ReplayError::Unopened { account_id: account_id.clone(), refusal }
            }
        })?;
        for (at, command) in &opening.payments {
            self.pay(&account_id, command, *at).await?;
        }
        self.drain(None).await
    }

    async fn step(&mut self, step: &EventStep) -> Result<(), ReplayError> {
        self.stack.clock().set(step.at);
        let account_id = self.case.openings[step.account].account.account_id.clone();
        let (begun, lifted) = (Instant::now(), self.tally.lifted);
        let refused = match &step.command {
            Command::PaymentReceived(_) | Command::PaymentReversed(_) => {
                self.pay(&account_id, &step.command, step.received_at).await?
            }
            command => {
                self.send(&account_id, command, step).await?;
                None
            }
        };
        if let Some(refusal) = refused {
            return Err(self.case.refused(step, &refusal));
        }
        self.drain(Some(step)).await?;
        if matches!(step.command, Command::PaymentReceived(_)) && self.tally.lifted > lifted {
            self.lift_times.push(begun.elapsed());
        }
        Ok(())
    }

    /// Sends a command as the lender's other systems do; the functions learn of it from the queue alone.
    async fn send(
        &self,
        account_id: &AccountId,
        command: &Command,
        step: &EventStep,
    ) -> Result<(), ReplayError> {
        let event_id: EventId = format!("line-{}", step.line)
            .parse()
            .map_err(|error: duewatch_domain::kernel::NoId| StackError::Engine(error.to_string()))?;
        let event = Event { at: step.received_at, account_id: account_id.clone(), command: command.clone() };
        self.stack.send_to_intake(&InboundMessage::of_core(event_id, event)).await?;
        Ok(())
    }

    /// Writes a payment as the lender's payment system does; the functions learn of it from the stream alone.
    async fn pay(
        &self,
        account_id: &AccountId,
        command: &Command,
        at: DateTime<Utc>,
    ) -> Result<Option<Refusal>, ReplayError> {
        let store = self.stack.store();
        let done: Result<Option<Refusal>, StoreError> = match command {
            Command::PaymentReceived(payment) => {
                let fact = PaymentFact::received(account_id.clone(), payment, at);
                store.record_payment(&fact).await.map(|()| None)
            }
            Command::PaymentReversed(PaymentReversed { payment_id, amount, dated }) => {
                let reversal = ReversalFact::of(at, *amount, *dated);
                let put = store.record_reversal(account_id, payment_id, reversal).await;
                put.map(|put| match put {
                    ReversalPut::New | ReversalPut::Known => None,
                    ReversalPut::NoPayment => Some(Refusal::UnknownPayment(payment_id.clone())),
                    ReversalPut::Beyond(left) => Some(Refusal::ReversedBeyond {
                        payment_id: payment_id.clone(),
                        amount: amount.unwrap_or(left),
                        left,
                    }),
                })
            }
            _ => Ok(None),
        };
        Ok(done.map_err(StackError::from)?)
    }

    /// Pumps the streams empty and takes the messages that reached SNS.
    async fn drain(&mut self, step: Option<&EventStep>) -> Result<(), ReplayError> {
        self.earliest_due = EarliestDue::Unknown;
        self.stack.drain().await?;
        if let Some(given_up) = self.stack.given_up().next() {
            return Err(ReplayError::GivenUp {
                mapping: given_up.mapping.clone(),
                reason: given_up.reason.clone(),
            });
        }
        for message in self.stack.services().sns.take() {
            match message.attributes.get("type").map(String::as_str) {
                Some("duewatch.account.changed.v1") => self.take(&message.message)?,
                Some("duewatch.contact.due.v1") => {
                    let channel = message.attributes.get("channel").cloned().unwrap_or_default();
                    *self.reminders.entry(channel).or_default() += 1;
                }
                // An unreachable borrower is a normal result of a run.
                Some("duewatch.operations.v1") if kind_of(&message.attributes) != "no_channel" => {
                    return Err(self.alerted(step).await?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, body: &str) -> Result<(), ReplayError> {
        #[derive(Deserialize)]
        struct PublishedBody<'b> {
            #[serde(borrow)]
            data: PublishedData<'b>,
        }
        #[derive(Deserialize)]
        struct PublishedData<'b> {
            #[serde(borrow)]
            decision: &'b RawValue,
        }
        #[derive(Deserialize)]
        struct PublishedDecision {
            at: DateTime<Utc>,
            account_id: AccountId,
            revision: Revision,
            applied: Vec<serde_json::Value>,
            lifted: Vec<serde_json::Value>,
        }
        let unread = |error: serde_json::Error| StackError::Engine(format!("account event: {error}"));
        let body: PublishedBody<'_> = serde_json::from_str(body).map_err(unread)?;
        let line = body.data.decision.get();
        let decision: PublishedDecision = serde_json::from_str(line).map_err(unread)?;
        let in_run = self.case.opening_of(&decision.account_id).is_some_and(|one| {
            let begins = self.case.begins(one.account.time_zone);
            begins <= decision.at && decision.at < one.closes_before
        });
        if in_run && self.seen.insert((decision.account_id.clone(), decision.revision)) {
            self.tally.add(Tally::of(!decision.applied.is_empty(), !decision.lifted.is_empty()));
            self.decisions.push(LineRecord {
                at: decision.at,
                account_id: decision.account_id,
                revision: decision.revision,
                line: line.to_owned(),
            });
        }
        Ok(())
    }

    /// The error of an alert at `operations`: in a replay it means a refused record.
    async fn alerted(&self, step: Option<&EventStep>) -> Result<ReplayError, ReplayError> {
        let now = self.stack.clock().now();
        let quarantined =
            self.stack.store().quarantined_on(now.date_naive()).await.map_err(StackError::from)?;
        let reason = quarantined
            .into_iter()
            .next_back()
            .map_or_else(|| "a restriction was held".to_owned(), |record| record.reason);
        Ok(match step {
            Some(step) => self.case.refused(step, &reason),
            None => ReplayError::GivenUp { mapping: "operations".to_owned(), reason },
        })
    }

    async fn day_over(&mut self, day: NaiveDate, zone: usize) -> Result<(), ReplayError> {
        self.refresh().await?;
        let tz = self.zones[zone];
        let day_lines = self.lines.entry(day).or_default();
        for opening in self.case.openings.iter().filter(|one| one.account.time_zone == tz) {
            let Some(view) = self.view.get_mut(&opening.account.account_id) else { continue };
            confirm(&view.account, self.case, day)?;
            if day >= opening.first_day && self.daily.is_some() {
                let line = day_lines.lines.entry(opening.account.account_id.clone()).or_default();
                view.lines.write(&view.account, day, line);
            }
        }
        day_lines.zones_done += 1;
        while let Some(entry) = self.lines.first_entry() {
            if entry.get().zones_done < self.zones.len() {
                break;
            }
            let done = entry.remove();
            if let Some(output) = &mut self.daily {
                for line in done.lines.values() {
                    output.write_all(line)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the changed accounts of the table again.
    async fn refresh(&mut self) -> Result<(), ReplayError> {
        for account_id in self.stack.take_touched_accounts() {
            let Ok(account_id) = account_id.parse::<AccountId>() else { continue };
            let stored = self.stack.store().account(&account_id).await.map_err(StackError::from)?;
            if let Some(stored) = stored {
                let lines = DailyLines::new(&stored.account, &self.case.versions);
                self.view.insert(account_id, View { account: stored.account, lines });
            }
        }
        Ok(())
    }
}

/// Checks that the rules confirm the stored account status, and that no sweep has missed the account.
fn confirm(account: &Account, case: &ReplayCase, day: NaiveDate) -> Result<(), ReplayError> {
    let end = last_instant_of_day(account.time_zone, day);
    let due = account.due_at();
    let missed = due.is_some_and(|due| case.firings.at_or_after(due) <= end);
    if due.is_some_and(|due| due <= end) && !missed {
        // The next firing comes after the day's end.
        return Ok(());
    }
    let assessed = assess(account, case.versions.timeline(account, end), end);
    if !missed && account.status.stage.as_str() == assessed.stage_name() {
        return Ok(());
    }
    Err(ReplayError::Unconfirmed {
        account_id: account.account_id.clone(),
        stored: account.status.stage.to_string(),
        assessed: assessed.stage_name().to_owned(),
        day,
    })
}
