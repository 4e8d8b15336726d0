//! What the tests over the whole of duewatch share.

pub mod interrupt;
pub mod lender_csv;
pub mod support;
