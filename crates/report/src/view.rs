//! Cases to look at: crops as bytes.

use std::io::Write;

use components::Connectivity;
use flate2::write::GzEncoder;
use flate2::Compression;
use ndarray::{s, Array3, ArrayView3, Zip};
use run::Context;
use volume::UNLABELLED;

use crate::data::{Layer, LayerRole, ViewCase, ViewLabel};
use crate::grid::Grid;
use crate::Result;

/// Byte that means -1.
const UNLABELLED_BYTE: u8 = 255;
/// Margin around what is shown, in mm.
const MARGIN: f64 = 20.0;
/// Most voxels of a layer, which the page has in memory.
const MOST_VOXELS: usize = 16 << 20;
/// Hounsfield units that a CT shows.
const CT: [f32; 2] = [-1024.0, 2048.0];
/// Intensities below it occur in CT only, where nothing says what the image is.
const AIR: f32 = -500.0;

/// A case in memory.
pub(crate) struct Volumes {
    pub name: String,
    pub grid: Grid,
    pub image: Option<(String, Array3<f32>)>,
    pub reference: Option<Array3<i16>>,
    pub prediction: Option<Array3<i16>>,
    pub weightmap: Option<Array3<f32>>,
    /// Whether the image is CT, if it is known.
    pub ct: Option<bool>,
    pub score: Option<f64>,
}

/// Bytes of a case: a blob for each layer, in order. Their numbers in the layers begin at 0.
pub(crate) struct Cut {
    pub case: ViewCase,
    pub blobs: Vec<Vec<u8>>,
}

/// Values as bytes.
struct Scale {
    low: f64,
    slope: f64,
}

impl Scale {
    /// From the darkest to the brightest of these values, without the outermost thousandth.
    fn of(values: ArrayView3<'_, f32>, ct: bool) -> Self {
        let stride = (values.len() / 200_000).max(1);
        let mut sample: Vec<f32> = values
            .iter()
            .step_by(stride)
            .copied()
            .filter(|v| v.is_finite())
            .collect();
        sample.sort_unstable_by(f32::total_cmp);
        let Some(last) = sample.len().checked_sub(1) else {
            return Self { low: 0.0, slope: 1.0 };
        };
        let cut = last / 1000;
        let (mut low, mut high) = (sample[cut], sample[last - cut]);
        if ct {
            (low, high) = (low.clamp(CT[0], CT[1]), high.clamp(CT[0], CT[1]));
        }
        let slope = f64::from(high - low) / 255.0;
        Self {
            low: low.into(),
            slope: if slope > 0.0 { slope } else { 1.0 },
        }
    }

    /// From 0 to the largest weight.
    fn of_weights(values: ArrayView3<'_, f32>) -> Self {
        let high = values
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .fold(0.0, f32::max);
        Self {
            low: 0.0,
            slope: if high > 0.0 { f64::from(high) / 255.0 } else { 1.0 },
        }
    }

    fn byte(&self, value: f32) -> u8 {
        // A NaN becomes 0.
        ((f64::from(value) - self.low) / self.slope)
            .round()
            .clamp(0.0, 255.0) as u8
    }

    fn layer(&self, role: LayerRole, name: &str, ct: bool) -> Layer {
        Layer {
            role,
            name: name.to_owned(),
            blob: 0,
            element: "uint8",
            slope: self.slope,
            intercept: self.low,
            window: [self.low, self.low + 255.0 * self.slope],
            ct,
            unlabelled: None,
        }
    }
}

