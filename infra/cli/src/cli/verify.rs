//! `duewatch verify`: whether a message is genuine.

use std::error::Error;
use std::io::Write;

use chrono::{NaiveDate, NaiveTime};
use clap::Args;
use duewatch_app::{Clock, SystemClock};
use duewatch_notify::{Verified, verify};
use duewatch_runtime::reference_keys_from_env;

use super::exit::{Answered, NO, NOT_OURS};
use crate::screen;

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The reference, as printed in the message; upper or lower case, with or without hyphens.
    reference: String,
    /// Verify as of that day (UTC), such as 2026-01-05; by default, now.
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
}

/// Verifies a reference with the keys that the environment names.
pub(super) fn run(args: &VerifyArgs) -> Result<(), Box<dyn Error>> {
    let keys = reference_keys_from_env()?;
    let now = args.on.map_or_else(|| SystemClock.now(), |on| on.and_time(NaiveTime::MIN).and_utc());
    let mut out = screen::people();
    let code = match verify(&keys, &args.reference, now) {
        Verified::Genuine { until } => {
            writeln!(out, "Genuine: a message with this reference is ours. Valid until {until}.")?;
            return Ok(());
        }
        Verified::Expired { until } => {
            writeln!(out, "Expired: a message with this reference was ours. It was valid until {until}.")?;
            NO
        }
        Verified::NotOurs => {
            writeln!(out, "Not one of ours. Check that each character is as in the message.")?;
            NOT_OURS
        }
    };
    Err(Box::new(Answered { code }))
}
