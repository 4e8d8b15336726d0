//! A policy in the borrower's words.

use duewatch_domain::describe::describe;
use duewatch_domain::policy;
use duewatch_domain::policy::Language;
use duewatch_domain::policy::presets::PRESETS;
use rstest::rstest;

fn page(text: &str, language: Language) -> String {
    describe(&policy::parse(text).unwrap(), language)
}

#[rstest]
#[case("cn", Language::Zh)]
#[case("cn", Language::En)]
fn a_preset_as_a_borrower_reads_it(#[case] name: &str, #[case] language: Language) {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    insta::assert_snapshot!(format!("{name}_{language:?}"), page(preset.text, language));
}

/// A head, one stage and one reminder.
fn policy_with(head: &str, when: &str, restriction: &str, days: i64) -> String {
    format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-03-01\n{head}\n\
         [[stages]]\nname = \"held\"\nwhen = {{ {when} }}\nrestrictions = [{restriction}]\n\
         [reminders]\nsend_at = \"09:05\"\n\
         steps = [{{ stage = \"current\", days = {days}, channel = \"letter\", template = \"t\" }}]\n"
    )
}

#[rstest]
#[case::grace_of_one_day("grace_days = 1", "You have 1 day of grace.", "您有1天的宽限期。")]
#[case::grace_of_several("grace_days = 5", "You have 5 days of grace.", "您有5天的宽限期。")]
#[case::the_due_date_is_day_1(
    "day_count = \"due_day\"",
    "the due date itself is day 1",
    "到期日就是逾期第1天"
)]
#[case::a_pause(
    "",
    "the count of days stands still from its first day to its end. No restriction begins in it",
    "从第一天到结束，天数停止计算；期间不会开始任何限制"
)]
#[case::the_date("", "valid from 1 March 2026", "自2026年3月1日起适用")]
#[case::the_waterfall(
    "waterfall = [\"principal\", \"interest\", \"fee\", \"penalty\"]",
    "principal first, then interest, other fees and late fee.",
    "依次抵扣本金、利息、费用、罚息。"
)]
fn the_head_is_said_in_both_languages(#[case] head: &str, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with(head, "delinquent_days = 1", "", 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case::after_grace(
    "delinquent_days = 1",
    "from day 3 on (grace included).",
    "自逾期第3天起（含宽限期）适用。"
)]
#[case::by_the_calendar("days_past_due = 2", "from day 2 on.", "自逾期第2天起适用。")]
#[case::the_later_of_both("delinquent_days = 1, days_past_due = 9", "from day 9 on.", "自逾期第9天起适用。")]
#[case::an_amount(
    "overdue_amount = \"50.00\"",
    "from day 1 on, if at least 50.00 (in the currency of your account) is overdue.",
    "前提是逾期金额达到50.00（以您账户的币种计）。"
)]
#[case::a_share(
    "overdue_share = \"0.050\"",
    "if at least 5% of all that you still owe is overdue.",
    "前提是逾期金额达到全部未还金额的5%。"
)]
#[case::two_of_them(
    "overdue_amount = \"50.00\", unpaid_installments = 3",
    "(in the currency of your account) is overdue and at least 3 payments are overdue.",
    "（以您账户的币种计），并且有3期或以上逾期未还清。"
)]
#[case::several_payments(
    "unpaid_installments = 2",
    "at least 2 payments are overdue",
    "有2期或以上逾期未还清"
)]
#[case::a_cause(
    "cause = \"long_term\"",
    "from day 1 on, if we have recorded a lasting credit problem as the cause.",
    "前提是我们登记的原因是长期信用问题。"
)]
#[case::a_cause_to_be_put_right(
    "cause = \"temporary\"",
    "ask which cause or score we have recorded",
    "询问我们登记的原因或评分"
)]
#[case::a_score(
    "days_past_due = 9, score_at_most = 500",
    "from day 9 on, if the score that we have recorded for you is 500 or less.",
    "自逾期第9天起适用，前提是我们登记的您的评分不高于500。"
)]
#[case::one_payment("unpaid_installments = 1", "It applies from day 1 on.", "自逾期第1天起适用。")]
fn conditions_are_said_in_both_languages(#[case] when: &str, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with("grace_days = 2", when, "", 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case("{ kind = \"limit_credit_line\", percent = 30 }", "cut to 30% of what was agreed", "降为原额度的30%")]
#[case("{ kind = \"limit_credit_line\", percent = 0 }", "cut to zero", "降为零")]
#[case("{ kind = \"raise_rate\", percent = 150 }", "becomes 150% of the agreed rate", "变为合同利率的150%")]
#[case("{ kind = \"raise_rate\" }", "Your interest rate is raised.", "您的利率上调。")]
#[case("{ kind = \"freeze_drawdown\" }", "cannot draw any more money", "不能再提用新的借款")]
#[case("{ kind = \"suspend_account\" }", "You can still pay.", "您随时可以还款")]
#[case(
    "{ kind = \"suspend_account\", except = [\"pay_wages\", \"receive_money\", \"x\"] }",
    "You can still pay. It leaves paying wages, receiving money and x alone.",
    "不受影响：发放工资、收款、x。"
)]
#[case(
    "{ kind = \"no_cards\", blocks = [\"new_card\"] }",
    "Another restriction: no_cards. It blocks new_card.",
    "其他限制：no_cards。不能办理：new_card。"
)]
#[case(
    "{ kind = \"freeze_drawdown\", notice_days = 7 }",
    "takes effect no earlier than 7 days after we have sent you a notice of it, and never without one.",
    "这些限制最早在我们发出通知7天之后才生效；没有发出通知，就不会生效。"
)]
#[case(
    "{ kind = \"freeze_drawdown\", notice_days = 1 }",
    "takes effect no earlier than 1 day after we",
    "发出通知1天之后才生效"
)]
#[case(
    "{ kind = \"freeze_drawdown\", notice_days = 0 }",
    "takes effect only once we have sent you a notice of it, and never without one.",
    "这些限制最早在我们发出通知之后才生效；"
)]
#[case("{ kind = \"no_new_cards\" }", "Another restriction: no_new_cards.", "其他限制：no_new_cards。")]
fn restrictions_are_said_in_both_languages(
    #[case] restriction: &str,
    #[case] english: &str,
    #[case] chinese: &str,
) {
    let text = policy_with("", "delinquent_days = 1", restriction, 1);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case(-1, "- 1 day before the due date: by letter", "- 到期日前1天：信函")]
