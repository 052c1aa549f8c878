//! Message queue of a verb.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use run::Event;
use serde::Serialize;

/// Maximum number of waiting messages, after which the verb waits for the event loop.
const CAPACITY: usize = 256;

/// The progress bar of a step. A newer step replaces an older one of the same bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Units of one part of the verb.
    Progress(&'static str),
    /// Training iterations.
    Iteration,
}

impl Step {
    /// The bar of `event`, or `None` for an event that must arrive.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Progress { unit, .. } => Some(Self::Progress(unit)),
            Event::Iteration { .. } => Some(Self::Iteration),
            _ => None,
        }
    }
}

/// One message as JSON text.
#[derive(Debug)]
pub struct Message {
    json: String,
    step: Option<Step>,
}

impl Message {
    /// Serialises `content` to JSON. `step` is set for messages that a newer one may replace. Returns `None`
    /// if serialisation fails.
    pub fn new(content: &impl Serialize, step: Option<Step>) -> Option<Self> {
        let json = serde_json::to_string(content).ok()?;
        Some(Self { json, step })
    }
}

/// A bounded queue that drops only progress steps and can be closed from either side.
///
/// It precedes Node's own queue because a thread blocked in `napi_call_threadsafe_function` cannot be woken
/// reliably when its environment ends: Node signals only one of several waiting threads.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    closed: bool,
}

impl Queue {
    /// Adds a message. If the queue is full, a step replaces the last one of its bar; other messages wait for
    /// room.
    ///
    /// Returns whether the queue grew by one. A closed queue rejects messages.
    pub fn push(&self, message: Message) -> bool {
        let mut state = self.lock();
        if message.step.is_none() {
            let full = |s: &mut State| s.messages.len() >= CAPACITY && !s.closed;
            state = self
                .room
                .wait_while(state, full)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        let replaced = message.step.is_some() && state.messages.len() >= CAPACITY && {
            let previous = state.messages.iter().rposition(|m| m.step == message.step);
            previous.and_then(|at| state.messages.remove(at)).is_some()
        };
        state.messages.push_back(message);
        !replaced
    }

    /// Returns the oldest message.
    pub fn pop(&self) -> Option<String> {
        let message = self.lock().messages.pop_front();
        self.room.notify_one();
        message.map(|m| m.json)
    }

    /// Ends every wait for room and rejects further messages. Idempotent.
    pub fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn message(number: usize, step: Option<Step>) -> Message {
        Message::new(&number, step).unwrap()
    }

    fn drain(queue: &Queue) -> Vec<usize> {
        std::iter::from_fn(|| queue.pop())
            .map(|json| json.parse().unwrap())
            .collect()
    }

    #[test]
    fn a_full_queue_keeps_the_newest_step_per_bar_and_all_other_messages() {
        let queue = Queue::default();
        let other = Some(Step::Progress("tiles"));
        assert!(queue.push(message(0, None)));
        let mut grown = 1;
        for number in 1..=2 * CAPACITY {
            grown += usize::from(queue.push(message(number, Some(Step::Iteration))));
            grown += usize::from(queue.push(message(10_000 + number, other)));
        }
        let left = drain(&queue);
        assert_eq!(left.len(), grown);
        assert!(left.len() <= CAPACITY + 2);
        assert_eq!(left[0], 0);
        assert_eq!(left[left.len() - 2..], [2 * CAPACITY, 10_000 + 2 * CAPACITY]);
    }

    #[test]
    fn a_message_that_must_arrive_waits_for_room() {
        let queue = Arc::new(Queue::default());
        for number in 0..CAPACITY {
            assert!(queue.push(message(number, None)));
        }
        let sender = queue.clone();
        let waiting = thread::spawn(move || sender.push(message(CAPACITY, None)));
        thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        assert_eq!(queue.pop().as_deref(), Some("0"));
        assert!(waiting.join().unwrap());
        assert_eq!(drain(&queue), (1..=CAPACITY).collect::<Vec<_>>());
    }

    #[test]
    fn closing_wakes_every_waiting_thread() {
        let queue = Arc::new(Queue::default());
        for number in 0..CAPACITY {
            queue.push(message(number, None));
        }
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || queue.push(message(0, None)))
            })
            .collect();
        thread::sleep(Duration::from_millis(20));
        queue.close();
        assert!(senders.into_iter().all(|sender| !sender.join().unwrap()));
        assert!(!queue.push(message(0, None)));
    }
}
