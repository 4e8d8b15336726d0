//! The daily output: an account's status at the end of each day.

use chrono::{Datelike, NaiveDate};

use crate::account::{Account, Figures};
use crate::assessment::{ImposedOnDay, Rules, classify, day_counts, project_ladder};
use crate::kernel::{business_date, earlier, end_of_day, past_due_from};
use crate::ledger::{Allocation, BucketBalance, allocate_at};
use crate::policy::{Policy, Timeline};

/// Writes an account's daily lines, each by the version of the policy that binds the account at its end.
///
/// As long as no fact changes, only the day counts and any accruing late fee can move up to a known day. The
/// account is evaluated anew only after that day.
#[derive(Debug)]
pub struct DailyLines<'p> {
    rules: Rules<'p>,
    account_id: String,
    allocation: Option<Allocation>,
    steady: Option<Steady<'p>>,
}

/// The parts of a line that stay the same from one day to the next.
#[derive(Debug)]
struct Steady<'p> {
    policy: &'p Policy,
    until: Option<NaiveDate>,
    oldest_due_on: Option<NaiveDate>,
    stage: String,
    /// The fields after the day counts.
    rest: String,
    /// Whether `rest` is written anew each day.
    moves_daily: bool,
    /// The restrictions and the fields after them.
    last: String,
}

impl<'p> DailyLines<'p> {
    /// A writer for one account under the versions of a policy.
    #[must_use]
    pub fn new(account: &Account, rules: impl Into<Rules<'p>>) -> Self {
        Self {
            rules: rules.into(),
            account_id: json(account.account_id.as_str()),
            allocation: None,
            steady: None,
        }
    }

    /// Drops the cached state after a new fact of the account.
    pub fn changed(&mut self) {
        self.allocation = None;
        self.steady = None;
    }

    /// Appends the line of `day`, with its line feed, evaluated at the day's last second. The caller asks for
    /// days in order.
    pub fn write(&mut self, account: &Account, day: NaiveDate, out: &mut Vec<u8>) {
        if self.steady.as_ref().is_none_or(|steady| steady.until.is_some_and(|until| day >= until)) {
            let at = end_of_day(account.time_zone, day);
            let timeline = self.rules.timeline(account, at);
            if !timeline.is_single() {
                self.allocation = None;
            }
            let allocation = self.allocation.get_or_insert_with(|| allocate_at(account, &timeline));
            let mut steady = Steady::new(account, allocation, &timeline, day);
            let next = self.rules.next(account, at).map(|(_, at)| business_date(account.time_zone, at));
            steady.until = earlier(steady.until, next);
            self.steady = Some(steady);
        }
        let (Some(steady), Some(allocation)) = (&mut self.steady, &self.allocation) else { return };
        let policy = steady.policy;
        let (days_past_due, delinquent_days) =
            steady.oldest_due_on.map_or((0, 0), |oldest| day_counts(day, oldest, account, policy));
        out.extend_from_slice(b"{\"date\":\"");
        write_date(day, out);
        out.extend_from_slice(b"\",\"account_id\":");
        out.extend_from_slice(self.account_id.as_bytes());
        out.extend_from_slice(b",\"stage\":");
        out.extend_from_slice(steady.stage.as_bytes());
        out.extend_from_slice(b",\"days_past_due\":");
        write_number(days_past_due, out);
        out.extend_from_slice(b",\"delinquent_days\":");
        write_number(delinquent_days, out);
        if steady.moves_daily {
            steady.rest = rest(&Figures::on(day, account, allocation, policy), &steady.last, account);
        }
        out.extend_from_slice(steady.rest.as_bytes());
        let buckets = allocation.buckets_on(day, account, policy);
        if !buckets.is_empty() {
            write_buckets(&buckets, account, out);
        }
        out.extend_from_slice(b"}\n");
    }
}

impl<'p> Steady<'p> {
    fn new(account: &Account, allocation: &Allocation, timeline: &Timeline<'p>, day: NaiveDate) -> Self {
        let policy = timeline.current();
        let figures = Figures::on(day, account, allocation, policy);
        let projection = project_ladder(account, allocation, timeline, day);
        let classified = classify(account, allocation, timeline, day, day);
        let class_changes_on = classified.as_ref().and_then(|classified| classified.changes_on);
        // What late fees have left open of an installment falls past due with it.
        let next_overdue = allocation
            .shown_installments(account.currency)
            .iter()
            .map(|open_installment| past_due_from(policy.day_count, open_installment.due_on))
            .find(|from| *from > day);
        let imposed = ImposedOnDay::of(account, policy, day);
        let restrictions = imposed.beside(projection.restricting);
        let class = classified
            .map_or_else(String::new, |classified| format!(",\"class\":{}", json(classified.name.as_str())));
        let last = format!("{}{class}", serde_json::to_string(&*restrictions).unwrap_or_default());
        Self {
            policy,
            until: [projection.changes_on, class_changes_on, imposed.changes_on(&restrictions)]
                .into_iter()
                .fold(next_overdue, earlier),
            oldest_due_on: figures.oldest_due_on,
            stage: json(projection.stage.map_or("current", |stage| stage.name.as_str())),
            rest: rest(&figures, &last, account),
            moves_daily: allocation.moves_daily(),
            last,
        }
    }
}

fn rest(figures: &Figures, last: &str, account: &Account) -> String {
    let text = |amount| account.currency.text(amount);
    let oldest = figures.oldest_due_on.map_or_else(|| "null".to_owned(), |date| format!("\"{date}\""));
    let late_fee =
        figures.late_fee.map_or_else(String::new, |fee| format!(",\"late_fee\":\"{}\"", text(fee)));
    format!(
        ",\"overdue\":\"{}\",\"oldest_due_on\":{oldest},\"outstanding\":\"{}\"{late_fee},\"restrictions\":{last}",
        text(figures.overdue),
        text(figures.outstanding),
    )
}

/// The field after the others: the overdue installments by their own days past due.
fn write_buckets(buckets: &[BucketBalance<'_>], account: &Account, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"buckets\":[");
    for (place, bucket) in buckets.iter().enumerate() {
        let (name, amount) = (json(bucket.name), account.currency.text(bucket.amount));
        let comma = if place == 0 { "" } else { "," };
        let installments = bucket.installments;
        out.extend_from_slice(
            format!("{comma}{{\"name\":{name},\"installments\":{installments},\"amount\":\"{amount}\"}}")
                .as_bytes(),
        );
    }
    out.push(b']');
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_number(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Years have four digits: facts are bounded by [`crate::kernel::LAST_DATE`].
fn write_date(date: NaiveDate, out: &mut Vec<u8>) {
    let mut digits = *b"0000-00-00";
    for (places, mut value) in [(0..4, date.year().unsigned_abs()), (5..7, date.month()), (8..10, date.day())]
    {
        for place in places.rev() {
            digits[place] += u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
    }
    out.extend_from_slice(&digits);
}
