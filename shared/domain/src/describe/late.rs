//! Late payments and late fees, in words.

use super::{days, in_currency, percent};
use crate::kernel::DayCount;
use crate::policy::{DueDateMove, Exceed, Language, LateFee, Policy, Stage};

pub(super) fn when_late(policy: &Policy, language: Language) -> Vec<String> {
    let late = match (policy.day_count, language) {
        (DayCount::DayAfter, Language::Zh) => {
            "在到期日当天还款，不算逾期。从到期日的第二天起开始计算天数：那一天是逾期第1天。"
        }
        (DayCount::DayAfter, Language::En) => {
            "A payment that arrives on its due date is in time. Days are counted from the day after: \
             that is day 1."
        }
        (DayCount::DueDay, Language::Zh) => {
            "在到期日当天还款，不算逾期。到期日结束时仍未还清的，到期日就是逾期第1天。"
        }
        (DayCount::DueDay, Language::En) => {
            "A payment that arrives on its due date is in time. If it has not arrived by the end of that \
             day, the due date itself is day 1."
        }
    };
    let mut paragraphs =
        vec![language.of("## 什么时候算逾期", "## When a payment is late").to_owned(), late.to_owned()];
    if policy.grace_days > 0 {
        let days = days(policy.grace_days, language);
        paragraphs.push(language.of(
            format!("您有{days}的宽限期。下文的天数凡注明“含宽限期”的，都已经把它算在内。"),
            format!(
                "You have {days} of grace. Where it says \"grace included\" below, it is counted in already."
            ),
        ));
    }
    paragraphs
}

/// Due dates on non-working days.
pub(super) fn working_days(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.business_days else { return vec![] };
    let (zh, en) = match rules.moves {
        DueDateMove::Next => ("顺延到下一个工作日", "is due on the next working day"),
        DueDateMove::Previous => ("提前到上一个工作日", "is due on the working day before"),
        DueDateMove::ModifiedNext => (
            "顺延到下一个工作日；下一个工作日已到下个月的，提前到上一个工作日",
            "is due on the next working day, or on the working day before where the next one lies in \
             another month",
        ),
        DueDateMove::ModifiedPrevious => (
            "提前到上一个工作日；上一个工作日还在上个月的，顺延到下一个工作日",
            "is due on the working day before, or on the next one where that lies in another month",
        ),
    };
    let mut text = language.of(
        format!("到期日不是工作日的，{zh}。天数从移动后的日期起算。"),
        format!("What falls due on a day that is no working day {en}. Days are counted from there."),
    );
    if rules.month_end {
        text += language.of(
            "到期日是当月最后一天的，则以当月最后一个工作日为准。",
            " What falls due on the last day of a month is due on that month's last working day.",
        );
    }
    vec![text]
}

/// Overdue amounts that move no stage.
pub(super) fn small_amounts(policy: &Policy, language: Language) -> Vec<String> {
    let Some(materiality) = &policy.materiality else { return vec![] };
    let mut bounds = Vec::new();
    if materiality.amount.is_positive() {
        let amount = in_currency(materiality.amount, language);
        bounds.push(language.of(format!("超过{amount}"), format!("more than {amount}")));
    }
    if !materiality.share.is_zero() {
        let percent = percent(materiality.share);
        bounds.push(language.of(
            format!("超过全部未还金额的{percent}"),
            format!("more than {percent} of all that you still owe"),
        ));
    }
    let joined = match materiality.exceed {
        Exceed::Both => bounds.join(language.of("并且", " and ")),
        // Every overdue amount exceeds a bound of zero.
        Exceed::Either if bounds.len() < 2 => return vec![],
        Exceed::Either => bounds.join(language.of("或者", " or ")),
    };
    if joined.is_empty() {
        return vec![];
    }
    vec![language.of(
        format!(
            "逾期金额很小时，下文的各阶段都不适用：只有{joined}时才适用。没有超过的部分，您仍然需要还款。"
        ),
        format!(
            "Small amounts bring none of the steps below: they begin only once {joined} is overdue. You \
             still owe what is less."
        ),
    )]
}

/// Pauses, which stop delinquent days alone.
pub(super) fn pauses(policy: &Policy, language: Language) -> Vec<String> {
    let stops = |stage: &Stage| stage.when.delinquent_days.is_some_and(|days| days > 0);
    let numbered = (1_u32..).zip(&policy.stages).filter(|(_, stage)| stops(stage));
    let places: Vec<String> = numbered.map(|(place, _)| place.to_string()).collect();
    let which = match (places.as_slice(), language) {
        ([], _) => return vec![],
        (all, _) if all.len() == policy.stages.len() => String::new(),
        (some, Language::Zh) => format!("（仅就第{}阶段而言）", some.join("、")),
        ([one], Language::En) => format!(" for step {one} below"),
        ([others @ .., last], Language::En) => format!(" for steps {} and {last} below", others.join(", ")),
    };
    vec![language.of(
        format!(
            "如果我们与您约定了暂停期，从第一天到结束，天数停止计算{which}；期间不会开始任何限制，也不会向您发送逾期通知。"
        ),
        format!(
            "Where we have agreed a pause with you, the count of days stands still from its first day to its \
             end{which}. No restriction begins in it, and we send you nothing about being late."
        ),
    )]
}

