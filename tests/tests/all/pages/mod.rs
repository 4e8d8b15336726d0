//! The borrower's pages, through events as an HTTP API makes them, over the embedded tables.

mod account;
mod acts;
mod outage;
mod routes;
mod sign_in;

use duewatch_tests::support::{STANDARD, World, message, take_messages};

/// A-1 of C-1 and A-2 of C-2, each of four installments of 250.00; both can be reached since 1 September.
async fn two_borrowers() -> World {
    let world = World::at("2023-09-01T00:00:00Z").await;
    for (account, point) in [("A-1", "+8613800000001"), ("A-2", "+8613800000002")] {
        world.open_under(STANDARD, account).await;
        reach(&world, account, point).await;
    }
    world.set("2023-09-10T00:00:00Z");
    world
}

/// Sets the phone number of an account's holder.
async fn reach(world: &World, account: &str, point: &str) {
    let fields = format!(r#""channel":"sms","contact_point":"{point}","changed_by":"desk""#);
    let change = message(
        &format!("reach-{}", point.trim_start_matches('+')),
        world.now(),
        account,
        "contact_changed",
        &fields,
    );
    assert!(take_messages(&world.services(intake::NAME), &[change]).await.is_empty());
}

/// C-1's first installment is 19 days past due, and the account is frozen by the sweep of 20 October.
async fn a_late_borrower() -> World {
    let world = two_borrowers().await;
    world.set("2023-10-20T02:00:00Z");
    world.sweep().await;
    assert_eq!(world.account("A-1").await.status.stage.as_str(), "frozen");
    world
}