/// Cuts out the part of a case where something is, at most `budget` bytes of it. It is thinned only if more would be
/// needed.
pub(crate) fn cut(
    volumes: &Volumes,
    names: &dyn Fn(i64) -> String,
    budget: u64,
    context: &Context,
) -> Result<Option<Cut>> {
    let Some(full) = volumes.shape() else {
        return Ok(None);
    };
    let spacing = volumes.grid.spacing();
    let [first, end] = volumes.bounds(full, spacing);
    let size: [usize; 3] = std::array::from_fn(|axis| end[axis] - first[axis]);
    let image = volumes.image.as_ref().map(|(name, image)| {
        let part = crop(image.view(), first, end);
        let known = volumes.ct;
        let ct = known.unwrap_or_else(|| part.iter().any(|value| *value < AIR));
        (name, image.view(), Scale::of(part, ct), ct)
    });
    let weights = volumes
        .weightmap
        .as_ref()
        .map(|map| (map.view(), Scale::of_weights(crop(map.view(), first, end))));
    let mut step = [1; 3];
    loop {
        context.check()?;
        let drawn: [usize; 3] = std::array::from_fn(|axis| size[axis].div_ceil(step[axis]));
        if drawn.iter().product::<usize>() > MOST_VOXELS {
            thin(&mut step, drawn, spacing);
            continue;
        }
        let mut layers = Vec::new();
        let mut blobs: Vec<Vec<u8>> = Vec::new();
        let mut add = |mut layer: Layer, bytes: &[u8]| {
            layer.blob = blobs.len();
            layers.push(layer);
            blobs.push(gzip(bytes));
        };
        if let Some((name, values, scale, ct)) = &image {
            let bytes = part(*values, first, end, step, |value| scale.byte(value));
            add(scale.layer(LayerRole::Image, name, *ct), &flat(&bytes));
        }
        let mut reference = None;
        let mut prediction = None;
        let roles = [
            (
                LayerRole::Reference,
                "Reference",
                &volumes.reference,
                &mut reference,
            ),
            (
                LayerRole::Prediction,
                "Prediction",
                &volumes.prediction,
                &mut prediction,
            ),
        ];
        for (role, name, labels, kept) in roles {
            let Some(labels) = labels else { continue };
            let bytes = part(labels.view(), first, end, step, label_byte);
            let whole = Scale { low: 0.0, slope: 1.0 };
            let mut layer = whole.layer(role, name, false);
            layer.unlabelled = bytes
                .iter()
                .any(|byte| *byte == UNLABELLED_BYTE)
                .then_some(UNLABELLED_BYTE);
            add(layer, &flat(&bytes));
            *kept = Some(bytes);
        }
        if let Some((values, scale)) = &weights {
            let bytes = part(*values, first, end, step, |value| scale.byte(value));
            add(
                scale.layer(LayerRole::Weightmap, "Weightmap", false),
                &flat(&bytes),
            );
        }
        let bytes: u64 = blobs.iter().map(|blob| blob.len() as u64).sum();
        if bytes > budget && thin(&mut step, drawn, spacing) {
            continue;
        }
        let grid = volumes.grid.part(first, step);
        let mut present = [false; 256];
        for byte in reference.iter().chain(&prediction).flatten() {
            present[usize::from(*byte)] = true;
        }
        let labels = (1..255).filter(|value| present[*value]).map(|value| ViewLabel {
            value: value as i64,
            name: names(value as i64),
        });
        let case = ViewCase {
            name: volumes.name.clone(),
            shape: drawn,
            offset: first,
            full,
            spacing: grid.spacing(),
            step,
            affine: grid.affine(),
            labels: labels.collect(),
            layers,
            score: volumes.score,
            largest_error: match (&reference, &prediction) {
                (Some(reference), Some(prediction)) => largest_error(reference, prediction)?,
                _ => None,
            },
            bytes,
        };
        return Ok(Some(Cut { case, blobs }));
    }
}

impl Volumes {
    /// The shape of the layers.
    fn shape(&self) -> Option<[usize; 3]> {
        let images = [
            self.image.as_ref().map(|(_, image)| image),
            self.weightmap.as_ref(),
        ];
        let labels = [self.reference.as_ref(), self.prediction.as_ref()];
        let dims = images.into_iter().flatten().map(|array| array.dim());
        let (z, y, x) = dims
            .chain(labels.into_iter().flatten().map(|array| array.dim()))
            .next()?;
        Some([z, y, x])
    }

    /// The first voxel and the end of the part to show: where a label is, or the annotation if it is sparse, else where
    /// the image is not as its darkest, with a margin.
    fn bounds(&self, full: [usize; 3], spacing: [f64; 3]) -> [[usize; 3]; 2] {
        let mut found = Bounds::default();
        for labels in [&self.reference, &self.prediction].into_iter().flatten() {
            let sparse = labels.iter().any(|label| *label == UNLABELLED);
            found.add(labels.view(), |label| {
                label > 0 || (sparse && label != UNLABELLED)
            });
        }
        if let (None, Some((_, image))) = (found.0, &self.image) {
            let darkest = image.iter().copied().fold(f32::INFINITY, f32::min);
            found.add(image.view(), |value| value > darkest);
        }
        let [first, last] = found.0.unwrap_or([[0; 3], full.map(|n| n - 1)]);
        let margin = spacing.map(|mm| (MARGIN / mm).ceil().max(1.0) as usize);
        [
            std::array::from_fn(|axis| first[axis].saturating_sub(margin[axis])),
            std::array::from_fn(|axis| full[axis].min(last[axis] + 1 + margin[axis])),
        ]
    }
}

