//! Estimate of the memory of a case, and how its softmax is computed within it.

use dataset::CaseProperties;
use engine::network::Network;
use resample::ExportMode;
use run::{available_memory, resident_memory, Context, Event};
use serde_json::json;
use settings::PredictOptions;

use crate::window::Predictor;
use crate::Error;

/// Share of the free memory that is used by default. The rest is left to other programs and to errors of the estimate.
const SHARE: f64 = 0.6;
/// Memory beside the model that is used by default. More would not make a prediction faster.
const DEFAULT_MOST: u64 = 4 << 30;

/// How a softmax is computed. The result is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// All planes at once; the export overlaps with the next case.
    Whole,
    /// The planes under one row of tiles at a time, exported as they are complete.
    Slabs,
}

impl Strategy {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Slabs => "slabs",
        }
    }
}

/// Sizes of a case that determine its memory.
pub(crate) struct Sizes {
    /// Channels, with those of the first stage of a cascade.
    pub channels: usize,
    pub classes: usize,
    pub voxel: Voxel,
    /// Whether a saved softmax has single precision and is of the whole image.
    pub single: bool,
    /// The network's grid.
    pub network: [usize; 3],
    pub cropped: [usize; 3],
    pub original: [usize; 3],
    /// Whether other cases are read or exported at the same time.
    pub several: bool,
    pub softmax: Softmax,
    /// Whether the export needs all planes at once, whatever the memory.
    pub whole: bool,
}

/// Bytes that a voxel of the network's grid takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voxel {
    /// Softmax or logits with their weights, while all planes are computed at once.
    pub whole: u64,
    /// The same, while some planes are computed at a time.
    pub slab: u64,
    /// The result of the case before, while it is exported.
    pub before: u64,
}

impl Voxel {
    /// Of a softmax in single precision.
    fn of_softmax(classes: usize) -> Self {
        let classes = classes as u64;
        Self {
            whole: 4 * (classes + 1),
            slab: 4 * (classes + 1),
            before: 4 * classes,
        }
    }

    /// Of logits in half precision, whose sums over tiles are separate for each fold.
    pub fn of_logits(outputs: usize, folds: usize) -> Self {
        let (outputs, folds) = (outputs as u64, folds as u64);
        Self {
            whole: 2 * (outputs + 1) + if folds > 1 { 2 * outputs } else { 0 },
            slab: 2 * folds * (outputs + 1),
            before: 2 * outputs,
        }
    }
}

/// What becomes of the softmax on the image's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Softmax {
    Dropped,
    /// It goes to a file.
    Saved,
    /// It is returned, so all planes of it are in memory.
    Returned,
}

impl Softmax {
    /// Of a case that is written to files.
    pub fn in_files(save: bool) -> Self {
        match save {
            true => Self::Saved,
            false => Self::Dropped,
        }
    }

    /// Of a case that is returned.
    pub fn in_memory(wanted: bool) -> Self {
        match wanted {
            true => Self::Returned,
            false => Self::Dropped,
        }
    }
}

impl Sizes {
    pub fn new(
        image: (usize, [usize; 3]),
        classes: usize,
        properties: &CaseProperties,
        several: bool,
        softmax: Softmax,
    ) -> Result<Self, Error> {
        Ok(Self {
            channels: image.0,
            classes,
            voxel: Voxel::of_softmax(classes),
            single: false,
            network: image.1,
            cropped: properties.size_after_cropping()?,
            original: properties.original_size_of_raw_data()?,
            several,
            softmax,
            whole: softmax == Softmax::Returned,
        })
    }
}

/// Upper bound of the memory of a prediction in bytes, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// What the process holds already: program, libtorch, model, and cases before.
    process: u64,
    /// Images of this case, and of the next one.
    images: u64,
    /// A forward pass.
    tile: u64,
    /// The softmax on the network's grid, with its weights.
    softmax: u64,
    /// The softmax of the case before, while it is exported.
    before: u64,
    /// The resampled softmax, and the labels.
    export: u64,
}

