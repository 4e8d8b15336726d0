//! `explain`: an account's story, for people.

use chrono::{NaiveDate, SecondsFormat};
use duewatch_domain::account::{HoldUse, Installment, PaymentInProcess, PaymentMethod, Reason};
use duewatch_domain::assessment::{DrawPlan, DrawState};
use duewatch_domain::kernel::{Currency, Money, business_date};
use duewatch_domain::policy::{Restriction, Timeline, Versions};
use duewatch_domain::{Account, Decision, Policy, Zone, allocate_at, assess, draw_plans, escaped};
use duewatch_views::AccountView;

use crate::explain_facts as facts;

/// Explains an account: each given decision, its figures, the status at the instant of the view, the
/// cross-restrictions from and on the customer's other accounts, the next action, the payments and the messages.
#[must_use]
pub fn story(
    account: &Account,
    decisions: &[Decision],
    others: &[Account],
    versions: &Versions,
    view: &AccountView<'_>,
) -> String {
    let timeline = versions.timeline(account, view.at);
    let mut text = String::new();
    // Reasons and ids are others' words: whatever they hold, each stays on its line.
    let mut line = |words: String| {
        text.push_str(&escaped(&words));
        text.push('\n');
    };
    line(format!(
        "Account {} of customer {}, in {}, days by {}, judged by policy {}",
        account.account_id,
        account.customer_id,
        account.currency,
        account.time_zone.name(),
        timeline.current().reference(),
    ));
    line(String::new());
    if decisions.is_empty() {
        line("Nothing has ever been decided against it.".to_owned());
    }
    for decision in decisions {
        for words in decision_lines(account, decision) {
            line(words);
        }
    }
    line(String::new());
    for words in today(account, others, &timeline, view) {
        line(words);
    }
    line(String::new());
    for words in facts::payments(view).into_iter().chain(facts::pauses(view)).chain(facts::messages(view)) {
        line(words);
    }
    text
}

fn decision_lines(account: &Account, decision: &Decision) -> Vec<String> {
    let currency = account.currency;
    let at = decision.at.with_timezone(&account.time_zone).format("%Y-%m-%d %H:%M:%S");
    let change = if decision.from == decision.to {
        format!("stays {}", decision.to)
    } else {
        format!("{} -> {}", decision.from, decision.to)
    };
    let mut lines = vec![format!("{at}  {change}   (revision {})", decision.revision)];
    let mut say = |words: String| lines.push(format!("    {words}"));
    for reason in &decision.reasons {
        say(reason.to_string());
    }
    if let Some(oldest) = decision.figures.oldest_due_on {
        say(format!(
            "{} {currency} was overdue since {oldest}: {} days past due, {} delinquent; {} {currency} outstanding.",
            currency.text(decision.figures.overdue),
            decision.figures.days_past_due,
            decision.figures.delinquent_days,
            currency.text(decision.figures.outstanding),
        ));
    }
    if !decision.applied.is_empty() {
        say(format!("Restricted: {}.", list(&decision.applied)));
    }
    if !decision.lifted.is_empty() {
        say(format!("Lifted: {}.", list(&decision.lifted)));
    }
    say(format!("Decided by policy {}, event {}.", decision.policy, decision.event_id(&account.account_id)));
    lines
}

