//! The budget sheet: what is left of a month's income. It stores nothing.

use duewatch_domain::kernel::Money;
use duewatch_text::Value;
use maud::{Markup, html};

use super::Frame;
use crate::reader::Fault;
use crate::request::{FormFault, PageRequest};
use crate::respond::Answer;
use crate::texts::Say;

/// The fields: income first, then what it is spent on.
const FIELDS: [&str; 6] = ["income", "rent", "food", "health", "family", "debts"];

/// What the typed amounts come to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum BudgetSum {
    /// The fields that hold no amount.
    Faults(Vec<&'static str>),
    /// So much is left.
    Left(String),
    /// So much is lacking.
    Lacking(String),
}

/// The empty sheet, or the sheet with its sum.
///
/// # Errors
/// A body that is no form.
pub(crate) fn show(request: &PageRequest) -> Result<Answer, Fault> {
    let sum = match &request.form {
        Err(FormFault::TooLarge) => return Err(Fault::TooLarge),
        Err(FormFault::NoForm) => return Err(Fault::NoForm),
        Ok(_) if request.method != "POST" => None,
        Ok(_) => Some(sum(|field| request.field(field))),
    };
    let frame = Frame::new(request, None);
    let status = if matches!(sum, Some(BudgetSum::Faults(_))) { 422 } else { 200 };
    Ok(Answer::html(
        status,
        frame.page(&frame.say.t("budget-title"), &sheet(request, frame.say, sum.as_ref())),
    ))
}

/// Adds up the fields; an empty one counts as nothing.
fn sum<'a>(field: impl Fn(&'static str) -> &'a str) -> BudgetSum {
    let (mut left, mut faults) = (Money::from_minor(0, 2), Vec::new());
    for name in FIELDS {
        let typed = field(name).trim().replace([',', '\u{ff0c}', ' '], "");
        let amount = if typed.is_empty() { Some(left.zeroed()) } else { typed.parse::<Money>().ok() };
        match amount.filter(|amount| !amount.is_negative()) {
            None => faults.push(name),
            Some(amount) if name == "income" => left += amount,
            Some(amount) => left -= amount,
        }
    }
    if !faults.is_empty() {
        return BudgetSum::Faults(faults);
    }
    if left.is_negative() {
        BudgetSum::Lacking((left.zeroed() - left).to_string())
    } else {
        BudgetSum::Left(left.to_string())
    }
}

fn label(say: Say, field: &str) -> String {
    match field {
        "income" => say.t("budget-income"),
        "rent" => say.t("budget-rent"),
        "food" => say.t("budget-food"),
        "health" => say.t("budget-health"),
        "family" => say.t("budget-family"),
        _ => say.t("budget-debts"),
    }
}

fn sheet(request: &PageRequest, say: Say, sum: Option<&BudgetSum>) -> Markup {
    let with = |amount: &str| duewatch_text::grouped(amount);
    let faults = match sum {
        Some(BudgetSum::Faults(faults)) => faults.as_slice(),
        _ => &[],
    };
    html! {
        p { (say.t("budget-intro")) }
        @match sum {
            Some(BudgetSum::Left(left)) => {
                p.standing role="status" { (say.with("budget-left", &[("amount", Value::Text(&with(left)))])) }
                p { (say.t("budget-left-text")) }
            },
            Some(BudgetSum::Lacking(lacking)) => {
                p.standing.warn role="status" { (say.with("budget-lacking", &[("amount", Value::Text(&with(lacking)))])) }
                p { (say.t("budget-lacking-text")) " " a href={ (request.root) "help" } { (say.t("to-help")) } }
            },
            Some(BudgetSum::Faults(_)) => { p.fault role="alert" { (say.t("form-faults")) } },
            None => {},
        }
        form method="post" action={ (request.root) "budget" } {
            @for field in FIELDS {
                @let is_faulty = faults.contains(&field);
                label for=(field) { (label(say, field)) }
                @if is_faulty { p.fault id={ (field) "-fault" } { (say.t("budget-fault")) } }
                input.short id=(field) name=(field) inputmode="decimal" autocomplete="off" maxlength="20"
                    value=(request.field(field)) aria-describedby=[is_faulty.then(|| format!("{field}-fault"))];
            }
            button type="submit" { (say.t("budget-button")) }
        }
        p.soft { (say.t("budget-privacy")) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn of(typed: [&'static str; 6]) -> BudgetSum {
        sum(|field| typed[FIELDS.iter().position(|known| *known == field).unwrap()])
    }

    /// 5,000 less 1,800.50, 900 and 300 leaves 1,999.50; less 2,000 more it lacks 0.50.
    #[rstest]
    #[case(["5,000", "1800.50", "900", "", "300", ""], BudgetSum::Left("1999.50".to_owned()))]
    #[case(["5000", "1800.50", "900", "", "300", "2000"], BudgetSum::Lacking("0.50".to_owned()))]
    #[case(["", "", "", "", "", ""], BudgetSum::Left("0.00".to_owned()))]
    #[case(["x", "-1", "1", "1e9", "", ""], BudgetSum::Faults(vec!["income", "rent", "health"]))]
    fn a_budget_is_income_less_what_it_is_spent_on(
        #[case] typed: [&'static str; 6],
        #[case] expected: BudgetSum,
    ) {
        assert_eq!(of(typed), expected);
    }
}
