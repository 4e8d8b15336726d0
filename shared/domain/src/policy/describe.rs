//! A policy as a page that a borrower can read, made from the policy alone.
//!
//! Each part of a policy has one function here, with its words in every language side by side; a
//! new table is one function more, and one line in `PARTS`.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::{Channel, Component, Policy, ReminderStep, Restriction, Stage};
use crate::days::DayCount;

/// What a page is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The words of this language.
    fn of<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// The paragraphs of a part; none where the policy says nothing of it.
type Part = fn(&Policy, Language) -> Vec<String>;

/// The parts of a page, in its order.
const PARTS: [Part; 7] = [title, when_late, pauses, ladder, what_to_do, allocation, reminders];

/// The page, as Markdown.
#[must_use]
pub fn describe(policy: &Policy, language: Language) -> String {
    let paragraphs: Vec<String> = PARTS.iter().flat_map(|part| part(policy, language)).collect();
    paragraphs.join("\n\n") + "\n"
}

fn title(policy: &Policy, language: Language) -> Vec<String> {
    let from = date(policy.effective_on, language);
    vec![
        language.of("# 逾期还款怎么办", "# If a payment is late").to_owned(),
        match language {
            Language::Zh => {
                format!(
                    "本页说明还款逾期后会发生什么、您可以做什么。规则：{}，第{}版，自{from}起适用。",
                    policy.id, policy.version
                )
            }
            Language::En => format!(
                "What happens when a payment is late, and what you can do. These are the rules \"{}\", \
                 version {}, valid from {from}.",
                policy.id, policy.version
            ),
        },
    ]
}

fn when_late(policy: &Policy, language: Language) -> Vec<String> {
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

/// A pause stops delinquent days, and those alone.
fn pauses(policy: &Policy, language: Language) -> Vec<String> {
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
        format!("如果我们与您约定了暂停期，暂停的日子不计入天数{which}。"),
        format!("Where we have agreed a pause with you, its days are not counted{which}."),
    )]
}

fn ladder(policy: &Policy, language: Language) -> Vec<String> {
    let mut paragraphs = vec![language.of("## 逾期之后会发生什么", "## What happens then").to_owned()];
    if policy.stages.is_empty() {
        paragraphs.push(language.of("这些规则不设任何限制。", "These rules restrict nothing.").to_owned());
        return paragraphs;
    }
    paragraphs.push(
        language
            .of(
                "同一时间只适用一个阶段：条件已满足的各阶段中，排在最后的那一个。",
                "One step applies at a time: of those whose conditions are met, the last in this list.",
            )
            .to_owned(),
    );
    for (place, stage) in (1..).zip(&policy.stages) {
        let name = &stage.name;
        paragraphs
            .push(language.of(format!("### 第{place}阶段（{name}）"), format!("### Step {place} ({name})")));
        paragraphs.push(reached(policy, stage, language));
        paragraphs.push(brings(stage, language));
    }
    paragraphs
}

/// When a stage is reached.
fn reached(policy: &Policy, stage: &Stage, language: Language) -> String {
    let when = &stage.when;
    let after_grace =
        when.delinquent_days.filter(|days| *days > 0).map_or(0, |days| days + policy.grace_days);
    let day = when.days_past_due.unwrap_or(0).max(after_grace).max(1);
    let grace = if policy.grace_days > 0 && after_grace == day {
        language.of("（含宽限期）", " (grace included)")
    } else {
        ""
    };
    let mut conditions = Vec::new();
    if let Some(amount) = when.overdue_amount {
        conditions.push(language.of(
            format!("逾期金额达到{amount}（以您账户的币种计）"),
            format!("at least {amount} is overdue (in the currency of your account)"),
        ));
    }
    if let Some(share) = when.overdue_share {
        let percent = (share * Decimal::ONE_HUNDRED).normalize();
        conditions.push(language.of(
            format!("逾期金额达到全部未还金额的{percent}%"),
            format!("at least {percent}% of all that you still owe is overdue"),
        ));
    }
    if let Some(installments) = when.unpaid_installments.filter(|count| *count > 1) {
        conditions.push(language.of(
            format!("有{installments}期或以上逾期未还清"),
            format!("at least {installments} payments are overdue"),
        ));
    }
    let also = match (conditions.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::Zh) => format!("，前提是{}", conditions.join("，并且")),
        (false, Language::En) => format!(", if {}", conditions.join(" and ")),
    };
    language.of(
        format!("自逾期第{day}天起{grace}适用{also}。"),
        format!("It applies from day {day} on{grace}{also}."),
    )
}

/// What a stage brings.
fn brings(stage: &Stage, language: Language) -> String {
    if stage.restrictions.is_empty() {
        return language.of("您的账户不受任何限制。", "Nothing is restricted.").to_owned();
    }
    let items: Vec<String> =
        stage.restrictions.iter().map(|one| format!("- {}", restriction(one, language))).collect();
    items.join("\n")
}

