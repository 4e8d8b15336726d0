//! The rules of the pages, with the values given there: the model alone.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use duewatch_domain::account::InstallmentLabel;
use duewatch_domain::formats::parse_event_line;
use duewatch_domain::kernel::Money;
use duewatch_domain::{Account, Contract, Event, Policy};
use duewatch_testkit::{
    ContractTerms, FOUR_MONTHS, FROZEN, LATE, RBI_CLASSES, equal_installments, local_instant, parsed,
    policy_text, reminders, stages,
};
use duewatch_tests::model::{Model, ModelAssessment, Reminder};
use rstest::rstest;
use serde_json::{Value, json};

/// The stages and the reminders of shared/domain/POLICY.md, with a further stage for long overdue accounts.
fn standard() -> Policy {
    let restrictions = FROZEN.2;
    let frozen = ("frozen", "delinquent_days = 15, overdue_amount = \"100.00\"", restrictions);
    let steps = reminders(&[
        ("current", -3, "app", "due_soon"),
        ("current", 0, "sms", "due_today"),
        ("late", 4, "sms", "late_4"),
        ("late", 5, "email", "late"),
        ("late", 6, "sms", "late_6"),
    ]);
    under(&format!("grace_days = 3\n{}{steps}", stages(&[LATE, frozen])))
}

/// One stage from the first day past due.
const PAST_DUE: &str = r#"stages = [{ name = "held", when = { days_past_due = 1 } }]"#;

pub(crate) fn under(rest: &str) -> Policy {
    parsed(&policy_text("p", rest, ""))
}

