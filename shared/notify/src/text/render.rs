//! The renderer: it assembles messages from templates and facts.

use duewatch_domain::describe;
use duewatch_domain::kernel::header_value;
use duewatch_domain::policy::Language;
use duewatch_domain::policy::{Channel, Restriction};
use duewatch_text::{Argument, Value, Words};

use super::facts::{
    AccountFacts, AmountOwed, MAX_ACCOUNTS, MessageFacts, Next, OptOut, Section, ThirdPartyFacts,
};
use super::{MessageTexts, shipped};
use crate::{Reference, Segments};

/// A rendered message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, fit for a mail header. `None` on every channel but e-mail and letter.
    pub subject: Option<String>,
    pub text: String,
    /// `None` on every channel but text message.
    pub segments: Option<Segments>,
}

/// Why a message cannot be rendered. No such fault is transient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Neither the policy nor this release has such a template.
    #[error("there is no template \"{0}\"")]
    UnknownTemplate(String),
    /// The message concerns no account, or too many.
    #[error(
        "a message is about 1 to {MAX_ACCOUNTS} accounts, each section about one at least; this is about {0}"
    )]
    Accounts(usize),
    /// A template uses a variable that the message does not provide.
    #[error("template \"{template}\": {problem}")]
    Unrenderable {
        template: String,
        /// The missing variable.
        problem: String,
    },
}

/// The conventions of a channel and a language for the parts of a message.
struct Writer {
    common: &'static Words,
    channel: Channel,
    language: Language,
}

impl MessageTexts {
    /// Renders a message to a borrower.
    ///
    /// # Errors
    /// [`RenderError`].
    pub fn render(
        &self,
        channel: Channel,
        language: Language,
        facts: &MessageFacts<'_>,
    ) -> Result<Rendered, RenderError> {
        let about = facts.sections.iter().map(|section| section.accounts.len()).sum();
        if facts.sections.iter().any(|section| section.accounts.is_empty())
            || !(1..=MAX_ACCOUNTS).contains(&about)
        {
            return Err(RenderError::Accounts(about));
        }
        let writer = Writer::new(channel, language)?;
        let mut paragraphs = writer.greeting()?;
        paragraphs.extend(writer.delay(facts)?);
        let mut subject = None;
        for section in &facts.sections {
            let (own_subject, paragraph) = self.section(&writer, section)?;
            subject = subject.or(own_subject);
            paragraphs.push(paragraph);
        }
        paragraphs.push(join(&writer.closing(facts)?));
        writer.rendered(subject, "subject", &paragraphs)
    }

    /// Renders a message to a third-party contact. The facts have no amount to state.
    ///
    /// # Errors
    /// [`RenderError`]; a template that uses a variable of an account cannot be rendered.
    pub fn render_for_third_party(
        &self,
        channel: Channel,
        language: Language,
        facts: &ThirdPartyFacts<'_>,
    ) -> Result<Rendered, RenderError> {
        let writer = Writer::new(channel, language)?;
        let words = self.words(facts.template, language)?;
        let (subject, lead) = writer.lead(facts.template, words, &[])?;
        let how = [("how", Value::Text(facts.call_back))];
        let closing = [
            writer.say("call-back", &how)?,
            writer.say("refuse", &[])?,
            writer.say("reference", &[("reference", Value::Text(&facts.reference.to_string()))])?,
        ];
        let paragraphs: Vec<String> = lead.into_iter().chain([join(&closing)]).collect();
        writer.rendered(subject, "subject-to-pass-on", &paragraphs)
    }

    /// Renders the message of a sign-in code, which holds for so many minutes.
    ///
    /// # Errors
    /// [`RenderError`]; none, as long as the shipped text has its messages.
    pub fn render_sign_in(
        channel: Channel,
        language: Language,
        (code, minutes): (&str, u32),
        reference: Reference,
    ) -> Result<Rendered, RenderError> {
        let writer = Writer::new(channel, language)?;
        let code = [("code", Value::Text(code)), ("minutes", Value::Number(minutes))];
        let mut paragraphs = writer.greeting()?;
        paragraphs.push(join(&[
            writer.say("sign-in", &code)?,
            writer.say("reference", &[("reference", Value::Text(&reference.to_string()))])?,
        ]));
        writer.rendered(None, "subject-sign-in", &paragraphs)
    }

