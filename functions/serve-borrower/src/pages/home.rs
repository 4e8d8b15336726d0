//! The first page: the reader's accounts, or the form that asks for a code.

use duewatch_domain::Account;
use duewatch_views::AccountView;
use maud::{Markup, html};
use serde_json::json;

use super::account::{href, standing_class, standing_sentence};
use super::sign_in;
use crate::Pages;
use crate::reader::{Fault, SignedInReader, reader};
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::routes::frame;

/// The most accounts in the list.
const MAX_LISTED: usize = 50;

/// The first page.
pub(crate) async fn show(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    match reader(pages, request).await? {
        Some(reader) => accounts(pages, request, &reader).await,
        None if request.wants_json => Err(Fault::NotSignedIn),
        None => sign_in::first_page(pages, request, None),
    }
}

/// The accounts of the reader: one Query of links, and one read of all accounts together.
pub(crate) async fn accounts_of(pages: &Pages, reader: &SignedInReader) -> Result<Vec<Account>, Fault> {
    let store = pages.services.store();
    let customer_id = &reader.signed_in.customer_id;
    let mut ids = store.accounts_of_customer(customer_id).await?;
    ids.truncate(MAX_LISTED);
    let mut accounts = Vec::with_capacity(ids.len());
    for (_, stored) in store.accounts(&ids).await? {
        accounts.push(stored?.account);
    }
    accounts.retain(|account| account.customer_id == *customer_id);
    Ok(accounts)
}

async fn accounts(pages: &Pages, request: &PageRequest, reader: &SignedInReader) -> Result<Answer, Fault> {
    let now = pages.services.clock.now();
    let frame = frame(pages, request, Some(&reader.session));
    let say = frame.say;
    let mut items: Vec<Markup> = Vec::new();
    let mut data = Vec::new();
    for account in accounts_of(pages, reader).await? {
        let versions = pages.services.transitions.rules_of(&account, now).await?;
        let view = AccountView::new(&account, &[], &versions, now);
        let standing = view.situation();
        let path = href(account.account_id.as_str());
        items.push(html! {
            li {
                h2 { a href={ (request.root) "accounts/" (path) } { (say.t("account")) " " (view.account_id.as_str()) } }
                p class=(standing_class(&standing)) { (standing_sentence(say, &view, &standing)) }
            }
        });
        data.push(json!({ "account_id": view.account_id, "standing": standing, "as_of": now }));
    }
    if request.wants_json {
        return Ok(Answer::json(200, &json!({ "accounts": data })));
    }
    let content = html! {
        @if items.is_empty() { p { (say.t("accounts-none")) } }
        ul { @for item in &items { (item) } }
        p { a href={ (request.root) "data" } { (say.t("own-data")) } }
    };
    Ok(Answer::html(200, frame.page(&say.t("accounts-title"), &content)))
}
