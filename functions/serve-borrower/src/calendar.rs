//! The due dates of an account as a calendar (RFC 5545), for the borrower's own.

use std::fmt::Write;

use duewatch_domain::Account;
use duewatch_domain::kernel::plus_days;
use duewatch_views::{AccountView, InstallmentState};
use sha2::{Digest, Sha256};

use crate::Pages;
use crate::reader::Fault;
use crate::request::PageRequest;
use crate::respond::Answer;
use crate::texts::Say;

/// The most bytes of a line before it is folded.
const MAX_LINE: usize = 75;

/// One all-day entry for each installment that is not paid.
pub(crate) async fn answer(pages: &Pages, request: &PageRequest, account: &Account) -> Result<Answer, Fault> {
    let now = pages.services.clock.now();
    let versions = pages.services.transitions.rules_of(account, now).await?;
    let view = AccountView::new(account, &[], &versions, now);
    Ok(Answer::calendar(calendar(Say { language: request.language }, &view)))
}

fn calendar(say: Say, view: &AccountView<'_>) -> String {
    let stamp = view.at.format("%Y%m%dT%H%M%SZ");
    let mut text = String::new();
    let mut line = |content: &str| folded(&mut text, content);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//duewatch//due dates//EN");
    let open = view.installments.iter().enumerate();
    let is_open = |state| matches!(state, InstallmentState::Upcoming | InstallmentState::PastDue);
    for (place, installment) in open.filter(|(_, one)| is_open(one.state)) {
        // The id must not tell whose account it is to whom the calendar is shown.
        let id = Sha256::digest(format!("{} {place}", view.account_id).as_bytes());
        let id: String = id.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let amount = say.amount(view.currency, &installment.open);
        let summary = say.with("calendar-due", &[("amount", duewatch_text::Value::Text(&amount))]);
        line("BEGIN:VEVENT");
        line(&format!("UID:{id}@duewatch"));
        line(&format!("DTSTAMP:{stamp}"));
        line(&format!("DTSTART;VALUE=DATE:{}", installment.due_on.format("%Y%m%d")));
        line(&format!("DTEND;VALUE=DATE:{}", plus_days(installment.due_on, 1).format("%Y%m%d")));
        line(&format!("SUMMARY:{}", escaped(&summary)));
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    text
}

fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    escaped.chars().filter(|one| !one.is_control()).collect()
}

/// Writes a line, folded between characters so that no part exceeds 75 bytes.
fn folded(text: &mut String, line: &str) {
    let mut bytes = 0;
    for one in line.chars() {
        if bytes + one.len_utf8() > MAX_LINE {
            text.push_str("\r\n ");
            bytes = 1;
        }
        bytes += one.len_utf8();
        text.push(one);
    }
    // Writing to a `String` never fails.
    let _ = write!(text, "\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_folded_and_marks_are_escaped() {
        let mut text = String::new();
        folded(&mut text, &"\u{6b3e}".repeat(40));
        // Three bytes a character: 25 fill 75 bytes; the rest begins with a blank.
        assert_eq!(text, format!("{}\r\n {}\r\n", "\u{6b3e}".repeat(25), "\u{6b3e}".repeat(15)));
        assert_eq!(escaped("a,b;c\\d\r\n"), "a\\,b\\;c\\\\d");
    }
}
