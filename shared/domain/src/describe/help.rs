//! A borrower's options, and the allocation of a payment, in words.

use super::{days, in_currency, list, restricts};
use crate::policy::{Component, DueClass, Language, Overpayment, Policy, WaterfallEntry};

pub(super) fn what_to_do(policy: &Policy, language: Language) -> Vec<String> {
    let mut items = Vec::new();
    if restricts(policy) {
        items.push(if policy.waterfall.begins_past_due() {
            language.of(
                "- 还清逾期金额：款项入账的同时，全部限制立即解除，不收任何恢复费用。",
                "- Pay what is overdue: every restriction is lifted as the money arrives, and there is no fee \
                 for that.",
            )
        } else {
            language.of(
                "- 还到没有逾期为止：款项入账的同时，全部限制立即解除，不收任何恢复费用。款项先抵扣哪些，见下文。",
                "- Pay until nothing is overdue: every restriction is lifted as the money arrives, and there \
                 is no fee for that. What your money settles before is said below.",
            )
        });
        items.push(language.of(
            "- 先还一部分：还款后哪个阶段的条件不再满足，它的限制就立即解除。",
            "- Pay a part: what was restricted under a step whose conditions are no longer met is lifted at \
             once.",
        ));
    }
    items.push(language.of(
        "- 暂时还不上：请尽早告诉我们，并说明原因。",
        "- If you cannot pay, tell us early, and tell us why.",
    ));
    vec![language.of("## 您可以做什么", "## What you can do").to_owned(), items.join("\n")]
}

/// How to ask for a review.
pub(super) fn review(policy: &Policy, language: Language) -> Vec<String> {
    let recorded = |policy: &Policy| {
        policy.stages.iter().any(|stage| stage.when.cause.is_some() || stage.when.score_at_most.is_some())
    };
    let mut text = language
        .of(
            "认为我们弄错了的，请联系我们，要求重新核查：说明是哪一期、哪笔还款、哪个日期或金额不对，\
             有凭证的请附上。查明有误的，天数和金额从一开始就按正确的重新计算。",
            "If you think that we are wrong, ask us to look at it again: say which payment, date or amount \
             is not right, and send what shows it. Where you are right, days and amounts are reckoned anew \
             from the beginning.",
        )
        .to_owned();
    if recorded(policy) {
        text += language.of(
            "您也可以询问我们登记的原因或评分，并要求更正。",
            " You can also ask which cause or score we have recorded, and have it put right.",
        );
    }
    vec![text]
}

/// The relief to which two people must agree.
pub(super) fn approval(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.approval else { return vec![] };
    let within = days(rules.within_days, language);
    let mut limits = Vec::new();
    if let Some(amount) = rules.amount_above {
        let amount = in_currency(amount, language);
        limits.push(language.of(
            format!("减免或者延期的金额在{within}内合计超过{amount}的"),
            format!("If we forgive or put off more than {amount} within {within}"),
        ));
    }
    if let Some(pause) = rules.pause_days_above {
        let pause = days(pause, language);
        limits.push(language.of(
            format!("暂停计算逾期的天数在{within}内合计超过{pause}的"),
            format!("if we pause your account for more than {pause} within {within}"),
        ));
    }
    let limits = limits.join(language.of("，或者", ", or "));
    vec![language.of(
        format!("{limits}，须由我们的两名人员分别同意；第二人同意之前，一切照旧。"),
        format!(
            "{}, two of our people must agree; until the second one has, nothing changes.",
            capitalised(&limits)
        ),
    )]
}

/// The text with a capital at its beginning.
fn capitalised(text: &str) -> String {
    let mut marks = text.chars();
    marks.next().map_or_else(String::new, |first| first.to_uppercase().chain(marks).collect())
}

pub(super) fn allocation(policy: &Policy, language: Language) -> Vec<String> {
    let order = match policy.waterfall.entries() {
        Some(entries) => of_entries(entries, language),
        None => of_components(*policy.waterfall.order(), language),
    };
    let beyond = match policy.overpayment {
        Overpayment::Next => {
            language.of("多还的部分用于下一期。", "What you pay beyond that goes to the next payments.")
        }
        Overpayment::Last => language.of(
            "多还的部分从最后一期起倒序抵扣，贷款会更早结清。",
            "What you pay beyond that goes to the last payments, backwards, so that you are done earlier.",
        ),
        Overpayment::Credit => language.of(
            "多还的部分留存在您的账户中，用于抵扣以后到期的款项。",
            "What you pay beyond that is kept for you, and settles what falls due later.",
        ),
    };
    vec![format!("{order}{}{beyond}", language.of("", " "))]
}

fn of_components(order: [Component; 4], language: Language) -> String {
    let [first, second, third, last] = order.map(|component| named(component, language));
    language.of(
        format!("您的还款先用于最早到期的一期；在同一期内，依次抵扣{first}、{second}、{third}、{last}。"),
        format!(
            "Your money settles what has been due the longest; within that, {first} first, then {second}, \
             {third} and {last}."
        ),
    )
}

/// Consecutive entries of one class share a sentence.
fn of_entries(entries: &[WaterfallEntry; 12], language: Language) -> String {
    let runs = entries.chunk_by(|one, next| one.class == next.class).map(|run| {
        let components: Vec<&str> = run.iter().map(|entry| named(entry.component, language)).collect();
        let components = list(&components, language);
        match (run[0].class, language) {
            (DueClass::PastDue, Language::Zh) => format!("已逾期款项的{components}"),
            (DueClass::Due, Language::Zh) => format!("当日到期款项的{components}"),
            (DueClass::InAdvance, Language::Zh) => format!("未到期款项的{components}"),
            (DueClass::PastDue, Language::En) => format!("{components} of what is overdue"),
            (DueClass::Due, Language::En) => format!("{components} of what is due on the day"),
            (DueClass::InAdvance, Language::En) => format!("{components} of what is due later"),
        }
    });
    let runs: Vec<String> = runs.collect();
    language.of(
        format!("您的还款依次抵扣：{}；每一项内，先到期的先抵扣。", runs.join("；")),
        format!(
            "Your money settles, in this order, {}. Within each of them, what has been due the longest \
             comes first.",
            runs.join("; then ")
        ),
    )
}

fn named(component: Component, language: Language) -> &'static str {
    match component {
        Component::Penalty => language.of("罚息", "late fee"),
        Component::Fee => language.of("费用", "other fees"),
        Component::Interest => language.of("利息", "interest"),
        Component::Principal => language.of("本金", "principal"),
    }
}
