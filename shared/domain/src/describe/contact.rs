//! Contact rules in words: when and how often a borrower is contacted, and the borrower's choices.

use super::notices::by;
use super::{days, list};
use crate::kernel::markdown;
use crate::policy::{Cap, CapCounts, Channel, ContactRules, Language, Per, Policy, QuietHours};

pub(super) fn contact(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.contact else { return vec![] };
    let mut items: Vec<String> = rules.quiet_hours.iter().map(|hours| quiet(hours, language)).collect();
    items.extend(rules.caps.iter().map(|cap| capped(cap, language)));
    items.extend(after_conversation(rules, language));
    items.extend(consent(rules, language));
    items.extend(complaint(rules, language));
    items.extend(breathing_space(rules, language));
    items.push(third_parties(rules, language));
    let mut paragraphs = vec![
        language.of("## 我们如何与您联系", "## How we contact you").to_owned(),
        items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
    ];
    let texts = [rules.how_to_pay.of(language), rules.how_to_appeal.of(language)];
    paragraphs.extend(texts.into_iter().flatten().map(markdown));
    if let Some(address) = rules.address.as_deref().map(markdown) {
        paragraphs.push(
            language.of(format!("我们的公开地址：{address}"), format!("Our public address: {address}")),
        );
    }
    paragraphs
}

fn named(channels: &[Channel], language: Language) -> String {
    let names: Vec<&str> = channels.iter().map(|channel| by(*channel, language)).collect();
    list(&names, language)
}

fn quiet(hours: &QuietHours, language: Language) -> String {
    let (from, until) = (hours.from.format("%H:%M"), hours.until.format("%H:%M"));
    let channels = named(&hours.channels, language);
    let unless = if hours.unless_agreed {
        language.of("，除非您同意", ", unless you have agreed to it")
    } else {
        ""
    };
    language.of(
        format!("您当地时间{from}至{until}之间，我们不联系您（方式：{channels}）{unless}。"),
        format!("From {from} to {until} where you are, we do not contact you {channels}{unless}."),
    )
}

fn capped(cap: &Cap, language: Language) -> String {
    let channels = named(&cap.channels, language);
    let (most, count) = (cap.at_most, cap.days);
    match language {
        Language::Zh => {
            let whose = match cap.per {
                Per::Person => "对您本人（所有账户、我们和受托机构合计）",
                Per::Account => "对每个账户",
                Per::Number => "对您的每个号码",
            };
            let answered = match cap.counts {
                CapCounts::Contacts => "",
                CapCounts::Unanswered => "，只计未接通的",
                CapCounts::Answered => "，只计接通的",
            };
            let window =
                if count == 1 { "每天".to_owned() } else { format!("连续{}内", days(count, language)) };
            format!("{window}{whose}最多联系{most}次{answered}（方式：{channels}）。")
        }
        Language::En => {
            let whose = match cap.per {
                Per::Person => "for all your accounts, by us and whoever works for us",
                Per::Account => "for each account",
                Per::Number => "for each of your numbers",
            };
            let times = if most == 1 { "once".to_owned() } else { format!("{most} times") };
            let answered = match cap.counts {
                CapCounts::Contacts => "",
                CapCounts::Answered => " with an answer",
                CapCounts::Unanswered => " without an answer",
            };
            let window =
                if count == 1 { "a day".to_owned() } else { format!("in {}", days(count, language)) };
            format!("We contact you {channels} at most {times} {window}{answered}, {whose}.")
        }
    }
}

fn after_conversation(rules: &ContactRules, language: Language) -> Option<String> {
    let rule = rules.after_conversation_days.as_ref()?;
    let (channels, count) = (named(&rule.channels, language), days(rule.days, language));
    Some(language.of(
        format!("与您通话之后，从当天起{count}内不再以同样方式联系您（方式：{channels}）。"),
        format!(
            "After a conversation we do not contact you again {channels} for {count}, its own day included."
        ),
    ))
}

fn consent(rules: &ContactRules, language: Language) -> Option<String> {
    let required = (!rules.consent_required.is_empty()).then(|| {
        let channels = named(&rules.consent_required, language);
        language.of(
            format!("以下方式只在您同意之后使用：{channels}。"),
            format!("We contact you {channels} only if you have agreed to it."),
        )
    });
    let opt_out = language.of(
        "您可以随时要求我们不再使用某种方式，或不再联系您。",
        "You can tell us at any time not to use a channel, or not to contact you at all.",
    );
    Some(match required {
        Some(required) => format!("{required}{}{opt_out}", language.of("", " ")),
        None => opt_out.to_owned(),
    })
}

fn complaint(rules: &ContactRules, language: Language) -> Option<String> {
    let rules = rules.complaint?;
    let silence = (rules.quiet_days > 0).then(|| {
        let count = days(rules.quiet_days, language);
        language.of(
            format!("您投诉之后{count}内，除必须发出的通知外，我们不联系您；只投诉某种方式的，停用该方式"),
            format!(
                "If you complain about how we contact you, we send nothing but notices that we owe you for \
                 {count}, or nothing on the channel that you complain about"
            ),
        )
    });
    let gap = (rules.min_gap_days > 0).then(|| {
        let count = days(rules.min_gap_days, language);
        language.of(
            format!("此后两次联系至少间隔{count}"),
            format!("from then on, at least {count} lie between two contacts"),
        )
    });
    let parts: Vec<String> = [silence, gap].into_iter().flatten().collect();
    let joined = parts.join(language.of("；", "; "));
    (!joined.is_empty()).then(|| joined + language.of("。", "."))
}

fn breathing_space(rules: &ContactRules, language: Language) -> Option<String> {
    let rules = rules.breathing_space?;
    let (count, extra) = (days(rules.days, language), days(rules.mental_health_extra_days, language));
    Some(language.of(
        format!("您处于喘息期的，我们{count}内不联系您；因心理健康危机接受治疗的，治疗结束后再加{extra}。"),
        format!(
            "In a breathing space we do not contact you for {count}; in a mental health crisis, for as long \
             as it is treated and {extra} more."
        ),
    ))
}

fn third_parties(rules: &ContactRules, language: Language) -> String {
    let Some(rules) = &rules.third_parties else {
        return language.of("我们不联系您的亲友。", "We contact nobody but you.").to_owned();
    };
    let count = days(rules.delinquent_days, language);
    language.of(
        format!(
            "只有在逾期计入{count}以上、{}次联系不上您、没有还款计划并经专人批准的情况下，我们才会联系您留下的联系人；\
             我们从不向联系人透露金额，联系人拒绝的，不再联系。",
            rules.failed_attempts
        ),
        format!(
            "We contact a contact person whom you have named only after {count} that count, {} attempts to \
             reach you in vain, without a plan, and with an officer's approval; never with an amount, and \
             never again once they refuse.",
            rules.failed_attempts
        ),
    )
}
