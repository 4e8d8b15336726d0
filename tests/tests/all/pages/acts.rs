//! What a borrower does: one command each, once, and its effect in the answer.

use duewatch_domain::commands::Consent;
use duewatch_domain::kernel::ActorKind;
use duewatch_domain::policy::{Channel, Language};
use duewatch_tests::support::{Browser, ShownPage, World, message, take_messages};

use super::a_late_borrower;

/// A signed-in browser with the token and the key of a fresh page.
async fn at_the_page(world: &World) -> (Browser, String, String) {
    let mut browser = Browser::on(world);
    browser.sign_in(world, "A-1").await;
    let page = browser.get("/accounts/A-1").await;
    (browser, page.hidden("token"), page.hidden("key"))
}

/// Posts a form, and opens the page that follows.
async fn act(
    browser: &mut Browser,
    (token, key): (&str, &str),
    action: &str,
    fields: &[(&str, &str)],
) -> ShownPage {
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("token", token), ("key", key)]).collect();
    let answer = browser.post(&format!("/accounts/A-1/{action}"), &fields).await;
    assert_eq!(answer.status, 303, "{action}: {}", answer.body);
    assert_eq!(answer.headers["location"], format!("../A-1?done={action}"));
    browser.get(&format!("/accounts/A-1?done={action}")).await
}

#[tokio::test]
async fn a_promise_is_made_once_by_the_borrower_and_shown() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    let form = [("amount", "1,000.50"), ("by", "2023-10-25")];
    let page = act(&mut browser, (&token, &key), "promise", &form).await;
    assert!(page.body.contains("Your promise is recorded"), "{}", page.body);
    assert!(page.body.contains("CNY 1,000.50 by 25 October 2023: open"), "{}", page.body);
    let account = world.account("A-1").await;
    let [promise] = account.promises() else { panic!("{:?}", account.promises()) };
    // Kept by a payment on the 25th, broken on the 26th.
    assert_eq!(
        (promise.amount.to_string().as_str(), promise.until.to_string().as_str()),
        ("1000.50", "2023-10-26")
    );
    let command = account.recent_messages().last().unwrap();
    assert_eq!((command.actor().kind, command.actor().id.as_str()), (ActorKind::Borrower, "C-1"));
    assert_eq!(command.source.as_str(), "serve-borrower");
    // The same form again, later: nothing more happens.
    world.set("2023-10-20T02:05:00Z");
    act(&mut browser, (&token, &key), "promise", &form).await;
    assert_eq!(world.account("A-1").await, account);
    assert_eq!(world.sent_to("archive").len(), 1, "archived once");
}

#[tokio::test]
async fn every_fault_stands_beside_its_field_and_what_was_typed_is_kept() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    let before = world.account("A-1").await;
    let long = "x".repeat(1_001);
    for (action, fields, fault) in [
        ("promise", vec![("amount", "-5"), ("by", "2023-10-25")], "Write an amount above zero"),
        ("promise", vec![("amount", "0.001"), ("by", "2023-10-25")], "Write an amount above zero"),
        ("promise", vec![("amount", "<b>"), ("by", "2023-10-25")], "Write an amount above zero"),
        ("promise", vec![("amount", "5"), ("by", "2023-10-19")], "Choose a day from today on"),
        ("promise", vec![("amount", "5"), ("by", "2024-10-20")], "Choose a day from today on"),
        ("dispute", vec![("what", "  ")], "Write a few words"),
        ("dispute", vec![("what", long.as_str())], "This is too long"),
        ("reason", vec![("reason", "")], "Write a few words"),
        ("preferences", vec![("language", "fr"), ("days", "1")], "Choose one of the list"),
        ("preferences", vec![("language", "en"), ("days", "32")], "Write up to 5 numbers"),
        ("preferences", vec![("language", "en"), ("days", "1,2,3,4,5,6")], "Write up to 5 numbers"),
        ("consent", vec![("channel", "fax")], "Choose one of the list"),
        ("feedback", vec![("score", "6")], "Choose one of the list"),
        ("feedback", vec![("score", "5"), ("words", long.as_str())], "This is too long"),
    ] {
        let fields: Vec<(&str, &str)> =
            fields.into_iter().chain([("token", token.as_str()), ("key", key.as_str())]).collect();
        let page = browser.post(&format!("/accounts/A-1/{action}"), &fields).await;
        assert_eq!(page.status, 422, "{action} {fault}");
        assert!(page.body.contains(fault), "{action}: {fault}");
        assert!(page.body.contains("all that you wrote is still there"));
        assert!(page.body.contains(&format!("id=\"{action}\" open")), "the form is open");
    }
    let typed = [("amount", "<b>\""), ("by", "2023-10-25"), ("token", &token), ("key", &key)];
    let page = browser.post("/accounts/A-1/promise", &typed).await;
    assert!(page.body.contains("value=\"&lt;b&gt;&quot;\"") && page.body.contains("value=\"2023-10-25\""));
    assert_eq!(world.account("A-1").await, before);
}

