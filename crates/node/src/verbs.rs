//! The verbs of this addon, from the table of verbs.

use napi::bindgen_prelude::Function;
use napi::Env;
use napi_derive::napi;
use node_task::{call, guard, Caller, Failure, MessageFn};
use run::{Coded, Context, Options};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use verbs::{Verb, Visitor};

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
    node_task::start(env, &name, on_message, move |caller| {
        let mut run = Run {
            name: &verb,
            options: &options,
            caller,
            outcome: None,
        };
        verbs::visit(&mut run);
        run.outcome.unwrap_or_else(|| Err(unknown(&verb)))
    })
}

/// Checks the options of any verb and returns them as JSON with all defaults. Throws `ERR_OPTIONS`.
#[napi]
pub fn validate(verb: String, options: String) -> napi::Result<String> {
    guard(|| {
        let mut check = Check {
            name: &verb,
            options: &options,
            outcome: None,
        };
        verbs::visit(&mut check);
        check.outcome.unwrap_or_else(|| Err(unknown(&verb)))
    })
    .map_err(Failure::into_napi)
}

fn unknown(verb: &str) -> Failure {
    Failure::internal(format!("no verb {verb}"))
}

/// Runs the verb with this name.
struct Run<'a> {
    name: &'a str,
    options: &'a str,
    caller: &'a Caller,
    outcome: Option<Result<Value, Failure>>,
}

impl Visitor for Run<'_> {
    fn verb<O, S, E>(&mut self, verb: Verb, function: fn(&O, &Context) -> Result<S, E>)
    where
        O: Options,
        S: Serialize + JsonSchema,
        E: Coded,
    {
        if verb.name == self.name {
            self.outcome = Some(call(function, self.options, self.caller));
        }
    }

    fn types<O, S>(&mut self, _: Verb)
    where
        O: Options,
        S: JsonSchema,
    {
    }
}

/// Checks the options of the verb with this name.
struct Check<'a> {
    name: &'a str,
    options: &'a str,
    outcome: Option<Result<String, Failure>>,
}

impl Visitor for Check<'_> {
    fn verb<O, S, E>(&mut self, verb: Verb, _: fn(&O, &Context) -> Result<S, E>)
    where
        O: Options,
        S: Serialize + JsonSchema,
        E: Coded,
    {
        self.types::<O, S>(verb);
    }

    fn types<O, S>(&mut self, verb: Verb)
    where
        O: Options,
        S: JsonSchema,
    {
        if verb.name == self.name {
            let given = run::parse::<O>(self.options).map_err(Failure::from);
            self.outcome = Some(given.and_then(|given| {
                serde_json::to_string(&given)
                    .map_err(|e| Failure::internal(format!("options cannot be written as JSON: {e}")))
            }));
        }
    }
}
