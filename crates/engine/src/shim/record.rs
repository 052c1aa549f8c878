//! Counts of libtorch's operator calls.

use std::collections::BTreeMap;
use std::ffi::{c_char, c_void, CStr};

use super::check;

/// The shim's `Scope`, opaque.
#[repr(C)]
struct RawScope {
    _private: [u8; 0],
}

type Row = unsafe extern "C" fn(*mut c_void, *const c_char, i32, i64, f64);

unsafe extern "C" {
    fn engine_record_start() -> *mut c_char;
    fn engine_record_stop(context: *mut c_void, row: Row) -> *mut c_char;
    fn engine_scope_new() -> *mut RawScope;
    fn engine_scope_free(scope: *mut RawScope);
}

/// Calls of one operator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calls {
    /// In the network's forward and backward pass.
    pub network: u64,
    /// Elsewhere.
    pub outside: u64,
    /// Seconds of all calls, without the operators that they call.
    pub seconds: f64,
}

/// Calls by operator, such as `aten::convolution`.
pub type Operators = BTreeMap<String, Calls>;

/// Runs `body` and counts the operators that it calls on this thread. An operator that works on a list of
/// tensors counts once: a GPU does it in one launch or few, while a CPU calls other operators for each
/// tensor.
///
/// # Errors
/// The error of `body`; or if this thread counts already.
pub fn count_operators<T, E: From<crate::Error>>(
    body: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<(T, Operators), E> {
    // SAFETY: no arguments.
    check(unsafe { engine_record_start() })?;
    let result = body();
    let mut operators = Operators::new();
    // SAFETY: `add` gets the pointer to `operators`, which nobody else uses during the call, and valid
    // strings.
    check(unsafe { engine_record_stop((&raw mut operators).cast(), add) })?;
    Ok((result?, operators))
}

unsafe extern "C" fn add(context: *mut c_void, name: *const c_char, network: i32, calls: i64, seconds: f64) {
    // SAFETY: `count_operators` passes a pointer to its operators, and the shim a C string.
    let (operators, name) = unsafe { (&mut *context.cast::<Operators>(), CStr::from_ptr(name)) };
    let row = operators.entry(name.to_string_lossy().into_owned()).or_default();
    let calls = u64::try_from(calls).unwrap_or_default();
    if network == 0 {
        row.outside += calls;
    } else {
        row.network += calls;
    }
    row.seconds += seconds;
}

/// Marks the network's forward pass for profilers while it exists.
pub(crate) struct NetworkScope(*mut RawScope);

impl NetworkScope {
    pub(crate) fn enter() -> Self {
        // SAFETY: no arguments; null is allowed below.
        Self(unsafe { engine_scope_new() })
    }
}

impl Drop for NetworkScope {
    fn drop(&mut self) {
        // SAFETY: made by the shim, or null, which `delete` ignores; freed once, on the thread that made it,
        // as the pointer makes this type not `Send`.
        unsafe { engine_scope_free(self.0) }
    }
}
