//! Message channel from the threads of a verb to the JavaScript callback.

use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{sys, Env, Status};
use run::{Event, Sink};
use serde_json::Value;

use crate::queue::{Message, Queue, Step};

/// Runs on the event loop once per message and passes the message to the JavaScript callback.
type Wake = ThreadsafeFunction<(), (), String, Status, false>;

/// The JavaScript callback that receives all messages of a verb as JSON text.
pub struct MessageFn {
    /// The environment of the callback.
    pub(crate) env: Env,
    pub(crate) channel: Channel,
}

impl FromNapiValue for MessageFn {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: `env` and `value` belong to the current call, as this function's caller guarantees.
        let callback = unsafe { Function::<String, ()>::from_napi_value(env, value) }?;
        let queue = Arc::new(Queue::default());
        let source = queue.clone();
        // One wake-up per message, so the queue is never empty here.
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

/// The sending side. It keeps the event loop alive until it is dropped.
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
            // Node's own queue is unbounded, but never holds more than ours. If the environment is closing,
            // the call fails and there is no receiver.
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
