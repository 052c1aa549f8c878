//! Patch size, batch size and spacing by hand, with their consequences checked.

use serde::{Deserialize, Serialize};

use super::pooling::{pooling, Pooling, Rule, MAX_POOLINGS, MIN_FEATURE_MAP};
use super::rules::Rules;
use super::stage::{estimate, is_flat, Query, Stage};
use crate::Error;

/// What a configuration takes by hand instead of as planned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Overrides {
    /// Patch size in voxels after the transpose (coarsest axis first): three entries, two for 2D.
    pub patch_size: Option<Vec<usize>>,
    /// Samples per batch.
    pub batch_size: Option<usize>,
    /// Target spacing (z, y, x) in mm. Transpose, shapes and patch follow from it.
    pub spacing: Option<[f64; 3]>,
}

impl Overrides {
    /// Fails on a spacing that is not positive, a batch of none, an empty patch.
    pub fn check(&self, configuration: &'static str) -> Result<(), Error> {
        let refuse = |option: &'static str, found: String, expected: &'static str| {
            Err(Error::Override {
                configuration,
                option,
                found,
                expected: expected.to_owned(),
            })
        };
        match self {
            Self { spacing: Some(s), .. } if s.iter().any(|s| !(s.is_finite() && *s > 0.0)) => refuse(
                "spacing",
                format!("{s:?}"),
                "three positive numbers of millimetres",
            ),
            Self {
                batch_size: Some(0), ..
            } => refuse("batchSize", "0".into(), "at least 1"),
            Self {
                patch_size: Some(p), ..
            } if p.contains(&0) => refuse("patchSize", format!("{p:?}"), "positive numbers of voxels"),
            _ => Ok(()),
        }
    }
}

/// A 3D stage with `over` in place of what was planned.
pub(super) fn apply_3d(
    configuration: &'static str,
    mut stage: Stage,
    over: &Overrides,
    rules: &Rules,
    query: impl Fn([f64; 3]) -> Query,
) -> Result<Stage, Error> {
    if let Some(patch) = &over.patch_size {
        let query = query(stage.spacing);
        stage.pooling = fitting(configuration, rules.pooling, &stage.spacing, patch)?;
        stage.vram = estimate(&query, &stage.pooling);
        stage.dummy_2d = is_flat(patch);
    }
    stage.batch_size = over.batch_size.unwrap_or(stage.batch_size);
    Ok(stage)
}

/// A 2D stage with `over` in place of what was planned.
pub(super) fn apply_2d(
    configuration: &'static str,
    mut stage: Stage,
    over: &Overrides,
    query: &Query,
) -> Result<Stage, Error> {
    if let Some(patch) = &over.patch_size {
        stage.pooling = fitting(configuration, Rule::BySpacing, &stage.spacing[1..], patch)?;
        stage.vram = estimate(query, &stage.pooling);
    }
    stage.batch_size = over.batch_size.unwrap_or(stage.batch_size);
    Ok(stage)
}

/// The poolings of `patch`; fails where its network would need another patch, naming the next that fits.
fn fitting(
    configuration: &'static str,
    rule: Rule,
    spacing: &[f64],
    patch: &[usize],
) -> Result<Pooling, Error> {
    let refuse = |expected: String| Error::Override {
        configuration,
        option: "patchSize",
        found: format!("{patch:?}"),
        expected,
    };
    if patch.len() != spacing.len() {
        return Err(refuse(format!("{} entries", spacing.len())));
    }
    let pooling = pooling(rule, spacing, patch, MIN_FEATURE_MAP, MAX_POOLINGS)?;
    if pooling.patch != patch {
        return Err(refuse(format!(
            "a multiple of {:?}, which its {:?} poolings need, for example {:?}",
            pooling.divisors, pooling.per_axis, pooling.patch
        )));
    }
    Ok(pooling)
}
