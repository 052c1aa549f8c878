//! N-API addon `torch`: train and predict.
#![allow(
    missing_docs,
    reason = "a private binding: the TypeScript facade owns names and documentation"
)]

use engine::{available_devices, device_name, Compute, ComputeOptions};
use napi::bindgen_prelude::Function;
use napi::Env;
use napi_derive::napi;
use node_task::{call, Failure, MessageFn};
use run::Context;
use serde_json::{json, Value};

/// Starts a verb on its own thread; returns the function that cancels it.
#[napi(
    ts_args_type = "verb: string, options: string, workers: number, onMessage: (message: string) => void",
    ts_return_type = "() => void"
)]
pub fn start(
    env: &Env,
    verb: String,
    options: String,
    workers: u32,
    on_message: MessageFn,
) -> napi::Result<Function<'_, (), ()>> {
    let name = verb.clone();
    node_task::start(env, &name, workers, on_message, move |context| {
        dispatch(&verb, &options, context)
    })
}

fn dispatch(verb: &str, options: &str, context: &Context) -> Result<Value, Failure> {
    match verb {
        "train" => call(engine::train, options, context),
        "predict" => call(inference::predict, options, context),
        other => Err(Failure::new(
            "ERR_INTERNAL",
            format!("no verb {other}"),
            json!({ "verb": other }),
        )),
    }
}

/// What libtorch offers on this machine.
#[napi(object)]
pub struct Description {
    /// Devices, the one that `auto` takes first.
    pub devices: Vec<String>,
    /// Arithmetic that `auto` takes on that device.
    pub precision: String,
}

/// Asks libtorch for its devices.
#[napi]
pub fn describe() -> napi::Result<Description> {
    let compute = Compute::new(&ComputeOptions::new()).map_err(|e| Failure::from(e).into_napi())?;
    Ok(Description {
        devices: available_devices().into_iter().map(device_name).collect(),
        precision: compute.precision_name().to_owned(),
    })
}