impl Need {
    pub fn new(
        predictor: &Predictor<impl Network>,
        sizes: &Sizes,
        strategy: Strategy,
        options: &PredictOptions,
        process: u64,
    ) -> Self {
        let count = |shape: [usize; 3]| shape.iter().map(|&n| n as u64).product::<u64>();
        let (network, cropped, original) =
            (count(sizes.network), count(sizes.cropped), count(sizes.original));
        let (channels, classes) = (sizes.channels as u64, sizes.classes as u64);
        let plane = network / sizes.network[0].max(1) as u64;
        // The next case is assumed to be of this size: as read, cropped and resampled.
        let next = match sizes.several {
            true => 3 * 4 * channels * (original + network),
            false => 0,
        };
        let held = match strategy {
            Strategy::Whole => network,
            // And the last plane of a slab with the first one of the next slab.
            Strategy::Slabs => (predictor.depth(&sizes.network) as u64 + 2) * plane,
        };
        let resampled = match (sizes.softmax, options.export_mode(), strategy) {
            (Softmax::Returned, ..) => 4 * classes * (cropped + original),
            (Softmax::Dropped, ExportMode::Default, Strategy::Whole) => 4 * classes * cropped,
            // And one class in half precision and compressed.
            (Softmax::Saved, ExportMode::Default, Strategy::Whole) => (4 * classes + 6) * cropped,
            // One channel in single precision: of the cropped region, of the image in both axis orders, and compressed.
            (Softmax::Saved, ..) if sizes.single => 4 * cropped + 14 * original,
            // One class in half precision, in both axis orders, and compressed.
            (Softmax::Saved, ..) => 6 * cropped,
            (Softmax::Dropped, ..) => 0,
        };
        // Labels of the region and of the image, as they are and compressed; of this case and the one before.
        let labels = (2 * cropped + 4 * original) * if sizes.several { 2 } else { 1 };
        Self {
            process,
            images: 2 * 4 * channels * network + next,
            tile: predictor.bytes_at_once(&sizes.network),
            softmax: held
                * match strategy {
                    Strategy::Whole => sizes.voxel.whole,
                    Strategy::Slabs => sizes.voxel.slab,
                },
            before: match strategy {
                Strategy::Whole if sizes.several => sizes.voxel.before * network,
                _ => 0,
            },
            export: resampled + labels,
        }
    }

    pub fn total(&self) -> u64 {
        self.process + self.images + self.tile + self.softmax + self.before + self.export
    }
}

/// Chooses the strategy of a case from the estimates and the memory that the options allow, and reports it before the case
/// is predicted.
pub(crate) fn choose(
    predictor: &Predictor<impl Network>,
    case: Option<&str>,
    sizes: &Sizes,
    options: &PredictOptions,
    context: &Context,
) -> Strategy {
    // Measured once: the process grows while other cases are read, and the strategies are compared.
    let process = resident_memory().unwrap_or(0);
    let of = |strategy| Need::new(predictor, sizes, strategy, options, process);
    let (whole, slabs) = (of(Strategy::Whole), of(Strategy::Slabs));
    let available = available_memory();
    let limit = options.memory.map_or_else(
        || whole.process + ((available as f64 * SHARE) as u64).min(DEFAULT_MOST),
        |memory| memory.0,
    );
    let (strategy, need) = if sizes.whole || whole.total() <= limit || slabs.total() >= whole.total() {
        (Strategy::Whole, whole)
    } else {
        (Strategy::Slabs, slabs)
    };
    context.emit(Event::Memory {
        part: "prediction",
        case: case.map(ToOwned::to_owned),
        strategy: Some(strategy.name()),
        bytes: need.total(),
        parts: json!({
            "process": need.process, "images": need.images, "tile": need.tile, "softmax": need.softmax,
            "caseBefore": need.before, "export": need.export, "limit": limit,
        }),
    });
    let most = options.memory.map_or(need.process + available, |memory| memory.0);
    if need.total() > most {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let message = format!(
            "the case needs about {} MiB, even some planes at a time, more than the {} MiB that {}; it is predicted all the \
             same",
            mebibytes(need.total()),
            mebibytes(most),
            if options.memory.is_some() {
                "--memory allows"
            } else {
                "are free"
            }
        );
        context.warn("WARN_MEMORY_BUDGET", message, case);
    }
    strategy
}
