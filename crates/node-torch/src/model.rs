//! A model in memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use inference::{Image, LoadedModel, Segmented};
use napi::bindgen_prelude::{Float32Array, Int16Array};
use napi_derive::napi;
use ndarray::{ArrayView4, Axis};
use node_task::{spawn, Failure, MessageFn};
use run::{Cancel, Code, Context};
use serde_json::{json, Value};
use settings::LoadModelOptions;
use volume::Geometry;

/// Interval at which waiting work looks for its turn.
const INTERVAL: Duration = Duration::from_millis(5);

/// The model, until it is closed. The lock lets one prediction run at a time.
type Slot = Arc<Mutex<Option<LoadedModel>>>;

/// Work whose result `take` returns after `done`.
type Made<T> = Arc<Mutex<Option<T>>>;

/// An image: a copy of the caller's values, which the caller may change afterwards.
#[napi]
pub struct ImageInput {
    image: Mutex<Option<Image>>,
}

#[napi]
impl ImageInput {
    /// Copies an image (channel, z, y, x).
    #[napi(factory)]
    pub fn of_values(
        data: Float32Array,
        shape: Vec<u32>,
        spacing: Vec<f64>,
        origin: Vec<f64>,
        direction: Vec<f64>,
    ) -> napi::Result<Self> {
        let wrong = |problem: &str| {
            Failure::new(
                Code::Options,
                problem,
                json!({ "shape": shape, "length": data.len() }),
            )
            .into_napi()
        };
        let [channels, z, y, x] = shape[..] else {
            return Err(wrong("shape: expected (channel, z, y, x)"));
        };
        let dim = (channels as usize, z as usize, y as usize, x as usize);
        let view = ArrayView4::from_shape(dim, &data)
            .map_err(|_| wrong("data: the number of values is not the product of the shape"))?;
        let geometry = Geometry {
            spacing: spacing
                .try_into()
                .map_err(|_| wrong("spacing: expected 3 numbers"))?,
            origin: origin
                .try_into()
                .map_err(|_| wrong("origin: expected 3 numbers"))?,
            direction: direction
                .try_into()
                .map_err(|_| wrong("direction: expected 9 numbers"))?,
        };
        let volumes = view
            .axis_iter(Axis(0))
            .map(|channel| channel.to_owned())
            .collect();
        Ok(Self::new(Image::Volumes(volumes, geometry)))
    }

    /// The files of an image, one for each channel.
    #[napi(factory)]
    pub fn of_files(files: Vec<String>) -> Self {
        Self::new(Image::Files(files.into_iter().map(PathBuf::from).collect()))
    }

    fn new(image: Image) -> Self {
        Self {
            image: Mutex::new(Some(image)),
        }
    }
}

/// What the addon says of a model.
#[napi(object)]
pub struct ModelFacts {
    /// Number of channels of an image.
    pub channels: u32,
    /// Number of classes, with the background.
    pub classes: u32,
    /// Names of the folds.
    pub folds: Vec<String>,
    /// Device used.
    pub device: String,
    /// Precision used.
    pub precision: String,
}

/// A result, on the grid of the image.
#[napi(object)]
pub struct SegmentedData {
    /// Labels (z, y, x).
    pub labels: Int16Array,
    /// Softmax (class, z, y, x), if it was requested.
    pub softmax: Option<Float32Array>,
    /// Shape (z, y, x).
    pub shape: Vec<u32>,
}

/// A prediction on its own thread.
#[napi]
pub struct SegmentWork {
    cancel: Cancel,
    made: Made<Segmented>,
}

#[napi]
impl SegmentWork {
    /// Cancels the work at its next safe point. Idempotent.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Returns the result after `done`, once; nothing if it was written to a file.
    #[napi]
    pub fn take(&self) -> Option<SegmentedData> {
        let Segmented { labels, softmax } = lock(&self.made).take()?;
        Some(SegmentedData {
            shape: labels.shape().iter().map(|&n| n as u32).collect(),
            labels: Int16Array::new(values(labels)),
            softmax: softmax.map(|softmax| Float32Array::new(values(softmax))),
        })
    }
}

