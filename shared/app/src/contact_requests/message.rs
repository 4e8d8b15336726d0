//! Rendering of a message: the facts of its accounts at the last look, as text.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use duewatch_domain::account::ContactRequest;
use duewatch_domain::account::Figures;
use duewatch_domain::account::NoticeOf;
use duewatch_domain::allocate_at;
use duewatch_domain::assessment::projection::project_stages;
use duewatch_domain::contact::{ContactAttempt, ContactProfile, QueuedRequest, RequestTarget};
use duewatch_domain::kernel::{business_date, plus_days};
use duewatch_domain::policy::{ContactRules, Language, Policy, Templates, Timeline};
use duewatch_notify::text::{
    AccountFacts, AmountOwed, MaskedAccount, MessageFacts, MessageTexts, Next, OptOut, Rendered, Section,
    ThirdPartyFacts,
};
use duewatch_notify::{ContactDue, ContactItem, OutboundMessage, Reference, ReferenceKeys, contact_due};

use super::sendable::{AssessedAccount, SendableRequest};

/// Renders a message that may leave.
///
/// # Errors
/// Why it cannot be rendered. Such a fault is not transient.
pub(crate) fn of(
    keys: &ReferenceKeys,
    profile: &ContactProfile,
    attempt: &ContactAttempt,
    sendable: &[&SendableRequest<'_>],
    now: DateTime<Utc>,
) -> Result<OutboundMessage, String> {
    let first = sendable.first().ok_or("it is about nothing")?;
    let policy = first.account.policy(now);
    let none = ContactRules::default();
    let rules = policy.contact.as_ref().unwrap_or(&none);
    let language = profile.language().or(rules.language).unwrap_or(Language::En);
    let reference = Reference::issue(keys, attempt.contact_id.as_str(), now);
    let mut due = ContactDue {
        customer_id: &profile.customer_id,
        message_id: &attempt.contact_id,
        channel: attempt.channel,
        language,
        template: template_of(first.request, rules)?,
        stage: first.account.account.status.stage.as_str(),
        third_party: attempt.third_party.as_ref(),
        late_since: None,
        stands_for: 0,
        contacts: Vec::new(),
        rendered: Rendered { subject: None, text: String::new(), segments: None },
        reference,
    };
    let texts = texts_of(sendable, now)?;
    if attempt.third_party.is_some() {
        due.rendered = to_third_party(&texts, policy, rules, &due)?;
        return Ok(contact_due(&due, now));
    }
    let zone = profile.zone(first.account.account.time_zone);
    let late = sendable.iter().filter_map(|one| one.request.late_since(zone, now)).min();
    due.late_since = late.filter(|since| *since < business_date(zone, now));
    let said = sections_of(sendable);
    let missed: u32 =
        sendable.iter().filter_map(|one| one.request.borrower_request()).map(|request| request.missed).sum();
    due.stands_for = missed.saturating_add(u32::try_from(sendable.len() - said.len()).unwrap_or(u32::MAX));
    let mut sections: Vec<Section<'_>> = Vec::new();
    let names: Vec<String> =
        said.iter().map(|(one, request)| named(one.account.policy(now), &request.template)).collect();
    for ((one, request), name) in said.iter().zip(&names) {
        let facts = account_facts(one.account, request, now);
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
    due.contacts = sendable.iter().filter_map(|one| contact(one)).collect();
    Ok(contact_due(&due, now))
}

/// The template's name in the policy.
fn template_of<'a>(queued: &'a QueuedRequest, rules: &'a ContactRules) -> Result<&'a str, String> {
    match &queued.target {
        RequestTarget::Borrower(request) => Ok(&request.template),
        RequestTarget::ThirdParty { .. } => rules
            .third_parties
            .as_ref()
            .map(|rules| rules.template.as_str())
            .ok_or_else(|| "the policy has no text for third-party contacts".to_owned()),
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
fn texts_of(sendable: &[&SendableRequest<'_>], now: DateTime<Utc>) -> Result<MessageTexts, String> {
    let mut all = Templates::new();
    for one in sendable {
        let policy = one.account.policy(now);
        for (name, template) in &policy.templates {
            all.insert(named(policy, name), template.clone());
        }
    }
    MessageTexts::new(&all).map_err(|fault| fault.to_string())
}

fn to_third_party(
    texts: &MessageTexts,
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
    let facts = ThirdPartyFacts { template: &template, call_back, reference: due.reference };
    texts.render_for_third_party(due.channel, due.language, &facts).map_err(|error| error.to_string())
}

/// The rendered requests: of each account its notices, or, where it has none, its latest reminder, which
/// replaces those before it.
fn sections_of<'a>(
    sendable: &[&'a SendableRequest<'a>],
) -> Vec<(&'a SendableRequest<'a>, &'a ContactRequest)> {
    let all: Vec<(&SendableRequest<'_>, &ContactRequest)> =
        sendable.iter().filter_map(|one| Some((*one, one.request.borrower_request()?))).collect();
    let mut latest: BTreeMap<&str, (DateTime<Utc>, usize)> = BTreeMap::new();
    for (place, (one, request)) in all.iter().enumerate() {
        if request.notice_of.is_none() {
            let known = latest.entry(one.request.account_id.as_str()).or_insert((request.planned_at, place));
            *known = (*known).max((request.planned_at, place));
        }
    }
    let has_notice = |account: &str| {
        all.iter().any(|(one, request)| {
            one.request.account_id.as_str() == account
                && matches!(request.notice_of, Some(NoticeOf::Stage(_)))
        })
    };
    let is_said = |(place, (one, request)): &(usize, &(&SendableRequest<'_>, &ContactRequest))| {
        let account = one.request.account_id.as_str();
        request.notice_of.is_some()
            || (!has_notice(account) && latest.get(account).is_some_and(|(_, latest)| latest == place))
    };
    all.iter().enumerate().filter(is_said).map(|(_, said)| *said).collect()
}

/// The facts of an account.
fn account_facts<'a>(
    assessed: &'a AssessedAccount,
    request: &ContactRequest,
    now: DateTime<Utc>,
) -> AccountFacts<'a> {
    let account = &assessed.account;
    let timeline = assessed.versions.timeline(account, now);
    let policy = timeline.current();
    let today = policy.day_count.judged_day(account.time_zone, now);
    let next = match &request.notice_of {
        Some(NoticeOf::Policy(version)) => {
            let told_from = assessed.versions.announced_from(account, *version, now);
            told_from.map(|from| Next::Rules { from })
        }
        Some(of @ NoticeOf::Stage(name)) => {
            policy.stages.iter().find(|stage| stage.name == *name).map(|stage| {
                // A copy of the account that knows already that this notice has left.
                let mut told = account.clone();
                told.notice_left(of, request.planned_at, now);
                let least = plus_days(today, i64::from(stage.notice_days().unwrap_or(0)));
                let on =
                    project_stages(&told, &timeline, now).into_iter().find(|step| step.stage.name == *name);
                let from = on.map_or(least, |step| step.on.max(least));
                Next::Notice { restrictions: &stage.restrictions, from }
            })
        }
        None => project_stages(account, &timeline, now)
            .into_iter()
            .find(|step| !step.stage.restrictions.is_empty())
            .map(|step| Next::Stage { restrictions: &step.stage.restrictions, on: step.on }),
    };
    AccountFacts {
        account: MaskedAccount::from(&account.account_id),
        currency: account.currency,
        amount_owed: amount_owed(assessed, request, &timeline, today),
        next,
    }
}

/// The overdue amount; before anything is overdue, the announced amount.
fn amount_owed(
    assessed: &AssessedAccount,
    request: &ContactRequest,
    timeline: &Timeline<'_>,
    today: NaiveDate,
) -> Option<AmountOwed> {
    if matches!(request.notice_of, Some(NoticeOf::Policy(_))) {
        return None;
    }
    let AssessedAccount { account, figures, .. } = assessed;
    let coming = allocate_at(account, timeline).open_installments.into_iter().find(|open_installment| {
        let label = account.installments().get(open_installment.place).map(|installment| &installment.label);
        label == request.installment.as_ref() && open_installment.due_on >= today
    });
    let overdue = |Figures { overdue, days_past_due, .. }: &Figures, oldest_due_on| AmountOwed::Overdue {
        amount: *overdue,
        oldest_due_on,
        days_past_due: *days_past_due,
    };
    match (coming, figures.oldest_due_on) {
        (Some(coming), _) => Some(AmountOwed::Coming { amount: coming.amount, due_on: coming.due_on }),
        (None, Some(oldest_due_on)) => Some(overdue(figures, oldest_due_on)),
        (None, None) => None,
    }
}

fn contact<'a>(one: &'a SendableRequest<'a>) -> Option<ContactItem<'a>> {
    Some(ContactItem {
        contact_id: &one.request.contact_id,
        revision: one.request.revision,
        request: one.request.borrower_request()?,
        account: &one.account.account,
        figures: &one.account.figures,
    })
}
