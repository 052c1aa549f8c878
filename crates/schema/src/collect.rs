//! The schemas of every verb.

use run::{Coded, Context, Event, Given, Options};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};
use verbs::{Verb, Visitor};

/// A verb and its types.
pub(crate) struct Described {
    pub(crate) verb: Verb,
    /// Name of the type of its options.
    pub(crate) options: String,
    /// Name of the type of its outcome.
    pub(crate) summary: String,
}

/// Types by name, as JSON Schema.
pub(crate) type Definitions = Map<String, Value>;

/// The documented types of all verbs.
pub(crate) struct Collected {
    pub(crate) verbs: Vec<Described>,
    /// Types of input: options and their parts.
    pub(crate) inputs: Definitions,
    /// Types of output: outcomes, their parts, events.
    pub(crate) outputs: Definitions,
    /// Schema of `run::Event`.
    pub(crate) event: Value,
}

struct Collector {
    verbs: Vec<Described>,
    inputs: Inputs,
    outputs: Inputs,
}

/// Definitions in the making.
struct Inputs {
    generator: SchemaGenerator,
    definitions: Definitions,
}

impl Inputs {
    fn new(settings: SchemaSettings) -> Self {
        Self {
            generator: settings.into_generator(),
            definitions: Definitions::new(),
        }
    }

    /// Returns the schema of a type and adds its parts to the definitions.
    fn schema<T: JsonSchema>(&mut self) -> Value {
        let mut root = self.generator.root_schema_for::<T>().to_value();
        if let Some(Value::Object(parts)) = root.as_object_mut().and_then(|root| root.remove("$defs")) {
            self.definitions.extend(parts);
        }
        if let Some(root) = root.as_object_mut() {
            root.remove("$schema");
            root.remove("title");
        }
        root
    }
}

impl Collector {
    fn add<O: Options, S: JsonSchema>(&mut self, verb: Verb) {
        let stem = pascal(verb.name);
        let (options, summary) = (format!("{stem}Options"), format!("{stem}Summary"));
        let mut schema = self.inputs.schema::<Given<O>>();
        // Unknown options are rejected.
        schema["additionalProperties"] = false.into();
        schema["description"] = format!("Options of the verb `{}`.", verb.name).into();
        self.inputs.definitions.insert(options.clone(), schema);
        let schema = self.outputs.schema::<S>();
        self.outputs.definitions.insert(summary.clone(), schema);
        self.verbs.push(Described {
            verb,
            options,
            summary,
        });
    }
}

impl Visitor for Collector {
    fn verb<O, S, E>(&mut self, verb: Verb, _: fn(&O, &Context) -> Result<S, E>)
    where
        O: Options,
        S: Serialize + JsonSchema,
        E: Coded,
    {
        self.add::<O, S>(verb);
    }

    fn types<O, S>(&mut self, verb: Verb)
    where
        O: Options,
        S: JsonSchema,
    {
        self.add::<O, S>(verb);
    }
}

/// Collects the types of every verb.
pub(crate) fn collect() -> Collected {
    let settings = SchemaSettings::draft2020_12;
    let mut collector = Collector {
        verbs: Vec::new(),
        inputs: Inputs::new(settings().for_deserialize()),
        outputs: Inputs::new(settings().for_serialize()),
    };
    verbs::visit(&mut collector);
    let event = collector.outputs.schema::<Event>();
    Collected {
        verbs: collector.verbs,
        inputs: collector.inputs.definitions,
        outputs: collector.outputs.definitions,
        event,
    }
}

/// `previewBatches` → `PreviewBatches`.
pub(crate) fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
