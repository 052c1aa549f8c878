//! Threads of a verb.

use run::{CaseLoop, Context};

use crate::Error;

/// Returns the loop over a verb's cases, with the caller's number of threads.
pub(crate) fn case_loop(context: &Context) -> Result<CaseLoop<'_>, Error> {
    CaseLoop::new(context).map_err(|e| Error::Threads {
        workers: context.workers(),
        reason: e.to_string(),
    })
}
