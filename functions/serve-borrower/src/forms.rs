//! Forms: those that sign in and out, and typed values that come back with their faults.

use std::collections::BTreeMap;

use duewatch_app::{CodeRequest, RecordError, enter_code, request_code, sign_out};
use duewatch_domain::kernel::{ContactId, MAX_ID_BYTES};

use crate::Pages;
use crate::pages::sign_in::{first_page, wrong_code};
use crate::reader::Fault;
use crate::request::{Fields, PageRequest};
use crate::respond::Answer;
use crate::secrets::{BROWSER_COOKIE, SESSION_COOKIE, random_code, random_id, signed, signed_id};
use crate::texts::Say;

/// What was typed into a form of an account's page, and the faults beside the fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    /// The form; empty: none was posted.
    pub(crate) action: String,
    pub(crate) fields: Fields,
    pub(crate) faults: BTreeMap<&'static str, String>,
    /// The form that was taken just before.
    pub(crate) done: Option<String>,
}

impl Typed {
    /// No form was posted.
    pub(crate) fn none(done: Option<&str>) -> Self {
        Self { done: done.map(str::to_owned), ..Self::default() }
    }

    /// The typed value of a field of a form.
    pub(crate) fn value(&self, action: &str, field: &str) -> &str {
        if self.action != action {
            return "";
        }
        self.fields.get(field).map_or("", String::as_str)
    }

    /// The fault of a field of a form.
    pub(crate) fn fault(&self, action: &str, field: &str) -> Option<&str> {
        if self.action != action {
            return None;
        }
        self.faults.get(field).map(String::as_str)
    }
}

/// Asks for a code. The answer is the same whether or not there is such an account.
pub(crate) async fn ask_code(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    let say = Say { language: request.language };
    let typed = request.field("account").trim();
    if typed.is_empty() || typed.len() > MAX_ID_BYTES {
        return first_page(pages, request, Some((say.t("sign-in-account-fault"), typed)));
    }
    let browser = signed_id(&pages.key, &request.cookies, BROWSER_COOKIE).ok_or(Fault::NotOurForm)?;
    let (code, message_id) = (random_code()?, format!("code-{}", random_id()?));
    let message_id: ContactId =
        message_id.parse().map_err(|_| Fault::OutOfReach("no id of a message".to_owned()))?;
    let asked =
        CodeRequest { typed, browser, code: &code, message_id: &message_id, language: request.language };
    let keys = (&pages.key, &pages.reference_keys);
    if let Err(RecordError::Retry(reason) | RecordError::Poison(reason)) =
        request_code(&pages.services, keys, asked).await
    {
        return Err(Fault::OutOfReach(reason));
    }
    Ok(Answer { is_code_request: true, ..Answer::see_other("code".to_owned()) })
}

/// Takes a code, and begins a session where it is right.
pub(crate) async fn enter(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    let browser = signed_id(&pages.key, &request.cookies, BROWSER_COOKIE).ok_or(Fault::NotOurForm)?;
    let code: String = request.field("code").chars().filter(|one| !one.is_whitespace()).collect();
    let session = random_id()?;
    let begun = enter_code(&pages.services, &pages.key, (browser, &code), &session).await?;
    let Some(until) = begun else { return Ok(wrong_code(pages, request, browser)) };
    let seconds = (until - pages.services.clock.now()).num_seconds();
    let answer = Answer::see_other("./".to_owned());
    let answer = answer.with_cookie(SESSION_COOKIE, &signed(&pages.key, &session), seconds);
    Ok(answer.with_cookie(BROWSER_COOKIE, "", 0))
}

/// Ends the session.
pub(crate) async fn leave(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    if let Some(session) = signed_id(&pages.key, &request.cookies, SESSION_COOKIE) {
        sign_out(&pages.services, &pages.key, session).await?;
    }
    Ok(Answer::see_other("./".to_owned()).with_cookie(SESSION_COOKIE, "", 0))
}
