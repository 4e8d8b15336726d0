//! The past of a portfolio: what its accounts have lived through before duewatch holds them.
//!
//! Past payments are written into the payments table, like all money, and then stand in the account from its first
//! revision on. So nobody is reminded of what was paid, and the daily reconciliation finds each payment in the table.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use duewatch_app::{TransitionError, TransitionOutcome, Transitions};
use duewatch_domain::commands::PaymentReversed;
use duewatch_domain::formats::FormatError;
use duewatch_domain::kernel::AccountId;
use duewatch_domain::policy::Versions;
use duewatch_domain::{Account, Command, Contract, Event, Refusal, Trigger};
use duewatch_store::{MayConflict, PaymentFact, PaymentPut, ReversalFact, ReversalPut, Store, StoreError};

use crate::input::{InputError, NumberedLine, read_events};

/// The events of a portfolio's accounts before its import, by account, in their order.
#[derive(Debug, Default)]
pub struct PastEvents {
    /// The file of the events, for error messages.
    pub path: PathBuf,
    by_account: HashMap<AccountId, Vec<NumberedLine<Event>>>,
}

impl PastEvents {
    /// Reads the events of a portfolio's accounts that became known up to `now`.
    ///
    /// # Errors
    /// The first fault: a line that is no event, an account that the portfolio lacks, an event that is dated ahead of
    /// the clock or before the one above it, or a fact about how a customer may be contacted, which the queue takes.
    pub fn read(
        path: &Path,
        accounts: &[NumberedLine<Contract>],
        now: DateTime<Utc>,
    ) -> Result<Self, InputError> {
        let known: HashSet<&AccountId> = accounts.iter().map(|account| &account.value.account_id).collect();
        let mut past = Self { path: path.to_owned(), ..Self::default() };
        let mut last: Option<DateTime<Utc>> = None;
        for event in read_events(path)? {
            let fault = |error| InputError::Line { path: path.to_owned(), line: event.line, error };
            check(&event.value, &known, last, now).map_err(fault)?;
            last = Some(event.value.at);
            past.by_account.entry(event.value.account_id.clone()).or_default().push(event);
        }
        Ok(past)
    }

    /// Takes the events of an account.
    pub(super) fn take(&mut self, account_id: &AccountId) -> Vec<NumberedLine<Event>> {
        self.by_account.remove(account_id).unwrap_or_default()
    }
}

fn check(
    event: &Event,
    known: &HashSet<&AccountId>,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), FormatError> {
    let Event { at, account_id, command } = event;
    if !known.contains(account_id) {
        return Err(FormatError::new("account_id", format!("\"{account_id}\" is not in the book")));
    }
    if let Err(ahead) = Refusal::unless_ahead("at", *at, now) {
        return Err(FormatError::new("", ahead.to_string()));
    }
    if let Some(last) = last.filter(|last| at < last) {
        return Err(FormatError::new("at", format!("{at} is before {last}, the event above it")));
    }
    match command {
        Command::Contact(_) | Command::ContactChanged(_) => Err(FormatError::new(
            "type",
            "it is about how the customer may be contacted; send it to the queue once the account is imported".to_owned(),
        )),
        Command::AccountOpened(_) => {
            Err(FormatError::new("type", "the book opens the accounts of an import".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Why an account was not taken over.
#[derive(Debug)]
pub(super) struct TakeOverError {
    /// The line of the refused event; none: the account itself is at fault.
    pub(super) event: Option<u64>,
    pub(super) error: TransitionError,
}

impl From<TransitionError> for TakeOverError {
    fn from(error: TransitionError) -> Self {
        Self { event: None, error }
    }
}

impl From<StoreError> for TakeOverError {
    fn from(error: StoreError) -> Self {
        TransitionError::from(error).into()
    }
}

/// What becomes of the restrictions that the lender has in force on the accounts of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Takeover {
    /// They stay until the account's stage gets milder.
    Keep,
    /// The policy alone says what holds, at once.
    Apply,
}

/// Opens an account with its past. Of an account that is open already only the payments are taken: they are put into
/// the payments table where it lacks them.
pub(super) async fn take_over(
    transitions: &Transitions,
    contract: &Contract,
    events: &[NumberedLine<Event>],
    takeover: Takeover,
    now: DateTime<Utc>,
) -> Result<TransitionOutcome, TakeOverError> {
    if events.is_empty() && contract.restrictions.is_empty() {
        return Ok(transitions.open(contract, now, Trigger::Fact).await?);
    }
    let account = Account::open(contract).map_err(TransitionError::from)?;
    let rules = transitions.rules_of(&account, now).await?;
    let (mut account, events) = with_past(&rules, account, events)?;
    account.take_over(&contract.restrictions, takeover == Takeover::Keep);
    for (line, at, command) in events {
        let refused = |refusal: Refusal| TakeOverError { event: Some(line), error: refusal.into() };
        put_money(transitions.store(), &contract.account_id, at, command).await?.map_err(refused)?;
    }
    match Box::pin(transitions.create(account, now, Trigger::Fact)).await {
        Err(TransitionError::Store(error)) if error.is_conflict() => {
            Ok(transitions.open(contract, now, Trigger::Fact).await?)
        }
        done => Ok(done?),
    }
}

/// An event with its line and the instant at which it became known.
pub(super) type PastEvent<'a> = (u64, DateTime<Utc>, &'a Command);

/// The account after its past, and the events as they were applied: equal instants keep the file's order.
pub(super) fn with_past<'e>(
    rules: &Versions,
    mut account: Account,
    events: &'e [NumberedLine<Event>],
) -> Result<(Account, Vec<PastEvent<'e>>), TakeOverError> {
    let mut applied: Vec<PastEvent<'e>> = Vec::with_capacity(events.len());
    for NumberedLine { line, value: Event { at, command, .. } } in events {
        let at = applied.last().map_or(*at, |(_, last, _)| (*last + TimeDelta::nanoseconds(1)).max(*at));
        let timeline = rules.timeline(&account, at);
        let refused = |refusal: Refusal| TakeOverError { event: Some(*line), error: refusal.into() };
        account.apply_under(command, at, Some(&timeline)).map_err(refused)?;
        applied.push((*line, at, command));
    }
    Ok((account, applied))
}

/// Writes a past payment or reversal as a payment system does. Another command is no money.
async fn put_money(
    store: &Store,
    account_id: &AccountId,
    at: DateTime<Utc>,
    command: &Command,
) -> Result<Result<(), Refusal>, StoreError> {
    Ok(match command {
        Command::PaymentReceived(payment) => {
            match store.put_payment(&PaymentFact::received(account_id.clone(), payment, at)).await? {
                PaymentPut::New | PaymentPut::Known => Ok(()),
                PaymentPut::Differs(problem) => {
                    Err(Refusal::Unfit { field: "payment_id", problem: problem.into() })
                }
            }
        }
        Command::PaymentReversed(PaymentReversed { payment_id, amount, dated }) => {
            let reversal = ReversalFact::of(at, *amount, *dated);
            match store.record_reversal(account_id, payment_id, reversal).await? {
                ReversalPut::New | ReversalPut::Known => Ok(()),
                ReversalPut::NoPayment => Err(Refusal::UnknownPayment(payment_id.clone())),
                ReversalPut::Beyond(left) => {
                    let (payment_id, amount) = (payment_id.clone(), amount.unwrap_or(left));
                    Err(Refusal::ReversedBeyond { payment_id, amount, left })
                }
            }
        }
        _ => Ok(()),
    })
}
