//! The life of a policy in the tables: publication behind a brake, rollback, list.

mod brake;
mod list;
mod publication;

pub use self::brake::{Brake, BrakeError, Judgement};
pub use self::list::{PolicyList, list};
pub use self::publication::{JudgedBook, LifeError, PolicyPublisher, PublicationOutcome, publish, rollback};

use duewatch_domain::Account;
use duewatch_domain::kernel::PolicyId;
use duewatch_store::{Store, StoreError};

/// The accounts of the table that are looked at, of whichever policy.
const MAX_LOOKED_AT: usize = 20_000;
/// The accounts of one page.
const PAGE: i32 = 500;

/// The part of the accounts table that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableSample {
    pub looked_at: usize,
    /// Whether that is the whole table.
    pub is_whole: bool,
}

/// Passes the readable accounts under a policy to `each`: all of a small table, the first of a large one, which
/// lie in no order.
///
/// # Errors
/// When a call fails.
async fn each_account(
    store: &Store,
    id: &PolicyId,
    mut each: impl FnMut(&Account),
) -> Result<TableSample, StoreError> {
    let mut sample = TableSample::default();
    let mut after: Option<String> = None;
    while sample.looked_at < MAX_LOOKED_AT {
        let page = store.accounts_of_segment(0, 1, PAGE, after.as_deref()).await?;
        sample.looked_at += page.accounts.len();
        let read = page.accounts.iter().filter_map(|(_, read)| read.as_ref().ok());
        read.map(|stored| &stored.account).filter(|account| account.policy_id == *id).for_each(&mut each);
        after = page.next;
        if after.is_none() {
            sample.is_whole = true;
            break;
        }
    }
    Ok(sample)
}