#[case(-2, "- 2 days before the due date: by letter", "- 到期日前2天：信函")]
#[case(0, "- on the due date: by letter", "- 到期日当天：信函")]
#[case(1, "- 1 day after the due date: by letter", "- 到期日后1天：信函")]
fn reminders_are_said_in_both_languages(#[case] days: i64, #[case] english: &str, #[case] chinese: &str) {
    let text = policy_with("", "delinquent_days = 1", "", days);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words) && page.contains("09:05"), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case(Language::En, "These rules restrict nothing.", "We send no reminders.")]
#[case(Language::Zh, "这些规则不设任何限制。", "我们不发送提醒。")]
fn a_policy_that_does_nothing_says_so(#[case] language: Language, #[case] none: &str, #[case] silent: &str) {
    let page = page("id = \"p\"\nversion = 1\neffective_on = 2026-03-01\n", language);
    assert!(page.contains(none) && page.contains(silent), "{page}");
    assert!(!page.contains("lifted") && !page.contains("解除"), "{page}");
}

/// The line is frozen on the first day after two days of grace, beside some tables.
fn restricted_with(tables: &str) -> String {
    format!(
        "id = \"p\"\nversion = 1\neffective_on = 2026-03-01\ngrace_days = 2\n{tables}\n\
         [[stages]]\nname = \"held\"\nwhen = {{ delinquent_days = 1 }}\n\
         restrictions = [{{ kind = \"freeze_drawdown\", notice_days = 3 }}]\n"
    )
}

#[rstest]
#[case::next("\"next\"", "is due on the next working day. Days", "顺延到下一个工作日。天数")]
#[case::previous("\"previous\"", "is due on the working day before. Days", "提前到上一个工作日。天数")]
#[case::modified_next(
    "\"modified_next\"",
    "where the next one lies in another month.",
    "下一个工作日已到下个月的"
)]
#[case::modified_previous(
    "\"modified_previous\"",
    "or on the next one where that lies in another month.",
    "上一个工作日还在上个月的"
)]
#[case::month_end(
    "\"next\", month_end = true",
    "is due on that month's last working day.",
    "以当月最后一个工作日为准。"
)]
fn working_days_are_said_in_both_languages(
    #[case] moves: &str,
    #[case] english: &str,
    #[case] chinese: &str,
) {
    is_said(&format!("business_days = {{ calendar = \"cn\", move = {moves} }}"), english, chinese);
}

