//! Cases that can easily be read another way: what a new schedule and a payment taken
//! back leave as it was. The domain and the model owe the same.

use duewatch_domain::allocate;
use serde_json::json;

use crate::pages::{Loan, texts};

/// Each with what still owes, as the pages have it.
fn readings() -> [(Loan, &'static str); 4] {
    let one = || Loan::due_on("UTC", &["2023-10-01"]);
    // `written_off` leaves the installment out until it is undone; a new schedule does not.
    let written_off = one()
        .pays("2023-10-01", "P-1", "100.00", &[1])
        .learns("2023-10-02", json!({ "type": "written_off", "number": 1, "reason": "settlement" }))
        .reschedules("2023-10-03", 2, "2024-02-01", "50.00")
        .reverses("2023-10-04", "P-1", "original");
    // Equal instants keep the file's order, so what the new schedule found paid stays paid.
    let paid_at_its_instant =
        one().pays("2023-10-15", "P-1", "250.00", &[]).reschedules("2023-10-15", 2, "2023-09-01", "50.00");
    // ... and what was paid for an old number does not move to the new installment.
    let named_at_its_instant =
        one().pays("2023-10-15", "P-1", "250.00", &[2]).reschedules("2023-10-15", 2, "2024-02-01", "50.00");
    // What was settled before a payment was taken back stays settled: money that comes after,
    // and names it, finds nothing to settle there and goes to the debt that fell due anew.
    let collected_again = Loan::due_on("UTC", &["2023-10-01", "2024-06-01"])
        .pays("2023-10-01", "P-1", "250.00", &[])
        .reverses("2023-11-01", "P-1", "reversal")
        .pays("2023-12-01", "P-2", "250.00", &[1]);
    [
        (written_off, "2: 50.00"),
        (paid_at_its_instant, "2: 50.00"),
        (named_at_its_instant, "2: 50.00"),
        (collected_again, "2: 250.00"),
    ]
}

#[test]
fn the_model_owes_what_the_pages_say() {
    for (loan, debts) in readings() {
        assert_eq!(loan.debts(), debts);
    }
}

#[test]
fn the_domain_owes_what_the_pages_say() {
    let owes = |loan: &Loan| {
        let account = loan.account();
        let unpaid = allocate(&account).unpaid;
        texts(unpaid.iter().map(|one| (&account.installments()[one.place].label, one.due_on, one.amount)))
    };
    let (domain, pages): (Vec<String>, Vec<&str>) =
        readings().iter().map(|(loan, debts)| (owes(loan), *debts)).unzip();
    assert_eq!(domain, pages);
}
