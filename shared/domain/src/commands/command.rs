//! The table of all commands. Everything that depends on the type of a command follows from it: the event
//! types, reading and writing, `apply`, and the descriptions from which schemas are made.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::apply::Applied;
use super::definition::{CommandDefinition, CommandDescription, WireCommand};
use crate::account::Account;
use crate::kernel::{FormatError, Refusal};
use crate::policy::Timeline;

/// Makes the enums and their dispatch from the table, which names each command with its file. The last variant of
/// the first enum holds the second.
macro_rules! commands {
    (
        $(#[$attribute:meta])*
        pub enum $command:ident { $($variant:ident($file:ident::$definition:ident),)* }

        $(#[$group_attribute:meta])*
        pub enum $group:ident in $member:ident { $($fact:ident($fact_file:ident::$fact_definition:ident),)* }
    ) => {
        $(pub use super::$file::$definition;)*
        $(pub use super::$fact_file::$fact_definition;)*

        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $command {
            $($variant($definition),)*
            /// A fact about contacting the account's customer, under its own event type.
            $member($group),
        }

        $(#[$group_attribute])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $group {
            $($fact($fact_definition),)*
        }

        /// The description of every command, in the order of the table.
        pub const COMMANDS: &[CommandDescription] = &[
            $(CommandDescription::of::<$definition>(),)*
            $(CommandDescription::of::<$fact_definition>(),)*
        ];

        impl $command {
            /// The event type as the formats write it.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => <$definition as WireCommand>::TYPE,)*
                    $(Self::$member($group::$fact(_)) => <$fact_definition as WireCommand>::TYPE,)*
                }
            }

            /// Whether an event has that type.
            #[must_use]
            pub fn is_type(event_type: &str) -> bool {
                [
                    $(<$definition as WireCommand>::TYPE,)*
                    $(<$fact_definition as WireCommand>::TYPE,)*
                ]
                .contains(&event_type)
            }

            /// Reads the fields of an event; none: no event has that type.
            pub(crate) fn read(event_type: &str, fields: Value) -> Option<Result<Self, FormatError>> {
                Some(match event_type {
                    $(<$definition as WireCommand>::TYPE => {
                        <$definition>::read(fields).map(Self::$variant)
                    })*
                    $(<$fact_definition as WireCommand>::TYPE => {
                        <$fact_definition>::read(fields).map(|fact| Self::$member($group::$fact(fact)))
                    })*
                    _ => return None,
                })
            }

            /// The fields beside `at`, `type` and `account_id`, as they are read.
            pub(super) fn fields(&self) -> Map<String, Value> {
                match self {
                    $(Self::$variant(command) => written(command),)*
                    $(Self::$member($group::$fact(fact)) => written(fact),)*
                }
            }
        }

        impl $group {
            /// Checks that no name is empty and that every field keeps within its bounds.
            ///
            /// # Errors
            /// A [`Refusal`] that names the field.
            pub fn check(&self) -> Result<(), Refusal> {
                match self {
                    $(Self::$fact(fact) => fact.check(),)*
                }
            }
        }

        impl Account {
            /// Applies a command that passed the check of its instant.
            pub(super) fn apply_checked(
                &mut self,
                command: &$command,
                at: DateTime<Utc>,
                timeline: Option<&Timeline<'_>>,
            ) -> Result<Applied, Refusal> {
                match command {
                    $($command::$variant(command) => command.apply_under(self, at, timeline),)*
                    $($command::$member($group::$fact(fact)) => fact.apply_under(self, at, timeline),)*
                }
            }
        }
    };
}

commands! {
    /// A fact or a request that changes an account.
    pub enum Command {
        AccountOpened(open::AccountOpened),
        PaymentReceived(payments::PaymentReceived),
        PaymentReversed(payments::PaymentReversed),
        CreditPaidOut(payments::CreditPaidOut),
        InstallmentAdded(schedule::InstallmentAdded),
        Drawn(draws::Drawn),
        InstallmentAdjusted(schedule::InstallmentAdjusted),
        ScheduleReplaced(schedule::ScheduleReplaced),
        InstallmentHeld(schedule::InstallmentHeld),
        InstallmentReleased(schedule::InstallmentReleased),
        PauseStarted(pauses::PauseStarted),
        PauseEnded(pauses::PauseEnded),
        EnforcementOff(enforcement::EnforcementOff),
        EnforcementOn(enforcement::EnforcementOn),
        WrittenOff(write_offs::WrittenOff),
        WriteOffUndone(write_offs::WriteOffUndone),
        CauseRecorded(hardship::CauseRecorded),
        ScoreRecorded(score::ScoreRecorded),
        PaymentInProcess(payment_in_process::PaymentProcessStarted),
        PaymentProcessEnded(payment_in_process::PaymentProcessEnded),
        NoticeSent(notices::NoticeSent),
        FeeWaived(waivers::FeeWaived),
        ContactChanged(contact_change::ContactChange),
        PromiseMade(promises::PromiseMade),
        PromiseEnded(promises::PromiseEnded),
        DisputeOpened(disputes::DisputeOpened),
        DisputeClosed(disputes::DisputeClosed),
        CaseOpened(cases::CaseOpened),
        CaseDecided(cases::CaseDecided),
        BureauReported(bureau::BureauReported),
    }

    /// A fact about contacting a customer, addressed through one of the customer's accounts.
    pub enum ContactFact in Contact {
        Consent(customer_facts::ConsentChanged),
        Preferences(preferences::PreferencesChanged),
        Attempted(customer_facts::ContactAttempted),
        Complaint(customer_facts::ComplaintMade),
        BreathingSpaceStarted(customer_facts::BreathingSpaceStarted),
        BreathingSpaceEnded(customer_facts::BreathingSpaceEnded),
        Vulnerability(customer_facts::VulnerabilityRecorded),
        ThirdPartyAdded(customer_facts::ThirdPartyAdded),
        ThirdPartyApproved(customer_facts::ThirdPartyApproved),
        ThirdPartyRefused(customer_facts::ThirdPartyRefused),
    }
}

/// Every event type, as the formats write it, in the order of the table.
pub const EVENT_TYPES: [&str; COMMANDS.len()] = {
    let mut types = [""; COMMANDS.len()];
    let mut place = 0;
    while place < types.len() {
        types[place] = COMMANDS[place].event_type;
        place += 1;
    }
    types
};

/// The fields of a command that are not null, by their keys.
fn written(command: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(command) {
        Ok(Value::Object(fields)) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        // A struct whose keys are strings, and that holds no number beside integers, is always an object.
        _ => Map::new(),
    }
}
