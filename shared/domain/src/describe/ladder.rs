//! The ladder in words: stages, deferrals, and operations that always go through.

use super::{days, in_currency, operations_named, percent, restricts};
use crate::kernel::markdown;
use crate::policy::{HardshipCause, Language, Policy, Restriction, RestrictionKind, Stage};

pub(super) fn ladder(policy: &Policy, language: Language) -> Vec<String> {
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
        let name = markdown(stage.name.as_str());
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
        let amount = in_currency(amount, language);
        conditions
            .push(language.of(format!("逾期金额达到{amount}"), format!("at least {amount} is overdue")));
    }
    if let Some(share) = when.overdue_share {
        let percent = percent(share);
        conditions.push(language.of(
            format!("逾期金额达到全部未还金额的{percent}"),
            format!("at least {percent} of all that you still owe is overdue"),
        ));
    }
    if let Some(installments) = when.unpaid_installments.filter(|count| *count > 1) {
        conditions.push(language.of(
            format!("有{installments}期或以上逾期未还清"),
            format!("at least {installments} payments are overdue"),
        ));
    }
    if let Some(cause) = when.cause {
        conditions.push(recorded_cause(cause, language).to_owned());
    }
    if let Some(score) = when.score_at_most {
        conditions.push(language.of(
            format!("我们登记的您的评分不高于{score}"),
            format!("the score that we have recorded for you is {score} or less"),
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

fn recorded_cause(cause: HardshipCause, language: Language) -> &'static str {
    match cause {
        HardshipCause::Temporary => {
            language.of("我们登记的原因是暂时困难", "we have recorded a passing difficulty as the cause")
        }
        HardshipCause::LongTerm => language
            .of("我们登记的原因是长期信用问题", "we have recorded a lasting credit problem as the cause"),
        HardshipCause::Unknown => {
            language.of("我们登记的原因是尚不清楚", "we have recorded that the cause is not known")
        }
    }
}

/// The restrictions of a stage, in words.
fn brings(stage: &Stage, language: Language) -> String {
    if stage.restrictions.is_empty() {
        return language.of("您的账户不受任何限制。", "Nothing is restricted.").to_owned();
    }
    let items: Vec<String> =
        stage.restrictions.iter().map(|one| format!("- {}", restriction(one, language))).collect();
    match notice(stage, language) {
        None => items.join("\n"),
        Some(notice) => format!("{}\n\n{notice}", items.join("\n")),
    }
}

/// The notice that a stage's restrictions wait for.
fn notice(stage: &Stage, language: Language) -> Option<String> {
    let after = match (stage.notice_days()?, language) {
        (0, Language::Zh) => "最早在我们发出通知之后才生效".to_owned(),
        (0, Language::En) => "only once we have sent you a notice of it".to_owned(),
        (count, Language::Zh) => format!("最早在我们发出通知{}之后才生效", days(count, language)),
        (count, Language::En) => {
            format!("no earlier than {} after we have sent you a notice of it", days(count, language))
        }
    };
    Some(language.of(
        format!("这些限制{after}；没有发出通知，就不会生效。在此之前，已有的限制保持不变。"),
        format!(
            "This takes effect {after}, and never without one. Until then, what an earlier step has \
             brought stays as it is."
        ),
    ))
}

/// A restriction in words, with the operations that it leaves alone.
#[must_use]
pub fn restriction(restriction: &Restriction, language: Language) -> String {
    let mut text = without_exceptions(restriction, language);
    if !restriction.blocks.is_empty() {
        let blocked = operations_named(&restriction.blocks, language);
        text += &language.of(format!("不能办理：{blocked}。"), format!(" It blocks {blocked}."));
    }
    if !restriction.except.is_empty() {
        let left = operations_named(&restriction.except, language);
        text += &language.of(format!("不受影响：{left}。"), format!(" It leaves {left} alone."));
    }
    text
}

fn without_exceptions(restriction: &Restriction, language: Language) -> String {
    match (&restriction.kind, restriction.percent) {
        (RestrictionKind::LimitCreditLine, Some(0)) => {
            language.of("您的信用额度降为零。", "Your credit limit is cut to zero.").to_owned()
        }
        (RestrictionKind::LimitCreditLine, Some(percent)) => language.of(
            format!("您的信用额度降为原额度的{percent}%。"),
            format!("Your credit limit is cut to {percent}% of what was agreed."),
        ),
        (RestrictionKind::RaiseRate, Some(percent)) => language.of(
            format!("您的利率变为合同利率的{percent}%。"),
            format!("Your interest rate becomes {percent}% of the agreed rate."),
        ),
        (RestrictionKind::RaiseRate, None) => {
            language.of("您的利率上调。", "Your interest rate is raised.").to_owned()
        }
        (RestrictionKind::FreezeDrawdown, _) => {
            language.of("您不能再提用新的借款。", "You cannot draw any more money.").to_owned()
        }
        (RestrictionKind::SuspendAccount, _) => language
            .of("您的账户暂停使用，但您随时可以还款。", "Your account is suspended. You can still pay.")
            .to_owned(),
        (kind @ (RestrictionKind::LimitCreditLine | RestrictionKind::Custom(_)), _) => {
            language.of(format!("其他限制：{kind}。"), format!("Another restriction: {kind}."))
        }
    }
}

/// The heading of deferrals and unblocked operations, if there are any.
pub(super) fn patience(policy: &Policy, language: Language) -> Vec<String> {
    let waits = restricts(policy)
        && (policy.first_lapse_tolerance.is_some()
            || policy.cause.is_some()
            || !policy.operations.never_blocked.is_empty());
    let any =
        waits || policy.payment_in_process.is_some() || policy.promise.is_some() || policy.dispute.is_some();
    let title = language.of("## 哪些情况下我们会等待", "## When we wait, and what always goes through");
    any.then(|| title.to_owned()).into_iter().collect()
}

/// The first-lapse tolerance.
pub(super) fn first_lapse_tolerance(policy: &Policy, language: Language) -> Vec<String> {
    let Some(tolerance) = policy.first_lapse_tolerance.as_ref().filter(|_| restricts(policy)) else {
        return vec![];
    };
    let day = policy.grace_days.saturating_add(tolerance.days).saturating_add(1);
    let amount = in_currency(tolerance.amount, language);
    let months = match (tolerance.months, language) {
        (count, Language::Zh) => format!("{count}个月"),
        (1, Language::En) => "month".to_owned(),
        (count, Language::En) => format!("{count} months"),
    };
    let (grace, aside) = if policy.grace_days > 0 {
        (
            language.of("（含宽限期）", " (grace included)"),
            language.of("（在宽限期内还清的不算）", " (grace does not count)"),
        )
    } else {
        ("", "")
    };
    vec![language.of(
        format!(
            "初次、小额的逾期有更多时间：此前{months}内没有逾期{aside}，并且逾期金额不超过{amount}的，\
             最早从逾期第{day}天起{grace}才会有限制。"
        ),
        format!(
            "For a first and small lapse there is more time: if you were not late in the {months} before it\
             {aside}, and as long as no more than {amount} is overdue, nothing is restricted before day \
             {day}{grace}."
        ),
    )]
}

/// The deferral that a temporary cause brings.
pub(super) fn temporary_cause(policy: &Policy, language: Language) -> Vec<String> {
    let Some(cause) = policy.cause.as_ref().filter(|_| restricts(policy)) else { return vec![] };
    let count = days(cause.temporary_holds_days, language);
    vec![language.of(
        format!("您遇到暂时困难的，请告诉我们。我们登记之后，最多{count}内不增加新的限制。"),
        format!(
            "If you are in a passing difficulty, tell us. Once we have recorded that, nothing new is \
             restricted for up to {count}."
        ),
    )]
}

/// The wait for a payment in process.
pub(super) fn under_way(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.payment_in_process else { return vec![] };
    let count = days(rules.max_days, language);
    vec![language.of(
        format!(
            "我们知道您的款项已在途中的，会等它到账：最多{count}内不进入新的阶段，也不发送提醒。\
             已经适用的阶段不变。"
        ),
        format!(
            "Where we know that a payment of yours is under way, we wait for it: for up to {count} no new \
             step begins, and nobody reminds you. A step that applies already goes on."
        ),
    )]
}

/// The wait for a promised payment.
pub(super) fn promise(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.promise else { return vec![] };
    let count = days(rules.max_days, language);
    vec![language.of(
        format!("您承诺在某日之前还款的，到该日或您兑现承诺为止，我们不发送提醒，最多{count}。必须发出的通知照常发出。"),
        format!(
            "If you promise to pay by a date, nobody reminds you until then or until you have kept it, for up to {count}. Notices \
             that we owe you go on."
        ),
    )]
}

/// The deferral that a dispute brings.
pub(super) fn dispute(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rules) = &policy.dispute else { return vec![] };
    let count = days(rules.holds_days, language);
    vec![language.of(
        format!(
            "您提出异议的，在答复之前，最多{count}内不增加新的限制，也不发送提醒。必须发出的通知照常发出。"
        ),
        format!(
            "If you dispute what we say, nothing new is restricted and nobody reminds you before we have \
             answered, for up to {count}. Notices that we owe you go on."
        ),
    )]
}

/// The bound of all holds together.
pub(super) fn holds(policy: &Policy, language: Language) -> Vec<String> {
    let Some(most) = policy.most_held_days().filter(|_| restricts(policy)) else { return vec![] };
    let count = days(most, language);
    vec![language.of(
        format!("同一次逾期中，无论出于哪些原因，以上等待合计最多推迟限制{count}。"),
        format!(
            "In one stretch of being late, all such waiting together puts restrictions off for at most {count}."
        ),
    )]
}

/// Operations that no restriction blocks.
pub(super) fn operations(policy: &Policy, language: Language) -> Vec<String> {
    let names = &policy.operations.never_blocked;
    if names.is_empty() || !restricts(policy) {
        return vec![];
    }
    let names = operations_named(names, language);
    vec![language.of(
        format!("无论有什么限制，以下操作始终可以办理：{names}。还款也始终可以。"),
        format!("Whatever is restricted, this always goes through: {names}. So does paying us."),
    )]
}

/// Restrictions that one account imposes on the customer's others.
pub(super) fn other_accounts(policy: &Policy, language: Language) -> Vec<String> {
    let Some(rule) = &policy.customer else { return vec![] };
    let place = policy.stages.iter().position(|stage| stage.name == rule.stage).map_or(1, |place| place + 1);
    let name = markdown(rule.stage.as_str());
    let items: Vec<String> =
        rule.restrictions.iter().map(|one| format!("- {}", restriction(one, language))).collect();
    vec![
        language.of("## 您的其他账户", "## Your other accounts").to_owned(),
        language.of(
            format!("您的一个账户进入第{place}阶段（{name}）或更后的阶段，并且限制已经生效的，您在我们这里的其他账户也会受到限制："),
            format!(
                "If one of your accounts reaches step {place} ({name}) or a later one, and what that restricts is in \
                 force, your other accounts with us are restricted too:"
            ),
        ),
        items.join("\n"),
        language
            .of(
                "那个账户的限制一解除，其他账户因此受到的限制随即解除。",
                "This is lifted there as soon as it is lifted on the account that brought it.",
            )
            .to_owned(),
    ]
}
