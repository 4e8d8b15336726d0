//! Draws on a line: each has a plan of its own, and the account is evaluated as one (S4.2).

use chrono::NaiveDate;
use duewatch_domain::assessment::DrawPlan;
use duewatch_domain::commands::AccountOpened;
use duewatch_domain::formats::{BookRow, book_line, parse_book_line, parse_book_rows};
use duewatch_domain::kernel::MAX_DRAWS;
use duewatch_domain::kernel::{DayCount, Money};
use duewatch_domain::{Account, Applied, Policy, Refusal, allocate_at, assess, draw_plans};
use proptest::prelude::*;
use rstest::rstest;

use crate::common::generate::{DomainCase, PLACES, any_case};
use crate::common::{TestLoan, contract, date, ladder, loan, policy};

fn installment(number: u32, due_on: &str, principal: &str, interest: &str) -> String {
    format!(r#"{{"number":{number},"due_on":"{due_on}","principal":"{principal}","interest":"{interest}"}}"#)
}

/// 600.00 in three parts from October on.
fn first_plan() -> String {
    [
        installment(1, "2023-10-01", "200.00", "10.00"),
        installment(2, "2023-11-01", "200.00", "10.00"),
        installment(3, "2023-12-01", "200.00", "10.00"),
    ]
    .join(",")
}

/// 300.00 in two parts from the middle of October on.
fn second_plan() -> String {
    [installment(11, "2023-10-15", "150.00", "0.00"), installment(12, "2023-11-15", "150.00", "0.00")]
        .join(",")
}

fn draw(id: &str, amount: &str, plan: &str) -> String {
    format!(r#""draw_id":"{id}","amount":"{amount}","installments":[{plan}]"#)
}

/// A line without draws before September, and with 900.00 in two draws since.
fn line() -> TestLoan {
    let mut line = loan(&[]);
    line.learns("2023-09-20", "drawn", &draw("D-1", "600.00", &first_plan()));
    line.learns("2023-10-10", "drawn", &draw("D-2", "300.00", &second_plan()));
    line
}

fn told(plan: &DrawPlan<'_>) -> String {
    let date = |date: Option<chrono::NaiveDate>| date.map_or("never".to_owned(), |date| date.to_string());
    format!(
        "{} of {} in {}: paid {}, open {}, overdue {} since {}, next {}: {}",
        plan.draw.draw_id,
        plan.draw.amount,
        plan.installments,
        plan.paid,
        plan.open,
        plan.overdue,
        date(plan.oldest_due_on),
        date(plan.next_due_on),
        plan.state.as_str(),
    )
}

fn plans_under(loan: &TestLoan, on: &str, policy: &Policy) -> Vec<String> {
    draw_plans(&loan.account, policy, date(on)).iter().map(told).collect()
}

fn plans(loan: &TestLoan, on: &str) -> Vec<String> {
    plans_under(loan, on, &ladder())
}

#[test]
fn each_draw_has_a_plan_and_dates_of_its_own() {
    let mut line = line();
    line.pays("2023-10-01", "P-1", "210.00");
    assert_eq!(
        plans(&line, "2023-10-15"),
        [
            "D-1 of 600.00 in 3: paid 210.00, open 420.00, overdue 0.00 since never, next 2023-11-01: open",
            "D-2 of 300.00 in 2: paid 0.00, open 300.00, overdue 0.00 since never, next 2023-10-15: open",
        ]
    );
    assert_eq!(
        plans(&line, "2023-11-10"),
        [
            "D-1 of 600.00 in 3: paid 210.00, open 420.00, overdue 210.00 since 2023-11-01, next 2023-12-01: overdue",
            "D-2 of 300.00 in 2: paid 0.00, open 300.00, overdue 150.00 since 2023-10-15, next 2023-11-15: overdue",
        ]
    );
    // The account counts as one: its days are those of its oldest installment, of whichever draw.
    assert_eq!(line.days("2023-11-10", &ladder()), (26, 23));
    // A payment is allocated by due date, over all draws: 150.00 of 15 October, then 210.00 of 1 November.
    line.pays("2023-11-10", "P-2", "360.00");
    line.pays("2023-11-11", "P-3", "360.00");
    assert_eq!(
        plans(&line, "2023-11-20"),
        [
            "D-1 of 600.00 in 3: paid 630.00, open 0.00, overdue 0.00 since never, next never: settled",
            "D-2 of 300.00 in 2: paid 300.00, open 0.00, overdue 0.00 since never, next never: settled",
        ]
    );
}

#[test]
fn a_draw_says_when_it_became_known() {
    let line = line();
    let known: Vec<_> = line.account.draws().iter().map(|draw| draw.drawn_at).collect();
    assert_eq!(known, [Some(line.local("2023-09-20")), Some(line.local("2023-10-10"))]);
}

#[test]
fn what_waits_as_credit_settles_what_is_drawn_later() {
    let mut line = loan(&[]);
    line.pays("2023-09-01", "P-1", "250.00");
    line.learns("2023-09-20", "drawn", &draw("D-1", "600.00", &first_plan()));
    assert_eq!((line.unpaid(), line.credit()), ("2: 170.00, 3: 210.00".to_owned(), "0.00".to_owned()));
}

#[test]
fn the_same_draw_again_changes_nothing_whatever_has_become_of_it() {
    let mut line = line();
    line.pays("2023-10-01", "P-1", "210.00");
    line.learns("2023-10-02", "installment_adjusted", r#""number":2,"amount":"50.00","reason":"returned""#);
    let new =
        format!(r#""installments":[{}],"reason":"longer""#, installment(21, "2024-03-01", "670.00", "0.00"));
    line.learns("2023-10-20", "schedule_replaced", &new);
    let before = line.clone();
    for again in [
        draw("D-1", "600.00", &first_plan()),
        // The amounts are written otherwise, and the installments come in another order.
        draw(
            "D-2",
            "300",
            &[installment(12, "2023-11-15", "150", "0"), installment(11, "2023-10-15", "150.0", "0.00")]
                .join(","),
        ),
        format!(r#"{},"currency":"CNY""#, draw("D-2", "300.00", &second_plan())),
    ] {
        assert_eq!(line.try_learn("2023-11-01", "drawn", &again), Ok(Applied::Unchanged), "{again}");
    }
    assert_eq!(line, before);
}

#[rstest]
#[case::another_amount_under_the_id(draw("D-1", "300.00", &second_plan()), "draw_id: D-1 was drawn before with another amount")]
#[case::another_plan_under_the_id(draw("D-1", "600.00", &first_plan().replace("2023-12-01", "2023-12-02")), "draw_id: D-1 was drawn before with another plan")]
#[case::principal_that_is_less(draw("D-3", "300.01", &installment(31, "2023-12-01", "300.00", "0.01")), "installments: their principal adds up to 300.00, the draw is of 300.01")]
#[case::no_plan(
    draw("D-3", "300.00", ""),
    "installments: their principal adds up to 0, the draw is of 300.00"
)]
#[case::nothing_drawn(draw("D-3", "0.00", ""), "amount: 0.00 is not more than zero")]
#[case::finer_than_the_currency(draw("D-3", "0.001", &installment(31, "2023-12-01", "0.001", "0.00")), "amount: ")]
#[case::a_number_that_is_taken(draw("D-3", "300.00", &second_plan()), "installments[0].number: installment 11 exists already")]
#[case::a_number_twice(draw("D-3", "2.00", &[installment(31, "2023-12-01", "1.00", "0"), installment(31, "2023-12-02", "1.00", "0")].join(",")), "installments[1].number: installment 31 exists already")]
#[case::principal_below_nothing(draw("D-3", "1.00", &[installment(31, "2023-12-01", "2.00", "0"), installment(32, "2023-12-02", "-1.00", "0")].join(",")), "installments[1].principal: -1.00 is less than zero")]
#[case::after_all_dates(draw("D-3", "1.00", &installment(31, "3000-12-01", "1.00", "0")), "installments[0].due_on: 3000-12-01 is not between")]
#[case::another_currency(format!(r#"{},"currency":"USD""#, draw("D-3", "1.00", &installment(31, "2023-12-01", "1.00", "0"))), "currency: the draw is in USD, the account in CNY")]
#[case::an_installment_of_another_draw(
    draw("D-3", "1.00", r#"{"number":31,"due_on":"2023-12-01","principal":"1.00","draw_id":"D-1"}"#),
    "installments: draw_id: installment 31 names another draw"
)]
fn a_draw_that_is_refused_leaves_the_account_as_it_was(#[case] fields: String, #[case] problem: &str) {
    let mut line = line();
    let before = line.clone();
    let refusal = line.try_learn("2023-10-20", "drawn", &fields).unwrap_err().to_string();
    assert!(refusal.starts_with(problem), "{refusal}");
    assert_eq!(line, before);
}

#[rstest]
#[case::added(
    "installment_added",
    r#""installment":{"number":31,"due_on":"2023-12-01","principal":"1.00","draw_id":"D-9"}"#,
    "draw_id"
)]
#[case::replaced("schedule_replaced", r#""installments":[{"number":31,"due_on":"2023-12-01","principal":"1.00","draw_id":"D-9"}],"reason":"longer""#, "installments[0].draw_id")]
fn an_installment_of_a_draw_that_never_came_is_refused(
    #[case] kind: &str,
    #[case] fields: &str,
    #[case] field: &str,
) {
    let mut line = line();
    let before = line.clone();
    let refusal = line.try_learn("2023-10-20", kind, fields).unwrap_err().to_string();
    assert_eq!(refusal, format!("{field}: the account has no draw D-9"));
    assert_eq!(line, before);
}