/// Debts as text: `1: 100.00, P-1 on 2023-10-20: 250.00`.
pub(crate) fn texts<'a>(debts: impl Iterator<Item = (&'a InstallmentLabel, NaiveDate, Money)>) -> String {
    let each = debts.map(|(label, due_on, amount)| match label {
        InstallmentLabel::Number(number) => format!("{number}: {amount}"),
        InstallmentLabel::Chargeback(payment) => format!("{payment} on {due_on}: {amount}"),
        InstallmentLabel::LateFees(on) => format!("late fees of {on}: {amount}"),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// A loan, its facts, and the model that took them.
pub(crate) struct ModelLoan {
    contract: Contract,
    facts: Vec<Event>,
    pub(crate) model: Model,
}

impl ModelLoan {
    /// Installments of 250.00, numbered from 1, due on those dates.
    pub(crate) fn due_on(zone: &str, dates: &[&str]) -> Self {
        Self::of(zone, "250.00", dates)
    }

    /// Installments of that principal, numbered from 1, due on those dates.
    pub(crate) fn of(zone: &str, principal: &str, dates: &[&str]) -> Self {
        let contract = ContractTerms {
            policy_id: "p",
            currency: "EUR",
            time_zone: zone,
            opened_on: "2010-01-01",
            installments: equal_installments(principal, dates),
            ..ContractTerms::default()
        }
        .contract();
        Self { model: Model::open(&contract), facts: Vec::new(), contract }
    }

    /// Four months in Shanghai.
    pub(crate) fn four() -> Self {
        Self::due_on("Asia/Shanghai", &FOUR_MONTHS)
    }

    /// Four months in Shanghai, after events in the format's own words, each known at noon of its date.
    pub(crate) fn after(events: &[(&str, Value)]) -> Self {
        events.iter().fold(Self::four(), |loan, (on, event)| loan.learns(on, event.clone()))
    }

    /// The instant of a local time.
    pub(crate) fn at(&self, local: &str) -> DateTime<Utc> {
        local_instant(self.contract.time_zone, local)
    }

    /// Takes an event in the format's own words, known at noon of that date.
    pub(crate) fn learns(mut self, on: &str, mut event: Value) -> Self {
        let at = self.at(&format!("{on}T12:00:00"));
        event["at"] = json!(at);
        event["account_id"] = json!("A-1");
        let fact = parse_event_line(&event.to_string()).unwrap();
        self.model.take(&fact.command, fact.at);
        self.facts.push(fact);
        self
    }

    /// Evaluates the model at a local time.
    pub(crate) fn evaluated(mut self, policy: &Policy, local: &str) -> Self {
        let at = self.at(local);
        self.model.evaluated(policy, at);
        self
    }

    /// The domain's account after the same facts.
    pub(crate) fn account(&self) -> Account {
        let mut account = Account::open(&self.contract).unwrap();
        for fact in &self.facts {
            account.apply(&fact.command, fact.at).unwrap();
        }
        account
    }

    pub(crate) fn pays(self, on: &str, id: &str, amount: &str, applies_to: &[u32]) -> Self {
        let event = json!({ "type": "payment_received", "payment_id": id, "amount": amount, "applies_to": applies_to });
        self.learns(on, event)
    }

    pub(crate) fn reverses(self, on: &str, id: &str, dated: &str) -> Self {
        self.learns(on, json!({ "type": "payment_reversed", "payment_id": id, "dated": dated }))
    }

    pub(crate) fn reschedules(self, on: &str, number: u32, due_on: &str, principal: &str) -> Self {
        let new = json!([{ "number": number, "due_on": due_on, "principal": principal }]);
        self.learns(on, json!({ "type": "schedule_replaced", "installments": new, "reason": "agreed" }))
    }

    /// The open debts, such as `1: 100.00, 2: 250.00`.
    pub(crate) fn debts(&self) -> String {
        self.debts_under(&under(PAST_DUE))
    }

    pub(crate) fn debts_under(&self, policy: &Policy) -> String {
        let debts = self.model.shown_debts(policy);
        texts(debts.iter().map(|debt| (&debt.label, debt.due_on, debt.amount)))
    }

    /// The model's account status at the end of a date.
    pub(crate) fn assessed(&self, policy: &Policy, on: &str) -> ModelAssessment {
        self.model.judge(policy, self.at(&format!("{on}T23:59:59")))
    }

    fn stage(&self, policy: &Policy, local: &str) -> String {
        self.model.judge(policy, self.at(local)).stage
    }

    /// Days past due and delinquent days at the end of a date.
    fn days(&self, policy: &Policy, on: &str) -> (u32, u32) {
        let assessed = self.assessed(policy, on);
        (assessed.days_past_due, assessed.delinquent_days)
    }

    /// The reminders due at `now` after an evaluation at `after`.
    fn reminders(&self, after: &str, now: &str) -> Vec<String> {
        let mut model = self.model.clone();
        model.evaluated(&standard(), self.at(after));
        let due = model.reminders(&standard(), self.at(now));
        let text = |one: &Reminder| {
            format!("{} {} of {}, {} missed", one.channel, one.template, one.about, one.missed)
        };
        due.iter().map(text).collect()
    }
}

#[rstest]
#[case("2021-03-31", "2021-03-31", "current", "SMA-0")]
#[case("2021-03-31", "2021-04-30", "SMA-0", "SMA-1")]
#[case("2021-03-31", "2021-05-30", "SMA-1", "SMA-2")]
#[case("2021-03-31", "2021-06-29", "SMA-2", "NPA")]
#[case("2021-12-01", "2021-12-31", "SMA-0", "SMA-1")]
#[case("2021-12-01", "2022-01-30", "SMA-1", "SMA-2")]
#[case("2021-12-01", "2022-03-01", "SMA-2", "NPA")]
fn the_dates_of_the_reserve_bank_of_india(
    #[case] due_on: &str,
    #[case] on: &str,
    #[case] before: &str,
    #[case] reached: &str,
) {
    let (loan, rbi) = (
        ModelLoan::due_on("Asia/Kolkata", &[due_on]),
        under(&format!("day_count = \"due_day\"\n{}", stages(&RBI_CLASSES))),
    );
    assert_eq!(loan.stage(&rbi, &format!("{on}T23:59:58")), before);
    assert_eq!(loan.stage(&rbi, &format!("{on}T23:59:59")), reached);
    let (noon, reached_at) = (loan.at(&format!("{on}T12:00:00")), loan.at(&format!("{on}T23:59:59")));
    assert_eq!(loan.model.next_change(&rbi, noon, reached_at), Some(reached_at));
}

#[test]
fn a_day_is_assessed_as_the_daily_output_is_documented() {
    let loan = ModelLoan::four();
    let assessed = loan.model.judge(&standard(), loan.at("2023-10-05T23:59:59"));
    let expected = ModelAssessment {
        stage: "late".to_owned(),
        holds_since: "2023-10-05".parse().ok(),
        restricting: "late".to_owned(),
        restricted_since: "2023-10-05".parse().ok(),
        restrictions: Vec::new(),
        imposes: Vec::new(),
        days_past_due: 4,
        delinquent_days: 1,
        overdue: "250.00".parse().unwrap(),
        oldest_due_on: "2023-10-01".parse().ok(),
        outstanding: "1000.00".parse().unwrap(),
        late_fee: None,
        unpaid_installments: 1,
        class: None,
    };
    assert_eq!(assessed, expected);
}

#[test]
fn one_late_payment_step_by_step() {
    let (mut loan, policy) = (ModelLoan::four(), standard());
    let next = |loan: &ModelLoan, now: &str| {
        loan.model.next_change(&policy, loan.at(now), loan.at("2024-12-31T00:00:00"))
    };
    assert_eq!(next(&loan, "2023-10-02T00:00:00"), Some(loan.at("2023-10-05T00:00:00")));
    assert_eq!(loan.stage(&policy, "2023-10-04T23:59:59"), "current");
    assert_eq!(loan.stage(&policy, "2023-10-05T00:00:00"), "late");
    assert_eq!(next(&loan, "2023-10-07T10:00:00"), Some(loan.at("2023-10-19T00:00:00")));
    let frozen = loan.model.judge(&policy, loan.at("2023-10-19T00:00:00"));
    let restrictions: Vec<String> = frozen.restrictions.iter().map(ToString::to_string).collect();
    assert_eq!(
        (frozen.stage.as_str(), restrictions.join(", ").as_str()),
        ("frozen", "limit_credit_line to 50 %, freeze_drawdown")
    );

    loan = loan.pays("2023-10-20", "P-1", "250.00", &[]);
    assert_eq!(loan.stage(&policy, "2023-10-20T12:00:00"), "current");
    assert_eq!(next(&loan, "2023-10-20T12:00:00"), Some(loan.at("2023-10-29T10:00:00")));
}

// Due on 2023-10-01, paused from 2023-10-05 until 2023-10-10.
#[rstest]
#[case::before_it("2023-10-05", (4, 4))]
#[case::on_its_second_day("2023-10-06", (5, 4))]
#[case::on_the_day_it_ends("2023-10-10", (9, 4))]
#[case::the_day_after("2023-10-11", (10, 5))]
fn pauses_are_half_open(#[case] on: &str, #[case] days: (u32, u32)) {
    let pause = json!({ "type": "pause_started", "from": "2023-10-05", "until": "2023-10-10" });
    let loan = ModelLoan::four().learns("2023-10-02", pause);
    assert_eq!(loan.days(&under(PAST_DUE), on), days);
}

#[rstest]
#[case::inside_it("2023-10-07", 18)]
#[case::on_its_first_day("2023-10-05", 20)]
fn a_pause_may_end_early(#[case] on: &str, #[case] delinquent_days: u32) {
    let pause = json!({ "type": "pause_started", "from": "2023-10-05", "until": "2023-11-10" });
    let loan = ModelLoan::four()
        .learns("2023-10-02", pause)
        .learns("2023-10-05", json!({ "type": "pause_ended", "on": on }));
    assert_eq!(loan.days(&under(PAST_DUE), "2023-10-21"), (20, delinquent_days));
}

#[rstest]
#[case::the_oldest_first(ModelLoan::four().pays("2023-10-01", "P-1", "300.00", &[]), "2: 200.00, 3: 250.00, 4: 250.00")]
#[case::by_name_in_the_order_given(ModelLoan::four().pays("2023-10-01", "P-1", "300.00", &[4, 2]), "1: 250.00, 2: 200.00, 3: 250.00")]
#[case::left_over_by_the_waterfall(ModelLoan::four().pays("2023-10-01", "P-1", "400.00", &[3]), "1: 100.00, 2: 250.00, 4: 250.00")]
#[case::by_name_before_the_rest(
    ModelLoan::four().pays("2023-10-01", "P-1", "250.00", &[]).pays("2023-10-02", "P-2", "100.00", &[1]),
    "2: 150.00, 3: 250.00, 4: 250.00"
)]
#[case::received_twice(
    ModelLoan::four().pays("2023-10-01", "P-1", "250.00", &[]).pays("2023-10-09", "P-1", "250.00", &[4]),
    "2: 250.00, 3: 250.00, 4: 250.00"
)]
#[case::as_if_it_had_never_been(
    ModelLoan::four().pays("2023-10-01", "P-1", "1000.00", &[]).reverses("2023-10-20", "P-1", "original"),
    "1: 250.00, 2: 250.00, 3: 250.00, 4: 250.00"
)]
#[case::taken_back_and_due_anew(
    ModelLoan::four().pays("2023-10-01", "P-1", "1000.00", &[]).reverses("2023-10-20", "P-1", "reversal"),
    "P-1 on 2023-10-20: 1000.00"
)]
#[case::taken_back_once(
    ModelLoan::four()
        .pays("2023-10-01", "P-1", "1000.00", &[])
        .reverses("2023-10-20", "P-1", "reversal")
        .reverses("2023-10-21", "P-1", "original"),
    "P-1 on 2023-10-20: 1000.00"
)]
#[case::a_new_schedule_keeps_what_is_paid(
    ModelLoan::four().pays("2023-10-01", "P-1", "350.00", &[]).reschedules("2023-10-15", 11, "2023-09-01", "650.00"),
    "11: 650.00"
)]
#[case::an_old_number_under_a_new_schedule(
    ModelLoan::four().pays("2023-09-01", "P-1", "100.00", &[9]).reschedules("2023-10-15", 9, "2024-02-01", "900.00"),
    "9: 900.00"
)]
#[case::credit_waits(
    ModelLoan::due_on("UTC", &["2023-10-01"]).pays("2023-10-01", "P-1", "300.00", &[]).reschedules("2023-10-15", 2, "2023-11-01", "80.00"),
    "2: 30.00"
)]
#[case::beyond_an_adjusted_amount(
    ModelLoan::four()
        .pays("2023-10-01", "P-1", "250.00", &[1])
        .learns("2023-10-10", json!({ "type": "installment_adjusted", "number": 1, "amount": "100.00", "reason": "agreed" })),
    "2: 150.00, 3: 250.00, 4: 250.00"
)]
#[case::written_off_takes_only_what_names_it(
    ModelLoan::four()
        .pays("2023-10-01", "P-1", "100.00", &[])
        .pays("2023-10-01", "P-2", "100.00", &[1])
        .learns("2023-10-10", json!({ "type": "written_off", "number": 1, "reason": "agreed" })),
    "2: 150.00, 3: 250.00, 4: 250.00"
)]
#[case::a_write_off_undone(
    ModelLoan::four()
        .pays("2023-10-01", "P-1", "100.00", &[])
        .learns("2023-10-10", json!({ "type": "written_off", "reason": "agreed" }))
        .learns("2023-10-11", json!({ "type": "write_off_undone", "reason": "mistake" })),
    "1: 150.00, 2: 250.00, 3: 250.00, 4: 250.00"
)]
fn what_money_settles(#[case] loan: ModelLoan, #[case] debts: &str) {
    assert_eq!(loan.debts(), debts);
}