    fn words(&self, template: &str, language: Language) -> Result<&Words, RenderError> {
        self.of(template, language).ok_or_else(|| RenderError::UnknownTemplate(template.to_owned()))
    }

    /// The section of the accounts that share a template, with its subject.
    fn section(
        &self,
        writer: &Writer,
        section: &Section<'_>,
    ) -> Result<(Option<String>, String), RenderError> {
        let words = self.words(section.template, writer.language)?;
        let count = u32::try_from(section.accounts.len()).unwrap_or(u32::MAX);
        let (subject, lead) = writer.lead(section.template, words, &[("accounts", Value::Number(count))])?;
        let mut lines: Vec<String> = lead.into_iter().collect();
        for account in &section.accounts {
            lines.extend(writer.account(section.template, words, account)?);
            lines.extend(account.next.map(|next| writer.next(account, next)).transpose()?);
        }
        Ok((subject, join(&lines)))
    }
}

fn unrenderable(template: &str) -> impl Fn(String) -> RenderError {
    move |problem| RenderError::Unrenderable { template: template.to_owned(), problem }
}

fn join(lines: &[String]) -> String {
    lines.join("\n")
}

impl Writer {
    fn new(channel: Channel, language: Language) -> Result<Self, RenderError> {
        let common =
            shipped::common(language).ok_or_else(|| RenderError::UnknownTemplate("common".to_owned()))?;
        Ok(Self { common, channel, language })
    }

    fn is_short(&self) -> bool {
        self.channel == Channel::Sms
    }

    fn has_subject(&self) -> bool {
        matches!(self.channel, Channel::Email | Channel::Letter)
    }

