//! The distance transform on typed arrays.

use napi::bindgen_prelude::{AsyncTask, Either4, Float32Array, Int16Array, Int32Array, Uint8Array};
use napi::{Env, Task};
use napi_derive::napi;
use ndarray::{ArrayViewD, IxDyn};
use node_task::{guard, Failure};
use run::Code;
use serde_json::json;

/// A mask from JavaScript: zero or non-zero values.
pub type Mask = Either4<Uint8Array, Int16Array, Int32Array, Float32Array>;

/// Returns the distance of every non-zero voxel to the nearest zero voxel, optionally squared. C order, one
/// to three axes.
#[napi(
    ts_args_type = "mask: Uint8Array | Int16Array | Int32Array | Float32Array, shape: number[], spacing: number[], bound: number | undefined, squared: boolean",
    ts_return_type = "Promise<Float32Array>"
)]
pub fn distance_transform(
    mask: Mask,
    shape: Vec<u32>,
    spacing: Vec<f64>,
    bound: Option<f64>,
    squared: bool,
) -> AsyncTask<DistanceTransform> {
    let shape = shape.into_iter().map(|n| n as usize).collect();
    AsyncTask::new(DistanceTransform {
        mask,
        shape,
        spacing,
        // Rounded up, so that distances equal to the bound are kept.
        bound: bound.map(|b| (b as f32).next_up()),
        squared,
    })
}

/// The work of [`distance_transform`].
pub struct DistanceTransform {
    mask: Mask,
    shape: Vec<usize>,
    spacing: Vec<f64>,
    bound: Option<f32>,
    squared: bool,
}

impl DistanceTransform {
    fn transform<T: edt::Voxel>(&self, mask: &[T]) -> Result<Vec<f32>, Failure> {
        let view = ArrayViewD::from_shape(IxDyn(&self.shape), mask).map_err(|_| {
            Failure::new(
                Code::Options,
                format!(
                    "expected a mask of shape {:?} but received {} voxels",
                    self.shape,
                    mask.len()
                ),
                json!({ "shape": self.shape, "length": mask.len() }),
            )
        })?;
        let mut out = edt::squared_distance(view, &self.spacing, self.bound)?
            .into_raw_vec_and_offset()
            .0;
        if !self.squared {
            out.iter_mut().for_each(|d| *d = d.sqrt());
        }
        Ok(out)
    }
}

impl Task for DistanceTransform {
    type Output = Vec<f32>;
    type JsValue = Float32Array;

    fn compute(&mut self) -> napi::Result<Vec<f32>> {
        guard(|| match &self.mask {
            Either4::A(mask) => self.transform(mask),
            Either4::B(mask) => self.transform(mask),
            Either4::C(mask) => self.transform(mask),
            Either4::D(mask) => self.transform(mask),
        })
        .map_err(Failure::into_napi)
    }

    fn resolve(&mut self, _: Env, output: Vec<f32>) -> napi::Result<Float32Array> {
        Ok(Float32Array::new(output))
    }
}
