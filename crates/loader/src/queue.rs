//! A bounded queue. Many threads make its items, and one consumer receives them in order.
//!
//! Threads claim tickets 0, 1, 2, ... and deliver one item for each. At most `capacity` tickets are open
//! beyond those consumed, which bounds the queue. The first failure (by ticket, not by time) ends the queue,
//! so the consumer's view does not depend on timing.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Interval at which a waiting consumer checks whether to give up.
const POLL: Duration = Duration::from_millis(50);

pub(crate) struct Queue<T, E> {
    state: Mutex<State<T, E>>,
    capacity: u64,
    end: Option<u64>,
    /// Signals threads that a ticket is available, or that there will be none.
    room: Condvar,
    /// Signals the consumer that an item or a failure has arrived.
    ready: Condvar,
}

struct State<T, E> {
    /// Next ticket to claim.
    next: u64,
    /// Next ticket to consume; `slots[i]` is the item of ticket `taken + i`.
    taken: u64,
    slots: VecDeque<Option<T>>,
    failure: Option<(u64, E)>,
    stopped: bool,
}

/// Result of taking an item.
#[derive(Debug, PartialEq)]
pub(crate) enum Taken<T, E> {
    Item(T),
    /// The item failed. Every later call returns this again.
    Failed(E),
    /// All tickets were consumed.
    Finished,
    /// The consumer gave up, or the queue was stopped.
    Stopped,
}

impl<T, E: Clone> Queue<T, E> {
    /// A queue of `capacity` items (at least 1) that ends after `end` tickets, or never.
    pub(crate) fn new(capacity: usize, end: Option<u64>) -> Self {
        let capacity = capacity.max(1);
        Self {
            state: Mutex::new(State {
                next: 0,
                taken: 0,
                slots: std::iter::repeat_with(|| None).take(capacity).collect(),
                failure: None,
                stopped: false,
            }),
            capacity: capacity as u64,
            end,
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, E>> {
        // No code under the lock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the next ticket and waits for room. Returns `None` once no more items are needed.
    pub(crate) fn claim(&self) -> Option<u64> {
        let mut state = self.lock();
        loop {
            let ended = self.end.is_some_and(|end| state.next >= end);
            if state.stopped || ended || state.failure.is_some() {
                return None;
            }
            if state.next < state.taken + self.capacity {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Delivers the item of a claimed ticket, or its failure.
    pub(crate) fn put(&self, ticket: u64, item: Result<T, E>) {
        let mut state = self.lock();
        match item {
            Ok(item) => {
                let place = (ticket - state.taken) as usize;
                if let Some(slot) = state.slots.get_mut(place) {
                    *slot = Some(item);
                }
            }
            Err(error) => {
                if state
                    .failure
                    .as_ref()
                    .is_none_or(|(earlier, _)| ticket < *earlier)
                {
                    state.failure = Some((ticket, error));
                }
                self.room.notify_all();
            }
        }
        drop(state);
        self.ready.notify_all();
    }

    /// Returns the next item in order. Gives up once `abandon` returns true.
    pub(crate) fn take(&self, abandon: impl Fn() -> bool) -> Taken<T, E> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Taken::Stopped;
            }
            if let Some(item) = state.slots.front_mut().and_then(Option::take) {
                state.slots.rotate_left(1);
                state.taken += 1;
                drop(state);
                self.room.notify_all();
                return Taken::Item(item);
            }
            if let Some((_, error)) = state
                .failure
                .as_ref()
                .filter(|(ticket, _)| *ticket == state.taken)
            {
                return Taken::Failed(error.clone());
            }
            if self.end.is_some_and(|end| state.taken >= end) {
                return Taken::Finished;
            }
            if abandon() {
                return Taken::Stopped;
            }
            let woken = self.ready.wait_timeout(state, POLL);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Number of items available without waiting.
    pub(crate) fn ready(&self) -> usize {
        self.lock().slots.iter().take_while(|slot| slot.is_some()).count()
    }

    /// Ends the queue: no further tickets or items.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.room.notify_all();
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn run(
        threads: usize,
        capacity: usize,
        end: u64,
        make: impl Fn(u64) -> Result<u64, u64> + Sync,
    ) -> Vec<Result<u64, u64>> {
        let queue = Queue::new(capacity, Some(end));
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(ticket) = queue.claim() {
                        queue.put(ticket, make(ticket));
                    }
                });
            }
            loop {
                match queue.take(|| false) {
                    Taken::Item(item) => seen.push(Ok(item)),
                    Taken::Failed(error) => {
                        seen.push(Err(error));
                        assert_eq!(queue.take(|| false), Taken::Failed(error), "a failure stays");
                        break;
                    }
                    Taken::Finished | Taken::Stopped => break,
                }
            }
        });
        seen
    }

    #[test]
    fn items_are_in_order_for_any_number_of_threads() {
        for (threads, capacity) in [(1, 1), (4, 1), (4, 3), (3, 16)] {
            // Later tickets are made faster, so they finish out of order.
            let seen = run(threads, capacity, 40, |ticket| {
                std::thread::sleep(Duration::from_micros(300 * (4 - ticket % 4)));
                Ok(ticket * 10)
            });
            assert_eq!(
                seen,
                (0..40).map(|t| Ok(t * 10)).collect::<Vec<_>>(),
                "{threads} threads"
            );
        }
    }

    #[test]
    fn no_more_items_are_made_than_the_capacity() {
        let made = AtomicU64::new(0);
        let queue: Queue<u64, ()> = Queue::new(3, None);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(ticket) = queue.claim() {
                        made.fetch_add(1, Ordering::SeqCst);
                        queue.put(ticket, Ok(ticket));
                    }
                });
            }
            for taken in 1..6 {
                while queue.ready() < 3 {
                    std::thread::yield_now();
                }
                std::thread::sleep(Duration::from_millis(2));
                assert_eq!(made.load(Ordering::SeqCst), taken + 2);
                assert_eq!(queue.take(|| false), Taken::Item(taken - 1));
            }
            queue.stop();
        });
        assert_eq!(queue.take(|| false), Taken::Stopped);
    }

    #[test]
    fn the_first_failure_by_ticket_follows_all_earlier_items() {
        for threads in [1, 4] {
            let seen = run(threads, 8, 30, |ticket| {
                std::thread::sleep(Duration::from_micros(200 * (ticket % 3)));
                if ticket >= 7 {
                    Err(ticket)
                } else {
                    Ok(ticket)
                }
            });
            let expected: Vec<_> = (0..7).map(Ok).chain([Err(7)]).collect();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_consumer_can_give_up() {
        let queue: Queue<u64, ()> = Queue::new(1, None);
        assert_eq!(queue.take(|| true), Taken::Stopped);
    }
}
