//! Cases to look at: crops as bytes.

mod error_place;
mod extent;
mod scale;

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::Compression;
use ndarray::{s, Array3, ArrayView3};
use run::Context;
use volume::UNLABELLED;

use crate::data::{Layer, LayerRole, ViewCase, ViewLabel};
use crate::grid::Grid;
use crate::Result;

use error_place::largest_error;
pub(crate) use extent::Extent;
use scale::Scale;

/// Byte that means -1.
const UNLABELLED_BYTE: u8 = 255;
/// Most voxels of a layer, which the page has in memory.
const MOST_VOXELS: usize = 16 << 20;
/// Intensities below it occur in CT only, where nothing says what the image is.
const AIR: f32 = -500.0;
/// Bytes of a layer in the page besides its voxels: its description and its element.
const LAYER_BYTES: u64 = 400;
/// Bytes of the description of a case, without its layers and labels.
const CASE_BYTES: u64 = 1200;
/// Bytes of a label besides its name.
const LABEL_BYTES: u64 = 40;

/// A channel of the image of a case, cut to what is shown.
pub(crate) struct Channel {
    name: String,
    values: Array3<f32>,
    ct: bool,
}

/// A case in memory.
pub(crate) struct Volumes {
    pub name: String,
    pub grid: Grid,
    pub reference: Option<Array3<i16>>,
    pub prediction: Option<Array3<i16>>,
    pub weightmap: Option<Array3<f32>>,
    pub score: Option<f64>,
    channels: Vec<Channel>,
    extent: Option<Extent>,
}

/// Bytes of a case: a blob for each layer, in order. Their numbers in the layers begin at 0.
pub(crate) struct Cut {
    pub case: ViewCase,
    pub blobs: Vec<Vec<u8>>,
}

impl Volumes {
    /// A case of which nothing is read yet.
    pub fn new(name: &str, grid: Grid, score: Option<f64>) -> Self {
        Self {
            name: name.to_owned(),
            grid,
            reference: None,
            prediction: None,
            weightmap: None,
            score,
            channels: Vec::new(),
            extent: None,
        }
    }

    /// Adds a channel of the image, and keeps only what is shown of it. Labels and the grid are there before: they say
    /// what is shown; without any label it is where the first channel is not as its darkest.
    ///
    /// `ct` is whether the values are Hounsfield units, if it is known.
    pub fn add_channel(&mut self, name: String, values: ArrayView3<'_, f32>, ct: Option<bool>) {
        let extent = self.extent(Some(values));
        self.extent = Some(extent);
        let values = extent.crop(values).to_owned();
        self.channels.push(Channel {
            name,
            ct: ct.unwrap_or_else(|| values.iter().any(|value| *value < AIR)),
            values,
        });
    }

    /// The part to show. `image` has the shape of the layers.
    fn extent(&self, image: Option<ArrayView3<'_, f32>>) -> Extent {
        if let Some(extent) = self.extent {
            return extent;
        }
        let labels = [&self.reference, &self.prediction];
        let labels = || labels.into_iter().flatten().map(|labels| labels.view());
        let dims = labels().map(|labels| labels.dim());
        let (z, y, x) = dims
            .chain(image.map(|image| image.dim()))
            .next()
            .unwrap_or_default();
        let (full, spacing) = ([z, y, x], self.grid.spacing());
        Extent::of_labels(full, spacing, labels())
            .or_else(|| Extent::of_image(full, spacing, image?))
            .unwrap_or_else(|| Extent::whole(full))
    }
}

/// Layers in the making, with their bytes in the page.
#[derive(Default)]
struct Layers {
    layers: Vec<Layer>,
    blobs: Vec<Vec<u8>>,
    cost: u64,
}

impl Layers {
    fn add(&mut self, mut layer: Layer, bytes: &Array3<u8>) {
        let blob = gzip(bytes);
        self.cost += cost(&layer.name, &blob);
        layer.blob = self.blobs.len();
        self.layers.push(layer);
        self.blobs.push(blob);
    }
}

/// Bytes of a layer in the page: base64 makes three bytes four.
fn cost(name: &str, blob: &[u8]) -> u64 {
    LAYER_BYTES + name.len() as u64 + 4 * (blob.len() as u64).div_ceil(3)
}

