//! One account's stage restricts the customer's others, and lifts with it. Four installments of 250.00 are
//! due on the first of October to January; with three days of grace the account reaches `late` on 5 October,
//! `limited` on the 9th, `frozen` on the 19th and `suspended` on 3 November. The rule begins with `frozen`.

use std::collections::BTreeMap;

use duewatch_domain::account::Reason;
use duewatch_domain::account::{CrossRestriction, ImposedBy};
use duewatch_domain::formats::{DailyLines, DecisionLine, DecisionSubject};
use duewatch_domain::kernel::MAX_ACCOUNTS_OF_CUSTOMER;
use duewatch_domain::kernel::Revision;
use duewatch_domain::kernel::start_of_day;
use duewatch_domain::policy::{Restriction, Versions, parse};
use duewatch_domain::{Applied, Permit, Policy, Refusal, Trigger, permit_for};
use duewatch_testkit::{FREEZE, LATE, LIMIT, LIMITED, SUSPENDED, ladder, policy_text, stages};
use rstest::rstest;

use crate::common::{TestLoan, date, four_installments, instant, policy};

const RULE: &str = "[customer]\nstage = \"frozen\"\nrestrictions = [{ kind = \"freeze_drawdown\" }]\n";

fn with(tables: &str) -> Policy {
    policy("grace_days = 3", &format!("{}\n{tables}", ladder()))
}

fn named(id: &str) -> TestLoan {
    let mut loan = four_installments();
    loan.account.account_id = id.parse().unwrap();
    loan
}

/// Evaluates the account as it is opened, then as a sweep does, up to a local date's end.
fn swept(loan: &mut TestLoan, until: &str, policy: &Policy) {
    if loan.account.revision == Revision(0) {
        loan.assessed("2023-09-01", policy, Trigger::Fact);
    }
    loan.swept(until, policy);
}

fn asked(loan: &TestLoan) -> String {
    let asked: Vec<String> =
        loan.account.status.imposed_restrictions().iter().map(ToString::to_string).collect();
    asked.join(", ")
}

/// Another account that imposes these restrictions.
fn other(id: &str, restrictions: &[&str]) -> ImposedBy {
    let restriction = |text: &&str| {
        let (kind, percent) = text.split_once(' ').unwrap_or((*text, ""));
        Restriction {
            kind: kind.to_owned().into(),
            percent: percent.parse().ok(),
            notice_days: None,
            blocks: Vec::new(),
            except: Vec::new(),
        }
    };
    ImposedBy {
        account_id: id.parse().unwrap(),
        restriction: CrossRestriction {
            restrictions: restrictions.iter().map(restriction).collect(),
            stage: with("").stages[2].name.clone(),
            since: instant("2023-10-18T16:00:00Z"),
            revision: Revision(4),
        },
    }
}

#[rstest]
#[case::before_the_stage("2023-10-18", "limited", "")]
#[case::on_its_first_day("2023-10-19", "frozen", "freeze_drawdown")]
#[case::on_a_severer_one("2023-11-03", "suspended", "freeze_drawdown")]
fn an_account_asks_from_the_rules_stage_on(#[case] day: &str, #[case] stage: &str, #[case] expected: &str) {
    let policy = with(RULE);
    let mut loan = four_installments();
    swept(&mut loan, day, &policy);
    assert_eq!((loan.account.status.stage.as_str(), asked(&loan).as_str()), (stage, expected));
    assert!(loan.account.is_confirmed(&policy, loan.local(day)));
}