#[tokio::test]
async fn an_objection_and_a_reason_are_shown_in_the_borrowers_words() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    let page = act(&mut browser, (&token, &key), "dispute", &[("what", "paid on 1 Oct <b>")]).await;
    assert!(page.body.contains("paid on 1 Oct &lt;b&gt;") && page.body.contains("we are looking into it"));
    assert_eq!(world.account("A-1").await.disputes()[0].reason, "paid on 1 Oct <b>");
    let key = page.hidden("key");
    let page = act(&mut browser, (&token, &key), "reason", &[("reason", "I was ill")]).await;
    assert!(page.body.contains("Your reason is recorded") && page.body.contains("<q>I was ill</q>"));
    assert_eq!(world.account("A-1").await.cause().unwrap().by, "borrower");
}

#[tokio::test]
async fn a_reason_of_an_officer_stands_and_the_borrower_is_told_so() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    let fields = r#""cause":"temporary","by":"branch-7","reason":"strike""#;
    let recorded = message("E-1", world.now(), "A-1", "cause_recorded", fields);
    assert!(take_messages(&world.services(intake::NAME), &[recorded]).await.is_empty());
    let form = [("reason", "I was ill"), ("token", token.as_str()), ("key", key.as_str())];
    let answer = browser.post("/accounts/A-1/reason", &form).await;
    assert_eq!(answer.headers["location"], "../A-1?done=reason-stands");
    let page = browser.get("/accounts/A-1?done=reason-stands").await;
    assert!(page.body.contains("your words did not replace it"));
    assert_eq!(world.account("A-1").await.cause().unwrap().by, "branch-7");
}

#[tokio::test]
async fn language_reminders_and_a_stop_of_messages_reach_the_profile() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    let form = [("language", "zh"), ("days", "7, 1")];
    let page = act(&mut browser, (&token, &key), "preferences", &form).await;
    assert!(page.body.contains("Your choice is saved"));
    let profile = world.store().profile(&"C-1".parse().unwrap()).await.unwrap();
    assert_eq!(profile.language(), Some(Language::Zh));
    let account = world.account("A-1").await;
    assert_eq!(account.reminder_preference().unwrap().days_before, [1, 7]);
    let key = page.hidden("key");
    let page = act(&mut browser, (&token, &key), "consent", &[("channel", "sms")]).await;
    assert!(page.body.contains("You have stopped messages by: text message"), "{}", page.body);
    let key = page.hidden("key");
    let page = act(&mut browser, (&token, &key), "consent", &[("channel", "all")]).await;
    assert!(page.body.contains("You have stopped all messages"));
    let profile = world.store().profile(&"C-1".parse().unwrap()).await.unwrap();
    assert_eq!(profile.consent(Channel::Sms), Some(Consent::Withdrawn));
    assert!(profile.has_refused());
    // A code still comes: the borrower asks for it.
    Browser::on(&world).sign_in(&world, "A-1").await;
}

#[tokio::test]
async fn a_score_is_counted_once_by_page_and_policy_and_its_words_stay_with_the_customer() {
    let world = a_late_borrower().await;
    let (mut browser, token, key) = at_the_page(&world).await;
    for _ in 0..2 {
        let page = act(&mut browser, (&token, &key), "feedback", &[("score", "4"), ("words", "clear")]).await;
        assert!(page.body.contains("Thank you."));
    }
    let next = browser.get("/accounts/A-1").await.hidden("key");
    act(&mut browser, (&token, &next), "feedback", &[("score", "1")]).await;
    let counts = world.store().feedback_counts("account", &"standard".parse().unwrap()).await.unwrap();
    assert_eq!(counts, [1, 0, 0, 1, 0]);
    let items = world.store().customer_items(&"C-1".parse().unwrap(), None).await.unwrap().items;
    let words: Vec<_> = items.iter().filter_map(|item| item.attributes.get("words")?.as_str()).collect();
    assert!(words.contains(&"clear") && words.len() == 2, "{words:?}");
}
