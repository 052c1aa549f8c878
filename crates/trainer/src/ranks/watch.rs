//! Signs of life of the ranks, in the store.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::Store;
use run::{Cancel, Code, Context};
use serde_json::json;

use super::place::Place;
use crate::{Error, Result};

/// Time between two signs of life.
const BEAT: Duration = Duration::from_millis(500);
/// Signs of life that a rank may miss before it counts as gone, once a collective has failed.
const MISSED: u64 = 6;
/// How long the cause of a failed collective is looked for.
const SEARCH: Duration = Duration::from_secs(8);

/// Reasons for which a rank is silent.
const GONE: &str = "it was killed or suspended, or its machine is gone";

/// A rank that failed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub rank: usize,
    /// One of [`Code`], or nothing for a rank that could not say it.
    pub code: String,
    pub reason: String,
}

/// What the thread has seen. Times are counted in its own rounds and not by the clock: a machine, or all ranks, may be
/// suspended and continue.
#[derive(Debug, Default)]
struct State {
    rounds: u64,
    /// The time of the last round.
    last: Option<Instant>,
    /// For each rank, its last sign of life, and the rounds since it was new.
    seen: Vec<(String, u64)>,
    failed: Option<Failure>,
    /// Keys that this rank waits for.
    wanted: Vec<String>,
    /// The store does not answer.
    lost: bool,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that gives this rank's signs of life and looks for those of the others. When a rank reports its failure, or is
/// silent for the whole timeout, the thread cancels the work of this rank.
pub(super) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// The rank that serves the store, if one does.
    server: Option<usize>,
    /// Signs of life that a rank may miss while others wait for it.
    limit: u64,
}

impl Watch {
    /// Starts the thread, with a connection of its own.
    pub fn start(place: &Place, timeout: Duration, cancel: &Cancel) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.state().seen = vec![(String::new(), 0); place.size];
        let (inner, place_of, cancel) = (shared.clone(), place.clone(), cancel.clone());
        let limit = ((timeout.as_millis() / BEAT.as_millis()) as u64).max(MISSED);
        let work = move || beat(&inner, &place_of, timeout, limit, &cancel);
        let thread = std::thread::Builder::new().name("ranks".to_owned());
        let thread = thread
            .spawn(work)
            .map_err(|e| Error::io(Path::new("thread of the ranks"), e))?;
        Ok(Self {
            shared,
            thread: Some(thread),
            server: (!place.by_agent).then_some(0),
            limit,
        })
    }

    /// Waits until all keys exist, as long as every rank gives signs of life. The thread asks the store: one whose process is
    /// suspended does not answer.
    ///
    /// # Errors
    /// [`Error::RankFailed`], [`Error::Cancelled`].
    pub fn wait(&self, keys: Vec<String>, context: &Context) -> Result<()> {
        let mut state = self.shared.state();
        state.wanted = keys;
        self.shared.changed.notify_all();
        let (mut round, mut unchanged) = (state.rounds, 0);
        while !state.wanted.is_empty() {
            if let Some(failure) = &state.failed {
                return Err(failure.error());
            }
            if state.lost || unchanged > self.limit {
                let server = self.server.unwrap_or_default();
                return Err(silence(server, GONE).error());
            }
            context.check()?;
            let waited = self.shared.changed.wait_timeout(state, BEAT);
            let (next, result) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if state.rounds != round {
                (round, unchanged) = (state.rounds, 0);
            } else if result.timed_out() {
                unchanged += 1;
            }
        }
        Ok(())
    }

    /// The failure that ended this rank's work, if there is one yet.
    pub fn failure(&self) -> Option<Failure> {
        self.shared.state().failed.clone()
    }

    /// Looks for the rank that a failed collective is due to.
    pub fn search(&self) -> Option<Failure> {
        let started = Instant::now();
        let mut state = self.shared.state();
        let first = state.rounds;
        while started.elapsed() < SEARCH {
            if let Some(failure) = &state.failed {
                return Some(failure.clone());
            }
            // A failure that is being reported comes before a silence.
            let settled = state.rounds >= first + 2;
            let silent = state.seen.iter().position(|(_, missed)| *missed >= MISSED);
            if let (true, Some(rank)) = (settled, silent) {
                return Some(silence(rank, GONE));
            }
            if state.lost {
                break;
            }
            let waited = self.shared.changed.wait_timeout(state, BEAT);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let stuck = state.last.is_some_and(|last| last.elapsed() > 4 * BEAT);
        let server = self.server.filter(|_| state.lost || stuck)?;
        Some(silence(server, GONE))
    }

    /// Whether a rank gives no sign of life.
    pub fn is_silent(&self, rank: usize) -> bool {
        let state = self.shared.state();
        state.lost || state.seen.get(rank).is_some_and(|(_, missed)| *missed >= MISSED)
    }
}