/// A model in memory.
#[napi]
pub struct ModelHandle {
    slot: Slot,
    workers: usize,
    facts: (usize, usize, Vec<String>, String, &'static str),
}

#[napi]
impl ModelHandle {
    /// Describes the model.
    #[napi]
    pub fn facts(&self) -> ModelFacts {
        let (channels, classes, folds, device, precision) = self.facts.clone();
        ModelFacts {
            channels: channels as u32,
            classes: classes as u32,
            folds,
            device,
            precision: precision.to_owned(),
        }
    }

    /// Starts a prediction. With `output`, the segmentation is written there.
    #[napi(
        ts_args_type = "image: ImageInput, output: string | undefined, softmax: boolean, onMessage: (message: string) => void"
    )]
    pub fn segment(
        &self,
        image: &ImageInput,
        output: Option<String>,
        softmax: bool,
        on_message: MessageFn,
    ) -> napi::Result<SegmentWork> {
        let image = lock(&image.image).take();
        let image = image.ok_or_else(|| Failure::internal("an image that was used before").into_napi())?;
        let (made, slot, workers) = (Made::default(), self.slot.clone(), self.workers);
        let result = Arc::clone(&made);
        let cancel = spawn("segment", on_message, move |caller| {
            let context = caller.context(workers);
            let model = turn(&slot, &context)?;
            let model = model.as_ref().ok_or_else(closed)?;
            match output {
                Some(output) => model.segment_to(image, output.as_ref(), softmax, &context)?,
                None => *lock(&result) = Some(model.segment(image, softmax, &context)?),
            }
            Ok(Value::Null)
        })?;
        Ok(SegmentWork { cancel, made })
    }

    /// Frees the model on a thread, after the running prediction.
    #[napi(ts_args_type = "onMessage: (message: string) => void")]
    pub fn close(&self, on_message: MessageFn) -> napi::Result<()> {
        let slot = self.slot.clone();
        spawn("close", on_message, move |_| {
            drop(lock(&slot).take());
            Ok(Value::Null)
        })?;
        Ok(())
    }
}

/// A model being loaded on its own thread.
#[napi]
pub struct LoadWork {
    cancel: Cancel,
    made: Made<(LoadedModel, usize)>,
}

/// Starts loading a model.
#[napi(ts_args_type = "options: string, onMessage: (message: string) => void")]
pub fn load_model(options: String, on_message: MessageFn) -> napi::Result<LoadWork> {
    let made = Made::default();
    let result = Arc::clone(&made);
    let cancel = spawn("load", on_message, move |caller| {
        let given = run::parse::<LoadModelOptions>(&options)?;
        let workers = given.common.workers;
        let model = LoadedModel::load(&given.options, &caller.context(workers))?;
        *lock(&result) = Some((model, workers));
        Ok(Value::Null)
    })?;
    Ok(LoadWork { cancel, made })
}

#[napi]
impl LoadWork {
    /// Cancels the work at its next safe point. Idempotent.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Returns the model after `done`, once.
    #[napi]
    pub fn take(&self) -> napi::Result<ModelHandle> {
        let made = lock(&self.made).take();
        let (model, workers) =
            made.ok_or_else(|| Failure::internal("the model was taken before").into_napi())?;
        Ok(ModelHandle {
            facts: (
                model.channels(),
                model.classes(),
                model.folds(),
                model.device(),
                model.precision(),
            ),
            slot: Arc::new(Mutex::new(Some(model))),
            workers,
        })
    }
}

/// Waits for the model. Stops when the work is cancelled.
fn turn<'a>(slot: &'a Slot, context: &Context) -> Result<MutexGuard<'a, Option<LoadedModel>>, Failure> {
    loop {
        context.check()?;
        match slot.try_lock() {
            Ok(model) => return Ok(model),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(INTERVAL),
        }
    }
}

fn closed() -> Failure {
    Failure::new(
        Code::ModelClosed,
        "the model is closed; load it again with loadModel",
        Value::Null,
    )
}

/// Values in C order, without a copy if they are in this order.
fn values<T: Clone, D: ndarray::Dimension>(array: ndarray::Array<T, D>) -> Vec<T> {
    if array.is_standard_layout() {
        let length = array.len();
        let (values, offset) = array.into_raw_vec_and_offset();
        if offset.unwrap_or(0) == 0 && values.len() == length {
            return values;
        }
        return values
            .into_iter()
            .skip(offset.unwrap_or(0))
            .take(length)
            .collect();
    }
    array.iter().cloned().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
