//! Cases that can easily be read another way: a new schedule and a chargeback leave earlier allocations as
//! they were. The domain and the model find the same open debts.

use duewatch_domain::allocate;
use serde_json::json;

use super::pages::{ModelLoan, texts};

/// Each case with its open debts, according to the pages.
fn readings() -> [(ModelLoan, &'static str); 4] {
    let one = || ModelLoan::due_on("UTC", &["2023-10-01"]);
    // `written_off` leaves the installment out until the write-off is reversed; a new schedule does not
    // reverse it.
    let written_off = one()
        .pays("2023-10-01", "P-1", "100.00", &[1])
        .learns("2023-10-02", json!({ "type": "written_off", "number": 1, "reason": "settlement" }))
        .reschedules("2023-10-03", 2, "2024-02-01", "50.00")
        .reverses("2023-10-04", "P-1", "original");
    // Equal instants keep the file's order, so that the payment found by the new schedule stays allocated.
    let paid_at_its_instant =
        one().pays("2023-10-15", "P-1", "250.00", &[]).reschedules("2023-10-15", 2, "2023-09-01", "50.00");
    // ... and a payment for an old number does not move to the new installment.
    let named_at_its_instant =
        one().pays("2023-10-15", "P-1", "250.00", &[2]).reschedules("2023-10-15", 2, "2024-02-01", "50.00");
    // Allocations before a chargeback stay: a later payment that names the settled installment finds it
    // settled, and goes to the debt that fell due anew.
    let collected_again = ModelLoan::due_on("UTC", &["2023-10-01", "2024-06-01"])
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
    let owes = |loan: &ModelLoan| {
        let account = loan.account();
        let open_installment = allocate(&account).open_installments;
        texts(
            open_installment
                .iter()
                .map(|one| (&account.installments()[one.place].label, one.due_on, one.amount)),
        )
    };
    let (domain, pages): (Vec<String>, Vec<&str>) =
        readings().iter().map(|(loan, debts)| (owes(loan), *debts)).unzip();
    assert_eq!(domain, pages);
}
