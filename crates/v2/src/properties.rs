//! What preprocessing records of a case, and export undoes: v2's properties.

use std::path::Path;

use ndarray::Array3;
use pickle::{Dict, NdArray, Value};
use volume::Geometry;

use crate::reader::Axes;
use crate::{Error, Plans, Reader};

/// Properties of a preprocessed case.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// Class that read the images.
    pub reader: Reader,
    /// Geometry of the first image, with the axes of the file.
    pub geometry: Geometry,
    /// Number of voxels of the file (z, y, x).
    pub size: [usize; 3],
    /// Whether the file is a plane of rank 2, whose planes v2 places 999 times the larger spacing apart.
    pub plane: bool,
    /// Spacing in mm along the reader's axes (z, y, x), before `transpose_forward`.
    pub spacing: [f64; 3],
    /// Shape before cropping, in the network's axis order.
    pub shape_before_cropping: [usize; 3],
    /// First voxel and end (exclusive) of each axis, in the network's axis order.
    pub bbox_used_for_cropping: [[usize; 2]; 3],
    /// Shape after cropping, in the network's axis order.
    pub shape_after_cropping: [usize; 3],
}

impl Properties {
    pub(crate) fn axes(&self) -> Axes {
        self.reader.axes(&self.geometry)
    }

    /// The dictionary that v2 pickles beside `<case>.npz`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let [z, y, x] = self.geometry.spacing;
        let floats = |values: &[f64]| Value::Tuple(values.iter().map(|&v| Value::Float(v)).collect());
        let direction = self.geometry.direction;
        let mut properties = Dict::new();
        match self.reader {
            Reader::SimpleItk => {
                let n = if self.plane { 2 } else { 3 };
                let turned: Vec<f64> = (0..n * n).map(|i| direction[3 * (i / n) + i % n]).collect();
                let stuff = Dict::new()
                    .with("spacing", floats(&[x, y, z][..n]))
                    .with("origin", floats(&self.geometry.origin[..n]))
                    .with("direction", floats(&turned));
                properties.set("sitk_stuff", Value::Dict(stuff));
            }
            Reader::Nibabel | Reader::NibabelReorient => {
                let affine = affine(&self.geometry);
                let mut stuff = Dict::new().with("original_affine", matrix(affine));
                if self.reader == Reader::NibabelReorient {
                    stuff.set("reoriented_affine", matrix(self.reoriented(affine)));
                }
                properties.set("nibabel_stuff", Value::Dict(stuff));
            }
        }
        let spacing = self.spacing.map(|v| match self.reader {
            Reader::SimpleItk => Value::numpy_f64(v),
            _ => Value::Float(v),
        });
        let sizes = |sizes: &[usize]| Value::Tuple(sizes.iter().map(|&n| Value::Int(n as i64)).collect());
        properties.set("spacing", Value::List(spacing.to_vec()));
        properties.set("shape_before_cropping", sizes(&self.shape_before_cropping));
        let bounds = self.bbox_used_for_cropping;
        let pair = |[start, end]: [usize; 2]| Value::list([start as i64, end as i64]);
        properties.set("bbox_used_for_cropping", Value::List(bounds.map(pair).to_vec()));
        properties.set(
            "shape_after_cropping_and_before_resampling",
            sizes(&self.shape_after_cropping),
        );
        Value::Dict(properties)
    }

    /// Writes `<case>.pkl`.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming the file.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        Ok(pickle::write_file(path, &self.to_value())?)
    }

    /// Reads the `<case>.pkl` beside probabilities.
    ///
    /// # Errors
    /// [`Error::Pickle`] naming file and key; [`Error::Record`] if they are those of another reader.
    pub fn read(path: &Path, plans: &Plans) -> Result<Self, Error> {
        let value = pickle::read_file(path)?;
        Self::from_value(&value, plans).map_err(|error| match error {
            Problem::Pickle(error) => error.in_file(path).into(),
            Problem::Other(problem) => Error::record(path, problem),
        })
    }

    fn from_value(value: &Value, plans: &Plans) -> Result<Self, Problem> {
        let reader = plans.reader;
        let dict = |value: &Value| -> Result<Dict, Problem> {
            let found = || Problem::Other(format!("found {}, expected a dictionary", value.type_name()));
            value.as_dict().cloned().ok_or_else(found)
        };
        let value = dict(value)?;
        let numbers = |value: &Dict, key: &str| value.require_as(key, "a list of numbers", Value::to_f64s);
        let sizes = |key: &str| -> Result<[usize; 3], Problem> {
            let sizes = value.require_as(key, "three sizes", |value| {
                let sizes = value.to_i64s()?.into_iter().map(|n| usize::try_from(n).ok());
                <[usize; 3]>::try_from(sizes.collect::<Option<Vec<_>>>()?).ok()
            })?;
            Ok(sizes)
        };
        let shape_before_cropping = sizes("shape_before_cropping")?;
        let bounds = value.require_as("bbox_used_for_cropping", "the bounds of three axes", |value| {
            let pair = |item: &Value| {
                let [start, end]: [i64; 2] = item.to_i64s()?.try_into().ok()?;
                Some([usize::try_from(start).ok()?, usize::try_from(end).ok()?])
            };
            let bounds: Option<Vec<[usize; 2]>> = value.as_items()?.iter().map(pair).collect();
            <[[usize; 2]; 3]>::try_from(bounds?).ok()
        })?;
        let spacing = three(numbers(&value, "spacing")?, "spacing")?;
        let (geometry, plane) = match reader {
            Reader::SimpleItk => {
                let stuff = dict(value.require("sitk_stuff")?)?;
                let [spacing, origin, direction] =
                    ["spacing", "origin", "direction"].map(|key| numbers(&stuff, key));
                sitk_geometry(&spacing?, &origin?, &direction?)?
            }
            Reader::Nibabel | Reader::NibabelReorient => {
                let stuff = dict(value.require("nibabel_stuff")?)?;
                let affine =
                    stuff.require_as("original_affine", "a matrix of 4 x 4", |value| match value {
                        Value::Array(array) if array.shape() == [4, 4] => array.to_f64(),
                        _ => None,
                    })?;
                let geometry = affine_geometry(&affine);
                let finite = geometry
                    .direction
                    .iter()
                    .chain(&geometry.origin)
                    .all(|v| v.is_finite());
                if !finite {
                    return Err(Problem::Other(format!(
                        "original_affine is {affine:?}, which is singular"
                    )));
                }
                (geometry, false)
            }
        };
        let mut size = [0; 3];
        for (axis, from) in reader.axes(&geometry).from.into_iter().enumerate() {
            size[from] = shape_before_cropping[plans.transpose_backward[axis]];
        }
        Ok(Self {
            reader,
            geometry,
            size,
            plane,
            spacing,
            shape_before_cropping,
            bbox_used_for_cropping: bounds,
            shape_after_cropping: sizes("shape_after_cropping_and_before_resampling")?,
        })
    }

    /// Labels of the reader's axes on the grid of the file.
    #[must_use]
    pub fn to_file_axes(&self, labels: Array3<i16>) -> Array3<i16> {
        let axes = self.axes();
        match axes.is_identity() {
            true => labels,
            false => axes.undo(labels.view()).as_standard_layout().into_owned(),
        }
    }

    /// The affine of the reoriented image.
    fn reoriented(&self, affine: [[f64; 4]; 3]) -> [[f64; 4]; 3] {
        let axes = self.axes();
        let mut turned = affine;
        for column in 0..3 {
            let (axis, source) = (2 - column, 2 - axes.from[2 - column]);
            let last = self.size[axes.from[axis]] as f64 - 1.0;
            for row in 0..3 {
                let step = affine[row][source];
                turned[row][column] = if axes.flip[axis] { -step } else { step };
                if axes.flip[axis] {
                    turned[row][3] += step * last;
                }
            }
        }
        turned
    }
}

