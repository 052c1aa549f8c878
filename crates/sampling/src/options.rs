//! Options of patch sampling.

use serde::{Deserialize, Serialize};

/// Fraction of a batch that nnU-Net forces to contain foreground.
pub const FOREGROUND_FRACTION: f64 = 0.33;

/// The sampling rule of patches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Sampling {
    /// nnU-Net's sampling: random boxes in the padded case; the last `fraction` of a batch is centred on
    /// foreground.
    Foreground {
        /// Fraction of each batch to force onto foreground, rounded as in the reference.
        #[serde(default = "fraction")]
        #[schemars(range(min = 0.0, max = 1.0))]
        fraction: f64,
    },
    /// Every patch contains a voxel drawn uniformly from all annotated voxels of its case.
    Annotated(Annotated),
    /// DIAG's fork: a box as with `foreground`, then a centre drawn from the annotated voxels of the loaded
    /// box. A box without annotated voxels fails, as in the fork. For comparison only.
    Fork {
        /// Fraction of each batch to force onto foreground, rounded as in the reference.
        #[serde(default = "fraction")]
        #[schemars(range(min = 0.0, max = 1.0))]
        fraction: f64,
    },
}

/// Options of [`Sampling::Annotated`].
#[run::options]
#[derive(Copy)]
#[schemars(rename = "AnnotatedSampling")]
pub struct Annotated {
    /// Random shift of the patch, as a fraction of the shifts that keep the drawn voxel inside; 0 centres it.
    #[default]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub offset: f64,
    /// Draws the class first (the background is one), then the voxel.
    #[default]
    pub balance: bool,
    /// Redraws the spatial transform if it leaves no annotated voxel in the patch.
    #[default(true)]
    pub keep_annotated: bool,
    /// Excludes cases without annotated voxels instead of failing.
    #[default]
    pub skip_unannotated: bool,
}

impl Default for Sampling {
    fn default() -> Self {
        Self::Foreground {
            fraction: FOREGROUND_FRACTION,
        }
    }
}

impl Sampling {
    /// Fraction of a batch forced to contain foreground; 0 for annotated sampling.
    pub fn forced_fraction(&self) -> f64 {
        match self {
            Self::Foreground { fraction } | Self::Fork { fraction } => *fraction,
            Self::Annotated(_) => 0.0,
        }
    }

    /// The options of [`Sampling::Annotated`], if it is selected.
    pub fn annotated(&self) -> Option<&Annotated> {
        match self {
            Self::Annotated(options) => Some(options),
            _ => None,
        }
    }
}

fn fraction() -> f64 {
    FOREGROUND_FRACTION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_javascript_passes_them() {
        let read = |text: &str| serde_json::from_str::<Sampling>(text).unwrap();
        assert_eq!(read(r#"{"kind":"foreground"}"#), Sampling::default());
        assert_eq!(
            read(r#"{"kind":"fork","fraction":0.5}"#),
            Sampling::Fork { fraction: 0.5 }
        );
        let expected = Annotated {
            balance: true,
            skip_unannotated: true,
            ..Annotated::default()
        };
        assert_eq!(
            read(r#"{"kind":"annotated","balance":true,"skipUnannotated":true}"#),
            Sampling::Annotated(expected)
        );
        let text = serde_json::to_string(&Sampling::Annotated(expected)).unwrap();
        assert_eq!(read(&text), Sampling::Annotated(expected));
    }
}
