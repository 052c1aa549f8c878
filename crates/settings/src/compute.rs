//! Device and precision of the computation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Precision of the network's convolutions. Parameters, normalisation statistics and the loss stay float32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// The fastest safe precision of the device: float16 on CUDA, bfloat16 on CPUs that support it natively,
    /// else float32.
    #[default]
    Auto,
    /// Single precision.
    Float32,
    /// Single precision with the input of convolutions rounded to TensorFloat-32, on CUDA. Faster, with the
    /// mantissa of float16.
    Tf32,
    /// Half the memory of float32, with its range.
    BFloat16,
    /// Half the memory of float32. More precise than bfloat16, with a smaller range. Training scales the
    /// loss.
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
    /// Precision of the network. `auto` selects the fastest safe one and reports it.
    #[default]
    pub precision: Precision,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_names_equal_the_option_values() {
        for (text, value) in [
            ("\"auto\"", Precision::Auto),
            ("\"float32\"", Precision::Float32),
            ("\"tf32\"", Precision::Tf32),
            ("\"bfloat16\"", Precision::BFloat16),
            ("\"float16\"", Precision::Float16),
        ] {
            assert_eq!(serde_json::from_str::<Precision>(text).unwrap(), value);
        }
    }
}