fn restriction(restriction: &Restriction, language: Language) -> String {
    match (restriction.kind.as_str(), restriction.percent) {
        ("limit_credit_line", Some(0)) => {
            language.of("您的信用额度降为零。", "Your credit limit is cut to zero.").to_owned()
        }
        ("limit_credit_line", Some(percent)) => language.of(
            format!("您的信用额度降为原额度的{percent}%。"),
            format!("Your credit limit is cut to {percent}% of what was agreed."),
        ),
        ("raise_rate", Some(percent)) => language.of(
            format!("您的利率变为合同利率的{percent}%。"),
            format!("Your interest rate becomes {percent}% of the agreed rate."),
        ),
        ("raise_rate", None) => language.of("您的利率上调。", "Your interest rate is raised.").to_owned(),
        ("freeze_drawdown", _) => {
            language.of("您不能再提用新的借款。", "You cannot draw any more money.").to_owned()
        }
        ("suspend_account", _) => language
            .of("您的账户暂停使用，但您随时可以还款。", "Your account is suspended. You can still pay.")
            .to_owned(),
        (own, _) => language.of(format!("其他限制：{own}。"), format!("Another restriction: {own}.")),
    }
}

fn what_to_do(policy: &Policy, language: Language) -> Vec<String> {
    let mut items = Vec::new();
    if policy.stages.iter().any(|stage| !stage.restrictions.is_empty()) {
        items.push(language.of(
            "- 还清逾期金额：款项入账的同时，全部限制立即解除，不收任何恢复费用。",
            "- Pay what is overdue: every restriction is lifted as the money arrives, and there is no fee \
             for that.",
        ));
        items.push(language.of(
            "- 先还一部分：还款后哪个阶段的条件不再满足，它的限制就立即解除。",
            "- Pay a part: what was restricted under a step whose conditions are no longer met is lifted at \
             once.",
        ));
    }
    items.push(language.of(
        "- 暂时还不上：请尽早告诉我们。认为我们弄错了：请要求我们重新核查。",
        "- If you cannot pay, tell us early. If you think that we are wrong, ask us to look at it again.",
    ));
    vec![language.of("## 您可以做什么", "## What you can do").to_owned(), items.join("\n")]
}

fn allocation(policy: &Policy, language: Language) -> Vec<String> {
    let order = policy.waterfall.order().map(|component| match component {
        Component::Penalty => language.of("罚息", "penalty"),
        Component::Fee => language.of("费用", "fees"),
        Component::Interest => language.of("利息", "interest"),
        Component::Principal => language.of("本金", "principal"),
    });
    let [first, second, third, last] = order;
    vec![language.of(
        format!("您的还款先用于最早到期的一期；在同一期内，依次抵扣{first}、{second}、{third}、{last}。"),
        format!(
            "Your money settles what has been due the longest; within that, {first} first, then {second}, \
             {third} and {last}."
        ),
    )]
}

fn reminders(policy: &Policy, language: Language) -> Vec<String> {
    let title = language.of("## 我们何时提醒您", "## When we remind you").to_owned();
    let Some(reminders) = policy.reminders.as_ref().filter(|reminders| !reminders.steps.is_empty()) else {
        return vec![title, language.of("我们不发送提醒。", "We send no reminders.").to_owned()];
    };
    let time = reminders.send_at.format("%H:%M");
    let mut steps: Vec<&ReminderStep> = reminders.steps.iter().collect();
    steps.sort_by_key(|step| step.days);
    let items: Vec<String> =
        steps.into_iter().map(|step| format!("- {}", reminder(policy, step, language))).collect();
    vec![
        title,
        language.of(
            format!("在您当地时间{time}左右，直到还清为止："),
            format!("At about {time} where you are, and only as long as the payment is open:"),
        ),
        items.join("\n"),
    ]
}

fn reminder(policy: &Policy, step: &ReminderStep, language: Language) -> String {
    let channel = match step.channel {
        Channel::Sms => language.of("短信", "by text message"),
        Channel::Email => language.of("电子邮件", "by e-mail"),
        Channel::Phone => language.of("电话", "by telephone"),
        Channel::App => language.of("应用内消息", "in the app"),
        Channel::Letter => language.of("信函", "by letter"),
    };
    let count = days(u32::try_from(step.days.unsigned_abs()).unwrap_or(u32::MAX), language);
    let when = match step.days {
        ..0 => language.of(format!("到期日前{count}"), format!("{count} before the due date")),
        0 => language.of("到期日当天".to_owned(), "on the due date".to_owned()),
        1.. => language.of(format!("到期日后{count}"), format!("{count} after the due date")),
    };
    let place = policy.stages.iter().position(|stage| stage.name == step.stage).map(|place| place + 1);
    let stage = place.map_or_else(String::new, |place| {
        language.of(format!("（处于第{place}阶段时）"), format!(", while step {place} applies"))
    });
    language.of(format!("{when}{stage}：{channel}"), format!("{when}{stage}: {channel}"))
}

fn days(count: u32, language: Language) -> String {
    match (language, count) {
        (Language::Zh, _) => format!("{count}天"),
        (Language::En, 1) => "1 day".to_owned(),
        (Language::En, _) => format!("{count} days"),
    }
}

fn date(date: NaiveDate, language: Language) -> String {
    match language {
        Language::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Language::En => date.format("%-d %B %Y").to_string(),
    }
}