/// Why properties cannot be read.
enum Problem {
    Pickle(pickle::Error),
    Other(String),
}

impl From<pickle::Error> for Problem {
    fn from(error: pickle::Error) -> Self {
        Self::Pickle(error)
    }
}

fn three(values: Vec<f64>, what: &str) -> Result<[f64; 3], Problem> {
    values
        .try_into()
        .map_err(|found| Problem::Other(format!("{what} is {found:?}, expected three numbers")))
}

/// Geometry of SimpleITK's values, and whether they are those of a plane.
fn sitk_geometry(spacing: &[f64], origin: &[f64], direction: &[f64]) -> Result<(Geometry, bool), Problem> {
    let n = spacing.len();
    if !matches!(n, 2 | 3) || origin.len() != n || direction.len() != n * n {
        let problem = format!(
            "sitk_stuff has {n} spacings, {} origins and {} direction cosines; expected 3, 3, 9 or, of a plane, 2, 2, 4",
            origin.len(),
            direction.len()
        );
        return Err(Problem::Other(problem));
    }
    let mut geometry = Geometry::default();
    for axis in 0..n {
        geometry.spacing[2 - axis] = spacing[axis];
        geometry.origin[axis] = origin[axis];
        for column in 0..n {
            geometry.direction[3 * axis + column] = direction[n * axis + column];
        }
    }
    Ok((geometry, n == 2))
}

/// Geometry of a 4 x 4 matrix: the opposite of [`affine`].
fn affine_geometry(matrix: &[f64]) -> Geometry {
    let sign = [-1.0, -1.0, 1.0];
    let mut geometry = Geometry::default();
    for column in 0..3 {
        let squares = (0..3).map(|row| matrix[4 * row + column].powi(2));
        let length = squares.sum::<f64>().sqrt();
        geometry.spacing[2 - column] = length;
        for row in 0..3 {
            geometry.direction[3 * row + column] = sign[row] * matrix[4 * row + column] / length;
        }
    }
    for row in 0..3 {
        geometry.origin[row] = sign[row] * matrix[4 * row + 3];
    }
    geometry
}

/// The affine of voxel indices (x, y, z) to millimetres in RAS.
fn affine(geometry: &Geometry) -> [[f64; 4]; 3] {
    let sign = [-1.0, -1.0, 1.0];
    let mut affine = [[0.0; 4]; 3];
    for row in 0..3 {
        for column in 0..3 {
            affine[row][column] =
                sign[row] * geometry.direction[3 * row + column] * geometry.spacing[2 - column];
        }
        affine[row][3] = sign[row] * geometry.origin[row];
    }
    affine
}

fn matrix(affine: [[f64; 4]; 3]) -> Value {
    let mut values = affine.as_flattened().to_vec();
    values.extend([0.0, 0.0, 0.0, 1.0]);
    NdArray::from_f64(&values)
        .reshaped(&[4, 4])
        .map_or(Value::None, Value::Array)
}
