//! The pages: one a file, each a function from data to markup. No figure is computed here.

pub(crate) mod account;
pub(crate) mod budget;
pub(crate) mod data;
pub(crate) mod fault;
mod frame;
pub(crate) mod help;
pub(crate) mod home;
pub(crate) mod policy;
pub(crate) mod sign_in;
pub(crate) mod verify;

pub(crate) use self::frame::Frame;