fn today(
    account: &Account,
    others: &[Account],
    timeline: &Timeline<'_>,
    view: &AccountView<'_>,
) -> Vec<String> {
    let (currency, policy, now) = (account.currency, timeline.current(), view.at);
    let assessment = assess(account, timeline, now);
    let figures = &assessment.figures;
    let mut lines =
        vec![format!("On {} it is {}.", business_date(account.time_zone, now), assessment.stage_name())];
    match figures.oldest_due_on {
        None if figures.overdue.is_zero() => {
            lines.push(format!("  Nothing is overdue; {} {currency} outstanding.", currency.text(figures.outstanding)));
        }
        None => lines.push(format!(
            "  {} {currency} of late fee is overdue, and no installment; {} {currency} outstanding.",
            currency.text(figures.overdue),
            currency.text(figures.outstanding),
        )),
        Some(oldest) => lines.push(format!(
            "  {} {currency} is overdue since {oldest}: {} days past due, {} delinquent; {} {currency} outstanding.",
            currency.text(figures.overdue),
            figures.days_past_due,
            figures.delinquent_days,
            currency.text(figures.outstanding),
        )),
    }
    if let Some(class) = assessment.class {
        let held = assessment.classification.as_ref().and_then(|classification| classification.class());
        let words = held.map_or_else(|| class.to_string(), ToString::to_string);
        lines.push(format!("  Its regulatory class is {words}."));
    }
    if !assessment.restrictions().is_empty() {
        lines.push(format!("  Restricted: {}.", list(assessment.restrictions())));
    }
    lines.extend(facts::operations(view));
    lines.extend(from_others(account, others));
    lines.extend(to_others(account, others));
    let to_say = |reason: &&Reason| {
        matches!(
            reason,
            Reason::RestrictionsDeferred { .. } | Reason::BelowMateriality | Reason::InstallmentsHeld
        )
    };
    lines.extend(assessment.reasons.iter().filter(to_say).map(|reason| format!("  {reason}")));
    lines.extend(holds(policy, &assessment.holds, assessment.day));
    let allocation = allocate_at(account, timeline);
    for open_installment in &allocation.shown_installments(currency) {
        if !figures.overdue.is_positive() || open_installment.due_on > assessment.day {
            break;
        }
        let installment = &account.installments()[open_installment.place];
        let parts = allocation.open_components(open_installment, assessment.day, account, policy);
        let open: Money = parts.iter().map(|(_, amount)| *amount).sum();
        let parts: Vec<String> = parts
            .iter()
            .map(|(component, amount)| format!("{} {component}", currency.text(*amount)))
            .collect();
        lines.push(format!(
            "  Open: {}, due on {}: {} {currency} ({}).",
            installment.label,
            open_installment.due_on,
            currency.text(open),
            parts.join(", "),
        ));
    }
    lines.extend(
        account.installments().iter().filter_map(|installment| on_hold(installment, account.time_zone)),
    );
    for bucket in allocation.buckets_on(assessment.day, account, policy) {
        let installments = counted(bucket.installments, "installment", "installments");
        lines.push(format!(
            "  {}: {} {currency} in {installments}.",
            bucket.name,
            currency.text(bucket.amount)
        ));
    }
    if allocation.credit.is_positive() {
        lines.push(format!("  {} {currency} of credit is left.", currency.text(allocation.credit)));
    }
    lines.extend(account.in_process().and_then(|process| in_process(process, currency, assessment.day)));
    let plans = draw_plans(account, policy, assessment.day);
    lines.extend(plans.iter().map(|plan| drawn(plan, account.currency, account.time_zone)));
    if figures.overdue.is_positive() {
        lines.push(format!(
            "  Paying {} {currency} clears it: what is restricted is lifted as the money arrives, without a fee.",
            currency.text(figures.overdue)
        ));
        if let Some(clears) = view.clears.as_ref().filter(|clears| clears.today != clears.tomorrow) {
            lines.push(format!("  By the end of tomorrow {} {currency} does.", clears.tomorrow));
        }
        lines.push(
            "  Whoever thinks this is wrong asks the lender for a review, naming the event above.".to_owned(),
        );
    }
    lines.push(match assessment.next_action_at {
        Some(at) => format!(
            "  It is looked at next at {} ({} there), or when a payment arrives.",
            at.to_rfc3339_opts(SecondsFormat::Secs, true),
            at.with_timezone(&account.time_zone).format("%Y-%m-%d %H:%M"),
        ),
        None => "  It is looked at next when something new becomes known.".to_owned(),
    });
    lines
}

/// The days of this episode on which holds have kept restrictions back.
fn holds(policy: &Policy, holds: &HoldUse, today: NaiveDate) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(money_on) = holds.money_on {
        lines.push(format!(
            "  Money that cannot be posted kept its restrictions back on {} of at most {} in this episode, last on \
             {money_on}.",
            counted(holds.money_days, "day", "days"),
            policy.money_hold_days(),
        ));
    }
    let used = holds.used_by(today);
    if let Some(most) = policy.most_held_days().filter(|_| used > 0 || !holds.held.is_empty()) {
        let over = match holds.over_on {
            Some(over_on) => format!(" Since {over_on} nothing is held back any more."),
            None => String::new(),
        };
        lines.push(format!(
            "  All holds together have kept its restrictions back on {} of at most {most} in this episode.{over}",
            counted(used, "day", "days"),
        ));
    }
    lines
}

