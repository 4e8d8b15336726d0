//! Whether a message is genuine. The answer never says about whom it is.

use duewatch_notify::{Verified, verify};
use maud::html;
use serde_json::json;

use super::Frame;
use crate::Pages;
use crate::request::PageRequest;
use crate::respond::Answer;

/// The most characters of a typed reference that are shown again.
const MAX_SHOWN: usize = 60;

/// The page of a reference, from the path or from the form.
pub(crate) fn show(pages: &Pages, request: &PageRequest, in_path: &str) -> Answer {
    let typed =
        if in_path.is_empty() { request.query.get("reference").map_or("", String::as_str) } else { in_path };
    let typed: String = typed.trim().chars().take(MAX_SHOWN).collect();
    let frame = Frame::new(request, None);
    let say = frame.say;
    let verified =
        (!typed.is_empty()).then(|| verify(&pages.reference_keys, &typed, pages.services.clock.now()));
    if request.wants_json {
        return Answer::json(
            200,
            &match verified {
                None => json!({ "answer": null }),
                Some(Verified::Genuine { until }) => json!({ "answer": "genuine", "valid_until": until }),
                Some(Verified::Expired { until }) => json!({ "answer": "expired", "valid_until": until }),
                Some(Verified::NotOurs) => json!({ "answer": "not_ours" }),
            },
        );
    }
    let until = |date| [("date", duewatch_text::Value::Text(date))];
    let content = html! {
        @match verified {
            None => p { (say.t("verify-intro")) },
            Some(Verified::Genuine { until: on }) => {
                p.standing role="status" { (say.with("verify-genuine", &until(&say.date(on)))) }
                p { (say.t("verify-genuine-text")) }
            },
            Some(Verified::Expired { until: on }) => {
                p.standing.warn role="status" { (say.with("verify-expired", &until(&say.date(on)))) }
                p { (say.t("verify-expired-text")) }
            },
            Some(Verified::NotOurs) => {
                p.standing.bad role="status" { (say.t("verify-not-ours")) }
                p { (say.t("verify-not-ours-text")) }
            },
        }
        form method="get" action={ (request.root) "verify" } {
            label for="reference" {
                (say.t("verify-label"))
                span.hint { (say.t("verify-hint")) }
            }
            input id="reference" name="reference" value=(typed) autocomplete="off" maxlength="60" required;
            button type="submit" { (say.t("verify-button")) }
        }
        p.soft { (say.t("verify-privacy")) }
    };
    Answer::html(200, frame.page(&say.t("verify-title"), &content))
}
