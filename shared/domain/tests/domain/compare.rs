//! Compares an account under its policy and under another.

use duewatch_domain::Policy;
use duewatch_domain::assessment::{TreatmentChange, compare};
use duewatch_domain::kernel::end_of_day;
use rstest::rstest;

use crate::common::{date, four_installments, policy};

/// One stage, `name`, from day 1 past due, that brings these restrictions.
fn one_stage(name: &str, restrictions: &str) -> Policy {
    let stage = format!(
        "[[stages]]\nname = \"{name}\"\nwhen = {{ days_past_due = 1 }}\nrestrictions = [{restrictions}]\n"
    );
    policy("", &stage)
}

const LINE_50: &str = r#"{ kind = "limit_credit_line", percent = 50 }"#;
const LINE_80: &str = r#"{ kind = "limit_credit_line", percent = 80 }"#;
const FREEZE: &str = r#"{ kind = "freeze_drawdown" }"#;
const SUSPEND: &str = r#"{ kind = "suspend_account" }"#;

#[rstest]
#[case::alike(("late", LINE_50), ("late", LINE_50), TreatmentChange::Unchanged)]
#[case::by_another_name(("late", LINE_50), ("limited", LINE_50), TreatmentChange::Moved)]
#[case::something_new(("late", ""), ("late", FREEZE), TreatmentChange::Restricted)]
#[case::stricter(("late", LINE_80), ("late", LINE_50), TreatmentChange::Restricted)]
#[case::the_whole_account(("late", LINE_80), ("late", SUSPEND), TreatmentChange::Restricted)]
#[case::one_for_another(("late", LINE_50), ("late", FREEZE), TreatmentChange::Restricted)]
#[case::milder(("late", LINE_50), ("late", LINE_80), TreatmentChange::Eased)]
#[case::no_more(("late", FREEZE), ("late", ""), TreatmentChange::Eased)]
#[case::part_of_the_whole(("late", SUSPEND), ("late", FREEZE), TreatmentChange::Eased)]
fn one_change_says_how_an_account_would_be_treated(
    #[case] from: (&str, &str),
    #[case] to: (&str, &str),
    #[case] expected: TreatmentChange,
) {
    let loan = four_installments();
    let (from, to) = (one_stage(from.0, from.1), one_stage(to.0, to.1));
    let now = end_of_day(loan.account.time_zone, date("2023-10-20"));
    let compared = compare(&loan.account, &from, &to, now);
    assert_eq!(compared.change(), expected, "{:?}", compared.change().as_str());
}

#[rstest]
#[case::no_longer_flagged("", TreatmentChange::Flagged, TreatmentChange::Eased)]
#[case::no_longer_restricted(LINE_50, TreatmentChange::Restricted, TreatmentChange::Eased)]
fn to_be_flagged_or_not_is_a_change(
    #[case] restrictions: &str,
    #[case] there: TreatmentChange,
    #[case] back: TreatmentChange,
) {
    let loan = four_installments();
    let (none, some) = (policy("", ""), one_stage("late", restrictions));
    let now = end_of_day(loan.account.time_zone, date("2023-10-20"));
    assert_eq!(compare(&loan.account, &none, &some, now).change(), there);
    assert_eq!(compare(&loan.account, &some, &none, now).change(), back);
}
