//! One thread a verb, one message channel, one outcome.

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use run::{Cancel, Coded, Context, Event, Sink};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};

use crate::failure::{guard, Failure};

/// Messages that may wait for the event loop before the verb waits for it.
const QUEUE: usize = 256;

/// The JavaScript callback that receives every message of a verb, as JSON text.
pub type MessageFn = ThreadsafeFunction<String, (), String, Status, false, false, QUEUE>;

struct Channel(MessageFn);

impl Channel {
    /// Sends a message that must arrive: waits while the queue is full.
    fn send(&self, message: &Value) {
        // A closing environment refuses the call: there is nobody left to tell.
        let _ = self
            .0
            .call(message.to_string(), ThreadsafeFunctionCallMode::Blocking);
    }
}

impl Sink for Channel {
    fn emit(&self, event: Event) {
        let Ok(message) = serde_json::to_string(&event) else {
            return;
        };
        // A busy event loop misses steps of a progress bar, never an epoch, a checkpoint or a warning.
        let mode = match event {
            Event::Progress { .. } | Event::Iteration { .. } => ThreadsafeFunctionCallMode::NonBlocking,
            _ => ThreadsafeFunctionCallMode::Blocking,
        };
        let _ = self.0.call(message, mode);
    }
}

/// Parses a verb's options.
pub fn parse<O: DeserializeOwned>(options: &str) -> Result<O, Failure> {
    serde_json::from_str(options)
        .map_err(|e| Failure::new("ERR_OPTIONS", format!("options not understood: {e}"), Value::Null))
}

/// Parses `options`, runs `verb` and turns its summary into JSON.
pub fn call<O, S, E>(
    verb: impl FnOnce(&O, &Context) -> Result<S, E>,
    options: &str,
    context: &Context,
) -> Result<Value, Failure>
where
    O: DeserializeOwned,
    S: Serialize,
    E: Coded,
{
    let summary = verb(&parse(options)?, context)?;
    serde_json::to_value(summary).map_err(|e| {
        Failure::new(
            "ERR_INTERNAL",
            format!("result cannot be written as JSON: {e}"),
            Value::Null,
        )
    })
}

/// Starts `work` on a thread named `name` and returns the function that cancels it.
///
/// `messages` gets every event as JSON, then exactly one `done` or `failed`.
pub fn start<'env>(
    env: &'env Env,
    name: &str,
    workers: u32,
    messages: MessageFn,
    work: impl FnOnce(&Context) -> Result<Value, Failure> + Send + 'static,
) -> napi::Result<Function<'env, (), ()>> {
    let cancel = spawn(name, workers, messages, work)?;
    env.create_function_from_closure("cancel", move |_| {
        cancel.cancel();
        Ok(())
    })
}

/// As [`start`], for callers that give JavaScript more than a function: returns the flag that cancels the work.
pub fn spawn(
    name: &str,
    workers: u32,
    messages: MessageFn,
    work: impl FnOnce(&Context) -> Result<Value, Failure> + Send + 'static,
) -> napi::Result<Cancel> {
    let cancel = Cancel::new();
    let channel = Arc::new(Channel(messages));
    let context = Context::new(channel.clone(), cancel.clone(), workers as usize);
    thread::Builder::new()
        .name(format!("nnunet-{name}"))
        .spawn(move || {
            let outcome = guard(|| work(&context));
            channel.send(&match outcome {
                Ok(result) => json!({ "type": "done", "result": result }),
                Err(failure) => json!({ "type": "failed", "error": failure }),
            });
        })
        .map_err(|e| {
            Failure::new("ERR_THREAD", format!("cannot start a thread: {e}"), Value::Null).into_napi()
        })?;
    Ok(cancel)
}
