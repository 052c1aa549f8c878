use std::sync::{Mutex, PoisonError};

use run::{Event, Sink};

/// A sink that keeps every event of a verb.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Event>>);

impl Sink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl Recorder {
    /// Returns the events in order.
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the strategy of each prediction and its bound of the memory in bytes, in order.
    pub fn strategies(&self) -> Vec<(&'static str, u64)> {
        let of = |event| match event {
            Event::Memory {
                strategy: Some(strategy),
                bytes,
                ..
            } => Some((strategy, bytes)),
            _ => None,
        };
        self.events().into_iter().filter_map(of).collect()
    }

    /// Returns the codes of the warnings in order.
    pub fn warnings(&self) -> Vec<&'static str> {
        let code = |event: &Event| match event {
            Event::Warning { code, .. } => Some(*code),
            _ => None,
        };
        self.events().iter().filter_map(code).collect()
    }
}
