//! Immediate end of the process.

use napi_derive::napi;

/// Ends the process immediately with this exit code. Runs no destructors or `exit` listeners and does not
/// wait for work.
#[napi(ts_return_type = "never")]
pub fn exit_now(code: i32) {
    node_task::leave(code)
}

/// Version of this addon; the package requires its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
