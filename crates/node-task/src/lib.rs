//! Runs long verbs on their own threads and reports to JavaScript; shared by both addons.
//!
//! A verb takes its options as JSON and sends JSON messages through one bounded channel: its [`run::Event`]s, then
//! exactly one `{"type":"done","result":…}` or `{"type":"failed","error":{code,message,details}}`.

mod failure;
mod verb;

pub use failure::{guard, Failure};
pub use verb::{call, parse, spawn, start, MessageFn};