/// The late fee of an installment.
pub(super) fn late_fee(policy: &Policy, language: Language) -> Vec<String> {
    let Some(fee) = &policy.late_fee else { return vec![] };
    let mut paragraphs = vec![language.of("## 逾期的费用", "## What being late costs").to_owned()];
    let first = policy.free_days().saturating_add(1);
    if let Some(rate) = fee.daily_rate {
        let rate = percent(rate);
        paragraphs.push(language.of(
            format!("从逾期第{first}天起，每天按未还本金的{rate}收取罚息。罚息按单利计算，不计复利。"),
            format!(
                "From day {first} on, each day costs {rate} of the principal that is overdue and unpaid. No \
                 fee is charged on the fee."
            ),
        ));
    }
    if let Some(times) = fee.contract_rate_times {
        let times = times.normalize();
        paragraphs.push(language.of(
            format!("从逾期第{first}天起，每天按合同年利率的{times}倍除以365，对未还本金收取罚息。罚息按单利计算，不计复利。"),
            format!(
                "From day {first} on, each day costs {times} times your contract's annual rate, divided by 365, of the \
                 principal that is overdue and unpaid. No fee is charged on the fee."
            ),
        ));
    }
    for (days, amount) in policy.stage_fees() {
        let amount = in_currency(amount, language);
        paragraphs.push(language.of(
            format!("某一期到逾期第{days}天仍未还清的，收取一次费用{amount}。"),
            format!("A payment that is still open on day {days} costs {amount}, once."),
        ));
    }
    if let Some(per_letter) = fee.per_letter {
        let amount = in_currency(per_letter, language);
        paragraphs.push(language.of(
            format!("逾期后，每发出一次书面通知收取费用{amount}。"),
            format!("Each notice that we send you while a payment is overdue costs {amount}."),
        ));
    }
    if let Some(fixed) = fee.fixed {
        let amount = in_currency(fixed, language);
        paragraphs.push(language.of(
            format!("到逾期第{first}天本金仍未还清的，每一期收取一次固定费用{amount}。"),
            format!(
                "A payment whose principal is still open on day {first} costs a fixed fee of {amount}, once."
            ),
        ));
    }
    paragraphs.push(free(policy, language));
    let caps = caps(fee, language);
    if !caps.is_empty() {
        paragraphs.push(language.of("以上费用不超过：", "It is never more than:").to_owned());
        paragraphs.push(caps.join("\n"));
    }
    paragraphs
}

/// The days and the acts that cost nothing.
fn free(policy: &Policy, language: Language) -> String {
    let free = match (policy.free_days(), language) {
        (0, _) => String::new(),
        (count, Language::Zh) => format!("最初{}不收费，以后也不补收。", days(count, language)),
        (1, Language::En) => "The first day costs nothing, and is not charged for later. ".to_owned(),
        (count, Language::En) => {
            format!("The first {} cost nothing, and are not charged for later. ", days(count, language))
        }
    };
    let paused = match policy.day_count {
        DayCount::DayAfter => language.of(
            "约定的暂停期内的每一天，到次日的费用不收取。",
            "A night that begins in a pause that we have agreed with you costs nothing.",
        ),
        DayCount::DueDay => language.of(
            "约定的暂停期内的日子不收费。",
            "A day of a pause that we have agreed with you costs nothing.",
        ),
    };
    let alone = match policy.late_fee.is_some_and(|fee| fee.fee_arrears_count) {
        true => "",
        false => language.of(
            "未付的费用本身不会使任何一期变为逾期，也不再产生费用。",
            " A fee that is unpaid makes no payment late, and costs no fee itself.",
        ),
    };
    language.of(
        format!("{free}{paused}解除限制、恢复使用不收费。以上费用计入逾期金额。{alone}"),
        format!("{free}{paused} Lifting a restriction is free. The fee is part of what is overdue.{alone}"),
    )
}

fn caps(fee: &LateFee, language: Language) -> Vec<String> {
    let mut caps = Vec::new();
    if let Some(share) = fee.cap_per_installment {
        let percent = percent(share);
        caps.push(language.of(
            format!("- 每一期：该期本金的{percent}"),
            format!("- {percent} of its principal for one payment"),
        ));
    }
    if let Some(amount) = fee.cap_per_installment_amount {
        let amount = in_currency(amount, language);
        caps.push(language.of(format!("- 每一期：{amount}"), format!("- {amount} for one payment")));
    }
    if let Some(amount) = fee.cap_per_month {
        let amount = in_currency(amount, language);
        caps.push(language.of(
            format!("- 每个自然月各期合计：{amount}"),
            format!("- {amount} for all payments together in a calendar month"),
        ));
    }
    if let Some(cap) = fee.annual_cap {
        let (cost, rate) = (percent(cap.cost), percent(cap.contract_rate));
        caps.push(language.of(
            format!("- 与合同利息（年利率{rate}）合计：未还本金的每年{cost}"),
            format!(
                "- {cost} a year of the unpaid principal, together with the interest of your contract \
                 ({rate} a year)"
            ),
        ));
    }
    caps
}
