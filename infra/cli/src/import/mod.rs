//! `import`: loads a portfolio file into the configured tables.

pub mod dry_run;
pub mod past;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use duewatch_app::{
    NewVersion, PublishError, TransitionError, TransitionOutcome, Transitions, publish_policy,
};
use duewatch_domain::Contract;
use duewatch_domain::policy::{MAX_VERSIONS, canonical_text};
use duewatch_runtime::SettingsError;
use duewatch_store::{PublishedPolicy, Store, StoreError};
use futures_util::{StreamExt, future, stream};

use self::past::{PastEvents, TakeOverError, Takeover};
use crate::input::{InputError, NumberedLine, PolicyFile};
use crate::policies::PolicyPublisher;
use crate::progress::Progress;
use crate::screen;

/// Accounts written side by side.
const CONCURRENCY: usize = 16;

/// A portfolio to be imported.
#[derive(Debug)]
pub struct Portfolio<'a> {
    /// The portfolio file, for error messages.
    pub path: &'a Path,
    pub accounts: Vec<NumberedLine<Contract>>,
    /// The events of its accounts before the import.
    pub past: PastEvents,
    /// What becomes of the restrictions that its lines name.
    pub takeover: Takeover,
}

impl<'a> Portfolio<'a> {
    /// A portfolio without a past.
    #[must_use]
    pub fn new(path: &'a Path, accounts: Vec<NumberedLine<Contract>>) -> Self {
        Self { path, accounts, past: PastEvents::default(), takeover: Takeover::Keep }
    }
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Accounts created.
    pub opened: u64,
    /// Accounts that existed already with the same terms.
    pub known: u64,
    /// Accounts that were refused, or failed.
    pub refused: u64,
}

/// An account that was refused or could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}:{line}: {}{error}", field_of(error))]
pub struct AccountFault {
    /// The portfolio file, or the file of its past.
    pub path: String,
    /// Counted from 1.
    pub line: u64,
    pub error: TransitionError,
}

/// The field that an error concerns, where its text does not begin with it.
const fn field_of(error: &TransitionError) -> &'static str {
    match error {
        TransitionError::Store(StoreError::UnknownPolicy(_) | StoreError::FaultyPolicy { .. }) => {
            "policy_id: "
        }
        _ => "",
    }
}

/// Why an import failed, or is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is unusable.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Lines of the portfolio file are refused, so nothing was loaded.
    #[error("{fault}. Nothing was loaded, for {refused} lines are refused; --keep-going loads the others")]
    Refused {
        /// The first one.
        fault: InputError,
        refused: u64,
    },
    /// An account was refused or could not be written, and the import stopped there.
    #[error(
        "{fault}. The import stopped: {} accounts opened, {} known already, {} failed, {left} not tried. \
         Repeated, it changes no account that is loaded",
        imported.opened,
        imported.known,
        imported.refused
    )]
    Stopped {
        fault: Box<AccountFault>,
        imported: Imported,
        /// Accounts that were not tried.
        left: u64,
    },
    /// Lines name restrictions, and nobody says what becomes of them.
    #[error(
        "{path}:{line}: restrictions: say what becomes of those that are in force: --takeover keep or --takeover apply; \
         --dry-run counts both"
    )]
    NoTakeover { path: String, line: u64 },
    /// An account's policy is not known.
    #[error("policy {0} is not published, and no --policy gives it")]
    NoPolicy(String),
    /// An account cannot be taken over.
    #[error(transparent)]
    Fault(#[from] Box<AccountFault>),
    /// The environment does not name the tables.
    #[error(
        "{0}. This works on the tables that the environment names; \
         for the local stack, `duewatch serve` prints what to set"
    )]
    Unconfigured(#[from] SettingsError),
    /// The due index has more shards than are set, or the policy cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The policy has versions already, and this one is new.
    #[error(
        "policy {0} is published already in another version; publish this one with `duewatch policy publish`"
    )]
    LaterVersion(String),
    /// Lines were refused, and the rest was loaded.
    #[error("{refused} lines were refused, the other {loaded} accounts are loaded")]
    SomeRefused {
        /// Refused lines.
        refused: u64,
        /// Loaded accounts.
        loaded: u64,
    },
}

