//! Running work, and its end with the environment.
//!
//! A process that exits while a thread computes crashes, because destructors free data that libtorch and
//! oneDNN use. Every environment therefore stops its work before it ends: on `exit` of its `process` (the end
//! of the script, `process.exit()`, an uncaught error), and in a cleanup hook (the end of a `worker_thread`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, Object, Unknown};
use napi::Env;
use run::Cancel;

use crate::leave;
use crate::queue::Queue;

/// Maximum time that an ending environment waits for the safe point of its work. A training writes its
/// checkpoint there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Interval of the checks.
const INTERVAL: Duration = Duration::from_millis(2);

/// Work on its own thread.
pub(crate) struct Work {
    pub cancel: Cancel,
    pub queue: Arc<Queue>,
    pub thread: JoinHandle<()>,
}

/// Running work by environment. Each addon has its own list, since each has its own `napi_env`.
static ENVIRONMENTS: Mutex<Vec<Environment>> = Mutex::new(Vec::new());

/// Work that outlived its environment.
static STRAYS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

struct Environment {
    key: usize,
    work: Vec<Work>,
}

/// Registers the hooks that stop the work of `env` before it ends.
pub(crate) fn watch(env: &Env) -> napi::Result<()> {
    let key = env.raw() as usize;
    if lock(&ENVIRONMENTS).iter().any(|e| e.key == key) {
        return Ok(());
    }
    env.add_env_cleanup_hook((), move |()| {
        stop(key);
        lock(&ENVIRONMENTS).retain(|e| e.key != key);
    })?;
    let process: Object = env.get_global()?.get_named_property("process")?;
    let on: Function<FnArgs<(&str, Function<(), ()>)>, Unknown> = process.get_named_property("on")?;
    let listener = env.create_function_from_closure::<(), (), _>("stopWork", move |_| {
        stop(key);
        Ok(())
    })?;
    on.apply(process, FnArgs::from(("exit", listener)))?;
    lock(&ENVIRONMENTS).push(Environment {
        key,
        work: Vec::new(),
    });
    Ok(())
}

/// Adds work to a registered environment.
pub(crate) fn enter(env: &Env, work: Work) {
    let key = env.raw() as usize;
    let mut environments = lock(&ENVIRONMENTS);
    if let Some(environment) = environments.iter_mut().find(|e| e.key == key) {
        // Finished work needs no cancellation, but its thread is joined, including its last destructor.
        for done in environment.work.extract_if(.., |w| w.thread.is_finished()) {
            let _ = done.thread.join();
        }
        environment.work.push(work);
    }
}

/// Cancels the work of an environment, closes its messages, and waits for its end.
fn stop(key: usize) {
    let mut all = Vec::new();
    if let Some(environment) = lock(&ENVIRONMENTS).iter_mut().find(|e| e.key == key) {
        all.append(&mut environment.work);
    }
    for work in &all {
        work.cancel.cancel();
        work.queue.close();
    }
    let until = Instant::now() + PATIENCE;
    for Work { thread, .. } in all {
        while !thread.is_finished() && Instant::now() < until {
            thread::sleep(INTERVAL);
        }
        if thread.is_finished() {
            // The outcome went to a closed queue; a panic was caught earlier.
            let _ = thread.join();
        } else {
            lock(&STRAYS).push(thread);
            leave::without_destructors_if(strays_run);
        }
    }
}

/// Returns true if work that outlived its environment is still running.
fn strays_run() -> bool {
    lock(&STRAYS).iter().any(|thread| !thread.is_finished())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
