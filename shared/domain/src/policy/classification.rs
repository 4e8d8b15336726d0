//! The regulatory classes of a policy.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::bounds::MAX_DAYS;

/// The most classes above the normal one.
pub const MAX_CLASSES: usize = 20;

/// The most months for which a class may outlive its cure.
pub const MAX_PROBATION_MONTHS: u32 = 120;

/// How an account is classified for the regulator: by its days past due, independent of the restrictions of
/// its stage. A class may outlive its cure; a restriction never does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassificationRules {
    /// The name of the scheme, such as `cn_five_class`.
    pub name: String,
    /// The class below every threshold.
    pub normal: ClassName,
    /// The classes above `normal`, mildest first, with rising thresholds.
    pub classes: Vec<Class>,
    /// Index in `classes` of the first class that outlives its cure; the milder ones follow the days.
    pub probation_from: usize,
    pub cured: Cured,
    /// The months for which such a class outlives its cure.
    pub probation_months: u32,
    /// The same if the schedule was replaced since the class was reached: forbearance.
    pub probation_after_forbearance_months: u32,
    pub counts: ClassDaysCount,
}

/// The days that regulatory classes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassDaysCount {
    /// Days past due, whatever the overdue amount.
    #[default]
    DaysPastDue,
    /// Days since which the overdue amount has been material.
    MaterialDays,
}

/// A regulatory class and its threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Unique within the policy.
    pub name: ClassName,
    /// The account reaches the class at this many days past due.
    pub days_past_due: u32,
}

/// When an account in a class with probation counts as cured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cured {
    /// Its days past due fall below the class's threshold.
    #[default]
    BelowThreshold,
    /// No installment is overdue any more.
    NothingOverdue,
}

/// The name of a regulatory class.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassName(String);

impl ClassName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `[classification]` as TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassificationTable {
    name: String,
    normal: String,
    classes: Vec<ClassTable>,
    probation_from: Option<String>,
    #[serde(default)]
    cured: Cured,
    #[serde(default)]
    probation_months: u32,
    probation_after_forbearance_months: Option<u32>,
    #[serde(default)]
    counts: ClassDaysCount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassTable {
    name: String,
    days_past_due: u32,
}

impl ClassificationTable {
    /// The rules.
    ///
    /// # Errors
    /// The faulty field and its problem.
    pub(super) fn into_rules(self) -> Result<ClassificationRules, String> {
        check_name("name", &self.name)?;
        check_name("normal", &self.normal)?;
        check_classes(&self.normal, &self.classes)?;
        let probation_from = match &self.probation_from {
            None => 0,
            Some(first) => self.classes.iter().position(|class| &class.name == first).ok_or_else(|| {
                format!("probation_from: there is no class \"{first}\" above \"{}\"", self.normal)
            })?,
        };
        let after_forbearance = self.probation_after_forbearance_months.unwrap_or(self.probation_months);
        for (field, months) in [
            ("probation_months", self.probation_months),
            ("probation_after_forbearance_months", after_forbearance),
        ] {
            if months > MAX_PROBATION_MONTHS {
                return Err(format!("{field}: {months} is more than {MAX_PROBATION_MONTHS}"));
            }
        }
        if after_forbearance < self.probation_months {
            return Err(format!(
                "probation_after_forbearance_months: {after_forbearance} is less than probation_months, {}; \
                 forbearance shortens no probation",
                self.probation_months
            ));
        }
        Ok(ClassificationRules {
            name: self.name,
            normal: ClassName(self.normal),
            classes: self
                .classes
                .into_iter()
                .map(|class| Class { name: ClassName(class.name), days_past_due: class.days_past_due })
                .collect(),
            probation_from,
            cured: self.cured,
            probation_months: self.probation_months,
            probation_after_forbearance_months: after_forbearance,
            counts: self.counts,
        })
    }
}

fn check_classes(normal: &str, classes: &[ClassTable]) -> Result<(), String> {
    if classes.is_empty() || classes.len() > MAX_CLASSES {
        return Err(format!("classes: there are 1 to {MAX_CLASSES} above the normal one"));
    }
    for (place, class) in classes.iter().enumerate() {
        check_name("classes.name", &class.name)?;
        let name = &class.name;
        if name == normal || classes[..place].iter().any(|earlier| &earlier.name == name) {
            return Err(format!("classes.name: \"{name}\" is there already; each has a name of its own"));
        }
        if !(1..=MAX_DAYS).contains(&class.days_past_due) {
            let days = class.days_past_due;
            return Err(format!(
                "classes: \"{name}\": days_past_due: {days} is not between 1 and {MAX_DAYS}"
            ));
        }
        if let Some(before) = place.checked_sub(1).map(|before| &classes[before])
            && class.days_past_due <= before.days_past_due
        {
            return Err(format!(
                "classes: \"{name}\": days_past_due: {} is not above the {} of \"{}\"; put the mildest first",
                class.days_past_due, before.days_past_due, before.name
            ));
        }
    }
    Ok(())
}

fn check_name(field: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
        return Err(format!("{field}: \"{name}\" is no name: 1 to 64 bytes, no control characters"));
    }
    Ok(())
}