#[test]
fn while_enforcement_is_off_the_figures_go_on() {
    let policy = standard();
    let mut loan =
        ModelLoan::four().learns("2023-10-10", json!({ "type": "enforcement_off", "reason": "court" }));
    assert_eq!(loan.stage(&policy, "2023-10-21T12:00:00"), "current");
    assert_eq!(loan.days(&policy, "2023-10-21"), (20, 17));
    loan = loan.learns("2023-10-21", json!({ "type": "enforcement_on", "reason": "lifted" }));
    assert_eq!(loan.stage(&policy, "2023-10-21T12:00:00"), "frozen");
}

#[rstest]
#[case::midnight_missing("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00:00Z")]
#[case::midnight_twice("America/Havana", "2023-11-04", "2023-11-05T04:00:00Z")]
#[case::half_an_hour("Australia/Lord_Howe", "2023-10-01", "2023-10-01T13:00:00Z")]
#[case::date_skipped("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z")]
#[case::set_back_across_midnight("America/St_Johns", "2010-11-06", "2010-11-07T02:30:00Z")]
#[case::by_an_odd_number_of_seconds("Africa/Monrovia", "1972-01-06", "1972-01-07T00:44:30Z")]
fn the_next_date_begins_at_its_first_instant(#[case] zone: &str, #[case] due_on: &str, #[case] begins: &str) {
    let (loan, policy, begins) =
        (ModelLoan::due_on(zone, &[due_on]), under(PAST_DUE), begins.parse().unwrap());
    let before = begins - TimeDelta::seconds(1);
    assert_eq!(loan.model.judge(&policy, before).stage, "current");
    assert_eq!(loan.model.judge(&policy, begins).stage, "held");
    assert_eq!(loan.model.next_change(&policy, before, begins + TimeDelta::days(2)), Some(begins));
}

