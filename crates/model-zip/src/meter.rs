//! Progress in bytes.

use run::{Cancelled, Context};

/// Bytes between two events.
const STEP: u64 = 16 << 20;

/// Reports the progress of bytes, and stops on cancellation.
pub(crate) struct Meter<'a> {
    context: &'a Context,
    total: u64,
    done: u64,
    reported: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(context: &'a Context, total: u64) -> Self {
        Self {
            context,
            total,
            done: 0,
            reported: 0,
        }
    }

    /// Counts bytes.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), Cancelled> {
        self.done += bytes;
        if self.done - self.reported >= STEP {
            self.report();
        }
        self.context.check()
    }

    /// Reports the end.
    pub(crate) fn end(mut self) {
        self.total = self.done;
        self.report();
    }

    fn report(&mut self) {
        self.reported = self.done;
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let (done, total) = (mebibytes(self.done), mebibytes(self.total.max(self.done)));
        self.context.progress(done, total, "MiB", None);
    }
}
