//! Shared code of the tests over the whole of duewatch.

pub mod cost;
pub mod interrupt;
pub mod lender_csv;
pub mod listening;
pub mod loopback;
pub mod model;
pub mod observed;
pub mod scale;
pub mod simulation;
pub mod support;
