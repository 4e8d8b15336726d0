//! Bounds on the size of an account, so that it fits one DynamoDB item of 400 KB; and the bound on its senders' clocks.

use chrono::TimeDelta;

/// How far ahead a sender's clock may be. A command dated next year would block all those of this year, a payment
/// dated then would settle today's debt with money that nobody has, and a receipt would outlast every contact point
/// registered until then.
pub const MAX_AHEAD: TimeDelta = TimeDelta::minutes(30);

/// The most installments an account may hold: fifty years of months.
pub const MAX_INSTALLMENTS: usize = 600;

/// The most payments an account may hold. At about 100 bytes each they leave room for the rest in an item of
/// 400 KB.
pub const MAX_PAYMENTS: usize = 2_000;

/// The most reversals of one payment, each of a part of it. All payments of an account together have no more
/// reversals than it may hold payments.
pub const MAX_REVERSALS_OF_PAYMENT: usize = 20;

/// The most pauses an account may hold.
pub const MAX_PAUSES: usize = 100;

/// The most origins of payments and reversals that an account keeps. The oldest payment's is dropped first: the
/// history has named it, and its item keeps it.
pub const MAX_ORIGINS: usize = 200;

/// The most waivers of a late fee an account may hold.
pub const MAX_WAIVERS: usize = 200;

/// The most installments that one payment may target.
pub const MAX_TARGETS: usize = 100;

/// The most notices an account keeps. The oldest is dropped first.
pub const MAX_NOTICES: usize = 50;

/// The notices of one stage or policy version that an account remembers.
pub const MAX_NOTICES_OF_ONE: usize = 4;

/// The most undone write-offs of an installment that are remembered. The oldest is dropped first.
pub const MAX_WRITE_OFFS: usize = 8;

/// The most decimals of a contract's annual rate.
pub const MAX_ANNUAL_RATE_DECIMALS: u32 = 6;

/// The most notices of an account that cost a late fee per letter.
pub const MAX_LETTERS: usize = 100;

/// The versions of its policy that an account remembers as having bound it.
pub const MAX_BOUND_VERSIONS: usize = 20;

/// The most bytes of a reason that the account keeps.
pub const MAX_REASON_BYTES: usize = 1_000;

/// The number of latest decisions that an account carries.
pub const RECENT_DECISIONS: usize = 3;

/// The number of latest messages of each source that changed an account and that it recognizes when repeated,
/// beside all of the source's last instant. An older message of that source is out of order: the account
/// refuses it, never applies it twice.
pub const RECENT_MESSAGES: usize = 8;

/// The most messages of one source and one instant that an account takes.
pub const MAX_MESSAGES: usize = 64;

/// The most sources whose messages an account, or a customer's contact point, takes. Of each it remembers the
/// last instant for good.
pub const MAX_SOURCES: usize = 8;

/// The most reminder leads that a borrower may choose.
pub const MAX_LEADS: usize = 5;

/// The longest reminder lead, in days before the due date.
pub const MAX_LEAD_DAYS: u32 = 31;

/// The most ranges of hours in which a borrower may agree to contacts.
pub const MAX_AGREED_HOURS: usize = 4;

/// The most accounts of one customer that are assessed together.
pub const MAX_ACCOUNTS_OF_CUSTOMER: usize = 100;

/// The most draws an account may hold: three a month for five years and more.
pub const MAX_DRAWS: usize = 200;

/// The most promises an account keeps. The oldest is dropped first.
pub const MAX_PROMISES: usize = 20;

/// The most cases an account keeps. The oldest closed one is dropped first; with all of them open, no other is taken.
pub const MAX_HOLDING_CASES: usize = 20;

/// The most texts that are added to a case.
pub const MAX_CASE_ADDITIONS: usize = 50;

/// The most bytes of a text in a case.
pub const MAX_CASE_TEXT_BYTES: usize = 4_000;

/// The most stops of a case's clock.
pub const MAX_CLOCK_STOPS: usize = 20;

/// The most disputes an account keeps. The oldest is dropped first.
pub const MAX_DISPUTES: usize = 20;
