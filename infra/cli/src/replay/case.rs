//! A case: a policy, a portfolio and its events, prepared for a run.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::commands::AccountOpened;
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::{AccountId, CustomerId};
use duewatch_domain::kernel::{
    FIRST_DATE, LAST_DATE, business_date, last_instant_of_day, plus_days, start_of_day,
};
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Command, Contract, Event, Refusal, Zone};

use super::ReplayError;
use crate::firings::Firings;
use crate::input::{BookFormat, NumberedLine, PolicyFile, read_events, read_policy, read_whole_book};

/// The files of a case.
#[derive(Clone, Debug)]
pub struct CaseFiles {
    /// The versions of the policy, as TOML.
    pub policies: Vec<PathBuf>,
    pub book: PathBuf,
    /// `None`: as the portfolio file's name says.
    pub format: Option<BookFormat>,
    pub events: PathBuf,
}

/// The complete input of a run.
#[derive(Clone, Debug)]
pub struct ReplayCase {
    /// The policy that assesses every account, whatever policy the portfolio names: its latest version.
    pub policy: PolicyFile,
    /// The versions before, oldest first.
    pub earlier: Vec<PolicyFile>,
    /// All versions.
    pub versions: Versions,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The accounts, by id.
    pub openings: Vec<Opening>,
    /// The events from the openings of their accounts on, in the order of `at`.
    pub steps: Vec<EventStep>,
    /// The firings of the sweep.
    pub firings: Firings,
    /// The events file, for error messages.
    pub events_path: PathBuf,
}

/// The opening of an account in a run.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The account with all its events before its opening.
    pub account: Account,
    /// The payments and reversals among these, for the payments table.
    pub payments: Vec<(DateTime<Utc>, Command)>,
    /// The number of these events.
    pub facts: usize,
    /// When the account comes into the run.
    pub opens_at: DateTime<Utc>,
    /// Whether an event opens it, rather than the portfolio.
    pub by_event: bool,
    /// The first day that has a line.
    pub first_day: NaiveDate,
    /// The first instant after the account's last day.
    pub closes_before: DateTime<Utc>,
}

/// An event of the run.
#[derive(Clone, Debug)]
pub struct EventStep {
    /// The line in the events file.
    pub line: u64,
    /// The index of its account in [`ReplayCase::openings`].
    pub account: usize,
    /// When it becomes known.
    pub at: DateTime<Utc>,
    /// `at`, later by a nanosecond for each earlier event of that account at that instant: equal instants
    /// keep the file's order.
    pub received_at: DateTime<Utc>,
    pub command: Command,
}

impl ReplayCase {
    /// Reads and prepares a case.
    ///
    /// # Errors
    /// When a file is unusable, or an event before the first day is refused.
    pub fn read(
        files: &CaseFiles,
        from: NaiveDate,
        to: NaiveDate,
        sweep_every: TimeDelta,
    ) -> Result<Self, ReplayError> {
        let policies = files.policies.iter().map(|path| read_policy(path)).collect::<Result<Vec<_>, _>>()?;
        let book = read_whole_book(&files.book, BookFormat::of(&files.book, files.format))?;
        let events = read_events(&files.events)?;
        Self::new(policies, &book, events, files.events.clone(), from, to, sweep_every)
    }

