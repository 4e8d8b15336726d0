//! Signing in: the account's number, then the code.

use duewatch_app::SESSION_LASTS;
use duewatch_text::Value;
use maud::{Markup, html};

use super::Frame;
use crate::Pages;
use crate::reader::Fault;
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::secrets::{BROWSER_COOKIE, form_token, random_id, signed, signed_id};

/// Seconds for which a browser that is not signed in is known.
const BROWSER_KNOWN: i64 = 3_600;

/// The browser's id and whether it is new.
fn browser(pages: &Pages, request: &PageRequest) -> Result<(String, bool), Fault> {
    match signed_id(&pages.key, &request.cookies, BROWSER_COOKIE) {
        Some(id) => Ok((id.to_owned(), false)),
        None => Ok((random_id()?, true)),
    }
}

/// The page that asks for the account's number, with a fault beside the field.
pub(crate) fn first_page(
    pages: &Pages,
    request: &PageRequest,
    fault: Option<(String, &str)>,
) -> Result<Answer, Fault> {
    let (id, _) = browser(pages, request)?;
    let frame = Frame::new(request, None);
    let say = frame.say;
    let token = form_token(&pages.key, &id);
    let (problem, typed) = fault.map_or((None, ""), |(problem, typed)| (Some(problem), typed));
    let content = html! {
        p { (say.t("sign-in-intro")) }
        form method="post" action={ (request.root) "sign-in" } {
            input type="hidden" name="token" value=(token);
            label for="account" {
                (say.t("sign-in-account"))
                span.hint { (say.t("sign-in-account-hint")) }
            }
            @if let Some(problem) = &problem { p.fault id="account-fault" { (problem) } }
            input id="account" name="account" value=(typed) autocomplete="off" autocapitalize="off" spellcheck="false"
                maxlength="128" required aria-describedby=[problem.as_ref().map(|_| "account-fault")];
            button type="submit" { (say.t("sign-in-send")) }
        }
        p.soft { (say.t("sign-in-new-number")) }
        p { a href={ (request.root) "help" } { (say.t("sign-in-no-phone")) } }
    };
    let status = if problem.is_some() { 422 } else { 200 };
    let answer = Answer::html(status, frame.page(&say.t("sign-in-title"), &content));
    Ok(answer.with_cookie(BROWSER_COOKIE, &signed(&pages.key, &id), BROWSER_KNOWN))
}

/// The page that asks for the code.
pub(crate) fn code_page(pages: &Pages, request: &PageRequest) -> Result<Answer, Fault> {
    let Some(id) = signed_id(&pages.key, &request.cookies, BROWSER_COOKIE) else {
        return Ok(Answer::see_other(request.root.clone()));
    };
    Ok(Answer::html(200, code_form(pages, request, id, false)))
}

/// The page after a wrong code.
pub(crate) fn wrong_code(pages: &Pages, request: &PageRequest, browser: &str) -> Answer {
    Answer { is_wrong_code: true, ..Answer::html(422, code_form(pages, request, browser, true)) }
}

fn code_form(pages: &Pages, request: &PageRequest, browser: &str, is_wrong: bool) -> Markup {
    let frame = Frame::new(request, None);
    let say = frame.say;
    let lasts = u32::try_from(SESSION_LASTS.num_minutes()).unwrap_or_default();
    let content = html! {
        p { (say.t("code-sent")) }
        form method="post" action={ (request.root) "code" } {
            input type="hidden" name="token" value=(form_token(&pages.key, browser));
            label for="code" {
                (say.t("code-label"))
                span.hint { (say.t("code-hint")) }
            }
            @if is_wrong { p.fault id="code-fault" { (say.t("code-wrong")) } }
            input.short id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12" required
                aria-describedby=[is_wrong.then_some("code-fault")];
            button type="submit" { (say.t("code-button")) }
        }
        p.soft { (say.with("code-lasts", &[("minutes", Value::Number(lasts))])) }
        p { a href=(request.root) { (say.t("code-again")) } }
    };
    frame.page(&say.t("code-title"), &content)
}
