//! Batches as typed arrays.

use std::sync::{Arc, Mutex, PoisonError};

use ::preview::{Array, Preview, PreviewBatch, PreviewOptions};
use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;
use node_task::{spawn, Failure, MessageFn};
use run::Cancel;
use serde_json::Value;

/// A C-ordered array.
#[napi(object)]
pub struct ArrayData {
    /// Values in C order.
    pub data: Float32Array,
    /// Length of each axis.
    pub shape: Vec<u32>,
}

/// One batch. Axes are (sample, channel, z, y, x) in 3D and (sample, channel, y, x) in 2D.
#[napi(object)]
pub struct BatchData {
    /// The case of each sample.
    pub cases: Vec<String>,
    /// Epoch, counted from 0.
    pub epoch: i64,
    /// Iteration in the epoch, counted from 0.
    pub iteration: i64,
    /// The network's input.
    pub data: ArrayData,
    /// Labels, finest scale first.
    pub targets: Vec<ArrayData>,
    /// Voxel weights, finest scale first; absent unless the recipe uses them.
    pub weights: Option<Vec<ArrayData>>,
    /// Direction of each sample's array, as that of a volume; empty if unknown.
    pub directions: Vec<Vec<f64>>,
}

/// The batches of a preview.
#[napi(object)]
pub struct PreviewData {
    /// Full name of the task.
    pub task: String,
    /// Patch size, (z, y, x) or (y, x).
    pub patch_size: Vec<u32>,
    /// Millimetres along the axes of the patch.
    pub spacing: Vec<f64>,
    /// Whether the batches are augmented.
    pub augmented: bool,
    /// Names of the image channels.
    pub modalities: Vec<String>,
    /// Names of classes 1, 2, …
    pub classes: Vec<String>,
    /// Batches of consecutive iterations.
    pub batches: Vec<BatchData>,
}

/// A preview on its own thread.
#[napi]
pub struct PreviewWork {
    cancel: Cancel,
    made: Arc<Mutex<Option<Preview>>>,
}

/// Starts loading batches. `onMessage` receives events and finally `done` with a null result; `take` returns
/// the batches.
#[napi(ts_args_type = "options: string, onMessage: (message: string) => void")]
pub fn start_preview(options: String, on_message: MessageFn) -> napi::Result<PreviewWork> {
    let made = Arc::new(Mutex::new(None));
    let slot = made.clone();
    let cancel = spawn("preview", on_message, move |caller| {
        let given = run::parse::<PreviewOptions>(&options)?;
        let context = caller.context(given.common.workers);
        let preview = ::preview::preview(&given.options, &context)?;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(preview);
        Ok(Value::Null)
    })?;
    Ok(PreviewWork { cancel, made })
}

#[napi]
impl PreviewWork {
    /// Cancels the work at its next safe point. Idempotent.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Returns the batches after `done`. Ownership moves to the caller, so a second call fails.
    #[napi]
    pub fn take(&self) -> napi::Result<PreviewData> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).take();
        let preview =
            made.ok_or_else(|| Failure::internal("the preview holds no batches to take").into_napi())?;
        Ok(PreviewData {
            task: preview.task,
            patch_size: axes(&preview.patch_size),
            spacing: preview.spacing,
            augmented: preview.augmented,
            modalities: preview.modalities,
            classes: preview.classes,
            batches: preview.batches.into_iter().map(batch).collect(),
        })
    }
}

fn batch(batch: PreviewBatch) -> BatchData {
    let all = |arrays: Vec<Array>| arrays.into_iter().map(array).collect();
    BatchData {
        cases: batch.cases,
        // Both came from JavaScript, whose numbers are smaller.
        epoch: batch.epoch as i64,
        iteration: batch.iteration as i64,
        data: array(batch.data),
        targets: all(batch.targets),
        weights: batch.weights.map(all),
        directions: batch
            .directions
            .iter()
            .map(|d| d.map(Vec::from).unwrap_or_default())
            .collect(),
    }
}

fn array(array: Array) -> ArrayData {
    ArrayData {
        shape: axes(&array.shape),
        data: Float32Array::new(array.values),
    }
}

fn axes(lengths: &[usize]) -> Vec<u32> {
    lengths.iter().map(|&n| n as u32).collect()
}
