//! Volumes as typed arrays.

use std::path::PathBuf;

use napi::bindgen_prelude::{AsyncTask, Float32Array};
use napi::{Env, Task};
use napi_derive::napi;
use ndarray::{Array3, Axis};
use node_task::{guard, Failure};
use run::Code;
use serde_json::json;
use volume::Geometry;

/// One channel of an image file.
#[napi(object)]
pub struct VolumeData {
    /// Values in C order (z, y, x).
    pub data: Float32Array,
    /// Shape, (z, y, x).
    pub shape: Vec<u32>,
    /// Millimetres along (z, y, x).
    pub spacing: Vec<f64>,
    /// Position of the first voxel in millimetres, (x, y, z), LPS.
    pub origin: Vec<f64>,
    /// Row-major direction cosines, LPS.
    pub direction: Vec<f64>,
}

/// Reads one channel of a NIfTI file.
#[napi(ts_return_type = "Promise<VolumeData>")]
pub fn read_volume(path: String, channel: u32) -> AsyncTask<ReadVolume> {
    AsyncTask::new(ReadVolume {
        path: path.into(),
        channel: channel as usize,
    })
}

/// The work of [`read_volume`].
pub struct ReadVolume {
    path: PathBuf,
    channel: usize,
}

impl ReadVolume {
    fn read(&self) -> Result<(Array3<f32>, Geometry), Failure> {
        let (image, geometry) = volume::nifti::read_image(&self.path)?;
        let channels = image.len_of(Axis(0));
        if self.channel >= channels {
            return Err(Failure::new(
                Code::Options,
                format!(
                    "{}: expected a channel below {channels}, received {}",
                    self.path.display(),
                    self.channel
                ),
                json!({ "path": self.path, "channels": channels, "channel": self.channel }),
            ));
        }
        Ok((image.index_axis_move(Axis(0), self.channel), geometry))
    }
}

impl Task for ReadVolume {
    type Output = (Array3<f32>, Geometry);
    type JsValue = VolumeData;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        guard(|| self.read()).map_err(Failure::into_napi)
    }

    fn resolve(&mut self, _: Env, (image, geometry): Self::Output) -> napi::Result<VolumeData> {
        let shape = image.shape().iter().map(|&n| n as u32).collect();
        Ok(VolumeData {
            data: Float32Array::new(image.into_iter().collect()),
            shape,
            spacing: geometry.spacing.to_vec(),
            origin: geometry.origin.to_vec(),
            direction: geometry.direction.to_vec(),
        })
    }
}
