//! The schemas of every verb.

use std::collections::BTreeSet;

use run::{merge_references, Coded, Context, Event, Given, Options};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};
use verbs::{Verb, Visitor};

use crate::prose::plain_all;

/// A verb and its types.
pub(crate) struct Described {
    pub(crate) verb: Verb,
    /// Name of the type of its options.
    pub(crate) options: String,
    /// Name of the type of its outcome, if it has one.
    pub(crate) summary: Option<String>,
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
        merge_references(&mut root);
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
        let summary = (schema["type"] != "null").then_some(summary);
        if let Some(name) = &summary {
            self.outputs.definitions.insert(name.clone(), schema);
        }
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
    let verbs = collector.verbs;
    let options = verbs.iter().map(|v| v.options.clone()).collect();
    let mut summaries: BTreeSet<String> = verbs.iter().filter_map(|v| v.summary.clone()).collect();
    references(&event, &mut summaries);
    Collected {
        inputs: reachable(collector.inputs.definitions, options),
        outputs: reachable(collector.outputs.definitions, summaries),
        verbs,
        event,
    }
}

/// The types of a report's data, which the page reads.
pub(crate) fn report() -> Definitions {
    let mut outputs = Inputs::new(SchemaSettings::draft2020_12().for_serialize());
    let schema = outputs.schema::<report::data::Report>();
    let mut definitions = outputs.definitions;
    definitions.insert("Report".to_owned(), schema);
    definitions.values_mut().for_each(plain_all);
    definitions
}

/// The definitions that `roots` need; a struct whose fields were merged into its variant is not one.
fn reachable(definitions: Definitions, roots: BTreeSet<String>) -> Definitions {
    let mut needed = roots;
    loop {
        let before = needed.len();
        for name in needed.clone() {
            references(&definitions[&name], &mut needed);
        }
        if needed.len() == before {
            break;
        }
    }
    definitions
        .into_iter()
        .filter(|(name, _)| needed.contains(name))
        .collect()
}

/// Adds the names of the types that a schema refers to.
pub(crate) fn references(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            names.extend(
                reference
                    .and_then(|r| r.strip_prefix("#/$defs/"))
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        _ => {}
    }
}

/// `previewBatches` → `PreviewBatches`.
pub(crate) fn pascal(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