/// Publishes the first version of a policy, where one is given with its publisher, and opens every account, with its
/// past. A repeated import changes nothing.
///
/// An account is assessed as of `now`, and what it is found to be is decided now: nothing is decided for a time at
/// which duewatch did not hold the account.
///
/// # Errors
/// [`ImportError::Stopped`] at the first account that fails, with the accounts that were loaded. With
/// `keep_going`, accounts that cannot be opened are named on standard error instead and counted, and the rest is
/// loaded.
pub async fn import(
    transitions: &Transitions,
    book: Portfolio<'_>,
    policy: Option<(&PolicyFile, PolicyPublisher<'_>)>,
    now: DateTime<Utc>,
    keep_going: bool,
) -> Result<Imported, ImportError> {
    transitions.store().check_due_shards().await?;
    if let Some((file, publisher)) = policy {
        publish_first(transitions.store(), file, publisher, now).await?;
    }
    load(transitions, book, now, keep_going).await
}

/// Opens every account. After a fault those under way are awaited: only then is it known what was loaded.
async fn load(
    transitions: &Transitions,
    book: Portfolio<'_>,
    now: DateTime<Utc>,
    keep_going: bool,
) -> Result<Imported, ImportError> {
    let Portfolio { path, accounts, mut past, takeover } = book;
    let total = accounts.len() as u64;
    let mut progress = Progress::new("import", total);
    let mut imported = Imported::default();
    let mut stopped: Option<AccountFault> = None;
    let goes_on = AtomicBool::new(true);
    let accounts: Vec<_> = accounts
        .into_iter()
        .map(|account| {
            let events = past.take(&account.value.account_id);
            (account, events)
        })
        .collect();
    let mut results = stream::iter(accounts)
        .take_while(|_| future::ready(goes_on.load(Ordering::Relaxed)))
        .map(|(account, events)| async move {
            let taken = Box::pin(past::take_over(transitions, &account.value, &events, takeover, now)).await;
            (account.line, taken)
        })
        .buffer_unordered(CONCURRENCY);
    let mut done = 0;
    while let Some((line, result)) = results.next().await {
        done += 1;
        progress.set(done);
        match result {
            Ok(TransitionOutcome::Unchanged) => imported.known += 1,
            Ok(_) => imported.opened += 1,
            Err(TakeOverError { event, error }) => {
                // A retry cannot open this row: it is refused, or its policy is unknown or faulty.
                let is_refused = !error.is_transient();
                let (path, line) = match event {
                    Some(line) => (past.path.display().to_string(), line),
                    None => (path.display().to_string(), line),
                };
                let fault = AccountFault { path, line, error };
                imported.refused += 1;
                if keep_going && is_refused {
                    screen::note(format_args!("duewatch: {fault}"));
                } else {
                    goes_on.store(false, Ordering::Relaxed);
                    stopped.get_or_insert(fault);
                }
            }
        }
    }
    match stopped {
        Some(fault) => Err(ImportError::Stopped { fault: Box::new(fault), imported, left: total - done }),
        None => Ok(imported),
    }
}

/// Publishes the first version of a policy. A later version passes the brake of `policy publish`, and no import.
async fn publish_first(
    store: &Store,
    file: &PolicyFile,
    publisher: PolicyPublisher<'_>,
    now: DateTime<Utc>,
) -> Result<(), ImportError> {
    let PolicyFile { policy, text } = file;
    let known = store.published_policies(&policy.id, MAX_VERSIONS).await?;
    let is_it = |one: &PublishedPolicy| canonical_text(&one.text) == canonical_text(text);
    let is_known = known.iter().any(|one| one.policy.version == policy.version && is_it(one));
    if is_known {
        return Ok(());
    }
    if !known.is_empty() {
        return Err(ImportError::LaterVersion(policy.id.to_string()));
    }
    let PolicyPublisher { by, key } = publisher;
    publish_policy(store, &NewVersion { policy, text, by, backdated: None, key }, now).await?;
    Ok(())
}
