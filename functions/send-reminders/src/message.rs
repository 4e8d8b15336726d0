//! Rendering of a message: the facts of its accounts at the last look, as text.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::contact::{Attempt, Person, Planned, Wanted};
use duewatch_domain::days::{business_date, plus_days};
use duewatch_domain::figures::Figures;
use duewatch_domain::owed;
use duewatch_domain::policy::describe::Language;
use duewatch_domain::policy::{ContactRules, Policy, Templates};
use duewatch_domain::recorded::NoticeOf;
use duewatch_domain::reminder::Intent;
use duewatch_domain::upcoming::steps;
use duewatch_notify::text::{
    AccountFacts, ContactPersonFacts, MaskedAccount, MessageFacts, Next, OptOut, Owed, Rendered, Section,
    Texts,
};
use duewatch_notify::{Contact, ContactDue, Message, Reference, ReferenceKeys, contact_due};

use crate::spoken::{Judged, Spoken};

/// Renders a message that may leave.
///
/// # Errors
/// Why it cannot be rendered. Such a fault is not transient.
pub(crate) fn of(
    keys: &ReferenceKeys,
    person: &Person,
    attempt: &Attempt,
    spoken: &[&Spoken<'_>],
    now: DateTime<Utc>,
) -> Result<Message, String> {
    let first = spoken.first().ok_or("it is about nothing")?;
    let policy = first.judged.policy(now);
    let none = ContactRules::default();
    let rules = policy.contact.as_ref().unwrap_or(&none);
    let language = person.language().or(rules.language).unwrap_or(Language::En);
    let reference = Reference::issue(keys, attempt.contact_id.as_str(), now);
    let mut due = ContactDue {
        customer_id: &person.customer_id,
        message_id: &attempt.contact_id,
        channel: attempt.channel,
        language,
        template: template_of(first.planned, rules)?,
        stage: first.judged.account.standing.stage.as_str(),
        contact_person: attempt.contact_person.as_ref(),
        late_since: None,
        stands_for: 0,
        contacts: Vec::new(),
        rendered: Rendered { subject: None, text: String::new(), segments: None },
        reference,
    };
    let texts = texts_of(spoken, now)?;
    if attempt.contact_person.is_some() {
        due.rendered = to_contact_person(&texts, policy, rules, &due)?;
        return Ok(contact_due(&due, now));
    }
    let zone = person.zone(first.judged.account.time_zone);
    let late = spoken.iter().filter_map(|one| one.planned.late_since(zone, now)).min();
    due.late_since = late.filter(|since| *since < business_date(zone, now));
    let said = speaking(spoken);
    let missed: u32 = spoken.iter().filter_map(|one| one.planned.intent()).map(|intent| intent.missed).sum();
    due.stands_for = missed.saturating_add(u32::try_from(spoken.len() - said.len()).unwrap_or(u32::MAX));
    let mut sections: Vec<Section<'_>> = Vec::new();
    let names: Vec<String> =
        said.iter().map(|(one, intent)| named(one.judged.policy(now), &intent.template)).collect();
    for ((one, intent), name) in said.iter().zip(&names) {
        let facts = account_facts(one.judged, intent, now);
        match sections.iter_mut().find(|section| section.template == name) {
            Some(section) => section.accounts.push(facts),
            None => sections.push(Section { template: name, accounts: vec![facts] }),
        }
    }
    let facts = MessageFacts {
        sections,
        late_since: due.late_since,
        stands_for: due.stands_for,
        how_to_pay: rules.how_to_pay.of(language),
        how_to_appeal: rules.how_to_appeal.of(language),
        rules_at: rules.address.as_deref(),
        opt_out: rules.opt_out.contains(&attempt.channel).then_some(OptOut::Reply),
        reference,
    };
    due.rendered = texts.render(attempt.channel, language, &facts).map_err(|error| error.to_string())?;
    due.contacts = spoken.iter().filter_map(|one| contact(one)).collect();
    Ok(contact_due(&due, now))
}

/// The template's name in the policy.
fn template_of<'a>(planned: &'a Planned, rules: &'a ContactRules) -> Result<&'a str, String> {
    match &planned.wanted {
        Wanted::Intent(intent) => Ok(&intent.template),
        Wanted::ContactPerson { .. } => rules
            .contact_persons
            .as_ref()
            .map(|rules| rules.template.as_str())
            .ok_or_else(|| "the policy has no text for contact persons".to_owned()),
    }
}

/// The name of a policy's template among those of several policies.
fn named(policy: &Policy, template: &str) -> String {
    if policy.templates.contains_key(template) {
        format!("{}/{template}", policy.id)
    } else {
        template.to_owned()
    }
}

/// The texts of all policies of the message's accounts.
fn texts_of(spoken: &[&Spoken<'_>], now: DateTime<Utc>) -> Result<Texts, String> {
    let mut all = Templates::new();
    for one in spoken {
        let policy = one.judged.policy(now);
        for (name, template) in &policy.templates {
            all.insert(named(policy, name), template.clone());
        }
    }
    Texts::new(&all).map_err(|fault| fault.to_string())
}

fn to_contact_person(
    texts: &Texts,
    policy: &Policy,
    rules: &ContactRules,
    due: &ContactDue<'_>,
) -> Result<Rendered, String> {
    let call_back = rules
        .how_to_appeal
        .of(due.language)
        .or(rules.address.as_deref())
        .ok_or("the policy does not say where the borrower is to call: contact.address")?;
    let template = named(policy, due.template);
    let facts = ContactPersonFacts { template: &template, call_back, reference: due.reference };
    texts.render_for_contact_person(due.channel, due.language, &facts).map_err(|error| error.to_string())
}

/// The rendered requests: of each account its notices, or, where it has none, its latest reminder, which
/// replaces those before it.
fn speaking<'a>(spoken: &[&'a Spoken<'a>]) -> Vec<(&'a Spoken<'a>, &'a Intent)> {
    let all: Vec<(&Spoken<'_>, &Intent)> =
        spoken.iter().filter_map(|one| Some((*one, one.planned.intent()?))).collect();
    let mut latest: BTreeMap<&str, (DateTime<Utc>, usize)> = BTreeMap::new();
    for (place, (one, intent)) in all.iter().enumerate() {
        if intent.notice_of.is_none() {
            let known = latest.entry(one.planned.account_id.as_str()).or_insert((intent.planned_at, place));
            *known = (*known).max((intent.planned_at, place));
        }
    }
    let has_notice = |account: &str| {
        all.iter().any(|(one, intent)| {
            one.planned.account_id.as_str() == account && matches!(intent.notice_of, Some(NoticeOf::Stage(_)))
        })
    };
    let is_said = |(place, (one, intent)): &(usize, &(&Spoken<'_>, &Intent))| {
        let account = one.planned.account_id.as_str();
        intent.notice_of.is_some()
            || (!has_notice(account) && latest.get(account).is_some_and(|(_, latest)| latest == place))
    };
    all.iter().enumerate().filter(is_said).map(|(_, said)| *said).collect()
}

/// The facts of an account.
fn account_facts<'a>(judged: &'a Judged, intent: &Intent, now: DateTime<Utc>) -> AccountFacts<'a> {
    let account = &judged.account;
    let policy = judged.policy(now);
    let today = policy.day_count.judged_day(account.time_zone, now);
    let next = match &intent.notice_of {
        Some(NoticeOf::Policy(version)) => {
            let version = judged.version(*version);
            let told_from = version.map(|version| {
                let days = version.announcement.as_ref().map_or(0, |announced| announced.days);
                let today = business_date(account.time_zone, now);
                plus_days(today, i64::from(days)).max(version.effective_on)
            });
            told_from.map(|from| Next::Rules { from })
        }
        Some(of @ NoticeOf::Stage(name)) => {
            policy.stages.iter().find(|stage| stage.name == *name).map(|stage| {
                // A copy of the account that knows already that this notice has left.
                let mut told = account.clone();
                told.notice_left(of, intent.planned_at, now);
                let least = plus_days(today, i64::from(stage.notice_days().unwrap_or(0)));
                let on = steps(&told, policy, now).into_iter().find(|step| step.stage.name == *name);
                let from = on.map_or(least, |step| step.on.max(least));
                Next::Notice { restrictions: &stage.restrictions, from }
            })
        }
        None => steps(account, policy, now)
            .into_iter()
            .find(|step| !step.stage.restrictions.is_empty())
            .map(|step| Next::Stage { restrictions: &step.stage.restrictions, on: step.on }),
    };
    AccountFacts {
        account: MaskedAccount::from(&account.account_id),
        currency: account.currency,
        owed: what_is_owed(judged, intent, policy, today),
        next,
    }
}

/// The overdue amount; before anything is overdue, the announced amount.
fn what_is_owed(judged: &Judged, intent: &Intent, policy: &Policy, today: NaiveDate) -> Option<Owed> {
    if matches!(intent.notice_of, Some(NoticeOf::Policy(_))) {
        return None;
    }
    let Judged { account, figures, .. } = judged;
    let coming = owed(account, policy).unpaid.into_iter().find(|unpaid| {
        let label = account.installments().get(unpaid.place).map(|installment| &installment.label);
        label == intent.installment.as_ref() && unpaid.due_on >= today
    });
    let overdue = |Figures { overdue, days_past_due, .. }: &Figures, oldest_due_on| Owed::Overdue {
        amount: *overdue,
        oldest_due_on,
        days_past_due: *days_past_due,
    };
    match (coming, figures.oldest_due_on) {
        (Some(coming), _) => Some(Owed::Coming { amount: coming.amount, due_on: coming.due_on }),
        (None, Some(oldest_due_on)) => Some(overdue(figures, oldest_due_on)),
        (None, None) => None,
    }
}

fn contact<'a>(one: &'a Spoken<'a>) -> Option<Contact<'a>> {
    Some(Contact {
        contact_id: &one.planned.contact_id,
        revision: one.planned.revision,
        intent: one.planned.intent()?,
        account: &one.judged.account,
        figures: &one.judged.figures,
    })
}