#[test]
fn an_installment_may_be_added_to_a_draw() {
    let mut line = line();
    let fields = r#""installment":{"number":31,"due_on":"2023-12-24","principal":"0.00","fee":"5.00","draw_id":"D-2"}"#;
    line.learns("2023-10-20", "installment_added", fields);
    assert_eq!(
        plans(&line, "2023-10-20")[1],
        "D-2 of 300.00 in 3: paid 0.00, open 305.00, overdue 150.00 since 2023-10-15, next 2023-11-15: overdue"
    );
}

#[test]
fn a_line_holds_two_hundred_draws_and_no_more() {
    let one = |number: u32| {
        draw(&format!("D-{number}"), "1.00", &installment(number, "2023-10-01", "1.00", "0.00"))
    };
    let mut full = loan(&[]);
    for number in 1..=200 {
        full.learns("2023-09-20", "drawn", &one(number));
    }
    assert_eq!(full.account.draws().len(), MAX_DRAWS);
    let before = full.clone();
    assert_eq!(full.try_learn("2023-09-21", "drawn", &one(201)), Err(Refusal::TooManyDraws));
    assert_eq!(full.try_learn("2023-09-21", "drawn", &one(7)), Ok(Applied::Unchanged));
    assert_eq!(full, before);

    let named: Vec<String> = (1..=201).map(|number| of_draw(number, &format!("D-{number}"))).collect();
    let line = book_line(&contract("Asia/Shanghai", "CNY", ""));
    let with = |named: &[String]| {
        let installments = format!(r#""installments":[{}]"#, named.join(","));
        parse_book_line(&line.replace(r#""installments":[]"#, &installments))
    };
    assert!(with(&named[..200]).is_ok());
    assert_eq!(with(&named).unwrap_err().problem, Refusal::TooManyDraws.to_string());
}

fn of_draw(number: u32, draw_id: &str) -> String {
    format!(r#"{{"number":{number},"due_on":"2023-10-01","principal":"1.00","draw_id":"{draw_id}"}}"#)
}

#[test]
fn a_draw_with_too_many_installments_is_refused_whole() {
    let plan: Vec<String> =
        (1..=601).map(|number| installment(number, "2023-10-01", "1.00", "0.00")).collect();
    let mut line = loan(&[]);
    let before = line.clone();
    let refusal = line.try_learn("2023-09-20", "drawn", &draw("D-1", "601.00", &plan.join(",")));
    assert_eq!(refusal, Err(Refusal::TooManyInstallments));
    assert_eq!(line, before);
}

/// The portfolio file knows the draws of a line that is taken over, but not their dates.
#[test]
fn a_book_may_say_which_draw_an_installment_is_part_of() {
    let named = |plan: &str, id: &str| plan.replace("}", &format!(r#","draw_id":"{id}"}}"#));
    let both = format!("{},{}", named(&first_plan(), "D-1"), named(&second_plan(), "D-2"));
    let contract = contract("Asia/Shanghai", "CNY", &both);
    let mut taken_over = TestLoan { account: Account::open(&contract).unwrap() };
    let expected = plans(&line(), "2023-10-20");
    assert_eq!(plans(&taken_over, "2023-10-20"), expected);
    assert!(taken_over.account.draws().iter().all(|draw| draw.drawn_at.is_none()));
    // The draw itself may come later, from the lender's core: it is the same.
    let before = taken_over.clone();
    let again = draw("D-1", "600.00", &first_plan());
    assert_eq!(taken_over.try_learn("2023-10-20", "drawn", &again), Ok(Applied::Unchanged));
    assert_eq!(taken_over, before);
    // The portfolio file holds the same in JSON and in CSV.
    assert_eq!(parse_book_line(&book_line(&contract)).unwrap(), contract);
    let rows = contract.installments.iter().map(|one| {
        let fields = [
            ("account_id", "A-1".to_owned()),
            ("customer_id", "C-1".to_owned()),
            ("policy_id", "standard".to_owned()),
            ("currency", "CNY".to_owned()),
            ("time_zone", "Asia/Shanghai".to_owned()),
            ("opened_on", "2020-01-01".to_owned()),
            ("number", one.number.to_string()),
            ("due_on", one.due_on.to_string()),
            ("principal", one.principal.to_string()),
            ("interest", one.interest.to_string()),
            ("fee", String::new()),
            ("draw_id", one.draw_id.as_ref().unwrap().to_string()),
        ];
        BookRow { line: 1, fields: fields.map(|(column, value)| (column.to_owned(), value)).into() }
    });
    let read = parse_book_rows(rows.collect());
    assert_eq!(read, [(1, Ok(contract))]);
}

/// Another draw makes other terms; without draws, terms and item stay as before.
#[test]
fn the_draws_of_its_book_are_terms_of_an_account() {
    let plain = contract("Asia/Shanghai", "CNY", &installment(1, "2023-10-01", "1.00", "0.00"));
    let written = serde_json::to_string(&Account::open(&plain).unwrap()).unwrap();
    assert!(!written.contains("draw"), "{written}");
    let mut account = Account::open(&contract("Asia/Shanghai", "CNY", &of_draw(1, "D-1"))).unwrap();
    let at = "2023-10-01T00:00:00Z".parse().unwrap();
    let mut again = |draw_id| {
        let contract = contract("Asia/Shanghai", "CNY", &of_draw(1, draw_id));
        account.apply(
            &duewatch_domain::commands::Command::AccountOpened(AccountOpened { account: contract }),
            at,
        )
    };
    assert_eq!(again("D-1"), Ok(Applied::Unchanged));
    assert_eq!(again("D-2"), Err(Refusal::AccountExists("A-1".parse().unwrap())));
}

#[test]
fn a_new_schedule_takes_the_plans_that_still_owe_and_leaves_those_that_are_settled() {
    let mut line = line();
    line.pays_for("2023-10-12", "P-1", "300.00", "[11,12]").pays_for("2023-10-12", "P-2", "100.00", "[1]");
    let new =
        format!(r#""installments":[{}],"reason":"longer""#, installment(21, "2024-03-01", "530.00", "0.00"));
    line.learns("2023-10-20", "schedule_replaced", &new);
    assert_eq!(
        plans(&line, "2024-01-20"),
        [
            "D-1 of 600.00 in 1: paid 100.00, open 0.00, overdue 0.00 since never, next never: replaced by a new schedule",
            "D-2 of 300.00 in 2: paid 300.00, open 0.00, overdue 0.00 since never, next never: settled",
        ]
    );
    let replaced: Vec<_> = line.account.draws().iter().map(|draw| draw.replaced_on).collect();
    assert_eq!(replaced, [Some(date("2023-10-20")), None]);
}

#[test]
fn a_new_schedule_may_be_the_new_plan_of_a_draw() {
    let mut line = line();
    line.pays_for("2023-10-12", "P-1", "300.00", "[11,12]").pays_for("2023-10-12", "P-2", "100.00", "[1]");
    let new = installment(21, "2024-03-01", "530.00", "0.00").replace('}', r#","draw_id":"D-1"}"#);
    line.learns("2023-10-20", "schedule_replaced", &format!(r#""installments":[{new}],"reason":"longer""#));
    assert_eq!(
        plans(&line, "2024-01-20")[0],
        "D-1 of 600.00 in 2: paid 100.00, open 530.00, overdue 0.00 since never, next 2024-03-01: open"
    );
    line.pays("2024-02-20", "P-3", "530.00");
    assert_eq!(
        plans(&line, "2024-02-20")[0],
        "D-1 of 600.00 in 2: paid 630.00, open 0.00, overdue 0.00 since never, next never: settled"
    );
}

#[test]
fn what_is_written_off_of_a_draw_is_open_again_when_that_is_undone() {
    let mut line = line();
    line.pays_for("2023-10-12", "P-1", "160.00", "[11]");
    line.learns("2023-10-20", "written_off", r#""number":12,"reason":"agreed""#);
    line.pays("2023-10-20", "P-2", "200.00");
    let paid = "D-2 of 300.00 in 2: paid 150.00, open ";
    assert_eq!(
        plans(&line, "2023-10-20")[1],
        format!("{paid}0.00, overdue 0.00 since never, next never: written off")
    );
    line.learns("2023-10-21", "write_off_undone", r#""number":12,"reason":"mistake""#);
    assert_eq!(
        plans(&line, "2023-10-21")[1],
        format!("{paid}150.00, overdue 0.00 since never, next 2023-11-15: open")
    );
}

/// 200.00 of principal at 0.0005 a day: 0.10 a day, from the day after the due date on.
#[test]
fn the_late_fee_of_a_draw_is_open_with_it() {
    let mut line = loan(&[]);
    line.learns("2023-09-20", "drawn", &draw("D-1", "600.00", &first_plan()));
    let policy = policy(
        "",
        "[[stages]]\nname = \"late\"\nwhen = { delinquent_days = 1 }\n[late_fee]\ndaily_rate = \"0.0005\"\n",
    );
    assert_eq!(
        plans_under(&line, "2023-10-11", &policy),
        [
            "D-1 of 600.00 in 3: paid 0.00, open 631.00, overdue 211.00 since 2023-10-01, next 2023-11-01: overdue"
        ]
    );
}

/// A charged-back payment had settled more than one draw; the debt that falls due anew belongs to none.
#[test]
fn what_is_taken_back_is_of_no_draw() {
    let mut line = line();
    line.pays("2023-10-15", "P-1", "930.00");
    line.reverses("2023-10-20", "P-1", "reversal");
    assert!(plans(&line, "2023-10-25").iter().all(|plan| plan.ends_with("settled")));
    assert_eq!(line.figures("2023-10-25", &ladder()).overdue.to_string(), "930.00");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The overdue amounts of the draws, and of installments without a draw, sum to the overdue amount.
    #[test]
    fn the_plans_of_the_draws_are_parts_of_what_is_owed(case in any_case(PLACES)) {
        let DomainCase { account, policy, now, .. } = case;
        let assessment = assess(&account, &policy, now);
        let plans = draw_plans(&account, &policy, assessment.day);
        prop_assert_eq!(plans.len(), account.draws().len());
        let allocation = allocate_at(&account, &policy);
        let (mut rest, mut paid) = (Money::from_minor(0, 2), Money::from_minor(0, 2));
        let past_due = |due_on: NaiveDate| match policy.day_count {
            DayCount::DayAfter => due_on < assessment.day,
            DayCount::DueDay => due_on <= assessment.day,
        };
        let shown = allocation.shown_installments(account.currency);
        for open_installment in shown.iter().filter(|one| past_due(one.due_on)) {
            if account.installments()[open_installment.place].draw_id.is_none() {
                let open = allocation.open_components(open_installment, assessment.day, &account, &policy);
                rest += open.iter().map(|(_, amount)| *amount).sum::<Money>();
            }
        }
        for (installment, part) in account.installments().iter().zip(&allocation.paid) {
            if installment.draw_id.is_none() {
                paid += *part;
            }
        }
        let overdue: Money = plans.iter().map(|plan| plan.overdue).sum();
        prop_assert_eq!(overdue + rest, assessment.figures.overdue);
        let paid_of_draws: Money = plans.iter().map(|plan| plan.paid).sum();
        prop_assert_eq!(paid_of_draws + paid, allocation.paid.iter().copied().sum::<Money>());
        for plan in plans {
            prop_assert!(plan.overdue <= plan.open);
            prop_assert_eq!(plan.next_due_on.is_some() || plan.oldest_due_on.is_some(), plan.open.is_positive());
        }
    }
}
