//! A policy, its texts, and its results for accounts from 1900 to 2999.

#![no_main]

use duewatch_domain::kernel::{FIRST_DATE, LAST_DATE, plus_days, start_of_day};
use duewatch_domain::policy;
use duewatch_domain::{Policy, Trigger};
use duewatch_fuzz::{check_fault, check_item, check_life, judge, sample_account};
use duewatch_notify::text as notify_text;
use libfuzzer_sys::fuzz_target;

/// Zones that skip a midnight, repeat one, and skip a date; and none of that.
const ZONES: [&str; 4] = ["America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Asia/Shanghai"];
/// Days between two evaluations: 1900 to 2999 in 58 evaluations.
const STEP_DAYS: i64 = 7_001;

fuzz_target!(|text: &str| match policy::parse(text) {
    Ok(policy) => {
        if let Err(fault) = notify_text::check(&policy) {
            check_fault(&policy::fault_at(text, &fault.place, fault.problem));
        }
        ZONES.iter().for_each(|zone| judge_always(&policy, zone));
    }
    Err(fault) => check_fault(&fault),
});

fn judge_always(policy: &Policy, zone: &str) {
    let account = sample_account("A-1", zone);
    check_life(&account, policy);
    let mut judged = account;
    let mut day = FIRST_DATE;
    while day <= LAST_DATE {
        let now = start_of_day(judged.time_zone, day);
        judge(&mut judged, policy, now, Trigger::Time);
        day = plus_days(day, STEP_DAYS);
    }
    check_item(&judged);
}
