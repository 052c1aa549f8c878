//! The long verbs of this addon.

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
        "check" => call(task::check::check_dataset, options, context),
        "convert" => call(task::convert::convert, options, context),
        "splits" => call(task::splits::make_splits, options, context),
        "plan" => call(preprocess::plan_experiment, options, context),
        "preprocess" => call(preprocess::plan_and_preprocess, options, context),
        "weightmaps" => call(weightmap::generate, options, context),
        "evaluate" => call(evaluate::evaluate_folder, options, context),
        "inspect" => call(task::inspect::inspect, options, context),
        other => Err(Failure::new(
            "ERR_INTERNAL",
            format!("no verb {other}"),
            json!({ "verb": other }),
        )),
    }
}
