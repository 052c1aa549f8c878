//! The threads of a verb.

use run::Context;

use crate::Error;

/// A pool of as many threads as the caller allows.
pub(crate) fn pool(context: &Context) -> Result<rayon::ThreadPool, Error> {
    let workers = context.workers();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build();
    pool.map_err(|e| Error::Threads {
        workers,
        reason: e.to_string(),
    })
}
