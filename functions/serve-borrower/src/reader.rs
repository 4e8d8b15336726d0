//! The reader of a page: who is signed in, and which account may be shown.

use duewatch_app::{SignedIn, signed_in};
use duewatch_domain::Account;
use duewatch_domain::kernel::AccountId;
use duewatch_store::StoreError;

use crate::Pages;
use crate::request::PageRequest;
use crate::secrets::{NoRandomness, SESSION_COOKIE, form_token, signed_id};

/// Why a request gets no page of its own.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A table or a topic is out of reach.
    OutOfReach(String),
    /// There is no such page, account or policy; or the account is another customer's.
    NotFound,
    /// No session, or one that is over.
    NotSignedIn,
    /// A form that no page of ours made, or that another site sent.
    NotOurForm,
    /// The path takes another method.
    NoSuchMethod,
    /// The form is too large.
    TooLarge,
    /// The body is no form.
    NoForm,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::OutOfReach(error.to_string())
    }
}

impl From<NoRandomness> for Fault {
    fn from(_: NoRandomness) -> Self {
        Self::OutOfReach("no random bytes".to_owned())
    }
}

/// A signed-in reader.
#[derive(Clone, Debug)]
pub(crate) struct SignedInReader {
    pub(crate) session: String,
    pub(crate) signed_in: SignedIn,
    /// The token of each form.
    pub(crate) token: String,
}

/// The reader, where a session is signed, known and not over.
pub(crate) async fn reader(pages: &Pages, request: &PageRequest) -> Result<Option<SignedInReader>, Fault> {
    let Some(session) = signed_id(&pages.key, &request.cookies, SESSION_COOKIE) else { return Ok(None) };
    let Some(signed_in) = signed_in(&pages.services, &pages.key, session).await? else { return Ok(None) };
    let token = form_token(&pages.key, session);
    Ok(Some(SignedInReader { session: session.to_owned(), signed_in, token }))
}

/// The reader, who must be signed in.
pub(crate) async fn require_reader(pages: &Pages, request: &PageRequest) -> Result<SignedInReader, Fault> {
    reader(pages, request).await?.ok_or(Fault::NotSignedIn)
}

/// An account of the reader's. Another customer's answers as one that does not exist.
pub(crate) async fn account_of(pages: &Pages, reader: &SignedInReader, id: &str) -> Result<Account, Fault> {
    let account_id: AccountId = id.parse().map_err(|_| Fault::NotFound)?;
    let stored = pages.services.store().account(&account_id).await?;
    let account = stored.map(|stored| stored.account);
    account.filter(|account| account.customer_id == reader.signed_in.customer_id).ok_or(Fault::NotFound)
}