#[test]
fn what_an_account_asks_bears_the_revision_that_changed_it_and_goes_with_the_cure() {
    let policy = with(RULE);
    let mut loan = four_installments();
    swept(&mut loan, "2023-10-18", &policy);
    assert_eq!((loan.account.imposes(), loan.account.imposed_at_revision()), (None, None));
    swept(&mut loan, "2023-11-10", &policy);
    // Evaluated on 1 September, then late, limited, frozen: revision 4. Suspended changes nothing.
    let restriction = loan.account.imposes().unwrap().restriction;
    assert_eq!((restriction.revision, restriction.stage.as_str()), (Revision(4), "frozen"));
    assert_eq!(restriction.since, start_of_day(loan.account.time_zone, date("2023-10-19")));
    assert!(loan.account.revision > Revision(4));
    loan.pays("2023-11-10", "P-1", "500.00").assessed("2023-11-10", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "current []");
    assert_eq!(loan.account.imposes(), None);
    assert_eq!(loan.account.imposed_at_revision(), Some(loan.account.revision));
    assert!(loan.account.is_confirmed(&policy, loan.local("2023-11-10")));
}

#[rstest]
#[case::a_notice_that_never_left("notice_days = 7, ", "", "2023-12-01")]
#[case::a_temporary_cause("", "cause = { temporary_holds_days = 30 }", "2023-10-25")]
#[case::a_buffer("", "buffer = { days = 20, amount = \"300.00\", months = 12 }", "2023-10-24")]
fn nobody_else_is_restricted_before_the_account_itself_is(
    #[case] notice: &str,
    #[case] table: &str,
    #[case] day: &str,
) {
    let ladder = ladder().replace("{ kind = \"freeze", &format!("{{ {notice}kind = \"freeze"));
    let ladder = ladder.replace("{ kind = \"suspend", &format!("{{ {notice}kind = \"suspend"));
    let policy = policy("grace_days = 3", &format!("{table}\n{ladder}\n{RULE}"));
    let mut loan = four_installments();
    swept(&mut loan, "2023-10-09", &policy);
    loan.learns("2023-10-10", "cause_recorded", r#""cause":"temporary","by":"b","reason":"r""#);
    loan.assessed("2023-10-10", &policy, Trigger::Fact);
    swept(&mut loan, day, &policy);
    assert_ne!(loan.account.status.stage.as_str(), "limited");
    assert_eq!(asked(&loan), "");
}

/// Each decision, and the restrictions that it left in their order, told by the account then and by the account
/// at the end.
#[rstest]
#[case::two_others_impose_theirs("", vec![other("A-2", &["suspend_account"]), other("A-3", &["freeze_drawdown", "raise_rate 110"])])]
#[case::a_milder_stage_restricts("cause = { temporary_holds_days = 30 }", vec![other("A-2", &["freeze_drawdown"])])]
fn a_decision_published_late_lists_the_restrictions_as_it_left_them(
    #[case] table: &str,
    #[case] imposed: Vec<ImposedBy>,
) {
    let frozen = ("frozen", "delinquent_days = 15", &*format!("{FREEZE}, {LIMIT}"));
    let policy =
        policy("grace_days = 3", &format!("{table}\n{}", stages(&[LATE, LIMITED, frozen, SUSPENDED])));
    let mut loan = four_installments();
    let mut left = BTreeMap::new();
    let mut note = |loan: &TestLoan| {
        let restrictions: Vec<String> =
            loan.account.status.restrictions.iter().map(ToString::to_string).collect();
        left.insert(loan.account.revision, restrictions);
    };
    loan.learns("2023-09-20", "cause_recorded", r#""cause":"temporary","by":"b","reason":"r""#);
    swept(&mut loan, "2023-10-06", &policy);
    assert_eq!(loan.account.replace_imposed_by(imposed), Ok(Applied::Changed));
    for day in date("2023-10-07").iter_days().take(40) {
        swept(&mut loan, &day.to_string(), &policy);
        note(&loan);
    }
    loan.pays("2023-11-20", "P-1", "500.00").assessed("2023-11-20", &policy, Trigger::Fact);
    note(&loan);
    for decision in loan.account.recent_decisions() {
        let then = loan.account.as_decided(decision, &policy);
        let told: Vec<String> = then.status.restrictions.iter().map(ToString::to_string).collect();
        if let Some(known) = left.get(&decision.revision) {
            assert_eq!((&then.status.stage, &told), (&decision.to, known), "{}", decision.revision);
        }
    }
    assert!(left.values().any(|known| known.len() > 1), "{left:?}");
}

#[rstest]
#[case::nothing_of_its_own("2023-09-30", "current [freeze_drawdown]")]
#[case::beside_its_own("2023-10-09", "limited [limit_credit_line to 50 %, freeze_drawdown]")]
#[case::the_same_as_its_own("2023-10-19", "frozen [limit_credit_line to 50 %, freeze_drawdown]")]
#[case::beside_a_severer_one("2023-11-03", "suspended [suspend_account, freeze_drawdown]")]
fn an_account_may_not_do_what_its_stage_or_another_account_forbids(
    #[case] day: &str,
    #[case] expected: &str,
) {
    let policy = with(RULE);
    let mut loan = four_installments();
    assert_eq!(
        loan.account.replace_imposed_by(vec![other("A-2", &["freeze_drawdown"])]),
        Ok(Applied::Changed)
    );
    swept(&mut loan, day, &policy);
    assert_eq!(loan.status_text(), expected);
    let daily = {
        let mut line = Vec::new();
        DailyLines::new(&loan.account, &policy).write(&loan.account, date(day), &mut line);
        serde_json::from_slice::<serde_json::Value>(&line).unwrap()
    };
    assert_eq!(daily["restrictions"], serde_json::to_value(&loan.account.status.restrictions).unwrap());
}

#[test]
fn what_others_ask_does_not_go_on_to_anybody_else() {
    let policy = with(RULE);
    let mut loan = four_installments();
    loan.account.replace_imposed_by(vec![other("A-2", &["freeze_drawdown", "suspend_account"])]).unwrap();
    swept(&mut loan, "2023-10-18", &policy);
    assert_eq!(loan.status_text(), "limited [limit_credit_line to 50 %, freeze_drawdown, suspend_account]");
    assert_eq!(loan.account.imposes(), None);
}

#[test]
fn what_others_ask_holds_nothing_while_enforcement_is_off() {
    let policy = with(RULE);
    let mut loan = four_installments();
    loan.account.replace_imposed_by(vec![other("A-2", &["freeze_drawdown"])]).unwrap();
    swept(&mut loan, "2023-10-19", &policy);
    assert_eq!(asked(&loan), "freeze_drawdown");
    loan.learns("2023-10-20", "enforcement_off", r#""reason":"r""#);
    loan.assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!((loan.status_text().as_str(), asked(&loan).as_str()), ("current []", ""));
    assert_eq!(loan.account.recent_decisions().last().unwrap().reasons, [Reason::EnforcementOff]);
    loan.learns("2023-10-21", "enforcement_on", r#""reason":"r""#);
    loan.assessed("2023-10-21", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
    assert_eq!(asked(&loan), "freeze_drawdown");
}

#[test]
fn the_decision_names_the_other_account_and_how_to_clear_it() {
    let policy = with(RULE);
    let (mut source, mut target) = (named("A-2"), four_installments());
    swept(&mut source, "2023-10-19", &policy);
    target.pays("2023-10-01", "P-1", "1000.00").assessed("2023-10-01", &policy, Trigger::Fact);
    assert!(!target.account.has_applied_from(&source.account));
    target.account.replace_imposed_by(source.account.imposes().into_iter().collect()).unwrap();
    target.assessed("2023-10-19", &policy, Trigger::Fact);
    assert!(target.account.has_applied_from(&source.account));
    let decision = target.account.decision_of_this_revision().unwrap();
    assert_eq!((decision.at, decision.from == decision.to), (target.local("2023-10-19"), true));
    let subject =
        DecisionSubject { account_id: &target.account.account_id, currency: target.account.currency };
    let line = serde_json::to_value(DecisionLine::new(subject, decision)).unwrap();
    assert_eq!(
        line["reasons"][1],
        serde_json::json!({
            "rule": "customer", "threshold": "frozen", "value": "A-2",
            "sentence": "Account A-2 of the same customer has reached frozen; what follows from that for this \
                         account is lifted when what is overdue there is paid.",
        })
    );
    assert_eq!(line["applied"], serde_json::json!([{ "kind": "freeze_drawdown" }]));
    // The other account is paid, and the restriction is lifted here.
    source.pays("2023-10-20", "P-1", "250.00").assessed("2023-10-20", &policy, Trigger::Fact);
    assert!(!target.account.has_applied_from(&source.account));
    target.account.replace_imposed_by(source.account.imposes().into_iter().collect()).unwrap();
    target.assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!(target.status_text(), "current []");
    assert_eq!(target.account.decision_of_this_revision().unwrap().reasons, [Reason::NothingOverdue]);
}

#[test]
fn what_was_asked_and_deferred_comes_about_no_earlier_than_it_was_asked() {
    let policy = with(RULE);
    let mut loan = four_installments();
    swept(&mut loan, "2023-10-18", &policy);
    loan.account.replace_imposed_by(vec![other("A-2", &["freeze_drawdown"])]).unwrap();
    let now = instant("2023-10-18T15:30:00Z");
    loan.account.judge(&policy, now, Trigger::Time);
    let decision = loan.account.decision_of_this_revision().unwrap();
    assert_eq!(decision.at, instant("2023-10-18T16:00:00Z"));
}

#[test]
fn applying_cross_restrictions_again_changes_nothing_and_the_order_does_not_matter() {
    let mut loan = four_installments();
    let (one, two) = (other("A-2", &["freeze_drawdown"]), other("A-3", &["suspend_account"]));
    let own = other("A-1", &["suspend_account"]);
    let silent = other("A-4", &[]);
    assert_eq!(
        loan.account.replace_imposed_by(vec![two.clone(), own, silent, one.clone()]),
        Ok(Applied::Changed)
    );
    assert_eq!(loan.account.imposed_by(), [one.clone(), two.clone()]);
    assert_eq!(loan.account.replace_imposed_by(vec![one, two]), Ok(Applied::Unchanged));
    assert_eq!(loan.account.replace_imposed_by(Vec::new()), Ok(Applied::Changed));
}

#[test]
fn an_account_bears_no_more_cross_restrictions_than_are_assessed_together() {
    let others = |count: usize| (0..count).map(|n| other(&format!("B-{n}"), &["freeze_drawdown"])).collect();
    let mut loan = four_installments();
    assert_eq!(loan.account.replace_imposed_by(others(MAX_ACCOUNTS_OF_CUSTOMER - 1)), Ok(Applied::Changed));
    let known = loan.account.clone();
    assert_eq!(
        loan.account.replace_imposed_by(others(MAX_ACCOUNTS_OF_CUSTOMER)),
        Err(Refusal::TooManyAccounts)
    );
    assert_eq!(loan.account, known);
}

#[rstest]
#[case::the_others_is_tighter(20, "Within(20)")]
#[case::its_own_is_tighter(80, "Within(50)")]
fn of_two_limits_the_tighter_one_binds(#[case] percent: u32, #[case] expected: &str) {
    let policy = with(RULE);
    let mut loan = four_installments();
    let limit = format!("limit_credit_line {percent}");
    loan.account.replace_imposed_by(vec![other("A-2", &[limit.as_str()])]).unwrap();
    swept(&mut loan, "2023-10-09", &policy);
    let permit = match permit_for(&loan.account, &policy, "draw").unwrap() {
        Permit::Within(_, percent) => format!("Within({percent})"),
        other => format!("{other:?}"),
    };
    assert_eq!(permit, expected);
}

#[test]
fn a_version_that_brings_a_rule_is_looked_at_when_it_binds() {
    let (before, mut after) = (with(""), with(RULE));
    (after.version, after.effective_on) = (2, date("2023-11-20"));
    let versions = Versions::new(vec![before.clone(), after]).unwrap();
    let mut loan = four_installments();
    loan.assessed("2023-11-03", &before, Trigger::Fact);
    assert_eq!((loan.status_text().as_str(), asked(&loan).as_str()), ("suspended [suspend_account]", ""));
    loan.account.judge(&versions, loan.local("2023-11-03"), Trigger::Time);
    let at = start_of_day(loan.account.time_zone, date("2023-11-20"));
    assert_eq!(loan.account.status.next_action_at, Some(at));
    loan.account.judge(&versions, at, Trigger::Time);
    assert_eq!(asked(&loan), "freeze_drawdown");
    assert_eq!(loan.account.decision_of_this_revision(), None);
}

#[rstest]
#[case(
    "stage = \"gone\"\nrestrictions = [{ kind = \"x\" }]",
    "customer.stage: the ladder has no stage \"gone\""
)]
#[case(
    "stage = \"frozen\"\nrestrictions = []",
    "customer.restrictions: there is none; leave the table out to judge accounts apart"
)]
#[case(
    "stage = \"frozen\"\nrestrictions = [{ kind = \"limit_credit_line\", percent = 101 }]",
    "customer.restrictions: limit_credit_line.percent: 101 is not between 0 and 100"
)]
#[case(
    "stage = \"frozen\"\nrestrictions = [{ kind = \"freeze_drawdown\", notice_days = 3 }]",
    "customer.restrictions: freeze_drawdown.notice_days: the notice of the stage is waited for, and no other"
)]
fn a_rule_that_cannot_be_is_refused(#[case] table: &str, #[case] expected: &str) {
    let text = policy_text("p", "", &format!("{}\n[customer]\n{table}\n", ladder()));
    assert_eq!(parse(&text).unwrap_err().problem, expected);
}

