//! N-API addon `torch`: the verbs train and predict, and models in memory.
#![allow(
    missing_docs,
    reason = "a private binding: the TypeScript facade owns names and documentation"
)]

mod model;

use engine::{available_devices, device_name, Compute, ComputeOptions};
use napi::bindgen_prelude::Function;
use napi::Env;
use napi_derive::napi;
use node_task::{call, Failure, MessageFn};

/// Starts a verb on its own thread. Returns the function that cancels it.
#[napi(
    ts_args_type = "verb: string, options: string, onMessage: (message: string) => void",
    ts_return_type = "() => void"
)]
pub fn start(
    env: &Env,
    verb: String,
    options: String,
    on_message: MessageFn,
) -> napi::Result<Function<'_, (), ()>> {
    let name = verb.clone();
    node_task::start(env, &name, on_message, move |caller| match verb.as_str() {
        "train" => call(trainer::train, &options, caller),
        "predict" => call(inference::predict, &options, caller),
        other => Err(Failure::internal(format!("no verb {other}"))),
    })
}

/// Devices and precision of libtorch on this machine.
#[napi(object)]
pub struct Description {
    /// Devices, the choice of `auto` first.
    pub devices: Vec<String>,
    /// Precision that `auto` selects on that device.
    pub precision: String,
}

/// Returns the devices that libtorch supports.
#[napi]
pub fn describe() -> napi::Result<Description> {
    let compute = Compute::new(&ComputeOptions::new()).map_err(|e| Failure::from(e).into_napi())?;
    Ok(Description {
        devices: available_devices().into_iter().map(device_name).collect(),
        precision: compute.precision_name().to_owned(),
    })
}

/// Version of this addon; the package requires its own.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
