use super::*;

/// A tagged union.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Sampling {
    /// Anywhere.
    Foreground {
        /// A share.
        #[serde(default)]
        fraction: f64,
    },
    /// Centred.
    Annotated(Centred),
}

/// The struct of a tagged variant.
#[crate::options]
struct Centred {
    /// A shift.
    #[default]
    offset: f64,
}

/// An enumeration with documented variants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Trainer {
    /// One.
    #[default]
    #[serde(rename = "nnUNetTrainerV2")]
    Plain,
    /// Another.
    #[serde(rename = "nnUNetTrainerV2Sparse")]
    Sparse,
}

/// Shared options.
#[crate::options]
struct Inner {
    /// Samples in a batch.
    #[schemars(range(min = 1))]
    batch_size: Option<usize>,
    /// Patch size.
    #[schemars(length(min = 2, max = 3))]
    patch_size: Option<Vec<usize>>,
}

/// Options of a verb.
#[crate::options]
struct Outer {
    /// The task.
    #[schemars(length(min = 1))]
    task: String,
    /// A number.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    tolerance: f64,
    /// The trainer.
    #[default]
    trainer: Trainer,
    /// Sampling of patches.
    sampling: Option<Sampling>,
    /// Shared.
    #[default(Inner::new())]
    #[serde(flatten)]
    inner: Inner,
}

impl Options for Outer {
    fn check(&self) -> OptionResult<()> {
        match (self.tolerance > 5.0, self.inner.batch_size) {
            (true, Some(_)) => Err(OptionError::new(
                "",
                "batchSize and a large tolerance exclude each other",
            )),
            _ => Ok(()),
        }
    }
}

fn refusal(text: &str) -> String {
    parse::<Outer>(text).unwrap_err().to_string()
}

#[test]
fn defaults_are_those_of_the_struct() {
    let given = parse::<Outer>(r#"{"task":"501"}"#).unwrap();
    assert_eq!(given.options, Outer::new("501"));
    assert_eq!((given.options.tolerance, given.common.workers), (1e-3, 0));
    let schema = schema_of::<Given<Outer>>();
    assert_eq!(schema["properties"]["tolerance"]["default"], 1e-3);
    assert_eq!(schema["properties"]["tolerance"]["description"], "A number.");
    assert_eq!(schema["required"], serde_json::json!(["task"]));
}

#[test]
fn flattened_and_nested_options_are_read() {
    let text = r#"{"task":"501","batchSize":4,"patchSize":null,"workers":2,
        "sampling":{"kind":"foreground","fraction":0.5},"trainer":"nnUNetTrainerV2Sparse"}"#;
    let given = parse::<Outer>(text).unwrap();
    assert_eq!(
        (given.options.inner.batch_size, given.common.workers),
        (Some(4), 2)
    );
    assert_eq!(
        given.options.sampling,
        Some(Sampling::Foreground { fraction: 0.5 })
    );
}

#[test]
fn an_unknown_option_is_reported_with_the_nearest_name() {
    assert_eq!(
        refusal(r#"{"task":"501","tolerence":9}"#),
        "tolerence: unknown option; did you mean tolerance?"
    );
    assert_eq!(
        refusal(r#"{"task":"501","batch_size":9}"#),
        "batch_size: unknown option; did you mean batchSize?"
    );
    assert_eq!(
        refusal(r#"{"task":"501","sampling":{"kind":"foreground","fractoin":1}}"#),
        "sampling.fractoin: unknown option; did you mean fraction?"
    );
    assert_eq!(
        refusal(r#"{"task":"501","sampling":{"kind":"annotated","ofset":1}}"#),
        "sampling.ofset: unknown option; did you mean offset?"
    );
    assert_eq!(refusal(r#"{"task":"501","quite":9}"#), "quite: unknown option");
}

#[test]
fn an_unknown_choice_is_reported_with_the_nearest_name() {
    assert_eq!(
        refusal(r#"{"task":"501","trainer":"nnUNetTrainerV2Sprase"}"#),
        "trainer: expected one of nnUNetTrainerV2, nnUNetTrainerV2Sparse, got \"nnUNetTrainerV2Sprase\"; \
         did you mean nnUNetTrainerV2Sparse?"
    );
    assert_eq!(
        refusal(r#"{"task":"501","sampling":{"kind":"anotated"}}"#),
        "sampling.kind: expected one of foreground, annotated, got \"anotated\"; did you mean annotated?"
    );
    assert_eq!(
        refusal(r#"{"task":"501","sampling":{}}"#),
        "sampling.kind: missing; expected one of foreground, annotated"
    );
}

#[test]
fn all_invalid_values_are_reported_together() {
    assert_eq!(
        refusal(r#"{"tolerance":-1,"batchSize":0,"patchSize":[64],"trainer":7}"#),
        "tolerance: expected a number of at least 0, got -1; \
         batchSize: expected a whole number of at least 1, got 0; \
         patchSize: expected a list of 2 to 3 values, each a whole number of at least 0, got [64]; \
         trainer: expected one of nnUNetTrainerV2, nnUNetTrainerV2Sparse, got 7; \
         task: missing; expected text that is not empty"
    );
    assert_eq!(
        refusal(r#"{"task":"","patchSize":[1.5,2]}"#),
        "task: expected text that is not empty, got \"\"; \
         patchSize.0: expected a whole number of at least 0, got 1.5"
    );
    assert!(
        refusal("[]").starts_with("expected an object, got []"),
        "{}",
        refusal("[]")
    );
    assert!(refusal("{").starts_with("expected options as a JSON object"));
}

#[test]
fn options_made_in_rust_are_checked_too() {
    let mut options = Outer::new("501");
    assert!(validate(&options).is_ok());
    options.tolerance = f64::NAN;
    assert_eq!(
        validate(&options).unwrap_err().to_string(),
        "tolerance: expected a number of at least 0, got null"
    );
    options.tolerance = 6.0;
    options.inner.batch_size = Some(2);
    assert!(validate(&options).unwrap_err().to_string().contains("exclude"));
}
