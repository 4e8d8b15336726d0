//! Races over one account, forced into each order: the second writer reads again, and the account ends as if
//! both had come one after the other.

use std::sync::{Arc, Mutex};

use duewatch_app::{SweepReport, TransitionError};
use duewatch_domain::kernel::{PaymentId, Revision};
use duewatch_domain::{Policy, Trigger};
use duewatch_store::{MAX_CONFLICTS, PaymentFact, StoreError, Stored, WriteConflict};
use duewatch_testkit::parsed;
use duewatch_tests::interrupt::Interrupt;
use duewatch_tests::support::{
    STANDARD, World, consumed, decisions, id, payment_ids, policy_text, post, post_aside, put,
    sequence_number, sweep,
};
use serde_json::Value;
use tokio::sync::{Barrier, oneshot};

const OPENED_AT: &str = "2023-09-01T00:00:00Z";
/// The first instant of 5 October in Shanghai: one delinquent day.
const LATE_AT: &str = "2023-10-04T16:00:00Z";
/// The first instant of 9 October in Shanghai: five delinquent days.
const LIMITED_AT: &str = "2023-10-08T16:00:00Z";

fn fact(world: &World, payment_id: &str, amount: &str) -> PaymentFact {
    serde_json::from_value(world.payment("A-1", payment_id, amount)).unwrap()
}

/// The conflict that a write has met.
fn conflict(written: Result<Stored, StoreError>) -> WriteConflict {
    match written {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

/// The conflict of a writer that has read A-1's first revision.
fn of_the_first_revision() -> WriteConflict {
    WriteConflict::Account { account_id: id("A-1"), revision: Revision(1) }
}

/// A-1 as a writer reads it.
async fn stored(world: &World) -> Stored {
    world.store().account(&id("A-1")).await.unwrap().unwrap()
}

fn standard() -> Policy {
    parsed(&policy_text(STANDARD))
}

#[tokio::test]
async fn an_account_that_was_put_out_of_the_index_is_put_back_by_whoever_had_read_it_before() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    let (store, read) = (world.store(), stored(&world).await);
    let due = world.due_by(LATE_AT).await;
    store.drop_due_entry(&due[0]).await.unwrap();

    let mut judged = read.account.clone();
    judged.judge(&standard(), world.now(), Trigger::Time);
    let next_action_at = judged.status.next_action_at;
    store.update_account(&read, judged).await.unwrap();
    assert_eq!(world.account("A-1").await.status.next_action_at, next_action_at);
    let found = world.due_by("2099-01-01T00:00:00Z").await;
    assert_eq!(found.len(), 1, "or it is never looked at again");
}

#[tokio::test]
async fn a_sweep_that_writes_over_a_payment_is_refused() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    let (store, read) = (world.store(), stored(&world).await);
    world.stack.transitions().post(&fact(&world, "P-1", "250.00"), world.now()).await.unwrap();
    let paid = world.account("A-1").await;
    let mut judged = read.account.clone();
    judged.judge(&standard(), world.now(), Trigger::Time);
    assert_eq!(conflict(store.update_account(&read, judged).await), of_the_first_revision());
    assert_eq!(world.account("A-1").await, paid);
}

#[tokio::test]
async fn a_payment_that_writes_over_a_sweep_is_refused() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    let (store, read) = (world.store(), stored(&world).await);
    world.sweep().await;
    let swept = world.account("A-1").await;
    let mut paid = read.account.clone();
    fact(&world, "P-1", "250.00").post_to(&mut paid, world.now()).unwrap();
    paid.judge(&standard(), world.now(), Trigger::Fact);
    assert_eq!(conflict(store.update_account(&read, paid).await), of_the_first_revision());
    assert_eq!(world.account("A-1").await, swept);
}

