//! A policy as text: its newest published version.

use duewatch_domain::describe::describe;
use duewatch_domain::kernel::PolicyId;
use duewatch_store::StoreError;
use maud::{Markup, html};

use super::Frame;
use crate::Pages;
use crate::reader::Fault;
use crate::request::PageRequest;
use crate::respond::Answer;

/// The page of a policy.
pub(crate) async fn show(pages: &Pages, request: &PageRequest, id: &str) -> Result<Answer, Fault> {
    let id: PolicyId = id.parse().map_err(|_| Fault::NotFound)?;
    let versions = match pages.services.store().policy_versions(&id).await {
        Ok(versions) => versions,
        Err(StoreError::UnknownPolicy(_)) => return Err(Fault::NotFound),
        Err(error) => return Err(error.into()),
    };
    let Some(policy) = versions.last() else { return Err(Fault::NotFound) };
    let frame = Frame::new(request, None);
    let text = describe(policy, frame.say.language);
    let (title, rest) = text.split_once("\n").unwrap_or((&text, ""));
    let title = unescaped(title.trim_start_matches("# "));
    Ok(Answer::html(200, frame.page(&title, &markup(rest))))
}

/// The Markdown that `describe` writes, as HTML: headings, lists and paragraphs, with each mark of its own escaped.
fn markup(text: &str) -> Markup {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    html! {
        @for block in blocks {
            @if let Some(heading) = block.strip_prefix("## ") {
                h2 { (unescaped(heading)) }
            } @else if let Some(heading) = block.strip_prefix("### ") {
                h3 { (unescaped(heading)) }
            } @else if block.lines().all(|line| line.starts_with("- ") || line.starts_with("  ")) {
                ul { @for item in items(block) { li { (unescaped(&item)) } } }
            } @else {
                p { (unescaped(block)) }
            }
        }
    }
}

/// The items of a list, each with its further lines.
fn items(block: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push(item.to_owned()),
            (None, Some(last)) => {
                last.push(' ');
                last.push_str(line.trim().trim_start_matches("- "));
            }
            (None, None) => items.push(line.trim().to_owned()),
        }
    }
    items
}

/// The text without the backslashes and asterisks of Markdown.
fn unescaped(text: &str) -> String {
    let (mut plain, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(one) = chars.next() {
        match one {
            '\\' => plain.extend(chars.next()),
            '*' => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_policy_is_markup() {
        let text = "Rules \\<b\\>\n\n## A \\*name\\*\n\n- one\n- two \\& three\n\n**Bold** words";
        assert_eq!(
            markup(text).into_string(),
            "<p>Rules &lt;b&gt;</p><h2>A *name*</h2><ul><li>one</li><li>two &amp; three</li></ul><p>Bold words</p>"
        );
    }
}
