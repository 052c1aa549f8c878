//! Training in several processes, each with a part of every batch (data parallel).
//!
//! Torch does the communication: a `TCPStore` to meet, Gloo for collectives, `c10d::Reducer` for gradients. Every rank has
//! the same network. The loss and its gradient are those of the whole batch, so that the number of ranks changes the result
//! by rounding only. The first rank writes all files and sends all events.

mod place;
mod watch;

pub(crate) use place::{samples, Place};

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use engine::{Group, Store};
use run::{Cancelled, Context};
use settings::TrainOptions;

use crate::time_limit::TimeLimit;
use crate::{Error, Result};
use watch::{beat_key, report, Watch, LEFT};

/// How long the first rank, which serves the store, waits for the others to leave.
const FAREWELL: Duration = Duration::from_secs(20);

/// The ranks of a training. Without others, nothing is communicated.
#[derive(Default)]
pub(crate) struct Ranks {
    joined: Option<Joined>,
}

struct Joined {
    place: Place,
    group: Rc<Group>,
    store: Store,
    watch: Watch,
    /// Number of the next meeting.
    meeting: Cell<u64>,
}

/// What all ranks do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Work { annotated: bool },
    Cancel,
    TimeOver,
}

impl Ranks {
    /// A training of one process.
    pub fn alone() -> Self {
        Self::default()
    }

    /// Meets the other ranks.
    ///
    /// # Errors
    /// [`engine::Error::Collective`] if they do not come in time.
    pub fn join(place: &Place, options: &TrainOptions, context: &Context) -> Result<Self> {
        let timeout = place::timeout(options);
        let store = Store::open(&place.point, place.serves, timeout)?;
        let group = Group::join(&store, place.rank, place.size, timeout)?;
        let watch = Watch::start(place, timeout, context.cancel())?;
        Ok(Self {
            joined: Some(Joined {
                place: place.clone(),
                group,
                store,
                watch,
                meeting: Cell::new(0),
            }),
        })
    }