fn silence(rank: usize, reason: &str) -> Failure {
    Failure {
        rank,
        code: String::new(),
        reason: format!("no sign of life: {reason}"),
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.changed.notify_all();
        let stuck = {
            let state = self.shared.state();
            state.last.is_none_or(|last| last.elapsed() > 4 * BEAT)
        };
        // A store whose process is suspended does not answer, and the thread waits for it.
        if let Some(thread) = self.thread.take().filter(|_| !stuck) {
            let _ = thread.join();
        }
    }
}

/// Records the failure of a rank, for the others.
pub(super) fn report(store: &Store, rank: usize, error: &Error) -> Result<()> {
    use run::Coded;
    let text = json!({ "code": error.code(), "reason": error.to_string() });
    Ok(store.set(&format!("failed/{rank}"), &text.to_string())?)
}

/// The thread's loop. Ends when it is told to, and when the store is lost.
fn beat(shared: &Shared, place: &Place, timeout: Duration, limit: u64, cancel: &Cancel) {
    let lost = |_| {
        shared.state().lost = true;
        shared.changed.notify_all();
    };
    let Ok(store) = Store::open(&place.point, false, timeout).map_err(lost) else {
        return;
    };
    loop {
        if let Err(error) = find_wanted(shared, &store) {
            return lost(error);
        }
        let round = shared.state().rounds;
        let Ok((beats, failed)) = look(&store, place, round).map_err(lost) else {
            return;
        };
        let mut state = shared.state();
        for (seen, beat) in state.seen.iter_mut().zip(beats) {
            match beat {
                Some(beat) if beat != seen.0 => *seen = (beat, 0),
                // A rank that has left, or has not begun, gives no signs.
                Some(beat) if beat == LEFT => seen.1 = 0,
                Some(_) => seen.1 += 1,
                None => {}
            }
        }
        if state.failed.is_none() {
            let silent = state.seen.iter().position(|(_, missed)| *missed >= limit);
            let silent = silent.map(|rank| silence(rank, GONE));
            state.failed = failed.or(silent);
            if state.failed.is_some() {
                cancel.cancel();
            }
        }
        state.rounds += 1;
        state.last = Some(Instant::now());
        shared.changed.notify_all();
        let next = Instant::now() + BEAT;
        while !state.stop && Instant::now() < next {
            let pause = if state.wanted.is_empty() { BEAT } else { BEAT / 10 };
            let waited = shared.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !state.wanted.is_empty() {
                drop(state);
                if let Err(error) = find_wanted(shared, &store) {
                    return lost(error);
                }
                state = shared.state();
            }
        }
        if state.stop {
            return;
        }
    }
}

/// Looks for the keys that the rank waits for, in their order.
fn find_wanted(shared: &Shared, store: &Store) -> engine::Result<()> {
    loop {
        let Some(key) = shared.state().wanted.first().cloned() else {
            return Ok(());
        };
        if !store.has(&key)? {
            return Ok(());
        }
        shared.state().wanted.remove(0);
        shared.changed.notify_all();
    }
}

/// The last sign of life of a rank that has ended its work.
pub(super) const LEFT: &str = "left";

/// Key of a rank's signs of life.
pub(super) fn beat_key(rank: usize) -> String {
    format!("beat/{rank}")
}

type Seen = (Vec<Option<String>>, Option<Failure>);

/// Gives a sign of life. Returns those of all ranks, and the first failure that is reported.
fn look(store: &Store, place: &Place, round: u64) -> engine::Result<Seen> {
    store.set(&beat_key(place.rank), &round.to_string())?;
    let (mut beats, mut failed) = (Vec::new(), None);
    for rank in 0..place.size {
        beats.push(store.get(&beat_key(rank))?);
        if rank == place.rank || failed.is_some() {
            continue;
        }
        if let Some(text) = store.get(&format!("failed/{rank}"))? {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            failed = Some(Failure {
                rank,
                code: field("code"),
                reason: field("reason"),
            });
        }
    }
    Ok((beats, failed))
}

impl Failure {
    /// The error of this rank for the failure of another one.
    pub fn error(&self) -> Error {
        if self.code == Code::Cancelled.as_str() {
            return run::Cancelled.into();
        }
        Error::RankFailed {
            rank: self.rank,
            reason: self.reason.clone(),
        }
    }
}
