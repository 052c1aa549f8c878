//! From the threads of a verb to the JavaScript callback.

use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{sys, Env, Status};
use run::{Event, Sink};
use serde_json::Value;

use crate::queue::{Message, Queue, Step};

/// Runs on the event loop once for each message in the queue, and hands it to the JavaScript callback.
type Wake = ThreadsafeFunction<(), (), String, Status, false>;

/// The JavaScript callback that receives every message of a verb, as JSON text.
pub struct MessageFn {
    /// The environment that the callback belongs to.
    pub(crate) env: Env,
    pub(crate) channel: Channel,
}

impl FromNapiValue for MessageFn {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: `env` and `value` are those of the call under way, as this function's own caller guarantees.
        let callback = unsafe { Function::<String, ()>::from_napi_value(env, value) }?;
        let queue = Arc::new(Queue::default());
        let source = queue.clone();
        // One wake for each message, so that the queue is never found empty.
        let wake = callback
            .build_threadsafe_function::<()>()
            .build_callback(move |_| {
                source
                    .pop()
                    .ok_or_else(|| napi::Error::from_reason("no message to deliver"))
            })?;
        Ok(Self {
            env: Env::from_raw(env),
            channel: Channel { queue, wake },
        })
    }
}

/// The sending side; while it lives, it keeps the event loop alive.
pub(crate) struct Channel {
    queue: Arc<Queue>,
    wake: Wake,
}

impl Channel {
    /// Sends the last message of a verb.
    pub fn finish(&self, outcome: &Value) {
        self.send(Message::new(outcome, None));
    }

    /// The queue, for closing it.
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    fn send(&self, message: Option<Message>) {
        if message.is_some_and(|message| self.queue.push(message)) {
            // Node's own queue has no bound: it never holds more than ours. A closing environment refuses the call, and
            // nobody is left to tell.
            let _ = self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

impl Sink for Channel {
    fn emit(&self, event: Event) {
        let step = Step::of(&event);
        self.send(Message::new(&event, step));
    }
}
