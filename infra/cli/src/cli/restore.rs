//! `duewatch restore`: the archive replayed into restored tables.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use duewatch_domain::escaped;
use duewatch_store::Store;

use super::environment::{sdk_config, services_with_tombstones};
use crate::caller::caller;
use crate::restore::{Archive, Restored, replay};
use crate::screen;

#[derive(Args, Debug)]
#[command(after_help = "For example: duewatch restore --archive archive/ --since 2026-01-31T09:00:00Z")]
pub(super) struct RestoreArgs {
    /// A file or a folder of the archive, as its bucket has it; may be repeated.
    #[arg(long = "archive", value_name = "PATH", required = true)]
    archives: Vec<PathBuf>,
    /// The instant to which the tables were restored, such as 2026-01-31T09:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    since: DateTime<Utc>,
    /// The records table that has the keys of the archive; by default, the restored one. A key that was made since the
    /// instant is only in the damaged table, or in one that was restored to the newest instant.
    #[arg(long, value_name = "TABLE")]
    keys_from: Option<String>,
}

pub(super) async fn run_restore(args: RestoreArgs) -> Result<(), Box<dyn Error>> {
    let services = services_with_tombstones(intake::NAME).await?;
    let archive = Archive::read(&args.archives, args.since)?;
    let store = services.store();
    let mut tables = store.tables().clone();
    tables.records = args.keys_from.unwrap_or(tables.records);
    let keys = Store::new(store.client().clone(), tables, store.policy_keys().clone(), store.due_shards());
    let by = format!("{} for a restore", caller(&sdk_config().await).await?);
    // A terminal that is closed must not end the replay half-way.
    let tell = |line: String| writeln!(screen::people(), "{}", escaped(&line)).unwrap_or_default();
    let restored = replay(&services, &keys, &archive, &by, tell).await?;
    let Restored { erasures, applied, known, without_texts, erased_points, left } = restored;
    writeln!(
        screen::people(),
        "{erasures} erasures; {applied} commands applied, {known} known, {without_texts} of them without erased texts; \
         {erased_points} erased contact points left out; {left} left"
    )?;
    if left > 0 { Err("something is left; mend the cause and replay again".into()) } else { Ok(()) }
}