fn on_hold(installment: &Installment, zone: Zone) -> Option<String> {
    let hold = installment.hold.as_ref()?;
    let reason = hold.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    Some(format!(
        "  On hold since {}: {}{reason}. Its days and amounts move no stage until it is released.",
        hold.since.with_timezone(&zone).format("%Y-%m-%d"),
        installment.label,
    ))
}

/// A payment under way, and its next try.
fn in_process(process: &PaymentInProcess, currency: Currency, today: NaiveDate) -> Option<String> {
    let method = process.method.map_or("A payment", PaymentMethod::in_words);
    let amount =
        process.amount.map_or_else(String::new, |amount| format!(" of {} {currency}", currency.text(amount)));
    if let Some(next) = process.next_try_on.filter(|next| *next >= today) {
        return Some(format!("  {method}{amount} failed; it is tried again on {next}."));
    }
    (process.until > today)
        .then(|| format!("  {method}{amount} is under way; it is waited for until {}.", process.until))
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A drawdown, and the state of its plan.
fn drawn(plan: &DrawPlan<'_>, currency: Currency, zone: Zone) -> String {
    let text = |amount: Money| format!("{} {currency}", currency.text(amount));
    let when = plan.draw.drawn_at.map_or("from the book".to_owned(), |at| {
        format!("drawn on {}", at.with_timezone(&zone).format("%Y-%m-%d"))
    });
    let counted = if plan.installments == 1 { "installment" } else { "installments" };
    let mut words = format!(
        "  Draw {}, {when}: {} in {} {counted}; paid {}",
        plan.draw.draw_id,
        text(plan.draw.amount),
        plan.installments,
        text(plan.paid),
    );
    if let DrawState::Settled | DrawState::WrittenOff | DrawState::Replaced = plan.state {
        return format!("{words}; {}.", plan.state.as_str());
    }
    words += &format!(", open {}", text(plan.open));
    if let Some(oldest) = plan.oldest_due_on {
        words += &format!(", overdue {} since {oldest}", text(plan.overdue));
    }
    words + &plan.next_due_on.map_or(".".to_owned(), |next| format!("; next due on {next}."))
}

/// The cross-restrictions of the customer's other accounts, and those not applied yet.
fn from_others(account: &Account, others: &[Account]) -> Vec<String> {
    let known = account.imposed_by().iter().map(|other| {
        let (id, restriction) = (&other.account_id, &other.restriction);
        let holds = if account.is_enforced() { "" } else { " Enforcement is switched off here, so that holds nothing." };
        format!(
            "  Account {id} of the same customer has reached {}, which brings here since {}: {}.{holds} Paying what \
             is overdue there lifts it.",
            restriction.stage,
            restriction.since.to_rfc3339_opts(SecondsFormat::Secs, true),
            list(&restriction.restrictions),
        )
    });
    let pending = others.iter().filter(|other| !account.has_applied_from(other)).map(|other| match other.imposes() {
        Some(imposed) => format!(
            "  Pending: account {} of the same customer has reached {}; what that brings here has not arrived yet: {}.",
            other.account_id,
            imposed.restriction.stage,
            list(&imposed.restriction.restrictions),
        ),
        None => format!(
            "  Pending: what account {} of the same customer brought is lifted there, and that has not arrived here \
             yet.",
            other.account_id,
        ),
    });
    known.chain(pending).collect()
}

/// The account's cross-restrictions on the customer's other accounts, and whether they are applied.
fn to_others(account: &Account, others: &[Account]) -> Vec<String> {
    let imposed = account.imposes();
    let mut lines = Vec::new();
    if let Some(imposed) = &imposed {
        lines.push(format!(
            "  It has reached {}, so that the customer's other accounts may not: {}.",
            imposed.restriction.stage,
            list(&imposed.restriction.restrictions)
        ));
    }
    for other in others {
        let id = &other.account_id;
        match (imposed.is_some(), other.has_applied_from(account)) {
            (true, true) => lines.push(format!("    Account {id}: it has arrived.")),
            (true, false) => lines.push(format!("    Account {id}: pending.")),
            (false, false) => lines.push(format!("  Account {id} is restricted for it no more: pending.")),
            (false, true) => {}
        }
    }
    lines
}

fn list(restrictions: &[Restriction]) -> String {
    let words: Vec<String> = restrictions.iter().map(ToString::to_string).collect();
    words.join(", ")
}
