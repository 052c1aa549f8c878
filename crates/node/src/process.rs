//! The end of the process.

use napi_derive::napi;

/// Ends the process at once with this exit code: no destructor and no `exit` listener runs, work is not waited for.
#[napi(ts_return_type = "never")]
pub fn exit_now(code: i32) {
    node_task::leave(code)
}
