//! A case of a model of nnU-Net v2: the logits of its networks, and their export.

use std::path::Path;

use half::f16;
use ndarray::{Array4, ArrayView4};
use run::{Cancel, Context};
use settings::PredictOptions;
use v2::{Export, Exporting, Properties};

use super::model::DynamicModel;
use crate::existing::SOFTMAX;
use crate::in_memory::Segmented;
use crate::memory::{choose, Sizes, Softmax, Strategy, Voxel};
use crate::window::Planes;
use crate::Error;

impl DynamicModel {
    /// Runs the networks on a preprocessed case. `report` receives the number of finished and of all tile positions.
    pub fn predict<'a>(
        &'a self,
        data: &Array4<f32>,
        properties: &Properties,
        target: &Target<'_>,
        options: &PredictOptions,
        context: &'a Context,
        report: &mut dyn FnMut(usize, usize),
    ) -> Result<Predicted<'a>, Error> {
        let (channels, z, y, x) = data.dim();
        let (heads, case) = (self.export.heads(), target.case);
        let sizes = Sizes {
            channels,
            classes: heads,
            voxel: Voxel::of_logits(heads, self.folds.len()),
            single: true,
            network: [z, y, x],
            cropped: properties.shape_after_cropping,
            original: properties.size,
            several: target.several,
            softmax: target.softmax,
            whole: target.softmax == Softmax::Returned || !self.export.streams(),
        };
        let strategy = choose(&self.predictor, case, &sizes, options, context);
        let tiles = self.predictor.tiles(&data.shape()[1..]) * self.folds.len();
        let mut tile = 0;
        let mut step = || {
            tile += 1;
            report(tile, tiles);
        };
        let predictor = &self.predictor;
        if strategy == Strategy::Whole {
            let logits = predictor.logits_of(case, data.view(), context, &mut step);
            return Ok(Predicted::Logits(logits.map_err(Error::advise)?));
        }
        let save = match target.softmax {
            Softmax::Saved => target.folder.zip(case),
            _ => None,
        };
        let begin = || {
            Ok(Slabs(self.export.begin(
                [z, y, x],
                properties,
                save,
                context.cancel(),
            )?))
        };
        let exporting = predictor.stream_logits(case, data.view(), context, &mut step, begin);
        Ok(Predicted::Exported(Box::new(exporting.map_err(Error::advise)?.0)))
    }
}

/// Writes the files of a case; `record` identifies model and settings.
pub(crate) fn write(
    target: &Target<'_>,
    record: &str,
    export: &Export,
    predicted: Predicted<'_>,
    properties: &Properties,
    cancel: &Cancel,
) -> Result<(), Error> {
    let (Some(folder), Some(case)) = (target.folder, target.case) else {
        return Err(Error::Internal {
            problem: "a case without a folder".to_owned(),
        });
    };
    let save = target.softmax == Softmax::Saved;
    let record = format!("{record}{}", if save { SOFTMAX } else { "" });
    match predicted {
        Predicted::Logits(logits) => {
            let keep = Ok::<_, Error>;
            export.write(folder, case, &record, logits, properties, save, keep, cancel)?;
        }
        Predicted::Exported(exporting) => {
            let labels = exporting.finish()?;
            export.write_labels(folder, case, &record, labels, properties, cancel)?;
        }
    }
    Ok(())
}

/// The result of a case in memory.
pub(crate) fn arrays(
    export: &Export,
    predicted: Predicted<'_>,
    properties: &Properties,
    probabilities: bool,
    cancel: &Cancel,
) -> Result<Segmented, Error> {
    let (labels, softmax) = match predicted {
        Predicted::Logits(logits) => {
            let found = export.arrays(logits, properties, probabilities, cancel)?;
            (found.labels, found.probabilities)
        }
        Predicted::Exported(exporting) => (exporting.finish()?, None),
    };
    Ok(Segmented { labels, softmax })
}

/// What becomes of a case.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Name of the case, if it has one.
    pub case: Option<&'a str>,
    /// Folder of its files, if it is written.
    pub folder: Option<&'a Path>,
    pub softmax: Softmax,
    /// Whether other cases are read or exported at the same time.
    pub several: bool,
}

/// What the networks gave for a case.
pub(crate) enum Predicted<'a> {
    /// The logits on the network's grid.
    Logits(Array4<f16>),
    /// The logits were resampled while they were computed.
    Exported(Box<Exporting<'a>>),
}

/// Exports logits as they are complete.
struct Slabs<'a>(Exporting<'a>);

impl Planes for Slabs<'_> {
    fn push(&mut self, planes: ArrayView4<'_, f32>) -> Result<(), Error> {
        Ok(self.0.push(planes)?)
    }
}
