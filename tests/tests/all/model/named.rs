//! Payments that name installments, where late fees take a part: worked out by hand, and the same in the
//! domain and in the model.

use duewatch_domain::formats::{parse_book_line, parse_event_line};
use duewatch_domain::kernel::start_of_day;
use duewatch_domain::{Policy, allocate_at, assess};
use rstest::rstest;
use serde_json::{Value, json};

use super::generate::{Arrival, ModelCase};
use super::pages::{ModelLoan, texts, under};
use super::{ModelWalk, agree_after_idle_looks};

/// Number, due date and principal.
const INSTALLMENTS: [(u32, &str, &str); 6] = [
    (1, "2023-01-31", "100.00"),
    (2, "2023-01-01", "150.00"),
    (3, "2023-01-01", "100.00"),
    (4, "2023-01-01", "100.00"),
    (5, "2023-01-01", "100.00"),
    (6, "2023-01-01", "500.00"),
];

/// One cent once, from the day after the due date on.
fn cent() -> Policy {
    under(
        "[late_fee]\nfixed = \"0.01\"\n[[stages]]\nname = \"five\"\nwhen = { unpaid_installments = 5 }\nrestrictions = []",
    )
}

fn six() -> ModelLoan {
    let add = |loan: ModelLoan, (number, due_on, principal): (u32, &str, &str)| {
        let one = json!({ "number": number, "due_on": due_on, "principal": principal });
        loan.learns("2022-12-01", json!({ "type": "installment_added", "installment": one }))
    };
    INSTALLMENTS.into_iter().fold(ModelLoan::due_on("Asia/Shanghai", &[]), add)
}

// On 16 January installment 3 takes 100.01 of 150.00, its fee included, and 49.99 remain for installment 1,
// which asks 50.01 then and 50.02 on 15 February.
#[rstest]
#[case::one(&[3, 1], &[1], "2: 100.03, 4: 100.00, 5: 100.00, 6: 500.00")]
#[case::one_twice(&[3, 1], &[1, 1], "2: 100.03, 4: 100.00, 5: 100.00, 6: 500.00")]
#[case::one_and_none_there(&[3, 1], &[99, 1], "2: 100.03, 4: 100.00, 5: 100.00, 6: 500.00")]
#[case::one_before_another(&[3, 1], &[1, 2], "2: 100.03, 4: 100.00, 5: 100.00, 6: 500.00")]
#[case::one_before_another_twice(&[3, 1], &[1, 2, 1], "2: 100.03, 4: 100.00, 5: 100.00, 6: 500.00")]
#[case::another_first(&[3, 1], &[2, 1], "2: 50.01, 4: 100.00, 5: 100.00, 6: 500.00, 1: 50.01")]
#[case::the_first_twice(&[3, 1, 3, 1], &[1, 4], "2: 150.00, 4: 50.03, 5: 100.00, 6: 500.00")]
// Installment 1 takes 100.00 before it bears a fee, and 3 takes 50.00: a cent of fee, 49.99 of principal.
#[case::the_other_order(&[1, 3], &[3, 3], "2: 100.02, 4: 100.00, 5: 100.00, 6: 500.00")]
fn a_named_installment_is_settled_before_the_next(
    #[case] first: &[u32],
    #[case] second: &[u32],
    #[case] debts: &str,
) {
    let loan = six().pays("2023-01-16", "P-0", "150.00", first).pays("2023-02-15", "P-1", "100.00", second);
    assert_eq!(loan.debts_under(&cent()), debts);
    let account = loan.account();
    let open = allocate_at(&account, &cent()).shown_installments(account.currency);
    let domain =
        texts(open.iter().map(|one| (&account.installments()[one.place].label, one.due_on, one.amount)));
    assert_eq!(domain, debts);
    let open = debts.split(", ").count();
    assert_eq!(loan.assessed(&cent(), "2023-02-15").unpaid_installments as usize, open);
}

/// The payments in the format's own words.
fn payment(at: &str, id: &str, amount: &str, applies_to: &[u32]) -> Value {
    json!({
        "at": at, "type": "payment_received", "account_id": "A-1", "payment_id": id, "amount": amount,
        "applies_to": applies_to,
    })
}

#[rstest]
#[case::one_twice(&[1, 1])]
#[case::one_before_another(&[1, 2])]
#[case::one_and_none_there(&[7, 1])]
fn domain_and_model_agree_on_a_generated_case(#[case] second: &[u32]) {
    let installments: Vec<Value> = INSTALLMENTS
        .into_iter()
        .map(|(number, due_on, principal)| json!({ "number": number, "due_on": due_on, "principal": principal }))
        .collect();
    let book = json!({
        "account_id": "A-1", "customer_id": "C-1", "policy_id": "p", "currency": "CNY",
        "time_zone": "Asia/Shanghai", "opened_on": "2023-01-01", "installments": installments,
    });
    let contract = parse_book_line(&book.to_string()).unwrap();
    let payments = [
        payment("2023-01-15T16:00:00Z", "P-0", "150.00", &[3, 1]),
        payment("2023-02-14T16:00:00Z", "P-1", "100.00", second),
    ];
    let arrivals = payments.map(|line| {
        let event = parse_event_line(&line.to_string()).unwrap();
        Arrival { at: event.at, arrives_at: event.at, command: event.command }
    });
    let evaluations =
        ["2023-01-20T00:00:00Z", "2023-02-10T00:00:00Z", "2023-02-15T00:00:00Z", "2023-03-15T00:00:00Z"];
    let case = ModelCase {
        begin: start_of_day(contract.time_zone, contract.opened_on),
        contract,
        policy: cent(),
        arrivals: arrivals.to_vec(),
        evaluations: evaluations.map(|at| at.parse().unwrap()).to_vec(),
        notices_leave: false,
    };
    ModelWalk::begin(&case).through(agree_after_idle_looks).unwrap();
}

// 250.01 pay installments 1 and 2 and leave 50.01 as credit, which waits for 20 February. The new schedule is
// empty, so that no installment waits for later money. Installment 4 takes the 50.00 that name it first.
#[rstest]
#[case::it_alone(&[4])]
#[case::before_one_that_is_paid(&[4, 1])]
fn credit_that_waits_takes_nothing_from_a_payment_by_name(#[case] named: &[u32]) {
    let policy = under("overpayment = \"credit\"");
    let added = json!({ "number": 4, "due_on": "2023-02-20", "principal": "100.00" });
    let loan = ModelLoan::of("Asia/Shanghai", "100.00", &["2023-01-01", "2023-01-01"])
        .pays("2023-01-01", "P-0", "250.01", &[])
        .learns("2023-01-31", json!({ "type": "schedule_replaced", "installments": [], "reason": "agreed" }))
        .learns("2023-01-31", json!({ "type": "installment_added", "installment": added }))
        .pays("2023-02-15", "P-1", "50.00", named);
    let account = loan.account();
    for (on, outstanding) in [("2023-02-15", "50.00"), ("2023-02-20", "0.00")] {
        let assessed = loan.assessed(&policy, on);
        assert_eq!(assessed.outstanding.as_decimal(), outstanding.parse().unwrap(), "on {on}");
        let domain = assess(&account, &policy, loan.at(&format!("{on}T23:59:59"))).figures;
        assert_eq!(domain.outstanding, assessed.outstanding, "on {on}");
    }
}
