//! Data of a report while a run trains.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::report::{Source, WatchOptions};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use node_task::{guard, Failure};
use run::{Cancel, Context, NullSink};

/// The page of a report without data.
#[napi]
pub fn report_page() -> &'static str {
    ::report::TEMPLATE
}

/// Data of the paths of a report, for a page that is served.
#[napi]
pub struct ReportSource {
    source: Arc<Mutex<Source>>,
    cancel: Cancel,
}

#[napi]
impl ReportSource {
    /// A source of the data for these options of `watch`, as JSON. Throws `ERR_OPTIONS`.
    #[napi(constructor)]
    pub fn new(options: String) -> napi::Result<Self> {
        guard(|| {
            let given = run::parse::<WatchOptions>(&options).map_err(Failure::from)?;
            Ok(Self {
                source: Arc::new(Mutex::new(Source::new(given.options.page)?)),
                cancel: Cancel::new(),
            })
        })
        .map_err(Failure::into_napi)
    }

    /// The data as JSON. Files that did not change are not read again.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn read(&self) -> AsyncTask<ReadReport> {
        AsyncTask::new(ReadReport {
            source: self.source.clone(),
            context: self.context(),
        })
    }

    /// Measures predictions and cuts out the images of cases. From then on `read` has them. It takes seconds to minutes.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn prepare(&self) -> AsyncTask<PrepareReport> {
        AsyncTask::new(PrepareReport {
            source: self.source.clone(),
            context: self.context(),
        })
    }

    /// Whether `prepare` would find other files than before: at first, and after a validation or a prediction.
    #[napi(ts_return_type = "Promise<boolean>")]
    pub fn is_due(&self) -> AsyncTask<LookAtReport> {
        AsyncTask::new(LookAtReport {
            source: self.source.clone(),
        })
    }

    /// Bytes of a layer, compressed with gzip; null if there is no such layer.
    #[napi]
    pub fn blob(&self, number: u32) -> Option<Uint8Array> {
        lock(&self.source)
            .blob(number as usize)
            .map(|bytes| bytes.to_vec().into())
    }

    /// Cancels what is being read or prepared, and everything after.
    #[napi]
    pub fn close(&self) {
        self.cancel.cancel();
    }
}

impl ReportSource {
    /// One thread: the run that is watched needs the others.
    fn context(&self) -> Context {
        Context::new(Arc::new(NullSink), self.cancel.clone(), 1)
    }
}

fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The work of [`ReportSource::read`].
pub struct ReadReport {
    source: Arc<Mutex<Source>>,
    context: Context,
}

impl Task for ReadReport {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        guard(|| Ok(lock(&self.source).read(&self.context)?.to_owned())).map_err(Failure::into_napi)
    }

    fn resolve(&mut self, _: Env, json: String) -> napi::Result<String> {
        Ok(json)
    }
}

/// The work of [`ReportSource::is_due`].
pub struct LookAtReport {
    source: Arc<Mutex<Source>>,
}

impl Task for LookAtReport {
    type Output = bool;
    type JsValue = bool;

    fn compute(&mut self) -> napi::Result<bool> {
        guard(|| Ok(lock(&self.source).is_due()?)).map_err(Failure::into_napi)
    }

    fn resolve(&mut self, _: Env, due: bool) -> napi::Result<bool> {
        Ok(due)
    }
}

/// The work of [`ReportSource::prepare`].
pub struct PrepareReport {
    source: Arc<Mutex<Source>>,
    context: Context,
}

impl Task for PrepareReport {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        guard(|| {
            // Not locked while it works, so that the curves can be read.
            let options = lock(&self.source).options().clone();
            let prepared = ::report::prepare(&options, &self.context)?;
            lock(&self.source).take(prepared);
            Ok(())
        })
        .map_err(Failure::into_napi)
    }

    fn resolve(&mut self, _: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}
