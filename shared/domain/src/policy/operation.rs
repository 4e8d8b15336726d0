//! Operations that restrictions may block.

/// Drawing on the credit line.
pub const DRAW: &str = "draw";

/// Paying back. Nothing ever blocks it.
pub const REPAY: &str = "repay";
