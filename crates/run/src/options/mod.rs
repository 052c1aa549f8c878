//! Options of verbs: declaration, reading and checks.

mod expected;
mod merge;
pub(crate) mod nearest;
mod walk;

use schemars::generate::SchemaSettings;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use merge::merge_references;

use crate::{OptionError, OptionResult};

/// Options of a verb.
///
/// The struct is the only source. Its fields, types, defaults, ranges and documentation become the TypeScript
/// type, the flags of the command line, their help, and the check of the callers' values. [`macro@options`]
/// declares it:
///
/// ```
/// /// Options of a verb.
/// #[run::options]
/// pub struct ExampleOptions {
///     /// Number, name or folder of the task.
///     pub task: String,
///     /// Epochs of the schedule.
///     #[default(1000)]
///     #[schemars(range(min = 1))]
///     pub epochs: u64,
///     /// Folder to write to. The default is the folder of the task.
///     pub output: Option<String>,
///     /// Replaces what exists.
///     #[default]
///     pub overwrite: bool,
/// }
///
/// impl run::Options for ExampleOptions {}
///
/// let options = ExampleOptions::new("501");
/// assert_eq!((options.epochs, options.overwrite), (1000, false));
/// let error = run::parse::<ExampleOptions>(r#"{"task":"501","epohcs":5}"#).unwrap_err();
/// assert_eq!(error.to_string(), "epohcs: unknown option; did you mean epochs?");
/// ```
///
/// - A field without `#[default]` is required, unless it is an `Option`.
/// - `#[default]` uses the type's default, `#[default(value)]` a value.
/// - `#[schemars(range(…), length(…), regex(pattern = …))]` limits the value; [`parse`] checks it.
/// - `#[schemars(extend("x-expected" = "a file name that ends in .png"))]` describes a pattern in messages.
/// - `#[serde(flatten)]` includes the options of another struct.
///
/// The first paragraph of a field's documentation is its help text on the command line.
///
/// [`macro@options`]: crate::options
pub trait Options: Serialize + DeserializeOwned + JsonSchema {
    /// Checks relations between options that a schema cannot express.
    ///
    /// # Errors
    /// [`OptionError`], naming the contradicting options.
    fn check(&self) -> OptionResult<()> {
        Ok(())
    }
}

/// Options of every verb.
#[crate::options]
pub struct CommonOptions {
    /// Number of threads; 0 uses all cores.
    #[default]
    pub workers: usize,
}

/// The options of a verb, as callers pass them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Given<O> {
    /// Options of this verb.
    #[serde(flatten)]
    pub options: O,
    /// Options of every verb.
    #[serde(flatten)]
    pub common: CommonOptions,
}

/// JSON Schema (draft 2020-12) of a type. For options, the schema of the input form.
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    merge_references(&mut schema);
    schema
}

/// Reads the options of a verb from JSON text.
///
/// # Errors
/// [`OptionError`] with the path of every unknown, missing or invalid option. For a misspelt option it names
/// the nearest known one.
pub fn parse<O: Options>(text: &str) -> OptionResult<Given<O>> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| OptionError::new("", format!("expected options as a JSON object: {error}")))?;
    walk::check(&schema_of::<Given<O>>(), &value)?;
    let given: Given<O> =
        serde_json::from_value(value).map_err(|error| OptionError::new("", error.to_string()))?;
    given.options.check()?;
    Ok(given)
}

/// Checks options made in Rust like [`parse`] does.
///
/// # Errors
/// [`OptionError`].
pub fn validate<O: Options>(options: &O) -> OptionResult<()> {
    let value = serde_json::to_value(options).map_err(|error| OptionError::new("", error.to_string()))?;
    walk::check(&schema_of::<O>(), &value)?;
    options.check()
}

#[cfg(test)]
mod tests;
