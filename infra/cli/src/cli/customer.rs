//! `duewatch contacts`, `export` and `erase`: one customer's records, or all contacts.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{IsTerminal, Write};

use chrono::{Days, NaiveDate, NaiveTime};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use duewatch_app::{Clock, SystemClock};
use duewatch_domain::kernel::{AccountId, CustomerId};

use super::environment::{configured, sdk_config, services_with_tombstones};
use crate::caller::caller;
use crate::contacts;
use crate::customer::{self, Erased, Export};
use crate::progress::Progress;
use crate::screen;

#[derive(Args, Debug)]
pub(super) struct ContactsArgs {
    /// The customer, in the tables that the environment names; by default, all customers.
    customer: Option<CustomerId>,
    /// Over all customers: the first day (UTC); by default, the last 30 days.
    #[arg(long, value_name = "DATE", conflicts_with = "customer")]
    since: Option<NaiveDate>,
}

#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// The customer.
    customer: CustomerId,
    /// For whom; recorded beside the caller, whom the platform names.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
    /// An account of the customer that is not linked to it; may be repeated. The linked ones are always exported.
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<AccountId>,
    /// Search the whole accounts table for accounts of the customer that are not linked.
    #[arg(long)]
    scan: bool,
}

#[derive(Args, Debug)]
pub(super) struct EraseArgs {
    /// The customer.
    customer: CustomerId,
    /// For whom; recorded beside the caller, whom the platform names.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: Option<String>,
    /// Confirm the erasure, which cannot be undone.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run_contacts(args: ContactsArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let store = transitions.store();
    let mut out = screen::people();
    match args.customer {
        Some(customer_id) => contacts::of_customer(store, &customer_id, &mut out).await?,
        None => {
            let since = args.since.unwrap_or_else(|| SystemClock.now().date_naive() - Days::new(30));
            let since = since.and_time(NaiveTime::MIN).and_utc();
            let mut progress = Progress::new("records", store.records_about().await?);
            contacts::over_all(store, since, |looked_at| progress.set(looked_at), &mut out).await?;
        }
    }
    Ok(())
}

pub(super) async fn run_export(args: ExportArgs) -> Result<(), Box<dyn Error>> {
    let transitions = configured().await?;
    let store = transitions.store();
    let mut accounts: BTreeSet<AccountId> = args.accounts.into_iter().collect();
    if args.scan {
        accounts.extend(customer::accounts_of(store, &args.customer).await?);
    }
    let accounts: Vec<AccountId> = accounts.into_iter().collect();
    let now = SystemClock.now();
    let by = requester(args.by.as_deref()).await?;
    let export = customer::export(store, &args.customer, &accounts, &by, now).await?;
    // The text of a history's entry stays as it is in a file or a pipe, so that its hash can be verified there.
    if std::io::stdout().is_terminal() {
        write_json(&mut screen::json(), &export)
    } else {
        write_json(&mut std::io::stdout().lock(), &export)
    }
}

fn write_json(out: &mut impl Write, export: &Export) -> Result<(), Box<dyn Error>> {
    serde_json::to_writer_pretty(&mut *out, export)?;
    Ok(writeln!(out)?)
}

/// The caller as the platform knows it, and for whom it says that it acts.
async fn requester(on_behalf_of: Option<&str>) -> Result<String, Box<dyn Error>> {
    let caller = caller(&sdk_config().await).await?;
    Ok(match on_behalf_of {
        Some(name) => format!("{caller} for {name}"),
        None => caller,
    })
}

pub(super) async fn run_erase(args: EraseArgs) -> Result<(), Box<dyn Error>> {
    if !args.yes {
        return Err(format!(
            "this erases the contact points, names and free text of customer {} for good; say --yes to do it",
            args.customer
        )
        .into());
    }
    let services = services_with_tombstones("duewatch").await?;
    let now = SystemClock.now();
    let by = requester(args.by.as_deref()).await?;
    let Erased { deleted, emptied, kept, accounts, quarantined, proposals, cases } =
        customer::erase(&services, &args.customer, &by, now).await?;
    writeln!(
        screen::people(),
        "{deleted} items deleted, the values of {emptied} log entries erased, {kept} records of access kept; \
         the free text of {accounts} accounts, {cases} cases and {quarantined} quarantined records erased; {proposals} proposals \
         deleted"
    )?;
    Ok(())
}
