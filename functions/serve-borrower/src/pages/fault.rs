//! The pages of faults: each says what happened, and the way on.

use maud::{Markup, html};
use serde_json::json;

use super::Frame;
use super::help::ways;
use crate::Pages;
use crate::reader::Fault;
use crate::request::PageRequest;
use crate::respond::Answer;

/// The answer to a fault. It reads no table.
pub(crate) fn answer(pages: &Pages, request: &PageRequest, fault: &Fault) -> Answer {
    let frame = Frame::new(request, None);
    let say = frame.say;
    let (status, name, title, text) = match fault {
        Fault::OutOfReach(_) => (503, "out_of_reach", say.t("fault-reach"), say.t("fault-reach-text")),
        Fault::NotFound => (404, "not_found", say.t("fault-missing"), say.t("fault-missing-text")),
        Fault::NotSignedIn => (401, "not_signed_in", say.t("fault-session"), say.t("fault-session-text")),
        Fault::NotOurForm => (403, "not_our_form", say.t("fault-form"), say.t("fault-form-text")),
        Fault::NoSuchMethod => (405, "no_such_method", say.t("fault-method"), say.t("fault-method-text")),
        Fault::TooLarge => (413, "too_large", say.t("fault-large"), say.t("fault-large-text")),
        Fault::NoForm => (415, "no_form", say.t("fault-kind"), say.t("fault-kind-text")),
    };
    let is_outage = matches!(fault, Fault::OutOfReach(_));
    let mut answer = if request.wants_json {
        Answer::json(status, &json!({ "error": name, "text": text }))
    } else {
        let content: Markup = html! {
            p { (text) }
            @if is_outage {
                p.note { (say.t("outage-harmless")) }
                (ways(pages, say))
            } @else {
                p { a href=(request.root) { (say.t("to-first-page")) } }
            }
        };
        Answer::html(status, frame.page(&title, &content))
    };
    answer.retries = is_outage;
    answer
}