/// Cuts out the part of a case where something is, at most `budget` bytes of the page. It is thinned only if more would be
/// needed: until the first channel, labels and weights fit, and once more if that is not enough for all channels. Those
/// that do not fit even then are left out. Returns `None` for a case without any layer.
pub(crate) fn cut(
    volumes: &Volumes,
    names: &dyn Fn(i64) -> String,
    budget: u64,
    context: &Context,
) -> Result<Option<Cut>> {
    let spacing = volumes.grid.spacing();
    let extent = volumes.extent(None);
    if extent.full.contains(&0) {
        return Ok(None);
    }
    let size = extent.size();
    let scales: Vec<Scale> = volumes
        .channels
        .iter()
        .map(|channel| Scale::of(channel.values.view(), channel.ct))
        .collect();
    let channel = |at: usize, step| {
        let (channel, scale): (&Channel, &Scale) = (&volumes.channels[at], &scales[at]);
        let layer = scale.layer(LayerRole::Image, &channel.name, channel.ct);
        (
            layer,
            thinned(channel.values.view(), step, |value| scale.byte(value)),
        )
    };
    let weights = volumes.weightmap.as_ref().map(|map| {
        let map = extent.crop(map.view());
        (map, Scale::of_weights(map))
    });
    let mut step = [1; 3];
    // What is finer, and lacks channels.
    let mut finer: Option<Cut> = None;
    loop {
        context.check()?;
        let drawn: [usize; 3] = std::array::from_fn(|axis| size[axis].div_ceil(step[axis]));
        if drawn.iter().product::<usize>() > MOST_VOXELS {
            thin(&mut step, drawn, spacing);
            continue;
        }
        let mut layers = Layers {
            cost: CASE_BYTES,
            ..Layers::default()
        };
        if !volumes.channels.is_empty() {
            let (layer, bytes) = channel(0, step);
            layers.add(layer, &bytes);
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
            let bytes = thinned(extent.crop(labels.view()), step, label_byte);
            let mut layer = Scale::LABELS.layer(role, name, false);
            layer.unlabelled = bytes
                .iter()
                .any(|byte| *byte == UNLABELLED_BYTE)
                .then_some(UNLABELLED_BYTE);
            layers.add(layer, &bytes);
            *kept = Some(bytes);
        }
        if let Some((values, scale)) = &weights {
            let bytes = thinned(*values, step, |value| scale.byte(value));
            layers.add(scale.layer(LayerRole::Weightmap, "Weightmap", false), &bytes);
        }
        let labels = labels_of(reference.iter().chain(&prediction), names);
        let text: usize = labels.iter().map(|label| label.name.len()).sum();
        layers.cost += text as u64 + LABEL_BYTES * labels.len() as u64;
        let mut coarser = step;
        let can_thin = thin(&mut coarser, drawn, spacing);
        if layers.cost > budget && can_thin {
            step = coarser;
            continue;
        }
        let left_out = further(&mut layers, volumes, budget, |at| channel(at, step), context)?;
        // All channels stand first.
        layers.layers.sort_by_key(|layer| layer.role != LayerRole::Image);
        let grid = volumes.grid.part(extent.first, step);
        let case = ViewCase {
            name: volumes.name.clone(),
            shape: drawn,
            offset: extent.first,
            full: extent.full,
            spacing: grid.spacing(),
            step,
            affine: grid.affine(),
            labels,
            left_out,
            score: volumes.score,
            largest_error: match (&reference, &prediction) {
                (Some(reference), Some(prediction)) => largest_error(reference, prediction)?,
                _ => None,
            },
            bytes: layers.blobs.iter().map(|blob| blob.len() as u64).sum(),
            layers: layers.layers,
        };
        let found = Cut {
            case,
            blobs: layers.blobs,
        };
        let lacking = found.case.left_out.len();
        match finer {
            None if lacking > 0 && can_thin => {
                step = coarser;
                finer = Some(found);
            }
            // Thinned in vain.
            Some(finer) if finer.case.left_out.len() <= lacking => return Ok(Some(finer)),
            _ => return Ok(Some(found)),
        }
    }
}

/// Adds the channels after the first one as long as they fit. Returns the names of the others.
fn further(
    layers: &mut Layers,
    volumes: &Volumes,
    budget: u64,
    channel: impl Fn(usize) -> (Layer, Array3<u8>),
    context: &Context,
) -> Result<Vec<String>> {
    let names = volumes.channels.iter().map(|channel| channel.name.clone());
    let names: Vec<String> = names.collect();
    for at in 1..names.len() {
        context.check()?;
        let rest: u64 = names[at + 1..].iter().map(|name| name.len() as u64 + 4).sum();
        let (layer, bytes) = channel(at);
        let before = layers.cost;
        layers.add(layer, &bytes);
        if layers.cost + rest > budget {
            layers.layers.pop();
            layers.blobs.pop();
            layers.cost = before;
            return Ok(names[at..].to_vec());
        }
    }
    Ok(Vec::new())
}

/// The labels that occur, without the background.
fn labels_of<'a>(
    layers: impl Iterator<Item = &'a Array3<u8>>,
    names: &dyn Fn(i64) -> String,
) -> Vec<ViewLabel> {
    let mut present = [false; 256];
    for byte in layers.flatten() {
        present[usize::from(*byte)] = true;
    }
    let labels = (1..255).filter(|value| present[*value]);
    labels
        .map(|value| ViewLabel {
            value: value as i64,
            name: names(value as i64),
        })
        .collect()
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

/// Every `step`th voxel, as bytes.
fn thinned<T: Copy>(values: ArrayView3<'_, T>, step: [usize; 3], byte: impl Fn(T) -> u8) -> Array3<u8> {
    let [z, y, x] = step.map(|n| n as isize);
    values.slice_move(s![..;z, ..;y, ..;x]).mapv(byte)
}

fn label_byte(label: i16) -> u8 {
    match label {
        UNLABELLED => UNLABELLED_BYTE,
        // Labels beyond 254 share a colour.
        label => label.clamp(0, 254) as u8,
    }
}

/// Compresses bytes in C order. Equal bytes give equal results.
fn gzip(bytes: &Array3<u8>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    let flat: Vec<u8> = bytes.iter().copied().collect();
    // Writing to memory does not fail.
    let _ = encoder.write_all(&flat);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests;
