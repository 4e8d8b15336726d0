//! Operations that restrictions may block.

/// Drawing on the credit line.
pub const DRAW: &str = "draw";

/// Repaying. No restriction ever blocks it.
pub const REPAY: &str = "repay";