#[tokio::test]
async fn an_account_is_created_once() {
    let world = World::at(OPENED_AT).await;
    let account = world.open("A-1").await;
    let refused = world.store().create_account(account).await;
    assert_eq!(conflict(refused), WriteConflict::AccountExists(id("A-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_handled_between_a_sweeps_reading_and_its_writing_wins() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    world.sweep().await;
    world.set(LIMITED_AT);
    world.pay("A-1", "P-1", "250.00").await;
    let records = world.payment_records().await;
    // The payment is gone again: the sweep's read of the payments finds none.
    world.remove_payment("A-1", "P-1").await;

    let accounts = world.store().tables().accounts.clone();
    let payment = world.payment("A-1", "P-1", "250.00");
    let (client, payments) = (world.client().clone(), world.store().tables().payments.clone());
    let function = world.services(post_payment::NAME);
    let pays = Interrupt::before("UpdateItem", &accounts, 1, move || {
        let (client, payments, payment) = (client.clone(), payments.clone(), payment.clone());
        let (function, records) = (function.clone(), records.clone());
        async move {
            put(&client, &payments, &payment).await;
            assert!(post(&function, &records).await.is_empty());
        }
    });
    let sweeper = world.services_interrupted(detect_overdue::NAME, pays.clone());
    // The account was due in the index, and is no longer due when the sweep reads it again.
    assert_eq!(sweep(&sweeper).await, SweepReport { due: 1, ..SweepReport::default() });
    assert_eq!(pays.left(), 0);

    let account = world.account("A-1").await;
    assert_eq!(decisions(&account), ["current > late", "late > current"], "never restricted");
    assert_eq!(payment_ids(&account), ["P-1"]);
    assert_eq!(account.revision, Revision(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_restricts_between_a_payments_reading_and_its_writing_is_lifted() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LIMITED_AT);
    let accounts = world.store().tables().accounts.clone();
    world.pay("A-1", "P-1", "250.00").await;
    let records = world.payment_records().await;
    world.remove_payment("A-1", "P-1").await;
    let payment = world.payment("A-1", "P-1", "250.00");

    // The sweep has read the payments and is about to write. Now the payment arrives; its function reads the
    // account, is about to write, and waits for the sweep.
    let (tell_swept, swept) = oneshot::channel::<()>();
    let (tell_read, read) = oneshot::channel::<()>();
    let (swept, tell_read) = (Mutex::new(Some(swept)), Mutex::new(Some(tell_read)));
    let waits = Interrupt::before("UpdateItem", &accounts, 1, move || {
        let (swept, tell_read) = (taken(&swept), taken(&tell_read));
        async move {
            tell_read.send(()).unwrap();
            swept.await.unwrap();
        }
    });
    let poster = world.services_interrupted(post_payment::NAME, waits.clone());
    let posting = Arc::new(Mutex::new(None));
    let (client, payments) = (world.client().clone(), world.store().tables().payments.clone());
    let (start, read) = ((poster, records), Mutex::new(Some(read)));
    let comes = Interrupt::before("UpdateItem", &accounts, 1, {
        let posting = Arc::clone(&posting);
        move || {
            let (client, payments, payment) = (client.clone(), payments.clone(), payment.clone());
            let ((poster, records), posting, read) = (start.clone(), Arc::clone(&posting), taken(&read));
            async move {
                put(&client, &payments, &payment).await;
                *posting.lock().unwrap() = Some(post_aside(poster, records));
                read.await.unwrap();
            }
        }
    });
    let sweeper = world.services_interrupted(detect_overdue::NAME, comes.clone());
    let waited = SweepReport { oldest_due_seconds: 345_600, ..SweepReport::default() };
    assert_eq!(sweep(&sweeper).await, SweepReport { due: 1, written: 1, decisions: 1, ..waited });
    let restricted = world.account("A-1").await;
    assert_eq!(decisions(&restricted), ["current > limited +limit_credit_line"]);
    tell_swept.send(()).unwrap();
    let failed = taken(&posting).await.unwrap();
    assert!(failed.is_empty());
    assert_eq!((comes.left(), waits.left()), (0, 0));

    let lifted = world.account("A-1").await;
    assert_eq!(
        decisions(&lifted),
        ["current > limited +limit_credit_line", "limited > current -limit_credit_line"]
    );
    assert_eq!(lifted.revision, restricted.revision.next());
    assert_eq!(payment_ids(&lifted), ["P-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_payments_of_one_account_at_once_are_both_posted() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "100.00").await;
    world.pay("A-1", "P-2", "150.00").await;
    let records = world.payment_records().await;
    // Both have read the account before either writes it.
    let accounts = world.store().tables().accounts.clone();
    let both = Arc::new(Barrier::new(2));
    let function = || {
        let both = Arc::clone(&both);
        let meets = Interrupt::before("UpdateItem", &accounts, 1, move || {
            let both = Arc::clone(&both);
            async move {
                both.wait().await;
            }
        });
        world.services_interrupted(post_payment::NAME, meets)
    };
    let (one, other) = (function(), function());
    let (first, second): (Vec<Value>, Vec<Value>) = (vec![records[0].clone()], vec![records[1].clone()]);
    let (failed, also_failed) =
        tokio::join!(post_aside(one.clone(), first), post_aside(other.clone(), second));
    assert_eq!((failed.unwrap(), also_failed.unwrap()), (Vec::new(), Vec::new()));

    let account = world.account("A-1").await;
    assert_eq!(payment_ids(&account), ["P-1", "P-2"]);
    assert_eq!(account.revision, Revision(3), "one revision each");
    let reads = |store| consumed(store, "GetItem", &accounts).requests;
    assert_eq!(
        reads(one.transitions.store()) + reads(other.transitions.store()),
        3,
        "one of them conflicted and read again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_gives_way_so_often_and_no_more() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    let always = world.another_writer_first("A-1", 1_000);
    let transitions = world.services_interrupted(detect_overdue::NAME, always.clone()).transitions;
    let given_up = transitions.sweep(&id("A-1"), world.now()).await;
    assert!(
        matches!(
            &given_up,
            Err(TransitionError::Store(StoreError::Conflict(WriteConflict::Account { account_id, .. })))
                if *account_id == id("A-1")
        ),
        "{given_up:?}"
    );
    assert!(given_up.unwrap_err().is_transient());
    assert_eq!(1_000 - always.left(), MAX_CONFLICTS + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_that_gives_way_to_the_last_is_still_written() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.set(LATE_AT);
    let busy = world.another_writer_first("A-1", MAX_CONFLICTS);
    let report = sweep(&world.services_interrupted(detect_overdue::NAME, busy.clone())).await;
    assert_eq!((report.written, report.failed, busy.left()), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_others_keep_writing_is_left_for_the_next_sweep() {
    let world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.open("A-2").await;
    world.set(LATE_AT);
    let busy = world.another_writer_first("A-1", 1_000);
    let report = sweep(&world.services_interrupted(detect_overdue::NAME, busy)).await;
    assert_eq!(report, SweepReport { due: 2, written: 1, decisions: 1, failed: 1, ..SweepReport::default() });
    assert_eq!(world.quarantined().await, [], "it will pass");
    assert_eq!(
        world.sweep().await,
        SweepReport { due: 1, written: 1, decisions: 1, ..SweepReport::default() }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_an_account_that_others_keep_writing_is_delivered_again() {
    let mut world = World::at(OPENED_AT).await;
    world.open("A-1").await;
    world.pay("A-1", "P-1", "100.00").await;
    let records = world.payment_records().await;
    let busy = world.another_writer_first("A-1", 1_000);
    let failed = post(&world.services_interrupted(post_payment::NAME, busy), &records).await;
    assert_eq!(failed, [sequence_number(&records[0])]);
    assert_eq!(world.quarantined().await, []);
    assert!(world.post(&records).await.is_empty());
    assert!(world.account("A-1").await.payment(&"P-1".parse::<PaymentId>().unwrap()).is_some());
}

fn taken<T>(slot: &Mutex<Option<T>>) -> T {
    slot.lock().unwrap().take().expect("it happens once")
}
