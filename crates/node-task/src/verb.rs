//! One thread a verb, one message channel, one outcome.

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Function;
use napi::Env;
use run::{Cancel, Coded, Context};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};

use crate::channel::MessageFn;
use crate::failure::{guard, Failure};
use crate::running::{enter, watch, Work};

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
///
/// The work ends with the environment of `messages`: it is then cancelled and waited for.
pub fn spawn(
    name: &str,
    workers: u32,
    messages: MessageFn,
    work: impl FnOnce(&Context) -> Result<Value, Failure> + Send + 'static,
) -> napi::Result<Cancel> {
    let MessageFn { env, channel } = messages;
    watch(&env)?;
    let cancel = Cancel::new();
    let queue = channel.queue();
    let channel = Arc::new(channel);
    let context = Context::new(channel.clone(), cancel.clone(), workers as usize);
    let thread = thread::Builder::new()
        .name(format!("nnunet-{name}"))
        .spawn(move || {
            let outcome = guard(|| work(&context));
            channel.finish(&match outcome {
                Ok(result) => json!({ "type": "done", "result": result }),
                Err(failure) => json!({ "type": "failed", "error": failure }),
            });
        })
        .map_err(|e| {
            Failure::new("ERR_THREAD", format!("cannot start a thread: {e}"), Value::Null).into_napi()
        })?;
    enter(
        &env,
        Work {
            cancel: cancel.clone(),
            queue,
            thread,
        },
    );
    Ok(cancel)
}
