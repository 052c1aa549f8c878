//! Memory of networks, and of a prediction with one.
//!
//! The terms are those of the prediction's own estimate, which it reports when it has read a case. Here, the region of the
//! image that is not 0 is unknown, and taken to be the image.

use recipe::Architecture;

use volume::voxels;

/// Voxels of a batch of tiles at one position, and at several ones.
const AT_ONCE: [u64; 2] = [1 << 20, 1 << 18];
/// Values of a softmax that are computed at once, in several copies.
const SOFTMAX_AT_ONCE: u64 = 8 << 22;
/// Values of a voxel at the finest stage that live at the same time, and at other stages, while a network predicts.
const LIVE: [u64; 2] = [9, 2];
/// Memory beside the model that a prediction takes by default if it can do with less.
const DEFAULT_MOST: u64 = 4 << 30;

/// Parameters of a network.
pub(crate) fn parameters(architecture: &Architecture) -> u64 {
    let size = |kernel: &Vec<i64>| kernel.iter().product::<i64>() as u64;
    let features: Vec<u64> = architecture.features().iter().map(|&n| n as u64).collect();
    let convolutions = architecture.conv_per_stage as u64;
    let mut total = 0;
    let mut input = architecture.input_channels as u64;
    for (features, kernel) in features.iter().zip(&architecture.kernels) {
        let kernel = size(kernel);
        total += kernel * features * (input + (convolutions - 1) * features);
        input = *features;
    }
    for (stage, pool) in architecture.pools.iter().enumerate() {
        let (fine, coarse) = (features[stage], features[stage + 1]);
        let kernel = architecture.kernels.get(stage).map_or(1, size);
        total += size(pool) * fine * coarse + kernel * fine * (2 * fine + (convolutions - 1) * fine);
        total += fine * architecture.classes as u64;
    }
    total
}

/// Sum over stages of features and voxels: the values of one layer of each stage, and those of the finest stage.
pub(crate) fn layer_values(architecture: &Architecture, voxels: u64) -> (u64, u64) {
    let mut voxels = voxels;
    let mut values = Vec::new();
    let covered = architecture.pools.iter().map(|pool| pool.iter().product());
    for (features, covered) in architecture.features().into_iter().zip(covered.chain([1_i64])) {
        values.push(voxels * features as u64);
        voxels /= covered.max(1) as u64;
    }
    (values.iter().skip(1).sum(), values.first().copied().unwrap_or(0))
}

/// Sizes of a case (z, y, x).
pub(crate) struct Sizes {
    /// Of the network's grid.
    pub network: [usize; 3],
    /// Of the image.
    pub image: [usize; 3],
}

/// What determines the memory of a prediction besides the case.
pub(crate) struct Prediction<'a> {
    pub architecture: &'a Architecture,
    /// Patch (z, y, x) or (y, x).
    pub patch: &'a [usize],
    /// Whether other cases are read or exported at the same time.
    pub several: bool,
    /// Whether the softmax is saved.
    pub saved: bool,
    pub gpu: bool,
}

impl Prediction<'_> {
    /// Bytes of the case that needs most; `None` without a case.
    pub fn largest(&self, cases: impl Iterator<Item = Sizes>) -> Option<u64> {
        cases.map(|sizes| self.case(&sizes)).max()
    }

    /// Bytes of a case beside program and model.
    fn case(&self, sizes: &Sizes) -> u64 {
        let classes = self.architecture.classes as u64;
        let (network, image) = (voxels(sizes.network), voxels(sizes.image));
        let channels = self.architecture.input_channels as u64;
        let next = if self.several {
            3 * 4 * channels * (image + network)
        } else {
            0
        };
        let labels = 6 * image * if self.several { 2 } else { 1 };
        let always = 2 * 4 * channels * network + next + labels + self.tile();
        let saved = if self.saved { 6 * image } else { 0 };
        let before = if self.several { 4 * classes * network } else { 0 };
        let whole = always + 4 * (classes + 1) * network + before + 4 * classes * image + saved;
        let plane = network / sizes.network[0].max(1) as u64;
        let depth = match self.patch {
            [depth, _, _] => *depth as u64 + 2,
            _ => 3,
        };
        let slabs = always + 4 * (classes + 1) * depth.min(sizes.network[0] as u64) * plane + saved;
        // As the prediction chooses by default.
        match whole <= DEFAULT_MOST {
            true => whole,
            false => slabs.min(whole),
        }
    }

    /// Bytes of one forward pass on this computer, with its input and softmax.
    fn tile(&self) -> u64 {
        if self.gpu {
            return 0;
        }
        let patch = self.patch.iter().map(|&n| n as u64).product::<u64>().max(1);
        let copies = 1 << self.patch.len();
        let tiles = (AT_ONCE[0] / patch).min(copies).max(AT_ONCE[1] / patch).max(1);
        let voxels = patch * tiles;
        let (coarser, finest) = layer_values(self.architecture, voxels);
        let ends = 2 * (self.architecture.input_channels + self.architecture.classes) as u64;
        4 * (voxels * ends + LIVE[0] * finest + LIVE[1] * coarser) + SOFTMAX_AT_ONCE
    }
}
