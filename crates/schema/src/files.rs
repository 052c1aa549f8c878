//! The files of `ts/generated`.

use std::collections::BTreeSet;

use run::Code;
use serde_json::Value;

use crate::collect::{collect, pascal, references, report, Collected, Definitions};
use crate::document::document;
use crate::prose::{jsdoc, plain, plain_all};
use crate::typescript::{declaration, Role};

const HEAD: &str = "// Made from the Rust types by `npm run build` (crates/schema). Do not edit.\n";

/// All files with their content.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let mut collected = collect();
    for definitions in [&mut collected.inputs, &mut collected.outputs] {
        definitions.values_mut().for_each(plain_all);
    }
    plain_all(&mut collected.event);
    vec![
        ("codes.ts", codes()),
        ("colours.ts", colours()),
        ("events.ts", events(&collected)),
        ("options.ts", options(&collected)),
        (
            "report.ts",
            types(&report(), &Definitions::new(), Role::Output, |_| None),
        ),
        ("schema.json", pretty(&document(&collected))),
        ("summaries.ts", summaries(&collected)),
        ("verbs.ts", verb_types(&collected)),
    ]
}

/// Colours and dashes, shared by curves and by labels over images.
fn colours() -> String {
    let list = |colours: &[curves::Colour]| -> String {
        let lines = colours
            .iter()
            .map(|colour| format!("  '{}',\n", curves::hex(*colour)));
        lines.collect()
    };
    let [training, validation, mean] = curves::LINE_COLOURS.map(curves::hex);
    let dashes = curves::CLASS_DASHES.map(|dash| {
        let lengths: Vec<String> = dash.iter().map(ToString::to_string).collect();
        format!("  [{}],\n", lengths.join(", "))
    });
    format!(
        "{HEAD}\n/** Colours of classes 1, 2, 3, …, in curves and over images. */\n\
         export const CLASS_COLOURS = [\n{}] as const;\n\n\
         /** Dashes of the curves of classes 1, 2, 3, …: lengths of lines and gaps in turn; none for a solid line. */\n\
         export const CLASS_DASHES = [\n{}] as const;\n\n\
         /** Colours of the curves of no class: training loss, validation loss, mean over classes. */\n\
         export const LINE_COLOURS = ['{training}', '{validation}', '{mean}'] as const;\n",
        list(&curves::CLASS_COLOURS),
        dashes.concat()
    )
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Options and their parts. Options of a verb also have a signal.
fn options(collected: &Collected) -> String {
    let verbs: Vec<&str> = collected.verbs.iter().map(|v| v.options.as_str()).collect();
    let base = |name: &str| verbs.contains(&name).then_some("Abortable");
    let body = types(&collected.inputs, &Definitions::new(), Role::Input, base);
    let import = "import type { Abortable } from '../abortable.js';\n";
    body.replacen(HEAD, &format!("{HEAD}{import}"), 1)
}

/// All types except those of another file.
fn types<'b>(
    definitions: &Definitions,
    elsewhere: &Definitions,
    role: Role,
    base: impl Fn(&str) -> Option<&'b str>,
) -> String {
    let mut all: Vec<_> = definitions
        .iter()
        .filter(|(name, _)| !elsewhere.contains_key(*name))
        .collect();
    all.sort_by_key(|(name, _)| name.as_str());
    let declarations: Vec<String> = all
        .into_iter()
        .map(|(name, schema)| declaration(name, schema, role, base(name)))
        .collect();
    format!("{HEAD}\n{}", declarations.join("\n"))
}

/// Outcomes. Types shared with the options are imported.
fn summaries(collected: &Collected) -> String {
    let shared: Vec<&str> = collected
        .outputs
        .keys()
        .filter(|name| collected.inputs.contains_key(*name))
        .map(String::as_str)
        .collect();
    let body = types(&collected.outputs, &collected.inputs, Role::Output, |_| None);
    let import = format!("import type {{ {} }} from './options.js';\n", shared.join(", "));
    match shared.is_empty() {
        true => body,
        false => body.replacen(HEAD, &format!("{HEAD}{import}"), 1),
    }
}

/// One interface per event, their union, and the union of each verb.
fn events(collected: &Collected) -> String {
    let mut parts = Vec::new();
    let mut names = Vec::new();
    for variant in collected.event["oneOf"].as_array().into_iter().flatten() {
        let kind = variant["properties"]["type"]["const"]
            .as_str()
            .unwrap_or_default();
        let name = format!("{}Event", pascal(kind));
        parts.push(declaration(&name, variant, Role::Output, None));
        names.push(name);
    }
    let comment = jsdoc(
        &["Every event of every verb, distinguished by `type`.".to_owned()],
        "",
    );
    parts.push(format!(
        "{comment}export type VerbEvent = {};\n",
        names.join(" | ")
    ));
    for described in collected.verbs.iter().filter(|v| !v.verb.events.is_empty()) {
        let verb = described.verb;
        let kinds: Vec<_> = verb
            .events
            .iter()
            .map(|k| format!("{}Event", pascal(k.name())))
            .collect();
        let comment = jsdoc(&[format!("Events of the verb `{}`.", verb.name)], "");
        parts.push(format!(
            "{comment}export type {}Event = {};\n",
            pascal(verb.name),
            kinds.join(" | ")
        ));
    }
    let mut shared = BTreeSet::new();
    references(&collected.event, &mut shared);
    let shared: Vec<String> = shared.into_iter().collect();
    let import = format!("import type {{ {} }} from './summaries.js';\n", shared.join(", "));
    format!("{HEAD}{import}\n{}", parts.join("\n"))
}

/// The types of each verb by name.
fn verb_types(collected: &Collected) -> String {
    let mut entries = String::new();
    let (mut options, mut summaries, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for described in &collected.verbs {
        let name = described.verb.name;
        let event = match described.verb.events {
            [] => "never".to_owned(),
            _ => format!("{}Event", pascal(name)),
        };
        let summary = described.summary.as_deref();
        entries += &format!(
            "  /** Types of `{name}`. */\n  readonly {name}: {{\n    readonly options: {};\n    readonly summary: {};\n    \
             readonly event: {event};\n  }};\n",
            described.options,
            summary.unwrap_or("null")
        );
        options.push(described.options.as_str());
        summaries.extend(summary);
        if event != "never" {
            events.push(event);
        }
    }
    format!(
        "{HEAD}import type {{ {} }} from './events.js';\nimport type {{ {} }} from './options.js';\n\
         import type {{ {} }} from './summaries.js';\n\n/** Types of each verb. */\nexport interface Verbs {{\n{entries}}}\n\n\
         /** Name of a verb. */\nexport type VerbName = keyof Verbs;\n",
        events.join(", "),
        options.join(", "),
        summaries.join(", ")
    )
}

/// The codes of errors with their documentation.
fn codes() -> String {
    let mut all: Vec<_> = Code::ALL.to_vec();
    all.sort_by_key(|(code, _)| code.as_str());
    let entries: String = all
        .iter()
        .map(|(code, doc)| {
            let doc = plain(doc.trim());
            let text = doc.replace('\\', "\\\\").replace('\'', "\\'");
            format!(
                "{}  {}: '{text}',\n",
                jsdoc(std::slice::from_ref(&doc), "  "),
                code.as_str()
            )
        })
        .collect();
    format!(
        "{HEAD}\n/** What each error code means, and what to do. */\nexport const ERROR_CODES = {{\n{entries}}} as const;\n\n\
         /** The code of an {{@link NnunetError}}. */\nexport type ErrorCode = keyof typeof ERROR_CODES;\n"
    )
}
