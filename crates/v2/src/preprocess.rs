//! Preprocessing of one case: v2's `DefaultPreprocessor`.

use std::path::{Path, PathBuf};

use dataset::{is_usable, NonFinite};
use ndarray::{concatenate, s, Array3, Array4, ArrayView3, Axis};
use preprocess::case::{check_finite, Images, REPLACED};
use preprocess::outside::Outside;
use resample::{resample_data, resampled_shape};
use run::{memory_capacity, Cancel, Context};
use volume::{nifti, Geometry};

use crate::normalise::normalise;
use crate::previous::resample_labels;
use crate::{Configuration, Dataset, Error, Plans, Properties, Scheme};

/// Value of a segmentation outside the non-zero mask.
const OUTSIDE: i16 = -1;

/// A case as the network's input.
#[derive(Clone, Debug)]
pub struct Preprocessed {
    /// (channel, z, y, x) in the network's axis order. A second stage has one more channel for each foreground label.
    pub data: Array4<f32>,
    /// What the export needs.
    pub properties: Properties,
}

/// Segmentation of a case by the previous stage of a cascade.
#[derive(Clone, Copy, Debug)]
pub enum PreviousStage<'a> {
    /// A NIfTI file on the grid of the images.
    File(&'a Path),
    /// Labels (z, y, x) on the grid of the images, with the axes of the file.
    Labels(ArrayView3<'a, i16>),
}

/// Reads and preprocesses a case. `name` names it in warnings.
///
/// # Errors
/// [`Error::Preprocess`] if the number of images is not that of the channels, the images differ in shape, every voxel is 0,
/// a voxel is not finite and must be, or the resampled case does not fit in memory. [`Error::Volume`],
/// [`Error::Previous`], [`Error::Rgb`]. [`Error::Cancelled`] within one pass over a channel.
pub fn preprocess(
    name: &str,
    images: &[PathBuf],
    plans: &Plans,
    configuration: &Configuration,
    dataset: &Dataset,
    previous: Option<PreviousStage<'_>>,
    nonfinite: NonFinite,
    context: &Context,
) -> Result<Preprocessed, Error> {
    check_count(images, dataset)?;
    let (read, plane) = plans.reader.read(images, nonfinite, context.cancel())?;
    for notice in &read.notices {
        context.warn(notice.code, notice.message.clone(), Some(name));
    }
    let replaced = read.notices.iter().any(|notice| notice.code == REPLACED);
    let case = Case {
        images,
        plans,
        configuration,
        dataset,
        cancel: context.cancel(),
    };
    case.run(read, plane, replaced, previous)
}

/// [`preprocess()`] of an image in memory: one volume (z, y, x) for each channel, with the axes of a file of `geometry`.
///
/// # Errors
/// As [`preprocess()`]. An error names the volumes `channel 0`, `channel 1` and so on.
pub fn preprocess_volumes(
    channels: Vec<Array3<f32>>,
    geometry: Geometry,
    plans: &Plans,
    configuration: &Configuration,
    dataset: &Dataset,
    previous: Option<PreviousStage<'_>>,
    nonfinite: NonFinite,
    context: &Context,
) -> Result<Preprocessed, Error> {
    let names: Vec<_> = (0..channels.len())
        .map(|i| PathBuf::from(format!("channel {i}")))
        .collect();
    check_count(&names, dataset)?;
    let mut replaced = false;
    for (path, channel) in names.iter().zip(&channels) {
        context.cancel().check()?;
        if channel.dim() != channels[0].dim() {
            return Err(preprocess::Error::Shape {
                path: path.clone(),
                found: channel.dim().into(),
                first: names[0].clone(),
                expected: channels[0].dim().into(),
            }
            .into());
        }
        if let Some(notice) = check_finite(path, channel.iter(), nonfinite)? {
            replaced = true;
            context.warn(notice.code, notice.message, None);
        }
    }
    let images = Images {
        channels,
        geometry,
        notices: Vec::new(),
    };
    let case = Case {
        images: &names,
        plans,
        configuration,
        dataset,
        cancel: context.cancel(),
    };
    case.run(images, false, replaced, previous)
}

fn check_count(images: &[PathBuf], dataset: &Dataset) -> Result<(), Error> {
    let (found, expected) = (images.len(), dataset.channel_names.len());
    if found == expected {
        return Ok(());
    }
    Err(preprocess::Error::Modalities {
        paths: images.to_vec(),
        found,
        expected,
    }
    .into())
}

struct Case<'a> {
    /// Names of the images, for errors.
    images: &'a [PathBuf],
    plans: &'a Plans,
    configuration: &'a Configuration,
    dataset: &'a Dataset,
    cancel: &'a Cancel,
}

