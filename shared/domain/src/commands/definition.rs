//! The definition of a command.
//!
//! [`command!`] states a command's event type, its fields and an example once: the struct, the reader, the
//! writer and the schema follow. An `impl` of [`CommandDefinition`] beside it holds its meaning and its
//! refusals. The table in `command.rs` lists all commands.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::apply::Applied;
use super::shape::WireField;
use crate::account::Account;
use crate::kernel::{FormatError, Refusal, read_json};
use crate::policy::Timeline;

/// A command as the formats write it.
pub trait WireCommand: Serialize + DeserializeOwned {
    /// The event type.
    const TYPE: &'static str;
    /// The fields beside `at`, `type` and `account_id`.
    const FIELDS: &'static [WireField];
    /// These fields with values that are taken, as JSON.
    const EXAMPLE: &'static str;
}

/// The meaning of a command.
pub trait CommandDefinition: WireCommand {
    /// Checks what the types of the fields leave open. A command that fails is refused before it reaches an
    /// account.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// Applies the command, known since `at`, to its account, where the amounts paid so far do not matter. By default
    /// it concerns the customer alone, and the account stays as it is.
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    fn apply(&self, account: &mut Account, at: DateTime<Utc>) -> Result<Applied, Refusal> {
        let _ = (account, at);
        self.check().map(|()| Applied::Unchanged)
    }

    /// Applies the command as accounts do. One that depends on the amounts paid so far defines this instead of
    /// [`apply`](Self::apply): they follow the allocation of the account's policy; none: the plain
    /// [`allocate`](crate::ledger::allocate).
    ///
    /// # Errors
    /// A [`Refusal`]; the account is then unchanged.
    fn apply_under(
        &self,
        account: &mut Account,
        at: DateTime<Utc>,
        _timeline: Option<&Timeline<'_>>,
    ) -> Result<Applied, Refusal> {
        self.apply(account, at)
    }

    /// Reads the command's fields.
    ///
    /// # Errors
    /// A [`FormatError`] that names the field.
    fn read(fields: Value) -> Result<Self, FormatError> {
        let command: Self = read_json(fields)?;
        command.check().map_err(|refusal| FormatError::new("", refusal.to_string()))?;
        Ok(command)
    }
}

/// The description of a command, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandDescription {
    pub event_type: &'static str,
    /// The fields beside `at`, `type` and `account_id`.
    pub fields: &'static [WireField],
    /// These fields with values that are taken, as JSON.
    pub example: &'static str,
}

impl CommandDescription {
    pub(super) const fn of<T: WireCommand>() -> Self {
        Self { event_type: T::TYPE, fields: T::FIELDS, example: T::EXAMPLE }
    }
}

/// Defines the struct of a command with its event type, its fields and an example.
///
/// A field's shape follows from its type. `=> method` narrows it, by a method of [`WireField`].
macro_rules! command {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident as $event_type:literal {
            $(
                $(#[$field_attribute:meta])*
                pub $field:ident: $type:ty $(=> $method:ident($($argument:expr)?))*,
            )*
        }
        example: $example:literal
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $type,)*
        }

        impl $crate::commands::definition::WireCommand for $name {
            const TYPE: &'static str = $event_type;
            const FIELDS: &'static [$crate::commands::shape::WireField] = &[
                $($crate::commands::shape::WireField::of::<$type>(stringify!($field))
                    $(.$method($($argument)?))*,)*
            ];
            const EXAMPLE: &'static str = $example;
        }
    };
}

pub(super) use command;