    /// Prepares a case.
    ///
    /// # Errors
    /// When an event before the first day is refused, or its account is unknown.
    pub fn new(
        mut policies: Vec<PolicyFile>,
        book: &[NumberedLine<Contract>],
        mut events: Vec<NumberedLine<Event>>,
        events_path: PathBuf,
        from: NaiveDate,
        to: NaiveDate,
        sweep_every: TimeDelta,
    ) -> Result<Self, ReplayError> {
        if to < from {
            return Err(ReplayError::NoDays { from, to });
        }
        if from < FIRST_DATE || to > LAST_DATE {
            return Err(ReplayError::DaysOutOfRange { from, to });
        }
        policies.sort_by_key(|file| file.policy.version);
        let versions = Versions::new(policies.iter().map(|file| file.policy.clone()).collect());
        let (Some(policy), Some(versions)) = (policies.pop(), versions) else {
            return Err(ReplayError::Versions { problem: "a run needs a policy".to_owned() });
        };
        check_versions(&policies, &policy)?;
        events.sort_by_key(|event| event.value.at);
        let mut layout = Layout {
            versions: &versions,
            from,
            to,
            openings: Vec::with_capacity(book.len()),
            places: HashMap::with_capacity(book.len()),
            steps: Vec::with_capacity(events.len()),
            last_known: HashMap::new(),
        };
        for line in book {
            // The portfolio was checked when it was read.
            let opened = layout.open(&line.value, None);
            opened.map_err(|refusal| refused(&events_path, line.line, "book", &refusal))?;
        }
        for event in events {
            let name = event.value.command.name();
            layout
                .take(event.line, event.value)
                .map_err(|refusal| refused(&events_path, event.line, name, &refusal))?;
        }
        let Layout { openings, steps, .. } = layout;
        let zones = openings.iter().map(|opening| opening.account.time_zone);
        let closing = zones.map(|zone| last_instant_of_day(zone, to)).collect();
        let mut case = Self {
            policy,
            earlier: policies,
            versions,
            from,
            to,
            openings,
            steps,
            firings: Firings::new(sweep_every, closing),
            events_path,
        };
        case.sort_by_account();
        Ok(case)
    }

    /// The instant from which on decisions are reported.
    #[must_use]
    pub fn begins(&self, zone: Zone) -> DateTime<Utc> {
        start_of_day(zone, self.from)
    }

    /// The opening of an account.
    #[must_use]
    pub fn opening_of(&self, account_id: &AccountId) -> Option<&Opening> {
        let place = self.openings.binary_search_by(|one| one.account.account_id.cmp(account_id)).ok()?;
        self.openings.get(place)
    }

    /// Whether one account of a customer can restrict the others.
    #[must_use]
    pub fn judges_together(&self) -> bool {
        self.versions.iter().any(|policy| policy.customer.is_some())
    }

    /// The indices of each customer's accounts in [`ReplayCase::openings`].
    #[must_use]
    pub fn by_customer(&self) -> BTreeMap<&CustomerId, Vec<usize>> {
        let mut by_customer: BTreeMap<&CustomerId, Vec<usize>> = BTreeMap::new();
        for (place, opening) in self.openings.iter().enumerate() {
            by_customer.entry(&opening.account.customer_id).or_default().push(place);
        }
        by_customer
    }

    /// Checks the number of each customer's accounts, where one can restrict the others.
    ///
    /// # Errors
    /// When a customer has more than can be assessed together.
    pub fn check_customers(&self) -> Result<(), ReplayError> {
        if !self.judges_together() {
            return Ok(());
        }
        let too_many = |places: &Vec<usize>| places.len() > MAX_ACCOUNTS_OF_CUSTOMER;
        match self.by_customer().into_iter().find(|(_, places)| too_many(places)) {
            Some((customer_id, _)) => Err(ReplayError::TooManyAccounts {
                customer_id: customer_id.clone(),
                refusal: Refusal::TooManyAccounts,
            }),
            None => Ok(()),
        }
    }

    /// The refusal of a step, with its line.
    #[must_use]
    pub fn refused(&self, step: &EventStep, refusal: &impl std::fmt::Display) -> ReplayError {
        refused(&self.events_path, step.line, step.command.name(), refusal)
    }

    fn sort_by_account(&mut self) {
        let mut order: Vec<usize> = (0..self.openings.len()).collect();
        order.sort_by(|one, other| {
            self.openings[*one].account.account_id.cmp(&self.openings[*other].account.account_id)
        });
        let mut place_of = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place_of[*old] = new;
        }
        for step in &mut self.steps {
            step.account = place_of[step.account];
        }
        self.openings.sort_by(|one, other| one.account.account_id.cmp(&other.account.account_id));
    }
}