impl Case<'_> {
    fn run(
        &self,
        images: Images,
        plane: bool,
        replaced: bool,
        previous: Option<PreviousStage<'_>>,
    ) -> Result<Preprocessed, Error> {
        let Images {
            channels, geometry, ..
        } = images;
        let (plans, cancel) = (self.plans, self.cancel);
        let size = channels.first().map_or([0; 3], |c| c.dim().into());
        let previous = self.previous(previous, size)?;
        let axes = plans.reader.axes(&geometry);
        let file_spacing = match (plane, geometry.spacing) {
            (true, [_, y, x]) => [999.0 * x.max(y), y, x],
            (false, spacing) => spacing,
        };
        let spacing = axes.from.map(|axis| file_spacing[axis]);
        let forward = plans.transpose_forward;
        let channels: Vec<Array3<f32>> = channels.into_iter().map(|c| axes.take(c)).collect();
        let views: Vec<_> = channels.iter().map(|c| c.view().permuted_axes(forward)).collect();
        let outside = Outside::of(&views, cancel)?;
        let shape: [usize; 3] = forward.map(|axis| size[axes.from[axis]]);
        let bounds = outside
            .bounding_box()
            .ok_or_else(|| preprocess::Error::EmptyImage {
                paths: self.images.to_vec(),
            })?;
        let properties = Properties {
            reader: plans.reader,
            geometry,
            size,
            plane,
            spacing,
            shape_before_cropping: shape,
            bbox_used_for_cropping: bounds,
            shape_after_cropping: bounds.map(|[start, end]| end - start),
        };
        let [z, y, x] = bounds.map(|[start, end]| start..end);
        let mut data = stack(channels, forward, &bounds, cancel)?;
        if replaced {
            data.mapv_inplace(|v| if is_usable(v) { v } else { 0.0 });
        }
        let mut segmentation = previous.map(|labels| {
            let labels = axes.apply(labels.view()).permuted_axes(forward);
            labels.slice(s![z, y, x]).as_standard_layout().into_owned()
        });
        self.normalise(&mut data, &outside, &bounds, segmentation.as_mut())?;
        let own = forward.map(|axis| spacing[axis]);
        let (data, segmentation) = self.resample(data, segmentation, own)?;
        let data = match segmentation {
            Some(labels) => self.with_previous(data, &labels)?,
            None => data,
        };
        Ok(Preprocessed { data, properties })
    }

    /// The segmentation of the previous stage on the grid of the images.
    fn previous(
        &self,
        given: Option<PreviousStage<'_>>,
        size: [usize; 3],
    ) -> Result<Option<Array3<i16>>, Error> {
        let name = &self.configuration.name;
        let (labels, path) = match (&self.configuration.previous_stage, given) {
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                return Err(Error::Previous {
                    problem: format!(
                        "{name} is not the second stage of a cascade, but a segmentation was given"
                    ),
                })
            }
            (Some(stage), None) => {
                return Err(Error::Previous {
                    problem: format!(
                        "{name} is the second stage of a cascade; it needs the segmentations of {stage}"
                    ),
                })
            }
            (Some(_), Some(PreviousStage::Labels(labels))) => (labels.to_owned(), None),
            (Some(_), Some(PreviousStage::File(path))) => (nifti::read_labels(path)?.0, Some(path)),
        };
        let found: [usize; 3] = labels.dim().into();
        if found != size {
            return Err(Error::Previous {
                problem: format!(
                    "the segmentation of the previous stage{} has shape {found:?} (z, y, x), but the images have {size:?}",
                    path.map_or_else(String::new, |path| format!(", {},", path.display()))
                ),
            });
        }
        Ok(Some(labels))
    }

    /// Normalises every channel. In `segmentation`, background outside the mask becomes [`OUTSIDE`].
    fn normalise(
        &self,
        data: &mut Array4<f32>,
        outside: &Outside,
        bounds: &[[usize; 2]; 3],
        segmentation: Option<&mut Array3<i16>>,
    ) -> Result<(), Error> {
        let configuration = self.configuration;
        let schemes = configuration
            .normalization
            .iter()
            .zip(&configuration.use_mask_for_norm);
        let masked = schemes
            .clone()
            .any(|(scheme, &mask)| mask && *scheme == Scheme::ZScore);
        let inside = match segmentation {
            Some(labels) => {
                outside.visit(bounds, labels.view_mut(), |v| {
                    if *v == 0 {
                        *v = OUTSIDE;
                    }
                });
                masked.then(|| labels.mapv(|v| v >= 0))
            }
            None if masked => {
                let mut inside = Array3::from_elem(bounds.map(|[start, end]| end - start), true);
                outside.visit(bounds, inside.view_mut(), |v| *v = false);
                Some(inside)
            }
            None => None,
        };
        for (index, (channel, (scheme, &mask))) in data.outer_iter_mut().zip(schemes).enumerate() {
            let inside = inside.as_ref().filter(|_| mask);
            normalise(index, channel, scheme, inside, self.cancel)?;
        }
        Ok(())
    }

    /// Resamples image and segmentation of spacing `own` (network's axes) to the spacing of the configuration.
    fn resample(
        &self,
        data: Array4<f32>,
        segmentation: Option<Array3<i16>>,
        own: [f64; 3],
    ) -> Result<(Array4<f32>, Option<Array3<i16>>), Error> {
        let (configuration, cancel) = (self.configuration, self.cancel);
        let (channels, z, y, x) = data.dim();
        let target = configuration.spacing_for(own);
        let shape = resampled_shape([z, y, x], own, target)?;
        let bytes = 4.0 * channels as f64 * shape.iter().map(|&n| n as f64).product::<f64>();
        let capacity = memory_capacity();
        if bytes > capacity as f64 {
            return Err(preprocess::Error::TooLarge {
                shape: [z, y, x],
                spacing: own,
                target,
                resampled: shape,
                bytes,
                capacity,
            }
            .into());
        }
        let data = match configuration.resample_data.resampling(shape, own, target)? {
            Some(to) => resample_data(data.view(), &to, cancel)?,
            None => data,
        };
        let function = &configuration.resample_segmentation;
        let segmentation = match segmentation {
            None => None,
            Some(labels) => Some(match function.resampling(shape, own, target)? {
                None => labels,
                Some(to) => resample_labels(labels.view(), function.kind, &to, cancel)?,
            }),
        };
        Ok((data, segmentation))
    }

    /// Adds one channel for each foreground label of the previous stage.
    fn with_previous(&self, data: Array4<f32>, labels: &Array3<i16>) -> Result<Array4<f32>, Error> {
        let foreground = self.dataset.labels.foreground();
        let (_, z, y, x) = data.dim();
        if labels.dim() != (z, y, x) {
            return Err(Error::Previous {
                problem: format!(
                    "the plans resample images to {:?} voxels and segmentations to {:?}",
                    [z, y, x],
                    labels.shape()
                ),
            });
        }
        let mut encoded = Array4::zeros((foreground.len(), z, y, x));
        for (mut channel, label) in encoded.outer_iter_mut().zip(foreground) {
            self.cancel.check()?;
            channel.zip_mut_with(labels, |v, &found| *v = f32::from(i64::from(found) == label));
        }
        concatenate(Axis(0), &[data.view(), encoded.view()]).map_err(|error| Error::Previous {
            problem: error.to_string(),
        })
    }
}

/// The cropped channels as one array, with axes in the order `forward`. Each original is freed after it is copied.
fn stack(
    channels: Vec<Array3<f32>>,
    forward: [usize; 3],
    bounds: &[[usize; 2]; 3],
    cancel: &Cancel,
) -> Result<Array4<f32>, Error> {
    let [z, y, x] = *bounds;
    let mut data = Array4::zeros((channels.len(), z[1] - z[0], y[1] - y[0], x[1] - x[0]));
    for (mut cropped, channel) in data.outer_iter_mut().zip(channels) {
        cancel.check()?;
        let view = channel.view().permuted_axes(forward);
        cropped.assign(&view.slice(s![z[0]..z[1], y[0]..y[1], x[0]..x[1]]));
    }
    Ok(data)
}
