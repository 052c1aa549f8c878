//! The threads of a verb.

use run::{CaseLoop, Context};

use crate::Error;

/// The loop over a verb's cases, on as many threads as the caller allows.
pub(crate) fn case_loop(context: &Context) -> Result<CaseLoop<'_>, Error> {
    CaseLoop::new(context).map_err(|e| Error::Threads {
        workers: context.workers(),
        reason: e.to_string(),
    })
}