#[track_caller]
fn is_said(tables: &str, english: &str, chinese: &str) {
    let text = restricted_with(tables);
    for (language, words) in [(Language::En, english), (Language::Zh, chinese)] {
        let page = page(&text, language);
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
}

#[rstest]
#[case::a_rate(
    "daily_rate = \"0.00050\"",
    "From day 3 on, each day costs 0.05% of the principal",
    "从逾期第3天起，每天按未还本金的0.05%收取罚息。"
)]
#[case::more_free_days(
    "fixed = \"15.00\", free_days = 9",
    "The first 9 days cost nothing, and are not charged for later. A night",
    "最初9天不收费"
)]
#[case::a_fixed_fee(
    "fixed = \"15.00\"",
    "still open on day 3 costs a fixed fee of 15.00 (in the currency of your account), once.",
    "每一期收取一次固定费用15.00（以您账户的币种计）。"
)]
#[case::a_pause_and_the_way_back(
    "fixed = \"15.00\"",
    "with you costs nothing. Lifting a restriction is free. The fee is part of what is overdue. A fee that is unpaid makes no payment late",
    "解除限制、恢复使用不收费。以上费用计入逾期金额。"
)]
#[case::a_part_of_the_principal(
    "fixed = \"1\", cap_per_installment = \"0.1\"",
    "It is never more than:\n\n- 10% of its principal for one payment\n",
    "以上费用不超过：\n\n- 每一期：该期本金的10%\n"
)]
#[case::an_amount(
    "fixed = \"1\", cap_per_installment_amount = \"30.00\"",
    "- 30.00 (in the currency of your account) for one payment",
    "- 每一期：30.00（以您账户的币种计）"
)]
#[case::a_month(
    "fixed = \"1\", cap_per_month = \"50.00\"",
    "for all payments together in a calendar month",
    "- 每个自然月各期合计：50.00"
)]
#[case::a_year(
    "fixed = \"1\", annual_cost_cap = \"0.24\", contract_annual_rate = \"0.09125\"",
    "- 24% a year of the unpaid principal, together with the interest of your contract (9.125% a year)",
    "- 与合同利息（年利率9.125%）合计：未还本金的每年24%"
)]
fn late_fees_are_said_in_both_languages(#[case] fee: &str, #[case] english: &str, #[case] chinese: &str) {
    is_said(&format!("late_fee = {{ {fee} }}"), english, chinese);
}

