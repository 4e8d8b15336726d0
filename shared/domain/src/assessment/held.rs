//! The hold that keeps an account's restriction back.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::assess::{Assessment, assess};
use crate::account::{Account, DeferralReason, Reason};
use crate::kernel::business_date;
use crate::policy::Timeline;

/// A hold that keeps back a restriction which would be in force without it. A notice that is owed and the first-lapse
/// tolerance are no holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldRestriction {
    /// `dispute`, `case`, `temporary_cause`, `payment_in_process`, `pause`; `money` for money that cannot be posted; `hold`
    /// for the lender's hold on all new restrictions.
    pub kind: &'static str,
    /// The local day on which it began; of money none where that is not known.
    pub since: Option<NaiveDate>,
    /// The first day without it, if no fact changes; none: not known.
    pub until: Option<NaiveDate>,
}

/// The hold that keeps a restriction of the account back at `now`; none: none does.
#[must_use]
pub fn held_restriction(
    account: &Account,
    timeline: &Timeline<'_>,
    now: DateTime<Utc>,
) -> Option<HeldRestriction> {
    HeldRestriction::of(account, &assess(account, timeline, now))
}

impl HeldRestriction {
    /// The hold that keeps a restriction of the account back by that assessment; none: none does.
    #[must_use]
    pub fn of(account: &Account, assessed: &Assessment<'_>) -> Option<Self> {
        let day = assessed.day;
        let local = |at: DateTime<Utc>| business_date(account.time_zone, at);
        let deferred = assessed.reasons.iter().find_map(|reason| match reason {
            Reason::RestrictionsDeferred { by, until } => Some((*by, *until)),
            _ => None,
        });
        if let Some((by, until)) = deferred {
            let since = match by {
                DeferralReason::Notice | DeferralReason::FirstLapseTolerance | DeferralReason::Hold => None,
                DeferralReason::Dispute => {
                    let open = account.disputes().iter().filter(|dispute| dispute.closed.is_none());
                    open.map(|dispute| local(dispute.at)).min()
                }
                DeferralReason::Case => {
                    let open = account.cases().iter().filter(|case| case.closed.is_none());
                    open.map(|case| local(case.at)).min()
                }
                DeferralReason::TemporaryCause => account.cause().map(|cause| local(cause.at)),
                DeferralReason::PaymentInProcess => account.in_process().map(|process| local(process.since)),
                DeferralReason::Pause => {
                    let holding =
                        account.pauses().iter().find(|pause| pause.from <= day && day < pause.until);
                    holding.map(|pause| pause.from)
                }
            };
            if let Some(since) = since {
                return Some(Self { kind: by.as_str(), since: Some(since), until });
            }
        }
        let holds = &account.status.holds;
        let adds = |known: &[_]| assessed.restrictions().iter().any(|one| !known.contains(one));
        // A deferred restriction is evaluated again every hour: money of the day before may hold it just after midnight.
        let is_by_money = holds.money_on.is_some_and(|on| on >= day.pred_opt().unwrap_or(day))
            && adds(&account.status.restrictions);
        let since = holds.money_on.filter(|_| holds.money_days == 1);
        is_by_money.then_some(HeldRestriction { kind: "money", since, until: None })
    }
}
