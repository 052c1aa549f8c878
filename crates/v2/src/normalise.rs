//! Normalisation of the channels of a cropped case, before resampling.

use std::path::Path;

use ndarray::{Array3, ArrayView3, ArrayViewMut3, Zip};
use preprocess::mean_and_deviation;
use run::{Cancel, Cancelled};

use crate::{Error, IntensityProperties};

/// Normalisation of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheme {
    /// `CTNormalization`: clips to the percentiles of the training foreground, then uses its mean and deviation.
    Ct(IntensityProperties),
    /// `ZScoreNormalization`: mean and deviation of the image, or of the voxels inside the mask. Voxels outside the mask
    /// are then unchanged.
    ZScore,
    /// `RescaleTo01Normalization`: the range of the image becomes 0 to 1.
    Rescale,
    /// `RGBTo01Normalization`: 0 to 255 becomes 0 to 1.
    Rgb,
    /// `NoNormalization`.
    None,
}

/// Smallest divisor.
const EPSILON: f32 = 1e-8;

const KNOWN: &str =
    "CTNormalization, ZScoreNormalization, RescaleTo01Normalization, RGBTo01Normalization and NoNormalization";

impl Scheme {
    /// Reads the class name of a channel's normalisation.
    pub(crate) fn parse(
        path: &Path,
        place: &str,
        name: &str,
        channel: usize,
        intensities: Option<&IntensityProperties>,
    ) -> Result<Self, Error> {
        match name {
            "CTNormalization" => intensities.copied().map(Self::Ct).ok_or_else(|| {
                Error::record(
                    path,
                    format!(
                        "{place}normalization_schemes: channel {channel} has CTNormalization, but \
                         foreground_intensity_properties_per_channel has no entry \"{channel}\""
                    ),
                )
            }),
            "ZScoreNormalization" => Ok(Self::ZScore),
            "RescaleTo01Normalization" => Ok(Self::Rescale),
            "RGBTo01Normalization" => Ok(Self::Rgb),
            "NoNormalization" => Ok(Self::None),
            other => {
                let what = format!("{place}normalization_schemes");
                Err(Error::unsupported(path, &what, other, KNOWN))
            }
        }
    }

    /// Name of v2's class.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ct(_) => "CTNormalization",
            Self::ZScore => "ZScoreNormalization",
            Self::Rescale => "RescaleTo01Normalization",
            Self::Rgb => "RGBTo01Normalization",
            Self::None => "NoNormalization",
        }
    }
}

/// Normalises the channel of a case in place. `inside` is the non-zero mask if the statistics are those of its voxels.
///
/// # Errors
/// [`Error::Rgb`]; [`Error::Cancelled`] within one pass over the channel.
pub(crate) fn normalise(
    index: usize,
    mut channel: ArrayViewMut3<'_, f32>,
    scheme: &Scheme,
    inside: Option<&Array3<bool>>,
    cancel: &Cancel,
) -> Result<(), Error> {
    cancel.check()?;
    match scheme {
        Scheme::None => {}
        Scheme::Ct(all) => {
            let (low, high) = (all.percentile_00_5 as f32, all.percentile_99_5 as f32);
            let (mean, deviation) = (all.mean as f32, (all.std as f32).max(EPSILON));
            // As in numpy, the upper bound wins if the bounds cross.
            each(channel, cancel, |v| (v.max(low).min(high) - mean) / deviation)?;
        }
        Scheme::ZScore => match inside {
            None => {
                let (mean, deviation) = statistics(channel.view());
                let deviation = deviation.max(EPSILON);
                each(channel, cancel, |v| (v - mean) / deviation)?;
            }
            Some(inside) => {
                let voxels = channel.iter().zip(inside).filter(|(_, &inside)| inside);
                let voxels: Vec<f32> = voxels.map(|(&v, _)| v).collect();
                let (mean, deviation) = mean_and_deviation(&voxels);
                let deviation = deviation.max(EPSILON);
                cancel.check()?;
                Zip::from(&mut channel).and(inside).par_for_each(|v, &inside| {
                    if inside {
                        *v = (*v - mean) / deviation;
                    }
                });
            }
        },
        Scheme::Rescale => {
            let (low, high) = range(channel.view());
            let width = (high - low).max(EPSILON);
            each(channel, cancel, |v| (v - low) / width)?;
        }
        Scheme::Rgb => {
            let (low, high) = range(channel.view());
            if low < 0.0 || high > 255.0 {
                return Err(Error::Rgb {
                    channel: index,
                    low,
                    high,
                });
            }
            each(channel, cancel, |v| v / 255.0)?;
        }
    }
    Ok(())
}

fn statistics(channel: ArrayView3<'_, f32>) -> (f32, f32) {
    match channel.as_slice_memory_order() {
        Some(all) => mean_and_deviation(all),
        None => mean_and_deviation(&channel.iter().copied().collect::<Vec<_>>()),
    }
}

fn range(channel: ArrayView3<'_, f32>) -> (f32, f32) {
    channel
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        })
}

fn each(
    mut channel: ArrayViewMut3<'_, f32>,
    cancel: &Cancel,
    f: impl Fn(f32) -> f32 + Sync + Send,
) -> Result<(), Cancelled> {
    cancel.check()?;
    channel.par_mapv_inplace(f);
    cancel.check()
}
