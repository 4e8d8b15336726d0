//! The page of an account: where it stands first, then why, what clears it, what comes next, what still works, the
//! plan, the money, what a borrower can do, and the record.
//!
//! Each section is a function of the [`AccountView`]. A section for cases belongs between what a borrower can do and
//! the record.

mod act;
mod money;
mod now;
mod reasons;
mod record;

use chrono::{DateTime, Utc};
use duewatch_domain::contact::QueuedRequest;
use duewatch_domain::kernel::{AccountId, PaymentId};
use duewatch_domain::{Account, Policy, Zone};
use duewatch_store::BorrowerRecords;
use duewatch_views::{AccountView, MessageView, Situation};
use maud::html;

use crate::Pages;
use crate::forms::Typed;
use crate::reader::{Fault, SignedInReader};
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::routes::frame;
use crate::secrets::random_id;
use crate::texts::Say;

pub(crate) use self::now::{standing_class, standing_sentence};

/// What the sections show.
#[derive(Debug)]
pub(crate) struct AccountSections<'a> {
    pub(crate) say: Say,
    pub(crate) view: &'a AccountView<'a>,
    pub(crate) policy: &'a Policy,
    pub(crate) zone: Zone,
    /// The way to the root of the pages.
    pub(crate) root: &'a str,
    /// Money in the payments table that the account does not hold yet; none: the table is out of reach.
    pub(crate) arriving: Option<Vec<ArrivingPayment>>,
    pub(crate) records: &'a BorrowerRecords,
    pub(crate) typed: &'a Typed,
    pub(crate) token: &'a str,
    /// The key of the page's forms.
    pub(crate) key: String,
}

/// A payment that was received and is not posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArrivingPayment {
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: String,
    pub(crate) received_at: DateTime<Utc>,
}

/// An id as a part of a path: each byte but letters, digits and `-._~` percent-encoded.
pub(crate) fn href(id: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    id.bytes().map(encode).collect()
}

/// The messages about an account: those that ended, oldest first, then those that wait.
pub(crate) fn messages(records: &BorrowerRecords, account_id: &AccountId) -> Vec<MessageView> {
    let is_of = |request: &QueuedRequest| request.account_id == *account_id;
    let ended = records.ended.iter().filter(|one| is_of(&one.request)).map(|one| {
        let message = one.message.clone();
        MessageView::ended(&one.request, one.outcome.as_str(), one.at, message, one.reason.as_ref())
    });
    ended.chain(records.requests.iter().filter(|one| is_of(one)).map(MessageView::waiting)).collect()
}

/// The payments that are in the table and not in the account. Payments out of reach leave the rest of the page whole.
async fn arriving(pages: &Pages, account: &Account) -> Option<Vec<ArrivingPayment>> {
    let facts = match pages.services.store().payments_of(&account.account_id).await {
        Ok(facts) => facts,
        Err(error) => {
            tracing::error!(%error, "a page lacks its payments");
            return None;
        }
    };
    let facts =
        facts.into_iter().filter_map(Result::ok).filter(|fact| account.payment(&fact.payment_id).is_none());
    let arriving = facts.map(|fact| ArrivingPayment {
        amount: account.currency.text(fact.amount),
        received_at: fact.received_at,
        payment_id: fact.payment_id,
    });
    Some(arriving.collect())
}

/// The page, after a form with what was typed.
pub(crate) async fn show(
    pages: &Pages,
    request: &PageRequest,
    reader: &SignedInReader,
    account: &Account,
    typed: &Typed,
) -> Result<Answer, Fault> {
    let (now, records) = (pages.services.clock.now(), &reader.signed_in.records);
    let versions = pages.services.transitions.rules_of(account, now).await?;
    let arriving = arriving(pages, account).await;
    let view = AccountView::new(account, account.recent_decisions(), &versions, now)
        .with_messages(Some(messages(records, &account.account_id)));
    let standing = view.situation();
    let status = if typed.faults.is_empty() { 200 } else { 422 };
    let lacks_words = standing == Situation::Unknown;
    if lacks_words {
        tracing::error!(account_id = account.account_id.as_str(), "a state has no sentence");
    }
    if request.wants_json {
        return Ok(Answer { lacks_words, ..Answer::json(status, &view) });
    }
    let frame = frame(pages, request, Some(&reader.session));
    let shown = AccountSections {
        say: frame.say,
        view: &view,
        policy: versions.in_force(account, now),
        zone: account.time_zone,
        root: &request.root,
        arriving,
        records,
        typed,
        token: &reader.token,
        key: random_id()?,
    };
    let content = html! {
        (act::done(&shown))
        (now::standing(&shown, &standing))
        (reasons::why(&shown))
        (now::clears(&shown))
        (now::next(&shown))
        (now::works(&shown))
        (money::plan(&shown))
        (money::payments(&shown))
        (act::forms(&shown))
        (record::decisions(&shown))
        (record::messages(&shown))
        (now::as_of(&shown))
    };
    let title = format!("{} {}", frame.say.t("account"), account.account_id);
    Ok(Answer { lacks_words, ..Answer::html(status, frame.page(&title, &content)) })
}

#[cfg(test)]
mod tests {
    use super::href;

    #[test]
    fn an_id_is_one_part_of_a_path() {
        assert_eq!(href("A-1"), "A-1");
        assert_eq!(href("A/1?x=\u{8d26}"), "A%2F1%3Fx%3D%E8%B4%A6");
    }
}
