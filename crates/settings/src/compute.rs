//! Which device computes, and how precisely.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arithmetic of the convolutions of a network; parameters, normalisation statistics and the loss stay float32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest safe one on the device: float16 on CUDA, bfloat16 on CPUs that support it natively, else float32.
    #[default]
    Auto,
    /// Single precision.
    Float32,
    /// Half the bytes at float32's range.
    BFloat16,
    /// Half the bytes at more digits than bfloat16 and a smaller range; training scales the loss.
    Float16,
}

/// Device and precision of the verbs that run a network.
#[run::options]
pub struct ComputeOptions {
    /// Device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
    #[default("auto".to_owned())]
    #[schemars(regex(pattern = r"^(auto|cpu|cuda(:\d{1,3})?|mps)$"))]
    #[schemars(extend("x-expected" = "auto, cpu, cuda, cuda:N or mps"))]
    pub device: String,
    /// Arithmetic of the network; `auto` selects the fastest safe one and reports which.
    #[default]
    pub precision: Precision,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_have_the_names_of_the_options() {
        for (text, value) in [
            ("\"auto\"", Precision::Auto),
            ("\"float32\"", Precision::Float32),
            ("\"bfloat16\"", Precision::BFloat16),
            ("\"float16\"", Precision::Float16),
        ] {
            assert_eq!(serde_json::from_str::<Precision>(text).unwrap(), value);
        }
    }
}
