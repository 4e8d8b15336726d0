//! Vocabulary that every layer shares: identifiers, money, dates, time zones, limits, refusals.

mod dates;
mod day_count;
mod day_number;
mod format_error;
mod ids;
mod limits;
mod money;
mod printable;
mod refusal;
mod sender;
pub(crate) mod written;
pub(crate) mod written_time;
mod zone;

pub(crate) use self::dates::earlier;
pub use self::dates::{
    FIRST_DATE, LAST_DATE, at_local_time, business_date, days_between, end_of_day, is_in_range,
    last_instant_of_day, next_local_time, plus_days, plus_months, start_of_day,
};
pub use self::day_count::DayCount;
pub use self::day_count::past_due_from;
pub(crate) use self::day_number::{date_of, number};
pub use self::format_error::FormatError;
pub(crate) use self::format_error::read_json;
pub use self::ids::{
    AccountId, ActorId, CaseId, ContactId, CustomerId, DisputeId, DrawId, EventId, InstallmentNumber,
    MAX_ID_BYTES, NoId, NoRevision, PaymentId, PolicyId, PromiseId, Revision, SenderId, Source, ThirdPartyId,
    check_incoming_id,
};
pub use self::limits::{
    MAX_ACCOUNTS_OF_CUSTOMER, MAX_AGREED_HOURS, MAX_AHEAD, MAX_ANNUAL_RATE_DECIMALS, MAX_BOUND_VERSIONS,
    MAX_CASE_ADDITIONS, MAX_CASE_TEXT_BYTES, MAX_CLOCK_STOPS, MAX_DISPUTES, MAX_DRAWS, MAX_HOLDING_CASES,
    MAX_INSTALLMENTS, MAX_LEAD_DAYS, MAX_LEADS, MAX_LETTERS, MAX_MESSAGES, MAX_NOTICES, MAX_NOTICES_OF_ONE,
    MAX_ORIGINS, MAX_PAUSES, MAX_PAYMENTS, MAX_PROMISES, MAX_REASON_BYTES, MAX_REVERSALS_OF_PAYMENT,
    MAX_SOURCES, MAX_TARGETS, MAX_WAIVERS, MAX_WRITE_OFFS, RECENT_DECISIONS, RECENT_MESSAGES,
};
pub use self::money::{Currency, MAX_INTEGER_DIGITS, Money, NoAmount, NoCurrency, TooManyDecimals};
pub(crate) use self::money::{grown, minor};
pub use self::printable::{
    MAX_PRINTABLE_BYTES, escaped, escaped_json, header_value, is_unprintable, markdown, printable,
};
pub use self::refusal::Refusal;
pub use self::sender::{Actor, ActorKind, person_in};
pub use self::zone::{UnknownZone, Zone, ZoneOffset};
