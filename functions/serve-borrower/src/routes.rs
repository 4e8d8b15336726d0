//! The table of routes.

use crate::pages::{self, Frame};
use crate::reader::{Fault, account_of, require_reader};
use crate::request::{FormFault, PageRequest};
use crate::respond::Answer;
use crate::secrets::{BROWSER_COOKIE, SESSION_COOKIE, form_token, signed_id};
use crate::{Pages, actions, calendar, forms};

/// A page, or the page of a fault.
pub(crate) async fn answer(pages: &Pages, request: &PageRequest) -> Answer {
    match route(pages, request).await {
        Ok(answer) => answer,
        Err(fault) => {
            if let Fault::OutOfReach(reason) = &fault {
                tracing::error!(%reason, "no page");
            }
            pages::fault::answer(pages, request, &fault)
        }
    }
}

async fn route(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    let is_post = match request.method.as_str() {
        "GET" | "HEAD" => false,
        "POST" => true,
        _ => return Err(Fault::NoSuchMethod),
    };
    let path = request.path.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match (first, rest, is_post) {
        ("", "", false) => pages::home::show(pages, request).await,
        ("sign-in", "", true) => {
            check_browser_form(pages, request)?;
            forms::ask_code(pages, request).await
        }
        ("code", "", false) => pages::sign_in::code_page(pages, request),
        ("code", "", true) => {
            check_browser_form(pages, request)?;
            forms::enter(pages, request).await
        }
        ("sign-out", "", true) => {
            check_session_form(pages, request)?;
            forms::leave(pages, request).await
        }
        ("accounts", rest, false) if !rest.is_empty() => account_page(pages, request, rest).await,
        ("accounts", rest, true) if !rest.is_empty() => {
            let (id, action) = rest.rsplit_once('/').ok_or(Fault::NoSuchMethod)?;
            check_session_form(pages, request)?;
            Box::pin(actions::act(pages, request, id, action)).await
        }
        ("data", "", false) => pages::data::show(pages, request).await,
        ("verify", reference, false) => Ok(pages::verify::show(pages, request, reference)),
        ("policies", id, false) if !id.is_empty() => pages::policy::show(pages, request, id).await,
        ("agencies", "", false) => Ok(pages::help::agencies(request)),
        ("budget", "", _) => pages::budget::show(request),
        ("help", "", false) => Ok(pages::help::show(pages, request)),
        ("" | "code" | "data" | "verify" | "agencies" | "help", _, true)
        | ("sign-in" | "sign-out", "", false) => Err(Fault::NoSuchMethod),
        _ => Err(Fault::NotFound),
    }
}

async fn account_page(pages: &Pages, request: &PageRequest, rest: &str) -> Result<Answer, Fault> {
    let reader = require_reader(pages, request).await?;
    match rest.strip_suffix("/due-dates.ics") {
        Some(id) => {
            let account = account_of(pages, &reader, id).await?;
            calendar::answer(pages, request, &account).await
        }
        None => {
            let account = account_of(pages, &reader, rest).await?;
            let done = request.query.get("done").map(String::as_str);
            pages::account::show(pages, request, &reader, &account, &forms::Typed::none(done)).await
        }
    }
}

/// A form of a signed-in browser: from this origin, with the token of its session.
fn check_session_form(pages: &Pages, request: &PageRequest) -> Result<(), Fault> {
    let session = signed_id(&pages.key, &request.cookies, SESSION_COOKIE).ok_or(Fault::NotSignedIn)?;
    check_form(pages, request, session)
}

/// A form of a browser that is not signed in.
fn check_browser_form(pages: &Pages, request: &PageRequest) -> Result<(), Fault> {
    let browser = signed_id(&pages.key, &request.cookies, BROWSER_COOKIE).ok_or(Fault::NotOurForm)?;
    check_form(pages, request, browser)
}

fn check_form(pages: &Pages, request: &PageRequest, of: &str) -> Result<(), Fault> {
    match request.form {
        Err(FormFault::TooLarge) => return Err(Fault::TooLarge),
        Err(FormFault::NoForm) => return Err(Fault::NoForm),
        Ok(_) => {}
    }
    let is_ours = request.is_same_origin && pages.key.is_mac("form", of, request.field("token"));
    if is_ours { Ok(()) } else { Err(Fault::NotOurForm) }
}

/// The frame of a page for a reader who may be signed in.
pub(crate) fn frame<'a>(pages: &Pages, request: &'a PageRequest, session: Option<&str>) -> Frame<'a> {
    Frame::new(request, session.map(|session| form_token(&pages.key, session)))
}