#[rstest]
#[case::the_same(RULE, RULE, true)]
#[case::none_any_more(RULE, "", true)]
#[case::one_that_was_not_there("", RULE, false)]
#[case::at_a_later_stage(
    RULE,
    "[customer]\nstage = \"suspended\"\nrestrictions = [{ kind = \"freeze_drawdown\" }]",
    true
)]
#[case::at_an_earlier_stage(
    RULE,
    "[customer]\nstage = \"late\"\nrestrictions = [{ kind = \"freeze_drawdown\" }]",
    false
)]
#[case::with_more(
    RULE,
    "[customer]\nstage = \"frozen\"\nrestrictions = [{ kind = \"suspend_account\" }]",
    false
)]
fn a_rule_that_asks_more_is_stricter(#[case] before: &str, #[case] after: &str, #[case] expected: bool) {
    assert_eq!(with(after).is_no_stricter_than(&with(before)), expected);
}

// Frozen from 19 October on, held back by a temporary cause until 9 November: the other account's freeze is in force by
// then, beside the limit.
#[test]
fn nothing_is_due_when_an_own_restriction_begins_that_another_account_imposes_already() {
    let both = format!("{LIMIT}, {FREEZE}");
    let ladder =
        stages(&[("limited", "delinquent_days = 5", LIMIT), ("frozen", "delinquent_days = 15", &both)]);
    let policy = policy("grace_days = 3", &format!("cause = {{ temporary_holds_days = 30 }}\n{ladder}"));
    let mut loan = four_installments();
    swept(&mut loan, "2023-10-09", &policy);
    loan.learns("2023-10-10", "cause_recorded", r#""cause":"temporary","by":"b","reason":"r""#);
    loan.assessed("2023-10-10", &policy, Trigger::Fact);
    swept(&mut loan, "2023-10-20", &policy);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %]");
    let begin = start_of_day(loan.account.time_zone, date("2023-11-09"));
    assert_eq!(loan.account.status.next_action_at, Some(begin));
    loan.account.replace_imposed_by(vec![other("A-2", &["freeze_drawdown"])]).unwrap();
    loan.assessed("2023-10-20", &policy, Trigger::Fact);
    assert_eq!(loan.status_text(), "frozen [limit_credit_line to 50 %, freeze_drawdown]");
    assert_eq!(loan.account.status.next_action_at, None);
}
