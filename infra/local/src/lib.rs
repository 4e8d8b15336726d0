//! duewatch on one machine: the command line, and the same functions that run on
//! AWS over an embedded DynamoDB and a local SNS.

pub mod audit;
pub mod cli;
pub mod contacts;
pub mod customer;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod firings;
pub mod import;
pub mod input;
pub mod output;
pub mod progress;
pub mod publish;
pub mod replay;
pub mod requeue;
pub mod sample;
pub mod schema;
pub mod serve;
pub mod stack;
pub mod table;
