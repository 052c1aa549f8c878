//! Work beside the training.

use std::cell::Cell;
use std::path::Path;
use std::thread::JoinHandle;

use crate::{Error, Result};

/// At most one task in a thread. Dropping it waits for the task.
#[derive(Default)]
pub(crate) struct Background {
    running: Cell<Option<JoinHandle<Result<()>>>>,
}

impl Background {
    /// Waits for the task before and starts this one, which writes `path`.
    ///
    /// # Errors
    /// The error of the task before; [`Error::Io`] if no thread can be started.
    pub fn start(&self, path: &Path, task: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        self.finish()?;
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        self.running
            .set(Some(thread.spawn(task).map_err(|e| Error::io(path, e))?));
        Ok(())
    }

    /// Waits for the running task.
    ///
    /// # Errors
    /// Its error. Its panic continues here.
    pub fn finish(&self) -> Result<()> {
        match self.running.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // The run fails already, with an error of its own.
            let _ = running.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_task_runs_beside_and_its_error_comes_with_the_next() {
        let (background, path) = (Background::default(), Path::new("file"));
        let (send, receive) = mpsc::channel();
        let failing = move || {
            receive.recv().unwrap();
            Err(Error::io(Path::new("full"), std::io::Error::other("no space")))
        };
        background.start(path, failing).unwrap();
        // It waits for this, which a call that waited for it would never reach.
        send.send(()).unwrap();
        let error = background.start(path, || Ok(())).unwrap_err();
        assert!(error.to_string().contains("no space"), "{error}");
        background.start(path, || Ok(())).unwrap();
        background.finish().unwrap();
        background.finish().unwrap();
    }

    #[test]
    fn dropping_waits_for_the_task() {
        let (send, receive) = mpsc::channel();
        let background = Background::default();
        let task = move || {
            send.send(()).unwrap();
            Ok(())
        };
        background.start(Path::new("file"), task).unwrap();
        drop(background);
        receive.try_recv().unwrap();
    }
}
