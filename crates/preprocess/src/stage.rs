//! Conversion of a cropped case to the grid and intensities of a stage.

use dataset::{CaseProperties, NonFinite, Plans};
use ndarray::{Array3, Array4, Axis};
use resample::{resample_data, resample_segmentation, Order, Resampling, SeparateZ};
use run::{memory_capacity, Cancel};
use serde::Serialize;
use volume::UNLABELLED;

use crate::crop::Cropped;
use crate::fingerprint::Intensities;
use crate::normalise::{normalise, Scheme};
use crate::rules::Notice;
use crate::Error;

/// Target grid and normalisation of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Spacing in mm, after the transpose. Axes in `kept` have the case's own spacing.
    pub spacing: [f64; 3],
    /// Axes (after the transpose) without resampling: the first one in 2D.
    pub kept: [bool; 3],
    /// Interpolation order of the images.
    pub order: Order,
    /// Axis order of the transposed data.
    pub transpose: [usize; 3],
    /// Normalisation of each modality.
    pub schemes: Vec<Scheme>,
    /// Whether each modality is normalised within the mask only.
    pub use_mask: Vec<bool>,
}

/// A case on a stage's grid, with transposed axes.
#[derive(Clone, Debug)]
pub struct Staged {
    /// (channel, z, y, x)
    pub data: Array4<f32>,
    /// Labels and -1, as in [`Cropped`].
    pub segmentation: Array3<i16>,
    /// Channels without a spread of intensities, which are 0 everywhere; see [`normalise`].
    pub flat: Vec<usize>,
}

impl Staged {
    /// Returns a notice of the channels without a spread of intensities.
    ///
    /// # Errors
    /// [`Error::NoSpread`], unless the values that a division by 0 gives are replaced by 0.
    pub fn check_spread(&self, target: &Target, rule: NonFinite) -> Result<Option<Notice>, Error> {
        let Some(&modality) = self.flat.first() else {
            return Ok(None);
        };
        let value = match &target.schemes[modality] {
            Scheme::Ct(all) => all.mean,
            _ => f32::NAN,
        };
        let error = Error::NoSpread { modality, value };
        match rule {
            NonFinite::Refuse => Err(error),
            NonFinite::Zero => Ok(Some(Notice {
                code: "WARN_NO_SPREAD",
                message: format!("{error}; the channel became 0"),
            })),
        }
    }
}

impl Target {
    /// Returns the target of one stage of the plans.
    pub fn of_plans(plans: &Plans, stage: usize) -> Result<Self, Error> {
        let mut schemes = Vec::with_capacity(plans.num_modalities);
        for modality in 0..plans.num_modalities {
            schemes.push(scheme(plans, modality)?);
        }
        let (kept, order) = match plans.preprocessor_name.as_str() {
            "GenericPreprocessor" => ([false; 3], Order::Cubic),
            "GenericPreprocessor_linearResampling" => ([false; 3], Order::Linear),
            "PreprocessorFor2D" => ([true, false, false], Order::Cubic),
            "PreprocessorFor3D_NoResampling" => ([true; 3], Order::Cubic),
            other => {
                return Err(Error::Preprocessor {
                    found: other.to_owned(),
                })
            }
        };
        Ok(Self {
            spacing: plans.stage(stage)?.current_spacing,
            kept,
            order,
            transpose: plans.transpose_forward,
            schemes,
            use_mask: (0..plans.num_modalities)
                .map(|m| plans.use_mask_for_norm.get(&m).copied().unwrap_or(false))
                .collect(),
        })
    }

    /// Returns the target for a case of `spacing` (z, y, x): kept axes get that spacing. Cases with equal
    /// results then have equal targets.
    pub fn for_case(&self, spacing: [f64; 3]) -> Self {
        let own = self.transpose.map(|axis| spacing[axis]);
        let spacing = [0, 1, 2].map(|a| if self.kept[a] { own[a] } else { self.spacing[a] });
        Self {
            spacing,
            kept: [false; 3],
            ..self.clone()
        }
    }

    /// Returns the shape on this stage's grid of a case of `shape` and `spacing` (z, y, x).
    pub fn shape(&self, shape: [usize; 3], spacing: [f64; 3]) -> Result<[usize; 3], Error> {
        let (shape, own) = (
            self.transpose.map(|axis| shape[axis]),
            self.transpose.map(|axis| spacing[axis]),
        );
        Ok(resample::resampled_shape(
            shape,
            own,
            self.for_case(spacing).spacing,
        )?)
    }

