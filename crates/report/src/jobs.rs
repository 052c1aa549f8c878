//! Cases that are read one at a time when their images are cut out.

use std::path::{Path, PathBuf};

use dataset::CaseProperties;
use ndarray::{Array3, Axis, Ix3, Ix4};
use run::Context;
use volume::{nifti, npy, npz, Geometry};

use crate::grid::Grid;
use crate::images::ImageFile;
use crate::names::Names;
use crate::view::{cut, Cut, Volumes};
use crate::{Error, Result};

/// Files of a case.
#[derive(Clone, Debug)]
pub(crate) enum Files {
    /// Volumes on one grid.
    Raw {
        images: Vec<ImageFile>,
        reference: Option<PathBuf>,
        prediction: Option<PathBuf>,
    },
    /// A preprocessed case, with the order of its axes.
    Preprocessed {
        data: PathBuf,
        weightmap: Option<PathBuf>,
        axes: [usize; 3],
        place: Place,
    },
}

/// Where the voxels of a preprocessed case were.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The grid of its image.
    raw: Grid,
    /// First voxel and end of the part of the image along z, y, x.
    bounds: [[usize; 2]; 3],
}

impl Place {
    pub fn of(properties: &CaseProperties) -> Result<Self> {
        let [dx, dy, dz] = properties.itk_spacing()?;
        Ok(Self {
            raw: Grid::of(&Geometry {
                spacing: [dz, dy, dx],
                origin: properties.itk_origin()?,
                direction: properties.itk_direction()?,
            }),
            bounds: properties.crop_bbox()?,
        })
    }

    /// The grid of the preprocessed array.
    fn grid(&self, axes: [usize; 3], size: [usize; 3]) -> Grid {
        let cropped = self.bounds.map(|[first, end]| end.saturating_sub(first));
        let first = self.bounds.map(|[first, _]| first);
        self.raw.resampled(axes, first, cropped, size)
    }
}

/// A case to look at, that is not read yet.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Index of its section.
    pub section: usize,
    pub name: String,
    pub files: Files,
    pub score: Option<f64>,
    pub names: Names,
}

impl Job {
    /// Reads the case and cuts out at most `budget` bytes of the page. Returns also why channels are missing that cannot be
    /// read.
    pub fn cut(&self, budget: u64, context: &Context) -> Result<(Option<Cut>, Vec<Error>)> {
        let (volumes, problems) = match &self.files {
            Files::Raw {
                images,
                reference,
                prediction,
            } => self.read_raw(images, [reference.as_deref(), prediction.as_deref()], context)?,
            Files::Preprocessed {
                data,
                weightmap,
                axes,
                place,
            } => {
                let volumes = self.read_preprocessed(data, weightmap.as_deref(), *axes, place, context)?;
                (volumes, Vec::new())
            }
        };
        let cut = cut(&volumes, &|value| self.names.label(value), budget, context)?;
        Ok((cut, problems))
    }

    /// Memory: the labels, one file of the image, and the part of the others that is shown.
    fn read_raw(
        &self,
        images: &[ImageFile],
        labels: [Option<&Path>; 2],
        context: &Context,
    ) -> Result<(Volumes, Vec<Error>)> {
        let mut volumes = Volumes::new(&self.name, Grid::of(&Geometry::default()), self.score);
        let mut first = First::default();
        let targets = [&mut volumes.reference, &mut volumes.prediction];
        for (path, target) in labels.into_iter().zip(targets) {
            let Some(path) = path else { continue };
            context.check()?;
            let (labels, geometry) = nifti::read_labels(path)?;
            first.check(path, labels.shape(), &geometry)?;
            *target = Some(labels);
        }
        let mut problems = Vec::new();
        for (number, path) in images {
            context.check()?;
            // The others are shown all the same.
            if let Err(problem) = self.read_image(*number, path, images.len() == 1, &mut first, &mut volumes)
            {
                problems.push(problem);
            }
        }
        volumes.grid = first.grid();
        Ok((volumes, problems))
    }

    /// Adds the channels of a file. `alone` is whether the image has no other file.
    fn read_image(
        &self,
        number: usize,
        path: &Path,
        alone: bool,
        first: &mut First,
        volumes: &mut Volumes,
    ) -> Result<()> {
        let (image, geometry) = nifti::read_image(path)?;
        first.check(path, &image.shape()[1..], &geometry)?;
        volumes.grid = first.grid();
        let count = image.len_of(Axis(0));
        for (at, values) in image.outer_iter().enumerate() {
            // A 4D file that is alone has all channels.
            let channel = if alone { number + at } else { number };
            let mut name = self.names.channel(channel, alone && count == 1);
            if count > 1 && !alone {
                name += &format!(", volume {}", at + 1);
            }
            volumes.add_channel(name, values, self.names.is_ct(channel));
        }
        Ok(())
    }

    fn read_preprocessed(
        &self,
        data: &Path,
        weightmap: Option<&Path>,
        axes: [usize; 3],
        place: &Place,
        context: &Context,
    ) -> Result<Volumes> {
        let array = npz::read::<f32>(data, "data")?;
        let found = array.shape().to_vec();
        let wrong = || Error::Channels {
            path: data.to_owned(),
            found: found.clone(),
        };
        let array = array.into_dimensionality::<Ix4>().map_err(|_| wrong())?;
        let last = array.len_of(Axis(0)).saturating_sub(1);
        if last == 0 {
            return Err(wrong());
        }
        let reference = array.index_axis(Axis(0), last).mapv(|value| value.round() as i16);
        let (z, y, x) = reference.dim();
        let mut volumes = Volumes::new(&self.name, place.grid(axes, [z, y, x]), self.score);
        volumes.reference = Some(reference);
        for (number, values) in array.outer_iter().take(last).enumerate() {
            let name = format!("{}, normalised", self.names.channel(number, last == 1));
            // Normalised intensities are no Hounsfield units.
            volumes.add_channel(name, values, Some(false));
        }
        drop(array);
        if let Some(path) = weightmap {
            context.check()?;
            volumes.weightmap = Some(self.weights(path, data, [z, y, x])?);
        }
        Ok(volumes)
    }

    /// Reads a weightmap, with or without an axis of channels.
    fn weights(&self, path: &Path, data: &Path, expected: [usize; 3]) -> Result<Array3<f32>> {
        let array = npy::read::<f32>(path)?;
        let found = array.shape().to_vec();
        let array = match found.as_slice() {
            [1, _, _, _] => array.index_axis_move(Axis(0), 0),
            _ => array,
        };
        let array = array.into_dimensionality::<Ix3>().ok();
        array
            .filter(|array| array.shape() == expected)
            .ok_or_else(|| Error::Shape {
                path: path.to_owned(),
                found,
                expected,
                other: data.to_owned(),
            })
    }
}

/// Path, shape and geometry of the first layer, to which the others must fit.
#[derive(Default)]
struct First(Option<(PathBuf, [usize; 3], Geometry)>);

impl First {
    fn check(&mut self, path: &Path, found: &[usize], geometry: &Geometry) -> Result<()> {
        let size = [found[0], found[1], found[2]];
        match &self.0 {
            None => self.0 = Some((path.to_owned(), size, geometry.clone())),
            Some((other, expected, _)) if *expected != size => {
                return Err(Error::Shape {
                    path: path.to_owned(),
                    found: found.to_vec(),
                    expected: *expected,
                    other: other.clone(),
                })
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn grid(&self) -> Grid {
        match &self.0 {
            Some((_, _, geometry)) => Grid::of(geometry),
            None => Grid::of(&Geometry::default()),
        }
    }
}

#[cfg(test)]
mod tests;
