//! Help: how to pay, whom to call, hardship, how credit works; and the agencies that act for the lender.

use maud::{Markup, html};

use super::Frame;
use crate::Pages;
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::texts::Say;

/// How to pay and whom to call.
pub(crate) fn ways(pages: &Pages, say: Say) -> Markup {
    let (pay, call) = (&pages.help.how_to_pay, &pages.help.whom_to_call);
    html! {
        h2 id="pay" { (say.t("help-pay")) }
        p { (pay.clone().unwrap_or_else(|| say.t("help-pay-plain"))) }
        h2 id="call" { (say.t("help-call")) }
        p { (call.clone().unwrap_or_else(|| say.t("help-call-plain"))) }
    }
}

/// The page of help.
pub(crate) fn show(pages: &Pages, request: &PageRequest) -> Answer {
    let frame = Frame::new(request, None);
    let say = frame.say;
    let content = html! {
        (ways(pages, say))
        h2 { (say.t("help-hardship")) }
        p { (say.t("help-hardship-text")) }
        ul {
            li { (say.t("help-hardship-early")) }
            li { (say.t("help-hardship-tell")) }
            li { (say.t("help-hardship-debts")) }
        }
        p { a href={ (request.root) "budget" } { (say.t("budget-title")) } }
        h2 { (say.t("help-credit")) }
        h3 { (say.t("help-late")) }
        p { (say.t("help-late-text")) }
        h3 { (say.t("help-order")) }
        p { (say.t("help-order-text")) }
        h3 { (say.t("help-cure")) }
        p { (say.t("help-cure-text")) }
        h3 { (say.t("help-record")) }
        p { (say.t("help-record-text")) }
        h2 { (say.t("help-genuine")) }
        p { (say.t("help-genuine-text")) " " a href={ (request.root) "verify" } { (say.t("nav-verify")) } }
    };
    Answer::html(200, frame.page(&say.t("help-title"), &content))
}

/// The agencies. The registry does not exist yet: nobody acts for the lender as far as it knows.
pub(crate) fn agencies(request: &PageRequest) -> Answer {
    let frame = Frame::new(request, None);
    let say = frame.say;
    let content = html! {
        p { (say.t("agencies-none")) }
        p { (say.t("agencies-doubt")) }
    };
    Answer::html(200, frame.page(&say.t("agencies-title"), &content))
}