/// First and last voxel of a box, if it has any.
#[derive(Default)]
struct Bounds(Option<[[usize; 3]; 2]>);

impl Bounds {
    fn add<T: Copy>(&mut self, values: ArrayView3<'_, T>, inside: impl Fn(T) -> bool) {
        for ((z, y, x), value) in values.indexed_iter() {
            if inside(*value) {
                let voxel = [z, y, x];
                let [first, last] = self.0.get_or_insert([voxel; 2]);
                for axis in 0..3 {
                    first[axis] = first[axis].min(voxel[axis]);
                    last[axis] = last[axis].max(voxel[axis]);
                }
            }
        }
    }
}

/// Doubles the step along the axes with the finest voxels. Returns false if there is one voxel only.
fn thin(step: &mut [usize; 3], drawn: [usize; 3], spacing: [f64; 3]) -> bool {
    let now: [f64; 3] = std::array::from_fn(|axis| spacing[axis] * step[axis] as f64);
    let finest = (0..3)
        .filter(|axis| drawn[*axis] > 1)
        .map(|axis| now[axis])
        .fold(f64::INFINITY, f64::min);
    let mut changed = false;
    for axis in 0..3 {
        // The two axes of a slice have about the same spacing.
        if drawn[axis] > 1 && now[axis] < finest * 1.2 {
            step[axis] *= 2;
            changed = true;
        }
    }
    changed
}

fn crop<T>(values: ArrayView3<'_, T>, first: [usize; 3], end: [usize; 3]) -> ArrayView3<'_, T> {
    values.slice_move(s![first[0]..end[0], first[1]..end[1], first[2]..end[2]])
}

/// Every `step`th voxel of a part, as bytes.
fn part<T: Copy>(
    values: ArrayView3<'_, T>,
    first: [usize; 3],
    end: [usize; 3],
    step: [usize; 3],
    byte: impl Fn(T) -> u8,
) -> Array3<u8> {
    let [z, y, x] = step.map(|n| n as isize);
    crop(values, first, end)
        .slice_move(s![..;z, ..;y, ..;x])
        .mapv(byte)
}

fn flat(bytes: &Array3<u8>) -> Vec<u8> {
    bytes.iter().copied().collect()
}

fn label_byte(label: i16) -> u8 {
    match label {
        UNLABELLED => UNLABELLED_BYTE,
        // Labels beyond 254 share a colour.
        label => label.clamp(0, 254) as u8,
    }
}

/// The voxel nearest to the middle of the largest connected error.
fn largest_error(reference: &Array3<u8>, prediction: &Array3<u8>) -> Result<Option<[usize; 3]>> {
    let wrong = Zip::from(reference)
        .and(prediction)
        .map_collect(|r, p| r != p && *r != UNLABELLED_BYTE && *p != UNLABELLED_BYTE);
    let found = components::label(wrong.view(), |wrong| wrong, Connectivity::Full)?;
    // The first of equal ones.
    let Some(largest) = found
        .sizes
        .iter()
        .rev()
        .zip((0..found.sizes.len()).rev())
        .max_by_key(|(size, _)| **size)
    else {
        return Ok(None);
    };
    let number = largest.1 as u32 + 1;
    let voxels = || {
        let all = found
            .labels
            .indexed_iter()
            .filter(move |(_, label)| **label == number);
        all.map(|((z, y, x), _)| [z, y, x])
    };
    let mut sum = [0.0; 3];
    for voxel in voxels() {
        for axis in 0..3 {
            sum[axis] += voxel[axis] as f64;
        }
    }
    let middle = sum.map(|total| total / *largest.0 as f64);
    let distance = |voxel: &[usize; 3]| {
        (0..3)
            .map(|axis| (voxel[axis] as f64 - middle[axis]).powi(2))
            .sum::<f64>()
    };
    Ok(voxels().min_by(|one, two| distance(one).total_cmp(&distance(two))))
}

/// Compresses bytes. Equal bytes give equal results.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests;
