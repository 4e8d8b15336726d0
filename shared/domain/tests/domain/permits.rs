//! `permits`: the answer about an operation, and the operations that are known. Four installments of 250.00 are due on
//! the first of October to January; with three days of grace the account reaches `late` on 5 October, `limited` on the
//! 9th, `frozen` on the 19th and `suspended` on 3 November.

use duewatch_domain::{Permit, Trigger, permit_for};
use duewatch_testkit::ladder;
use rstest::rstest;

use crate::common::{four_installments, policy};

const OWN_LATER: &str = "[[stages]]\nname = \"own\"\nwhen = { delinquent_days = 600 }\n\
     restrictions = [{ kind = \"own\", blocks = [\"open_branch\"], except = [\"replace_card\"] }]\n";

#[rstest]
#[case::nothing_restricted("2023-10-01", "draw", "Allowed: no restriction concerns it.")]
#[case::limited("2023-10-09", "draw", "Allowed within 50 % of the credit line: limit_credit_line.")]
#[case::limited_and_another_operation("2023-10-09", "transfer", "Allowed: no restriction concerns it.")]
#[case::frozen("2023-10-19", "draw", "Blocked by freeze_drawdown.")]
#[case::suspended("2023-11-03", "transfer", "Blocked by suspend_account.")]
#[case::never_blocked("2023-11-03", "pay_wages", "Allowed: suspend_account does not block this operation.")]
#[case::repaying("2023-11-03", "repay", "Allowed: suspend_account does not block this operation.")]
#[case::excepted("2023-11-03", "receive_money", "Allowed: suspend_account does not block this operation.")]
#[case::of_the_lenders_own("2023-12-03", "open_branch", "Blocked by no_new_business.")]
#[case::not_named_by_it("2023-12-03", "transfer", "Allowed: no restriction concerns it.")]
fn an_operation_may_go_through_or_not_and_the_answer_says_why(
    #[case] day: &str,
    #[case] operation: &str,
    #[case] answer: &str,
) {
    let ladder = ladder().replace("\"suspend_account\"", "\"suspend_account\", except = [\"receive_money\"]");
    let own = "[[stages]]\nname = \"own\"\nwhen = { delinquent_days = 60 }\n\
               restrictions = [{ kind = \"no_new_business\", blocks = [\"open_branch\"] }]\n";
    let tables = "[operations]\nnever_blocked = [\"pay_wages\"]\n";
    let policy = policy("grace_days = 3", &format!("{ladder}\n{own}\n{tables}"));
    let mut loan = four_installments();
    loan.assessed(&format!("{day}T23:59:59"), &policy, Trigger::Time);
    let permit = permit_for(&loan.account, &policy, operation).unwrap();
    assert_eq!(permit.to_string(), answer);
    assert_eq!(permit.is_allowed(), !matches!(permit, Permit::Blocked(_)));
}

#[rstest]
#[case::common("repay", "", true)]
#[case::another_case("Repay", "", false)]
#[case::another_case_of_a_blocked_one("DRAW", "", false)]
#[case::with_a_space("draw ", "", false)]
#[case::misspelt("withdraw", "", false)]
#[case::empty("", "", false)]
#[case::named_as_known("order_card", "[operations]\nknown = [\"order_card\"]\n", true)]
#[case::named_as_never_blocked("close", "[operations]\nnever_blocked = [\"close\"]\n", true)]
#[case::named_by_a_stage_that_does_not_hold("open_branch", OWN_LATER, true)]
#[case::excepted_by_it("replace_card", OWN_LATER, true)]
#[case::named_for_the_customers_other_accounts(
    "open_card",
    "[customer]\nstage = \"late\"\nrestrictions = [{ kind = \"own\", blocks = [\"open_card\"] }]\n",
    true
)]
fn an_operation_that_no_policy_names_is_never_allowed(
    #[case] operation: &str,
    #[case] tables: &str,
    #[case] is_known: bool,
) {
    let policy = policy("grace_days = 3", &format!("{}\n{tables}", ladder()));
    let mut loan = four_installments();
    for day in ["2023-10-01", "2023-10-19", "2023-11-03"] {
        loan.assessed(&format!("{day}T23:59:59"), &policy, Trigger::Time);
        let permit = permit_for(&loan.account, &policy, operation);
        assert_eq!(permit.is_ok(), is_known, "{day}: {permit:?}");
        let Err(unknown) = permit else { continue };
        for common in ["repay", "draw", "transfer", "pay_wages", "receive"] {
            assert!(unknown.known.iter().any(|one| one == common), "{unknown}");
        }
        assert!(
            unknown.to_string().starts_with(&format!("\"{operation}\" is no known operation")),
            "{unknown}"
        );
    }
}

/// A version that drops a restriction of the lender's own keeps its operations known where it still holds.
#[test]
fn an_operation_that_a_restriction_in_force_blocks_stays_known_under_a_version_that_does_not_name_it() {
    let blocks = policy("grace_days = 3", &format!("{}\n{OWN_LATER}", ladder()).replace("600", "60"));
    let mut loan = four_installments();
    loan.assessed("2023-12-03T23:59:59", &blocks, Trigger::Time);
    let without = policy("grace_days = 3", &ladder());
    assert!(matches!(permit_for(&loan.account, &without, "open_branch"), Ok(Permit::Blocked(_))));
}
