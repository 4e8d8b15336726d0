//! `duewatch stop` and `start`: the commands of a bad day, on the tables that the environment names.

use std::error::Error;
use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, ValueEnum};
use duewatch_app::{Clock, FRESH_FOR, SystemClock};
use duewatch_domain::escaped;
use duewatch_store::{HoldScope, OperatorHold, Store, StoreError};

use super::environment::{configured, sdk_config};
use super::policy_life::reason;
use crate::caller::caller;
use crate::screen;

/// Index entries in one page of the count of waiting requests.
const PAGE: i32 = 1_000;
/// Pages of a shard that are counted at most.
const MAX_PAGES: usize = 100;

/// What is stopped, or starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StopArg {
    /// All that leaves for borrowers and for the lender's other systems. Alerts go on.
    Sending,
    /// New restrictions, on all accounts. Flags, lifts and reminders go on.
    Restrictions,
}

impl StopArg {
    const fn scope(self) -> HoldScope {
        match self {
            Self::Sending => HoldScope::Sending,
            Self::Restrictions => HoldScope::Restrictions,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Restrictions => "restrictions",
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct StopArgs {
    /// What is stopped.
    #[arg(value_enum)]
    what: StopArg,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Args, Debug)]
pub(super) struct StartArgs {
    /// What starts again; by default, all that is stopped.
    #[arg(value_enum)]
    what: Option<StopArg>,
    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Args, Debug)]
struct ChangeArgs {
    /// Why; recorded with the caller and the time.
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: String,
    /// Say what would change and what waits, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run_stop(args: StopArgs) -> Result<(), Box<dyn Error>> {
    change(&[args.what], true, args.change).await
}

pub(super) async fn run_start(args: StartArgs) -> Result<(), Box<dyn Error>> {
    let what = args.what.map_or_else(|| StopArg::value_variants().to_vec(), |one| vec![one]);
    change(&what, false, args.change).await
}

/// Repeated, it changes nothing and says so.
async fn change(what: &[StopArg], is_on: bool, args: ChangeArgs) -> Result<(), Box<dyn Error>> {
    let ChangeArgs { reason, dry_run } = args;
    let transitions = configured().await?;
    let (store, now) = (transitions.store(), SystemClock.now());
    let by = caller(&sdk_config().await).await?;
    let mut out = screen::people();
    for one in what {
        let known = store.hold(one.scope()).await?;
        let is_so = known.as_ref().is_some_and(|known| known.is_on) == is_on;
        let name = one.name();
        let line = match (is_so, is_on, dry_run) {
            (true, true, _) => format!("{name}: stopped already{}", since(known.as_ref())),
            (true, false, _) => format!("{name}: not stopped{}", since(known.as_ref())),
            (false, true, true) => format!("{name}: would be stopped"),
            (false, false, true) => format!("{name}: would start again{}", since(known.as_ref())),
            (false, true, false) => {
                format!("{name}: stopped, within {} s everywhere", FRESH_FOR.num_seconds())
            }
            (false, false, false) => format!("{name}: starts again, within {} s", FRESH_FOR.num_seconds()),
        };
        if !is_so && !dry_run {
            let hold = OperatorHold { is_on, at: now, by: by.clone(), reason: reason.clone() };
            store.set_hold(one.scope(), &hold).await?;
        }
        writeln!(out, "{line}")?;
        if *one == StopArg::Sending {
            writeln!(out, "waiting: {}", waiting(store, now).await?)?;
        } else {
            writeln!(
                out,
                "waiting: restrictions that were deferred are evaluated within an hour of their release"
            )?;
        }
    }
    writeln!(out, "called by {}", escaped(&by))?;
    Ok(())
}

/// Who changed a hold last, when and why.
fn since(known: Option<&OperatorHold>) -> String {
    known.map_or_else(String::new, |known| {
        let at = known.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!(" since {at}, by {}: {}", escaped(&known.by), escaped(&known.reason))
    })
}

/// The due contact requests. They wait without end; the events of decisions wait in the stream of accounts.
async fn waiting(store: &Store, now: DateTime<Utc>) -> Result<String, StoreError> {
    let (mut requests, mut oldest, mut is_whole) = (0, None::<DateTime<Utc>>, true);
    for shard in 0..store.due_shards() {
        let mut from = None;
        for page_number in 1..=MAX_PAGES {
            let page = store.due_contacts(shard, now, PAGE, from).await?;
            requests += page.customers.len();
            oldest = [oldest, page.oldest_due_at].into_iter().flatten().min();
            from = page.next;
            if from.is_none() {
                break;
            }
            is_whole &= page_number < MAX_PAGES;
        }
    }
    let more = if is_whole { "" } else { " and more" };
    let since = oldest.map_or_else(String::new, |at| {
        format!(", the oldest due since {}", at.to_rfc3339_opts(SecondsFormat::Secs, true))
    });
    Ok(format!(
        "{requests}{more} contact requests{since}; events of decisions wait in the stream of accounts"
    ))
}
