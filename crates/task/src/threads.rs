//! The threads of a verb.

use run::Context;

use crate::Error;

/// A pool of as many threads as the caller allows.
pub(crate) fn pool(context: &Context) -> Result<rayon::ThreadPool, Error> {
    context.pool().map_err(|e| Error::Threads {
        workers: context.workers(),
        reason: e.to_string(),
    })
}
