//! The reader's own data, as JSON.

use duewatch_views::AccountView;
use serde_json::{Value, json};

use super::account::messages;
use super::home::accounts_of;
use crate::Pages;
use crate::reader::{Fault, require_reader};
use crate::request::PageRequest;
use crate::respond::Answer;

/// Each account with its messages, the contact points, and the preferences.
pub(crate) async fn show(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    let reader = require_reader(pages, request).await?;
    let (now, records) = (pages.services.clock.now(), &reader.signed_in.records);
    let mut accounts: Vec<Value> = Vec::new();
    for account in accounts_of(pages, &reader).await? {
        let versions = pages.services.transitions.rules_of(&account, now).await?;
        let decisions = account.recent_decisions();
        let view = AccountView::new(&account, decisions, &versions, now)
            .with_messages(Some(messages(records, &account.account_id)));
        accounts.push(serde_json::to_value(&view).unwrap_or_default());
    }
    let points = records.contact_points.iter().map(|point| {
        json!({ "channel": point.channel, "contact_point": point.contact_point, "since": point.changed_at })
    });
    Ok(Answer::json(
        200,
        &json!({
            "as_of": now,
            "customer_id": reader.signed_in.customer_id,
            "accounts": accounts,
            "contact_points": points.collect::<Vec<_>>(),
            "language": records.profile.language(),
            "refused_all_contact": records.profile.has_refused(),
        }),
    ))
}