#[rstest]
#[case::small_amounts(
    "materiality = { amount = \"100.00\", share = \"0.01\" }",
    "once more than 100.00 (in the currency of your account) and more than 1% of all that you still owe is",
    "只有超过100.00（以您账户的币种计）并且超过全部未还金额的1%时才适用。"
)]
#[case::one_bound_is_enough(
    "materiality = { amount = \"100.00\", share = \"0.01\", exceed = \"either\" }",
    "account) or more than 1%",
    "或者超过全部未还金额的1%"
)]
#[case::one_bound_alone(
    "materiality = { share = \"0.025\" }",
    "only once more than 2.5% of all",
    "只有超过全部未还金额的2.5%"
)]
#[case::a_buffer(
    "buffer = { months = 12, amount = \"500.00\", days = 10 }",
    "if you were not late in the 12 months before it (grace does not count), and as long as no more than \
     500.00 (in the currency of your account) is overdue, nothing is restricted before day 13 (grace included).",
    "此前12个月内没有逾期（在宽限期内还清的不算），并且逾期金额不超过500.00（以您账户的币种计）的，\
     最早从逾期第13天起（含宽限期）才会有限制。"
)]
#[case::a_buffer_of_a_month(
    "buffer = { months = 1, amount = \"500.00\", days = 1 }",
    "not late in the month before it",
    "此前1个月内没有逾期"
)]
#[case::a_temporary_cause(
    "cause = { temporary_holds_days = 30 }",
    "nothing new is restricted for up to 30 days.",
    "最多30天内不增加新的限制。"
)]
#[case::a_payment_under_way(
    "payment_in_process = { max_days = 1 }",
    "we wait for it: for up to 1 day no new step begins",
    "最多1天内不进入新的阶段，也不发送提醒。"
)]
#[case::operations(
    "operations = { never_blocked = [\"pay_wages\", \"receive_money\"] }",
    "this always goes through: paying wages and receiving money. So does paying us.",
    "以下操作始终可以办理：发放工资、收款。"
)]
#[case::the_customers_other_accounts(
    "customer = { stage = \"held\", restrictions = [{ kind = \"freeze_drawdown\" }] }",
    "If one of your accounts reaches step 1 (held) or a later one, and what that restricts is in force, your other \
     accounts with us are restricted too:\n\n- You cannot draw any more money.\n\nThis is lifted there as soon as it \
     is lifted on the account that brought it.",
    "您在我们这里的其他账户也会受到限制：\n\n- 您不能再提用新的借款。\n\n那个账户的限制一解除，其他账户因此受到的限制随即解除。"
)]
#[case::an_announcement(
    "announcement = { days = 45, channel = \"letter\", template = \"t\" }",
    "we tell you first, by letter. The new rules apply to you no earlier than 45 days after that",
    "我们会先告诉您（方式：信函）。最早在告诉您45天之后，新规则才对您适用"
)]
#[case::a_rollout(
    "rollout = { shares = [\"0.01\", \"0.1\", 1], pause_days = 7 }",
    "reach the accounts in 3 groups, each 7 days after the one before.",
    "更严的规则分3批对账户适用，每批比前一批晚7天。"
)]
#[case::the_history(
    "retention = { history_days = 1825 }",
    "for 1825 days (5 years) after",
    "保存1825天（5年）。"
)]
#[case::contacts("retention = { contact_log_days = 366 }", "is kept for 366 days.", "保存366天。")]
#[case::contacts_of_a_year("retention = { contact_log_days = 365 }", "365 days (1 year).", "365天（1年）。")]
#[case::contacts_of_a_month("retention = { contact_log_days = 30 }", "for 30 days.", "保存30天。")]
#[case::overpayment_next("", "goes to the next payments.", "多还的部分用于下一期。")]
#[case::overpayment_last(
    "overpayment = \"last\"",
    "goes to the last payments, backwards",
    "从最后一期起倒序抵扣"
)]
#[case::overpayment_credit("overpayment = \"credit\"", "is kept for you", "留存在您的账户中")]
#[case::twelve_entries(
    "waterfall = [\"past_due_penalty\", \"past_due_fee\", \"past_due_interest\", \"past_due_principal\", \
     \"due_interest\", \"due_principal\", \"due_fee\", \"due_penalty\", \
     \"in_advance_principal\", \"in_advance_interest\", \"in_advance_fee\", \"in_advance_penalty\"]",
    "in this order, late fee, other fees, interest and principal of what is overdue; then interest, principal, \
     other fees and late fee of what is due on the day; then principal, interest, other fees and late fee of \
     what is due later.",
    "已逾期款项的罚息、费用、利息、本金；当日到期款项的利息、本金、费用、罚息；未到期款项的本金、利息、费用、罚息；"
)]
#[case::a_review("", "ask us to look at it again: say which payment", "要求重新核查：说明是哪一期")]
#[case::a_notice(
    "reminders = { send_at = \"10:00\", steps = [{ stage = \"held\", days = 5, channel = \"sms\", \
     template = \"t\", notice_of = \"held\" }] }",
    "- 5 days after the due date, from step 1 on: by text message, the notice of what step 1 restricts",
    "- 到期日后5天（自第1阶段起）：短信，即第1阶段限制的通知"
)]
fn every_table_is_said_in_both_languages(#[case] tables: &str, #[case] english: &str, #[case] chinese: &str) {
    is_said(tables, english, chinese);
}

// Any overdue amount is more than zero.
#[rstest]
#[case("materiality = { amount = \"0\", share = \"0\" }")]
#[case("materiality = { amount = \"100.00\", exceed = \"either\" }")]
fn a_bound_that_holds_nothing_back_is_not_said(#[case] tables: &str) {
    assert!(!page(&restricted_with(tables), Language::En).contains("Small amounts"));
}

#[test]
fn who_must_pay_more_than_what_is_overdue_is_told_so() {
    let mut entries: Vec<String> = Vec::new();
    for component in ["penalty", "fee", "interest", "principal"] {
        for class in ["past_due", "due", "in_advance"] {
            entries.push(format!("\"{class}_{component}\""));
        }
    }
    let text = restricted_with(&format!("waterfall = [{}]", entries.join(", ")));
    let page = page(&text, Language::En);
    assert!(page.contains("Pay until nothing is overdue") && !page.contains("Pay what is overdue"), "{page}");
}

/// The page is Markdown, which a lender publishes: a name in the policy is text in it, whatever it holds.
#[test]
fn no_name_or_word_of_a_policy_becomes_a_link_or_html() {
    let text = "id = \"p\"\nversion = 1\neffective_on = 2026-01-01\n\
         [[stages]]\nname = \"<img src=x>\"\nwhen = { days_past_due = 1 }\n\
         [contact]\nhow_to_pay = { en = \"[here](https://evil.example)\", zh = \"<b>x</b>\" }\n";
    let policy = policy::parse(text).unwrap();
    for language in [Language::En, Language::Zh] {
        let page = describe(&policy, language);
        assert!(page.contains("\\<img src=x\\>"), "{page}");
        assert!(page.contains("\\[here\\]") || page.contains("\\<b\\>"), "{page}");
    }
}
