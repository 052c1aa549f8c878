//! What preprocessing records of a case, and export undoes: v2's properties.

use std::path::Path;

use pickle::{Dict, NdArray, Value};
use volume::Geometry;

use crate::reader::Axes;
use crate::{Error, Reader};

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
