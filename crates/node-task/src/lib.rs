//! Runs long verbs on their own threads and reports to JavaScript. Both addons use it.
//!
//! A verb takes its options as JSON and sends JSON messages through one bounded channel: its [`run::Event`]s,
//! then exactly one `{"type":"done","result":…}` or `{"type":"failed","error":{code,message,details}}`.

mod channel;
mod failure;
mod leave;
mod queue;
mod running;
mod verb;

pub use channel::MessageFn;
pub use failure::{guard, Failure};
pub use leave::leave;
pub use verb::{call, spawn, start, Caller};
