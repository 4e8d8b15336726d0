//! The image of an account, as DynamoDB writes attributes in JSON.

#![no_main]

use duewatch_domain::Trigger;
use duewatch_domain::kernel::is_in_range;
use duewatch_fuzz::{POLICIES, check_fault, check_item, judge};
use duewatch_store::account_from_image;
use libfuzzer_sys::fuzz_target;

/// The instant at which an account without an evaluation gets its first.
const NOW: &str = "2023-10-05T09:30:00Z";

fuzz_target!(|text: &str| {
    let Ok(image) = serde_json::from_str::<serde_dynamo::Item>(text) else { return };
    let account = match account_from_image(image) {
        Ok(account) => account,
        Err(fault) => return check_fault(&fault),
    };
    check_item(&account);
    let judged_at = account.status.last_assessed_at.filter(|at| is_in_range(at.date_naive()));
    let now = judged_at.unwrap_or_else(|| NOW.parse().expect("an instant"));
    for policy in &*POLICIES {
        let mut judged = account.clone();
        judge(&mut judged, policy, now, Trigger::Time);
        check_item(&judged);
    }
});