/// The versions of one policy, each with a number of its own.
fn check_versions(earlier: &[PolicyFile], latest: &PolicyFile) -> Result<(), ReplayError> {
    let mut versions = earlier.iter().chain([latest]).map(|file| &file.policy);
    let Some(mut before) = versions.next() else { return Ok(()) };
    for policy in versions {
        if policy.id != before.id || policy.version == before.version {
            let problem = format!(
                "{} and {} are not two versions of one policy",
                before.reference(),
                policy.reference()
            );
            return Err(ReplayError::Versions { problem });
        }
        before = policy;
    }
    Ok(())
}

fn refused(
    path: &std::path::Path,
    line: u64,
    command: &'static str,
    refusal: &impl std::fmt::Display,
) -> ReplayError {
    ReplayError::Refused { path: path.to_owned(), line, command, refusal: refusal.to_string() }
}

struct Layout<'a> {
    versions: &'a Versions,
    from: NaiveDate,
    to: NaiveDate,
    openings: Vec<Opening>,
    places: HashMap<AccountId, usize>,
    steps: Vec<EventStep>,
    last_known: HashMap<usize, (DateTime<Utc>, DateTime<Utc>)>,
}

impl Layout<'_> {
    fn open(&mut self, contract: &Contract, at: Option<DateTime<Utc>>) -> Result<usize, Refusal> {
        let mut account = Account::open(contract)?;
        account.policy_id = self.versions[0].id.clone();
        let zone = account.time_zone;
        // An account is judged from its opening on, before the first day in silence: a run that begins in the middle
        // writes the same lines as one from the start.
        let opens_at = at.unwrap_or_else(|| start_of_day(zone, account.opened_on));
        let place = self.openings.len();
        self.places.insert(account.account_id.clone(), place);
        self.openings.push(Opening {
            first_day: account.opened_on.max(self.from).max(business_date(zone, opens_at)),
            closes_before: start_of_day(zone, plus_days(self.to, 1)),
            by_event: at.is_some(),
            account,
            payments: Vec::new(),
            facts: 0,
            opens_at,
        });
        Ok(place)
    }

    fn take(&mut self, line: u64, event: Event) -> Result<(), Refusal> {
        let Event { at, account_id, command } = event;
        let place = match (self.places.get(&account_id), &command) {
            (Some(place), _) => *place,
            (None, Command::AccountOpened(AccountOpened { account: contract })) => {
                let late = business_date(contract.time_zone, at) > self.to;
                let place = self.open(contract, Some(at))?;
                if late {
                    // The account is known from now on, but never comes into the run.
                    self.openings[place].opens_at = DateTime::<Utc>::MAX_UTC;
                }
                return Ok(());
            }
            (None, _) => return Err(Refusal::UnknownAccount(account_id)),
        };
        let received_at = self.received_at(place, at);
        let opening = &mut self.openings[place];
        let is_before = at < opening.opens_at;
        let day = business_date(opening.account.time_zone, at);
        let command = match command {
            Command::AccountOpened(mut opened) => {
                opened.account.policy_id = self.versions[0].id.clone();
                Command::AccountOpened(opened)
            }
            other => other,
        };
        if is_before {
            let timeline = self.versions.timeline(&opening.account, received_at);
            opening.account.apply_under(&command, received_at, Some(&timeline))?;
            opening.facts += 1;
            if matches!(command, Command::PaymentReceived(_) | Command::PaymentReversed(_)) {
                opening.payments.push((received_at, command));
            }
        } else if day <= self.to {
            self.steps.push(EventStep { line, account: place, at, received_at, command });
        }
        Ok(())
    }

    fn received_at(&mut self, place: usize, at: DateTime<Utc>) -> DateTime<Utc> {
        let received_at = match self.last_known.get(&place) {
            Some((last, received)) if *last == at => *received + TimeDelta::nanoseconds(1),
            _ => at,
        };
        self.last_known.insert(place, (at, received_at));
        received_at
    }
}
