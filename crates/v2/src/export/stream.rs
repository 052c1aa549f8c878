//! Export of logits that arrive some planes at a time.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ndarray::{s, Array3, Array4, ArrayView4};
use resample::LabelStream;
use run::Cancel;
use storage::Scratch;

use super::{sigmoid, softmax, Export};
use crate::{Error, Properties};

/// Maximum values that [`Exporting::push_all`] converts at once.
const VALUES_AT_ONCE: usize = 1 << 23;

/// The export of the logits of a case that arrive some planes at a time. The results equal those of [`Export::write`].
///
/// Memory in addition to the labels: two planes of each channel, and a few rows per thread. Probabilities are in a
/// temporary file.
pub struct Exporting<'a> {
    export: &'a Export,
    properties: Properties,
    labels: LabelStream,
    saved: Option<Saved>,
    cancel: &'a Cancel,
}

/// Probabilities of the cropped region. Their planes arrive with all channels, but the file has one channel after another.
struct Saved {
    /// Values (channel, z, y, x) in single precision: probabilities of regions, or logits of labels until all channels
    /// have arrived.
    values: Scratch,
    folder: PathBuf,
    case: String,
    shape: [usize; 4],
    regions: bool,
}

impl Export {
    /// Whether logits can be exported some planes at a time: not if plans name a spline of order 3 for them.
    #[must_use]
    pub fn streams(&self) -> bool {
        let function = &self.configuration.resample_probabilities;
        function.streams()
    }

    /// Begins the export of logits of a `shape` (z, y, x) in the network's axis order. With `save`, a folder and the name
    /// of the case, [`Exporting::finish`] writes `<case>.npz` and `<case>.pkl`.
    ///
    /// # Errors
    /// [`Error::Resample`], unless [`Export::streams`]; [`Error::Storage`].
    pub fn begin<'a>(
        &'a self,
        shape: [usize; 3],
        properties: &Properties,
        save: Option<(&Path, &str)>,
        cancel: &'a Cancel,
    ) -> Result<Exporting<'a>, Error> {
        let to = self.resampling(shape, properties)?;
        let (mode, heads) = (resample::ExportMode::Streamed, self.heads());
        let labels = LabelStream::new(heads, shape, &to, mode, self.labels.decision_of_logits())?;
        let [z, y, x] = to.shape;
        let saved = save.map(|(folder, case)| {
            Ok::<_, Error>(Saved {
                values: Scratch::beside(&folder.join(format!("{case}.npz")))?,
                folder: folder.to_owned(),
                case: case.to_owned(),
                shape: [heads, z, y, x],
                regions: self.labels.regions_class_order.is_some(),
            })
        });
        Ok(Exporting {
            export: self,
            properties: properties.clone(),
            labels,
            saved: saved.transpose()?,
            cancel,
        })
    }
}

impl Exporting<'_> {
    /// Adds the next planes (channel, z, y, x).
    ///
    /// # Errors
    /// [`Error::Heads`]; [`Error::Resample`] for planes of another shape or too many; [`Error::Storage`];
    /// [`Error::Cancelled`] within the work of a few rows.
    pub fn push(&mut self, planes: ArrayView4<'_, f32>) -> Result<(), Error> {
        let (found, expected) = (planes.dim().0, self.export.heads());
        if found != expected {
            return Err(Error::Heads { found, expected });
        }
        let failed = Mutex::new(None);
        let saved = self.saved.as_ref();
        let keep = |channel: usize, z: usize, rows: Range<usize>, values: &[f32]| {
            let Some(saved) = saved else { return };
            if let Err(error) = saved.keep(channel, z, rows, values) {
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
            }
        };
        self.labels.push(planes, &keep, self.cancel)?;
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Adds planes that are not in single precision, some at a time.
    ///
    /// # Errors
    /// As [`Exporting::push`].
    pub fn push_all<T: Copy + Into<f32>>(&mut self, planes: ArrayView4<'_, T>) -> Result<(), Error> {
        let (channels, all, y, x) = planes.dim();
        let at_once = (VALUES_AT_ONCE / (channels * y * x).max(1)).max(1);
        for start in (0..all).step_by(at_once) {
            let part = planes.slice(s![.., start..(start + at_once).min(all), .., ..]);
            self.push(part.mapv(Into::into).view())?;
        }
        Ok(())
    }

    /// Writes the probabilities if they are to be saved, and returns the labels (z, y, x) with the axes of the file.
    ///
    /// # Errors
    /// [`Error::Resample`] if planes are missing; [`Error::Storage`], [`Error::Volume`], [`Error::Pickle`].
    pub fn finish(self) -> Result<Array3<i16>, Error> {
        let labels = self.labels.finish()?;
        if let Some(saved) = &self.saved {
            saved.normalise(self.cancel)?;
            let channels = (0..saved.shape[0]).map(|channel| saved.channel(channel));
            let (folder, case) = (&saved.folder, &saved.case);
            self.export
                .write_probabilities(folder, case, channels, &self.properties, self.cancel)?;
        }
        self.export.placed(labels.view(), &self.properties)
    }
}

impl Saved {
    fn position(&self, channel: usize, z: usize, y: usize) -> u64 {
        let [_, depth, height, width] = self.shape;
        4 * (((channel * depth + z) * height + y) * width) as u64
    }

    fn keep(
        &self,
        channel: usize,
        z: usize,
        rows: Range<usize>,
        values: &[f32],
    ) -> Result<(), storage::Error> {
        let position = self.position(channel, z, rows.start);
        if self.regions {
            let values: Vec<f32> = values.iter().copied().map(sigmoid).collect();
            return self.values.write_at(position, bytemuck::cast_slice(&values));
        }
        self.values.write_at(position, bytemuck::cast_slice(values))
    }

    /// Makes probabilities of the logits of labels, one plane at a time.
    fn normalise(&self, cancel: &Cancel) -> Result<(), Error> {
        let [channels, depth, height, width] = self.shape;
        if self.regions {
            return Ok(());
        }
        let mut plane = Array4::<f32>::zeros((channels, 1, height, width));
        for z in 0..depth {
            for (channel, mut values) in plane.outer_iter_mut().enumerate() {
                if let Some(values) = values.as_slice_mut() {
                    let position = self.position(channel, z, 0);
                    self.values.read_at(position, bytemuck::cast_slice_mut(values))?;
                }
            }
            softmax(&mut plane, cancel)?;
            for (channel, values) in plane.outer_iter().enumerate() {
                if let Some(values) = values.as_slice() {
                    let position = self.position(channel, z, 0);
                    self.values.write_at(position, bytemuck::cast_slice(values))?;
                }
            }
        }
        Ok(())
    }

    fn channel(&self, channel: usize) -> io::Result<Array3<f32>> {
        let [_, z, y, x] = self.shape;
        let mut values = Array3::zeros((z, y, x));
        if let Some(values) = values.as_slice_mut() {
            let position = self.position(channel, 0, 0);
            let bytes = bytemuck::cast_slice_mut(values);
            self.values.read_at(position, bytes).map_err(io::Error::other)?;
        }
        Ok(values)
    }
}
