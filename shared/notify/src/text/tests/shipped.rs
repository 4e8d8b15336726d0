//! Every shipped template, rendered.

use std::fmt::Write;

use duewatch_domain::policy::Channel;
use duewatch_domain::policy::presets::PRESETS;
use rstest::rstest;

use super::*;

fn shown(rendered: &Rendered) -> String {
    let subject = rendered.subject.iter().map(|subject| format!("[{subject}]\n"));
    let segments = rendered
        .segments
        .iter()
        .map(|one| format!("\n({} {:?} units, {} messages)", one.units, one.encoding, one.count));
    subject.chain([rendered.text.clone()]).chain(segments).collect()
}

/// The facts of a template in the shipped policies.
fn account_of<'a>(template: &str, restrictions: &'a [Restriction]) -> AccountFacts<'a> {
    let (amount_owed, next) = match template {
        "due_soon" | "due_tomorrow" | "due_today" => (coming("1250.50", "2026-01-05"), None),
        "missed" => (overdue("1250.50", "2026-01-05", 2), None),
        "before_credit_report"
        | "notice_of_arrears"
        | "help_offered"
        | "limited"
        | "frozen"
        | "suspended" => (overdue("1250.50", "2026-01-05", 25), None),
        "before_limit" | "before_freeze" | "before_suspension" | "default_notice" => {
            let notice = Next::Notice { restrictions, from: day("2026-02-01") };
            (overdue("1250.50", "2026-01-05", 25), Some(notice))
        }
        "late" | "late_mild" | "late_firm" | "right_to_cure" => {
            (overdue("1250.50", "2026-01-05", 5), Some(Next::Stage { restrictions, on: day("2026-01-20") }))
        }
        "new_rules" | "new_terms" => (None, Some(Next::Rules { from: day("2026-03-01") })),
        other => panic!("{other}: what is it about?"),
    };
    account("6222-0001", "CNY", amount_owed, next)
}

#[rstest]
#[case::zh(Language::Zh)]
#[case::en(Language::En)]
fn every_shipped_template_reads_well(#[case] language: Language) {
    let (texts, restrictions) = (MessageTexts::default(), restrictions());
    let mut all = String::new();
    for name in super::super::shipped::names() {
        let facts = facts(name, account_of(name, &restrictions));
        for channel in [Channel::Sms, Channel::Email] {
            let rendered = texts.render(channel, language, &facts).unwrap();
            writeln!(all, "=== {name} by {channel}\n{}\n", shown(&rendered)).unwrap();
        }
    }
    let facts = ThirdPartyFacts { template: "contact_person", call_back: "95500", reference: reference() };
    for channel in [Channel::Sms, Channel::Email] {
        let rendered = texts.render_for_third_party(channel, language, &facts).unwrap();
        writeln!(all, "=== contact_person by {channel}\n{}\n", shown(&rendered)).unwrap();
    }
    insta::assert_snapshot!(format!("shipped_{language:?}").to_lowercase(), all);
}

/// Two overdue accounts and one not yet due, after an outage, by a lender with no texts of its own.
#[rstest]
#[case::zh(Language::Zh)]
#[case::en(Language::En)]
fn a_consolidated_message_after_an_outage_reads_well(#[case] language: Language) {
    let restrictions = restrictions();
    let stage = Next::Stage { restrictions: &restrictions[..1], on: day("2026-01-20") };
    let late = vec![
        account("6222-0001", "CNY", overdue("1250.50", "2026-01-05", 1), Some(stage)),
        account("6222-0002", "JPY", overdue("98000", "2025-12-31", 6), None),
    ];
    let soon = vec![account("L-7", "KWD", coming("12.5", "2026-01-09"), None)];
    let sections =
        vec![Section { template: "late", accounts: late }, Section { template: "due_soon", accounts: soon }];
    let facts = MessageFacts {
        sections,
        late_since: Some(day("2026-01-02")),
        stands_for: 3,
        how_to_pay: None,
        how_to_appeal: None,
        rules_at: None,
        opt_out: Some(OptOut::Text("https://bank.example/stop")),
        reference: reference(),
    };
    let mut all = String::new();
    for channel in [Channel::Sms, Channel::Email, Channel::App] {
        let rendered = MessageTexts::default().render(channel, language, &facts).unwrap();
        writeln!(all, "=== by {channel}\n{}\n", shown(&rendered)).unwrap();
    }
    insta::assert_snapshot!(format!("consolidated_{language:?}").to_lowercase(), all);
}

#[test]
fn every_template_that_a_shipped_policy_names_is_there() {
    let mut named = 0;
    for preset in PRESETS {
        let Ok(policy) = duewatch_domain::policy::parse(preset.text) else { continue };
        assert_eq!(check(&policy), Ok(()), "{}", preset.name);
        named += policy.reminders.map_or(0, |reminders| reminders.steps.len());
    }
    assert!(named > 40, "{named}");
}

/// A text message in English that left GSM 03.38 would cost more than twice as much.
#[test]
fn english_text_messages_keep_to_the_alphabet_of_their_segments() {
    let (texts, restrictions) = (MessageTexts::default(), restrictions());
    for name in super::super::shipped::names() {
        let facts = facts(name, account_of(name, &restrictions));
        let rendered = texts.render(Channel::Sms, Language::En, &facts).unwrap();
        assert_eq!(rendered.segments.unwrap().encoding, crate::Encoding::Gsm7, "{name}: {}", rendered.text);
    }
}
