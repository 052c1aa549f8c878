//! Threads of verbs: one thread, one message channel and one outcome per verb.

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Function;
use napi::Env;
use run::{Cancel, Code, Coded, Context, Options};
use serde::Serialize;
use serde_json::{json, Value};

use crate::channel::{Channel, MessageFn};
use crate::failure::{guard, Failure};
use crate::running::{enter, watch, Work};

/// Event receiver and cancellation of a running verb.
pub struct Caller {
    channel: Arc<Channel>,
    cancel: Cancel,
}

impl Caller {
    /// The context of a verb with this number of threads; 0 means all cores.
    #[must_use]
    pub fn context(&self, workers: usize) -> Context {
        Context::new(self.channel.clone(), self.cancel.clone(), workers)
    }
}

/// Parses and checks `options`, runs `verb` and serialises its summary to JSON.
pub fn call<O, S, E>(
    verb: impl FnOnce(&O, &Context) -> Result<S, E>,
    options: &str,
    caller: &Caller,
) -> Result<Value, Failure>
where
    O: Options,
    S: Serialize,
    E: Coded,
{
    let given = run::parse::<O>(options)?;
    let summary = verb(&given.options, &caller.context(given.common.workers))?;
    serde_json::to_value(summary)
        .map_err(|e| Failure::internal(format!("the summary cannot be written as JSON: {e}")))
}

/// Starts `work` on a thread named `name` and returns the function that cancels it.
///
/// `messages` receives every event as JSON, then exactly one `done` or `failed`.
pub fn start<'env>(
    env: &'env Env,
    name: &str,
    messages: MessageFn,
    work: impl FnOnce(&Caller) -> Result<Value, Failure> + Send + 'static,
) -> napi::Result<Function<'env, (), ()>> {
    let cancel = spawn(name, messages, work)?;
    env.create_function_from_closure("cancel", move |_| {
        cancel.cancel();
        Ok(())
    })
}

/// Like [`start`], for callers with their own JavaScript object: returns the flag that cancels the work.
///
/// The work is cancelled and joined when the environment of `messages` ends.
pub fn spawn(
    name: &str,
    messages: MessageFn,
    work: impl FnOnce(&Caller) -> Result<Value, Failure> + Send + 'static,
) -> napi::Result<Cancel> {
    let MessageFn { env, channel } = messages;
    watch(&env)?;
    let cancel = Cancel::new();
    let queue = channel.queue();
    let channel = Arc::new(channel);
    let caller = Caller {
        channel: channel.clone(),
        cancel: cancel.clone(),
    };
    let thread = thread::Builder::new()
        .name(format!("nnunet-{name}"))
        .spawn(move || {
            let outcome = guard(|| work(&caller));
            channel.finish(&match outcome {
                Ok(result) => json!({ "type": "done", "result": result }),
                Err(failure) => json!({ "type": "failed", "error": failure }),
            });
        })
        .map_err(|e| {
            Failure::new(Code::Threads, format!("cannot start a thread: {e}"), Value::Null).into_napi()
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
