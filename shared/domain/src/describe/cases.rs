//! Cases: by when the borrower hears from the lender, and the consequences that wait until then.

use super::days;
use crate::policy::{
    BreachEffect, CaseKind, CaseKindRules, CaseTerm, HeldByCase, Language, Policy, TermAnchor, TermUnit,
};

/// Each kind of case that a borrower may open.
pub(super) fn cases(policy: &Policy, language: Language) -> Vec<String> {
    let items: Vec<String> = policy.cases.iter().map(|(kind, rules)| item(kind, rules, language)).collect();
    if items.is_empty() {
        return vec![];
    }
    vec![
        language
            .of("## 您提出请求后，我们何时答复", "## When you ask us something, and by when we answer")
            .to_owned(),
        items.join("\n"),
    ]
}

fn item(kind: CaseKind, rules: &CaseKindRules, language: Language) -> String {
    let name = match kind {
        CaseKind::Appeal => language.of("申诉（不同意我们的决定）", "An appeal against a decision of ours"),
        CaseKind::Dispute => {
            language.of("异议（不同意金额或分期）", "A dispute of an amount or an installment")
        }
        CaseKind::PaymentClaim => language.of("“我已还款”", "\"I have paid\""),
        CaseKind::Complaint => language.of("投诉", "A complaint"),
        CaseKind::Hardship => language.of("困难申请", "An application for relief"),
    };
    let mut sentences = Vec::new();
    if let Some(within) = &rules.file_within {
        let within = term(within, within.amount, language);
        sentences.push(language.of(format!("请在{within}提出"), format!("open it {within}")));
    }
    if let Some(by) = &rules.acknowledge {
        let by = term(by, by.amount, language);
        sentences
            .push(language.of(format!("我们在{by}确认收到"), format!("we confirm that it has arrived {by}")));
    }
    let by = term(&rules.answer, rules.answer.amount, language);
    sentences.push(language.of(format!("我们在{by}答复"), format!("we answer {by}")));
    if let Some(longest) = rules.answer.extended_to.last() {
        let longest = term(&rules.answer, *longest, language);
        sentences.push(language.of(
            format!("情况复杂的，最迟在{longest}答复"),
            format!("where it is complex, {longest} at the latest"),
        ));
    }
    if let Some(stop) = &rules.clock_stop {
        let most = days(stop.at_most_days, language);
        sentences.push(language.of(
            format!("等您补充材料的时间不计入，合计最多{most}"),
            format!("the time in which we wait for you is not counted, up to {most} in all"),
        ));
    }
    if rules.answer.breach.contains(&BreachEffect::Uphold) {
        let text =
            language.of("我们逾期不答复的，按您的请求办理", "if we do not answer in time, you are right");
        sentences.push(text.to_owned());
    }
    if let (Some(most), false) = (rules.holds_days, rules.holds.is_empty()) {
        sentences.push(holds(rules, most, language));
    }
    if let Some(repeat) = rules.repeat {
        let within = days(repeat.within_days, language);
        sentences.push(language.of(
            format!("{within}内最多{}次", repeat.at_most),
            format!("at most {} in {within}", repeat.at_most),
        ));
    }
    let text = sentences.join(language.of("；", "; "));
    language.of(format!("- {name}：{text}。"), format!("- {name}: {text}."))
}

fn holds(rules: &CaseKindRules, most: u32, language: Language) -> String {
    let most = days(most, language);
    match (rules.holds(HeldByCase::Restrictions), rules.holds(HeldByCase::Contact)) {
        (true, true) => language.of(
            format!("在此期间不增加新的限制，也不发送提醒，最多{most}"),
            format!("until then nothing new is restricted and nobody reminds you, for up to {most}"),
        ),
        (true, false) => language.of(
            format!("在此期间不增加新的限制，最多{most}"),
            format!("until then nothing new is restricted, for up to {most}"),
        ),
        (false, _) => language.of(
            format!("在此期间不发送提醒，最多{most}"),
            format!("until then nobody reminds you, for up to {most}"),
        ),
    }
}

fn term(term: &CaseTerm, count: u32, language: Language) -> String {
    let (zh, en) = match (term.unit, count) {
        (TermUnit::Days, _) => (format!("{count}天内"), days(count, Language::En)),
        (TermUnit::BusinessDays, 1) => ("1个工作日内".to_owned(), "1 working day".to_owned()),
        (TermUnit::BusinessDays, _) => (format!("{count}个工作日内"), format!("{count} working days")),
        (TermUnit::Months, 1) => ("1个月内".to_owned(), "1 month".to_owned()),
        (TermUnit::Months, _) => (format!("{count}个月内"), format!("{count} months")),
    };
    match term.from {
        TermAnchor::Opened => language.of(zh, format!("within {en}")),
        TermAnchor::Event => language.of(format!("事发后{zh}"), format!("within {en} of what it is about")),
    }
}