    /// Transposes, resamples and normalises a cropped case of the given spacing (z, y, x, mm). Labels are
    /// resampled linearly, and by nearest neighbour along an anisotropic axis.
    ///
    /// In a sparse case a voxel gets a class only if that class has the majority, and is otherwise
    /// unlabelled. Mask statistics come from the non-zero mask, not from the annotation, so that unlabelled
    /// voxels keep their image content.
    ///
    /// Reference: `GenericPreprocessor._run_internal` and `resample_and_normalize`. The case must not contain
    /// NaN or infinity ([`Cropped::remove_nonfinite`]).
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the result exceeds the machine's memory, for example after a wrong spacing in a
    /// header. [`Error::Cancelled`] within one pass over a channel.
    pub fn apply(&self, case: &Cropped, spacing: [f64; 3], cancel: &Cancel) -> Result<Staged, Error> {
        let [a, b, c] = self.transpose;
        let data = case.data.view().permuted_axes([0, a + 1, b + 1, c + 1]);
        let labels = case.segmentation.view().permuted_axes(self.transpose);
        let from = self.transpose.map(|axis| spacing[axis]);
        let shape: [usize; 3] = labels.dim().into();
        let to = self.for_case(spacing).spacing;
        let rule = |order| Resampling::between(shape, from, to, SeparateZ::Auto, order);
        let linear = rule(Order::Linear)?;
        check_size(data.len_of(Axis(0)), shape, &linear, from, to)?;

        let mut data = resample_data(data, &rule(self.order)?, cancel)?;
        let unlabelled = case.is_sparse().then_some(UNLABELLED);
        let segmentation = resample_segmentation(labels, &linear, unlabelled, cancel)?;
        let mask = match &case.mask {
            Some(mask) if self.use_mask.contains(&true) => Some(resample_segmentation(
                mask.view().permuted_axes(self.transpose),
                &linear,
                None,
                cancel,
            )?),
            _ => None,
        };
        let mask = mask.as_ref().unwrap_or(&segmentation);
        let mut flat = Vec::new();
        for (index, mut channel) in data.axis_iter_mut(Axis(0)).enumerate() {
            let masked = self.use_mask[index].then(|| mask.view());
            if !normalise(channel.view_mut(), &self.schemes[index], masked, cancel)? {
                flat.push(index);
            }
        }
        Ok(Staged {
            data,
            segmentation,
            flat,
        })
    }

    /// Records the grid in the case's properties. `self` is the result of [`Target::for_case`].
    pub fn record(&self, staged: &Staged, properties: &mut CaseProperties) {
        properties.set_size_after_resampling(staged.segmentation.dim().into());
        properties.set_spacing_after_resampling(self.spacing);
    }
}

/// Rejects a result that exceeds the machine's memory. The system would otherwise end the whole process.
fn check_size(
    channels: usize,
    shape: [usize; 3],
    to: &Resampling,
    spacing: [f64; 3],
    target: [f64; 3],
) -> Result<(), Error> {
    let voxels: f64 = to.shape.iter().map(|&n| n as f64).product();
    let (bytes, capacity) = (voxels * (4.0 * channels as f64 + 2.0), memory_capacity());
    if bytes <= capacity as f64 {
        return Ok(());
    }
    Err(Error::TooLarge {
        shape,
        spacing,
        target,
        resampled: to.shape,
        bytes,
        capacity,
    })
}

fn scheme(plans: &Plans, modality: usize) -> Result<Scheme, Error> {
    let name = plans
        .normalization_schemes
        .get(&modality)
        .map_or("", String::as_str);
    let intensities = || {
        let all = plans
            .dataset_properties
            .get("intensityproperties")
            .and_then(pickle::Value::as_dict);
        all.and_then(|all| all.get_value(&modality.into()))
            .and_then(Intensities::from_value)
            .filter(|i| i.mean.is_finite() && i.percentile_99_5.is_finite())
            .ok_or_else(|| Error::NoIntensities {
                modality,
                scheme: name.to_owned(),
            })
    };
    match name {
        "CT" => intensities().map(Scheme::Ct),
        "CT2" => intensities().map(Scheme::Ct2),
        "nonCT" => Ok(Scheme::ZScore),
        "noNorm" => Ok(Scheme::None),
        other => Err(Error::Scheme {
            modality,
            found: other.to_owned(),
        }),
    }
}
