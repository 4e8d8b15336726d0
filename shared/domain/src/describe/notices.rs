//! Messages to borrowers and the retention of records, in words.

use super::days;
use crate::policy::{Channel, CountedFrom, Language, Policy, ReminderStep, StageName};

pub(super) fn reminders(policy: &Policy, language: Language) -> Vec<String> {
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
    let names: Vec<&str> =
        std::iter::once(&step.channel).chain(&step.fallbacks).map(|one| by(*one, language)).collect();
    let channel = names.join(language.of("，无法送达时用", ", or else "));
    let count = days(u32::try_from(step.days.unsigned_abs()).unwrap_or(u32::MAX), language);
    let when = match step.days {
        _ if step.from == CountedFrom::Stage => {
            language.of(format!("进入该阶段后{count}"), format!("{count} after the step begins"))
        }
        ..0 => language.of(format!("到期日前{count}"), format!("{count} before the due date")),
        0 => language.of("到期日当天".to_owned(), "on the due date".to_owned()),
        1.. => language.of(format!("到期日后{count}"), format!("{count} after the due date")),
    };
    let place =
        |name: &StageName| policy.stages.iter().position(|stage| stage.name == *name).map(|place| place + 1);
    let announced = step.notice_of.as_ref().and_then(place);
    let stage = match (place(&step.stage), announced) {
        (None, _) => String::new(),
        (Some(place), None) => {
            language.of(format!("（处于第{place}阶段时）"), format!(", while step {place} applies"))
        }
        // A notice also leaves on the severer stages.
        (Some(place), Some(_)) => {
            language.of(format!("（自第{place}阶段起）"), format!(", from step {place} on"))
        }
    };
    let announces = announced.map_or_else(String::new, |place| {
        language.of(
            format!("，即第{place}阶段限制的通知"),
            format!(", the notice of what step {place} restricts"),
        )
    });
    let again = step.every_days.map_or_else(String::new, |every| {
        let (every, most) = (days(every, language), step.at_most);
        language
            .of(format!("，之后每{every}一次，共{most}次"), format!(", then every {every}, {most} in all"))
    });
    let unless = if step.unless_reported {
        language.of("（已报送征信的除外）", ", unless it has been reported to a credit bureau")
    } else {
        ""
    };
    language.of(
        format!("{when}{again}{stage}：{channel}{announces}{unless}"),
        format!("{when}{again}{stage}: {channel}{announces}{unless}"),
    )
}

pub(super) fn by(channel: Channel, language: Language) -> &'static str {
    match channel {
        Channel::Sms => language.of("短信", "by text message"),
        Channel::Email => language.of("电子邮件", "by e-mail"),
        Channel::Phone => language.of("电话", "by telephone"),
        Channel::App => language.of("应用内消息", "in the app"),
        Channel::Letter => language.of("信函", "by letter"),
    }
}

/// The announcement of stricter rules, and their rollout.
pub(super) fn changes(policy: &Policy, language: Language) -> Vec<String> {
    let mut paragraphs = Vec::new();
    if let Some(announcement) = &policy.announcement {
        let (count, by) = (days(announcement.days, language), by(announcement.channel, language));
        paragraphs.push(language.of(
            format!(
                "规则变得更严的，我们会先告诉您（方式：{by}）。最早在告诉您{count}之后，新规则才对您适用；\
                 没有告诉您，就不适用。"
            ),
            format!(
                "If they become stricter we tell you first, {by}. The new rules apply to you no earlier \
                 than {count} after that, and never before you were told."
            ),
        ));
    }
    if let Some(rollout) = policy.rollout.as_ref().filter(|rollout| rollout.shares.len() > 1) {
        let groups = rollout.shares.len();
        let count = days(rollout.pause_days, language);
        paragraphs.push(language.of(
            format!("更严的规则分{groups}批对账户适用，每批比前一批晚{count}。"),
            format!(
                "Stricter rules reach the accounts in {groups} groups, each {count} after the one before."
            ),
        ));
    }
    if !paragraphs.is_empty() {
        paragraphs.insert(0, language.of("## 规则变更", "## When these rules change").to_owned());
    }
    paragraphs
}

/// The retention of records.
pub(super) fn kept(policy: &Policy, language: Language) -> Vec<String> {
    let retention = &policy.retention;
    let mut paragraphs = Vec::new();
    if let Some(count) = retention.history_days {
        let count = years(count, language);
        paragraphs.push(language.of(
            format!("您账户的历史记录，在被新的记录取代之后保存{count}。账户的最新状态一直保存。"),
            format!(
                "An entry in the history of your account is kept for {count} after a newer one has followed \
                 it. How your account stands now is always kept."
            ),
        ));
    }
    if let Some(count) = retention.contact_log_days {
        let count = years(count, language);
        paragraphs.push(language.of(
            format!("提醒的记录和您联系方式变更的记录保存{count}。"),
            format!("A record of a reminder, or of a change of how to reach you, is kept for {count}."),
        ));
    }
    if !paragraphs.is_empty() {
        paragraphs.insert(0, language.of("## 记录保存多久", "## How long we keep records").to_owned());
    }
    paragraphs
}

/// A number of days, and the whole years that they make.
fn years(count: u32, language: Language) -> String {
    let days = days(count, language);
    match (count / 365, language) {
        (1.., _) if !count.is_multiple_of(365) => days,
        (0, _) => days,
        (years, Language::Zh) => format!("{days}（{years}年）"),
        (1, Language::En) => format!("{days} (1 year)"),
        (years, Language::En) => format!("{days} ({years} years)"),
    }
}
