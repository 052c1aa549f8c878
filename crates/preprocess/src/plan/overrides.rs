//! Overrides of patch size, batch size and spacing, with checks.

use run::OptionError;

use super::pooling::{pooling, Pooling, Rule, MAX_POOLINGS, MIN_FEATURE_MAP};
use super::rules::Rules;
use super::stage::{estimate, is_flat, Query, Stage};
use crate::Error;

/// Overrides of planned values for a configuration.
#[run::options]
pub struct Overrides {
    /// Patch size instead of the planned one, in voxels, coarsest axis first: three values, two for 2D.
    #[schemars(length(min = 2, max = 3), inner(range(min = 1)))]
    pub patch_size: Option<Vec<usize>>,
    /// Batch size instead of the planned one.
    #[schemars(range(min = 1))]
    pub batch_size: Option<usize>,
    /// Target spacing instead of the planned one, in mm: z y x.
    ///
    /// Transpose, shapes and patch follow from it.
    #[schemars(inner(range(min = 1e-9)))]
    pub spacing: Option<[f64; 3]>,
}

impl Overrides {
    /// Name of the first option that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        match self {
            Self {
                patch_size: Some(_), ..
            } => Some("patchSize"),
            Self {
                batch_size: Some(_), ..
            } => Some("batchSize"),
            Self { spacing: Some(_), .. } => Some("spacing"),
            _ => None,
        }
    }
}

/// Applies `over` to a planned 3D stage.
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

/// Applies `over` to a planned 2D stage.
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

/// Returns the poolings of `patch`. Fails if the network requires another patch size, with the nearest valid
/// size.
fn fitting(
    configuration: &'static str,
    rule: Rule,
    spacing: &[f64],
    patch: &[usize],
) -> Result<Pooling, Error> {
    let refuse = |expected: String| -> Error {
        OptionError::expected(
            "patchSize",
            format!("{expected} ({configuration})"),
            format!("{patch:?}"),
        )
        .into()
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
