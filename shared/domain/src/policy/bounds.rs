//! Bounds on the size and the numbers of a policy.

/// The most stages a ladder may have.
pub const MAX_STAGES: usize = 50;

/// The most restrictions that a stage may impose.
pub const MAX_RESTRICTIONS: usize = 20;

/// The most days of a threshold, a grace or a retention: a hundred years.
pub const MAX_DAYS: u32 = 36_500;

/// The most months of a look-back: a hundred years.
pub const MAX_MONTHS: u32 = 1_200;

/// The most operations a list may name.
pub const MAX_OPERATIONS: usize = 100;
