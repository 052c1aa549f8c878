//! Cases that are read one at a time when their images are cut out.

use std::path::{Path, PathBuf};

use dataset::CaseProperties;
use ndarray::{Array3, Axis, Ix3, Ix4};
use run::Context;
use volume::{nifti, npy, npz, Geometry};

use crate::grid::Grid;
use crate::names::Names;
use crate::view::{cut, Cut, Volumes};
use crate::{Error, Result};

/// Files of a case.
#[derive(Clone, Debug)]
pub(crate) enum Files {
    /// Volumes on one grid.
    Raw {
        image: Option<PathBuf>,
        reference: Option<PathBuf>,
        prediction: Option<PathBuf>,
    },
    /// A preprocessed case, with the order of its axes.
    Preprocessed {
        data: PathBuf,
        properties: PathBuf,
        weightmap: Option<PathBuf>,
        axes: [usize; 3],
    },
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
    /// Reads the case and cuts out at most `budget` bytes.
    pub fn cut(&self, budget: u64, context: &Context) -> Result<Option<Cut>> {
        let volumes = self.read(context)?;
        cut(&volumes, &|value| self.names.label(value), budget, context)
    }

    fn read(&self, context: &Context) -> Result<Volumes> {
        let mut volumes = Volumes {
            name: self.name.clone(),
            grid: Grid::of(&Geometry::default()),
            image: None,
            reference: None,
            prediction: None,
            weightmap: None,
            ct: self.names.ct,
            score: self.score,
        };
        match &self.files {
            Files::Raw {
                image,
                reference,
                prediction,
            } => {
                let mut first = First::default();
                for (path, target) in [
                    (reference, &mut volumes.reference),
                    (prediction, &mut volumes.prediction),
                ] {
                    let Some(path) = path else { continue };
                    context.check()?;
                    let (labels, geometry) = nifti::read_labels(path)?;
                    first.check(path, labels.shape(), &geometry)?;
                    *target = Some(labels);
                }
                if let Some(path) = image {
                    context.check()?;
                    let (image, geometry) = nifti::read_image(path)?;
                    let image = image.index_axis_move(Axis(0), 0);
                    first.check(path, image.shape(), &geometry)?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    volumes.image = Some((dataset::case_of(&name).to_owned(), image));
                }
                if let Some((_, _, geometry)) = first.0 {
                    volumes.grid = Grid::of(&geometry);
                }
            }
            Files::Preprocessed {
                data,
                properties,
                weightmap,
                axes,
            } => {
                let array = npz::read::<f32>(data, "data")?;
                let wrong = |path: &Path, found: &[usize]| Error::Shape {
                    path: path.to_owned(),
                    found: found.to_vec(),
                    expected: [0; 3],
                    other: data.clone(),
                };
                let found = array.shape().to_vec();
                let array = array
                    .into_dimensionality::<Ix4>()
                    .map_err(|_| wrong(data, &found))?;
                let channels = array.len_of(Axis(0));
                if channels < 2 {
                    return Err(wrong(data, &found));
                }
                let reference = array
                    .index_axis(Axis(0), channels - 1)
                    .mapv(|value| value.round() as i16);
                let (z, y, x) = reference.dim();
                volumes.reference = Some(reference);
                volumes.image = Some(("Normalised image".to_owned(), array.index_axis_move(Axis(0), 0)));
                // Normalised intensities are no Hounsfield units.
                volumes.ct = Some(false);
                let properties = CaseProperties::read(properties)?;
                let [dx, dy, dz] = properties.itk_spacing()?;
                let raw = Grid::of(&Geometry {
                    spacing: [dz, dy, dx],
                    origin: properties.itk_origin()?,
                    direction: properties.itk_direction()?,
                });
                let bounds = properties.crop_bbox()?;
                let cropped = bounds.map(|[first, end]| end.saturating_sub(first));
                volumes.grid = raw.resampled(*axes, bounds.map(|[first, _]| first), cropped, [z, y, x]);
                if let Some(path) = weightmap {
                    context.check()?;
                    volumes.weightmap = Some(self.weights(path, data, [z, y, x])?);
                }
            }
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
}
