//! End of the process without destructors, while a thread still computes.

use std::os::raw::c_int;
use std::sync::OnceLock;

/// Ends the process immediately. Runs no destructors or handlers.
pub fn leave(code: i32) -> ! {
    // SAFETY: `_exit` is callable from any thread at any time.
    unsafe { libc::_exit(code) }
}

static CONDITION: OnceLock<fn() -> bool> = OnceLock::new();

/// Registers an exit handler that skips destructors if `condition` returns true.
pub(crate) fn without_destructors_if(condition: fn() -> bool) {
    if CONDITION.set(condition).is_ok() {
        register();
    }
}

/// Ends the process with `status` before the destructors registered so far.
fn end(status: c_int) {
    if CONDITION.get().is_some_and(|condition| condition()) {
        leave(status);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn register() {
    use std::os::raw::c_void;
    extern "C" {
        fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn handler(status: c_int, _: *mut c_void) {
        end(status);
    }
    // SAFETY: the handler has the signature that glibc expects and uses no argument; addons stay loaded to
    // the end.
    unsafe { on_exit(handler, std::ptr::null_mut()) };
}

/// Other systems do not pass the exit status to a handler: 1 reports that the work was not finished.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn register() {
    extern "C" fn handler() {
        end(1);
    }
    // SAFETY: the handler has the signature that C expects; addons stay loaded to the end.
    unsafe { libc::atexit(handler) };
}