    /// Waits for a sign of life of another rank, which it gives once it has joined.
    #[cfg(test)]
    pub fn wait_for(&self, rank: usize) {
        let joined = self.joined.as_ref().unwrap();
        while !joined.store.has(&beat_key(rank)).unwrap() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Number of this rank; 0 for a training of one process.
    pub fn rank(&self) -> usize {
        self.joined.as_ref().map_or(0, |joined| joined.place.rank)
    }

    /// Number of ranks.
    pub fn size(&self) -> usize {
        self.joined.as_ref().map_or(1, |joined| joined.place.size)
    }

    /// Whether this rank writes the files.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The collectives; `None` for a training of one process.
    pub fn group(&self) -> Option<&Rc<Group>> {
        self.joined.as_ref().map(|joined| &joined.group)
    }

    /// Runs `work` in the first rank, then in the others: it may write files that the others find.
    ///
    /// # Errors
    /// Those of `work`; the failure of the first rank.
    pub fn first<T>(&self, context: &Context, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_first() {
            let done = work()?;
            self.meet(context)?;
            Ok(done)
        } else {
            self.meet(context)?;
            work()
        }
    }

    /// A text that the ranks of this training share, and no other training has.
    pub fn key(&self) -> String {
        let point = self.joined.as_ref().map(|joined| &joined.place.point);
        point.map_or_else(String::new, |point| {
            format!("{}:{} {}", point.host, point.port, point.prefix)
        })
    }

    /// Waits until every rank is here, however long that takes, as long as all give signs of life.
    ///
    /// # Errors
    /// [`Error::RankFailed`], [`Error::Cancelled`].
    pub fn meet(&self, context: &Context) -> Result<()> {
        let Some(joined) = &self.joined else { return Ok(()) };
        let number = joined.meeting.replace(joined.meeting.get() + 1);
        let key = |rank: usize| format!("meeting/{number}/{rank}");
        joined.store.set(&key(joined.place.rank), "here")?;
        let others = (0..joined.place.size).filter(|rank| *rank != joined.place.rank);
        joined.watch.wait(others.map(key).collect(), context)
    }

    /// Values that each rank gives the first one, by rank. Empty in the other ranks.
    ///
    /// # Errors
    /// As [`meet`](Self::meet).
    pub fn collect(&self, value: &str, context: &Context) -> Result<Vec<String>> {
        let Some(joined) = &self.joined else {
            return Ok(vec![value.to_owned()]);
        };
        let key = |rank: usize| format!("value/{}/{rank}", joined.meeting.get());
        joined.store.set(&key(joined.place.rank), value)?;
        let keys: Vec<_> = (0..joined.place.size).map(key).collect();
        self.meet(context)?;
        if !self.is_first() {
            return Ok(Vec::new());
        }
        let values = keys
            .iter()
            .map(|key| Ok(joined.store.get(key)?.unwrap_or_default()));
        values.collect()
    }

    /// Decides together, before each iteration, whether to go on: one rank that is asked to stop, or whose time is over,
    /// stops all. Returns whether any rank's part of the batch has an annotated voxel.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; the error of `stopped` if the time is over; [`engine::Error::Collective`].
    pub fn agree(
        &self,
        annotated: bool,
        limit: &TimeLimit,
        context: &Context,
        stopped: impl FnOnce() -> Error,
    ) -> Result<bool> {
        let Some(group) = self.group() else {
            return Ok(annotated);
        };
        let flags = [context.cancel().is_cancelled(), limit.is_over(), annotated];
        let flags = group.maximum(&flags.map(|flag| f64::from(u8::from(flag))))?;
        let next = match flags[..] {
            [cancel, _, _] if cancel > 0.0 => Next::Cancel,
            [_, over, _] if over > 0.0 => Next::TimeOver,
            [_, _, annotated] => Next::Work {
                annotated: annotated > 0.0,
            },
            _ => Next::Cancel,
        };
        match next {
            Next::Work { annotated } => Ok(annotated),
            Next::Cancel => Err(Cancelled.into()),
            Next::TimeOver => Err(stopped()),
        }
    }

    /// The texts of all ranks, together. A collective.
    ///
    /// # Errors
    /// [`engine::Error::Collective`].
    pub fn texts(&self, text: &str) -> Result<Vec<String>> {
        match self.group() {
            Some(group) => Ok(group.texts(text)?),
            None => Ok(vec![text.to_owned()]),
        }
    }

    /// Checks that every rank has the same `text` about `what`. A collective.
    ///
    /// # Errors
    /// [`Error::RanksDiffer`].
    pub fn compare(&self, what: &'static str, text: &str) -> Result<()> {
        let all = self.texts(text)?;
        match all.iter().position(|other| *other != all[0]) {
            Some(rank) => Err(Error::RanksDiffer { what, rank }),
            None => Ok(()),
        }
    }

    /// Replaces an error that comes from the failure of another rank by one that names the rank and its cause.
    pub fn explain(&self, error: Error) -> Error {
        let Some(joined) = &self.joined else { return error };
        let failure = match &error {
            Error::Engine(engine::Error::Collective { .. }) => joined.watch.search(),
            // The failure of another rank cancels this one.
            Error::Cancelled(_) => joined.watch.failure(),
            _ => None,
        };
        failure.map_or(error, |failure| failure.error())
    }

    /// Leaves the others: tells them of a failure of this rank. The first rank, which serves the store, leaves last.
    pub fn leave<T>(self, result: &Result<T>) {
        let Some(joined) = self.joined else { return };
        let Joined {
            place,
            group,
            store,
            watch,
            ..
        } = joined;
        // Without a store, there is nobody to tell.
        match result {
            Err(Error::RankFailed { .. } | Error::Engine(engine::Error::Collective { .. })) | Ok(_) => {}
            Err(error) => {
                let _ = report(&store, place.rank, error);
            }
        }
        // Ends the collectives that others wait in.
        drop(group);
        let started = Instant::now();
        if place.serves {
            for rank in 1..place.size {
                let key = format!("gone/{rank}");
                let left = || store.has(&key).unwrap_or(true);
                while !left() && !watch.is_silent(rank) && started.elapsed() < FAREWELL {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            drop(watch);
        } else {
            drop(watch);
            let _ = store.set(&beat_key(place.rank), LEFT);
            let _ = store.set(&format!("gone/{}", place.rank), "gone");
        }
    }
}
