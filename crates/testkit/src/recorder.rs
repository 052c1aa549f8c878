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

    /// Returns the codes of the warnings in order.
    pub fn warnings(&self) -> Vec<&'static str> {
        let code = |event: &Event| match event {
            Event::Warning { code, .. } => Some(*code),
            _ => None,
        };
        self.events().iter().filter_map(code).collect()
    }
}