    /// A message of the common text around templates.
    fn say(&self, id: &str, arguments: &[Argument<'_>]) -> Result<String, RenderError> {
        let said = if self.is_short() {
            self.common.say_short(id, arguments)
        } else {
            self.common.say(id, arguments)
        };
        let missing = || format!("{id} is missing");
        said.and_then(|said| said.ok_or_else(missing)).map_err(unrenderable("common"))
    }

    /// The whole message; `plain` names the subject where no template has one.
    fn rendered(
        &self,
        subject: Option<String>,
        plain: &str,
        paragraphs: &[String],
    ) -> Result<Rendered, RenderError> {
        let subject = match subject {
            None if self.has_subject() => Some(self.say(plain, &[])?),
            subject => subject,
        };
        // A subject is a mail header: a line break in it would begin another one.
        let subject = subject.map(|subject| header_value(&subject));
        // Each blank line of a text message has its price.
        let text = paragraphs.join(if self.is_short() { "\n" } else { "\n\n" });
        let segments = self.is_short().then(|| Segments::of(&text));
        Ok(Rendered { subject, text, segments })
    }

    fn greeting(&self) -> Result<Vec<String>, RenderError> {
        self.has_subject().then(|| self.say("greeting", &[])).into_iter().collect()
    }

    /// The reason of a delay, and the number of messages replaced.
    fn delay(&self, facts: &MessageFacts<'_>) -> Result<Option<String>, RenderError> {
        let mut sentences = Vec::new();
        if let Some(since) = facts.late_since {
            sentences.push(
                self.say("late", &[("date", Value::Text(&duewatch_text::date(since, self.language)))])?,
            );
        }
        if facts.stands_for > 0 {
            sentences.push(self.say("stands-for", &[("count", Value::Number(facts.stands_for))])?);
        }
        Ok((!sentences.is_empty()).then(|| self.sentences(&sentences)))
    }

    fn sentences(&self, sentences: &[String]) -> String {
        sentences.join(match self.language {
            Language::Zh => "",
            Language::En => " ",
        })
    }

    /// The lead of a template, with its subject. A short form may be empty: the lines of the accounts then
    /// state everything.
    fn lead(
        &self,
        template: &str,
        words: &Words,
        arguments: &[Argument<'_>],
    ) -> Result<(Option<String>, Option<String>), RenderError> {
        let say = |id| words.say(id, arguments).map_err(unrenderable(template));
        let subject = if self.has_subject() { say("subject")? } else { None };
        let short = if self.is_short() { say("sms")? } else { None };
        let lead = match short {
            Some(short) => Some(short),
            None => say("text")?,
        };
        Ok((subject, lead.filter(|lead| !lead.is_empty())))
    }

    /// The line of an account: the template's own, or the common one. `None` where the next event names the
    /// account.
    fn account(
        &self,
        template: &str,
        words: &Words,
        facts: &AccountFacts<'_>,
    ) -> Result<Option<String>, RenderError> {
        let account = ("account", Value::Text(facts.account.as_str()));
        let Some(amount_owed) = facts.amount_owed else {
            let is_named = matches!(facts.next, Some(Next::Rules { .. }));
            return (!is_named).then(|| self.say("nothing", &[account])).transpose();
        };
        let number = duewatch_text::amount(facts.currency, amount_owed.amount());
        let amount = self.say(
            "amount",
            &[("currency", Value::Text(facts.currency.code())), ("number", Value::Text(&number))],
        )?;
        let date = duewatch_text::date(amount_owed.due_on(), self.language);
        let days = amount_owed.days_past_due();
        let arguments = [
            account,
            ("amount", Value::Text(&amount)),
            ("date", Value::Text(&date)),
            ("days", Value::Number(days)),
        ];
        let own = words.say("account", &arguments).map_err(unrenderable(template))?;
        let common = match amount_owed {
            AmountOwed::Coming { .. } => "coming",
            AmountOwed::Overdue { .. } => "overdue",
        };
        own.map_or_else(|| self.say(common, &arguments), Ok).map(Some)
    }

    /// The next event of an account.
    fn next(&self, facts: &AccountFacts<'_>, next: Next<'_>) -> Result<String, RenderError> {
        let (id, date, restrictions): (_, _, &[Restriction]) = match next {
            Next::Stage { restrictions, on } => ("next-stage", on, restrictions),
            Next::Notice { restrictions, from } => ("next-notice", from, restrictions),
            Next::Rules { from } => ("next-rules", from, &[]),
        };
        let restrictions: Vec<String> =
            restrictions.iter().map(|one| describe::restriction(one, self.language)).collect();
        let arguments = [
            ("account", Value::Text(facts.account.as_str())),
            ("date", Value::Text(&duewatch_text::date(date, self.language))),
            ("restrictions", Value::Text(&self.sentences(&restrictions))),
        ];
        self.say(id, &arguments)
    }

    /// The closing of every message to a borrower.
    fn closing(&self, facts: &MessageFacts<'_>) -> Result<Vec<String>, RenderError> {
        let mut lines = Vec::new();
        let mut ask = |id, plain, how: Option<&str>| {
            let line =
                how.map_or_else(|| self.say(plain, &[]), |how| self.say(id, &[("how", Value::Text(how))]))?;
            lines.push(line);
            Ok::<(), RenderError>(())
        };
        if facts
            .sections
            .iter()
            .flat_map(|section| &section.accounts)
            .any(|account| account.amount_owed.is_some())
        {
            ask("pay", "pay-plain", facts.how_to_pay)?;
        }
        ask("help", "help-plain", facts.how_to_appeal)?;
        if let Some(address) = facts.rules_at {
            lines.push(self.say("rules", &[("address", Value::Text(address))])?);
        }
        match facts.opt_out {
            None => {}
            Some(OptOut::Reply) => lines.push(self.say("opt-out", &[])?),
            Some(OptOut::Text(how)) => lines.push(self.say("opt-out-at", &[("how", Value::Text(how))])?),
        }
        lines.push(self.say("reference", &[("reference", Value::Text(&facts.reference.to_string()))])?);
        Ok(lines)
    }
}