#[rstest]
#[case::too_early("2023-09-28T09:59:59", &[])]
#[case::three_days_before("2023-09-28T10:00:00", &["app due_soon of installment 1, 0 missed"])]
#[case::late_but_true("2023-09-30T08:00:00", &["app due_soon of installment 1, 0 missed"])]
#[case::too_late_to_leave_before_the_due_date_passes("2023-10-01T23:59:59", &[])]
#[case::both_still_true(
    "2023-10-01T10:30:00",
    &["app due_soon of installment 1, 0 missed", "sms due_today of installment 1, 0 missed"]
)]
#[case::past_due("2023-10-02T00:00:00", &[])]
#[case::one_a_channel(
    "2023-10-07T10:00:00",
    &["sms late_6 of installment 1, 1 missed", "email late of installment 1, 0 missed"]
)]
fn a_look_owes_what_was_planned_since_the_last_one(#[case] now: &str, #[case] expected: &[&str]) {
    assert_eq!(ModelLoan::four().reminders("2023-09-01T00:00:00", now), expected);
}

#[test]
fn a_reminder_is_owed_once_and_not_to_whoever_has_paid() {
    let loan = ModelLoan::four();
    assert_eq!(loan.reminders("2023-10-06T09:59:59", "2023-10-06T10:00:00").len(), 1);
    assert!(loan.reminders("2023-10-06T10:00:00", "2023-10-06T10:00:00").is_empty());
    assert!(loan.model.reminders(&standard(), loan.at("2023-10-06T10:00:00")).is_empty());
    let paid = loan.pays("2023-10-06", "P-1", "250.00", &[]);
    assert!(paid.reminders("2023-10-01T10:00:00", "2023-10-06T13:00:00").is_empty());
}
