//! The resampling functions that plans name.

use resample::{Order, Resampling, SeparateZ, ANISOTROPY_THRESHOLD};
use serde_json::{Map, Value as Json};

use crate::record::{text, whole, Record};
use crate::Error;

/// A resampling function with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct ResampleFunction {
    /// The function.
    pub kind: ResampleKind,
    /// `force_separate_z`: whether slices are resampled in plane first, and the low-resolution axis afterwards.
    pub separate_z: SeparateZ,
    /// `separate_z_anisotropy_threshold`.
    pub anisotropy_threshold: f64,
}

/// Function of a [`ResampleFunction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResampleKind {
    /// `resample_data_or_seg_to_shape`: splines.
    Spline {
        /// Interpolation order in plane, or of all axes.
        order: Order,
        /// Interpolation order along a separate axis.
        order_z: Order,
    },
    /// `resample_torch_fornnunet`: linear, with the nearest slice along a separate axis.
    Torch {
        /// `memefficient_seg_resampling`: a label needs more than half of the weight; the highest such label counts.
        /// Otherwise the label with the largest weight counts.
        majority: bool,
    },
    /// `no_resampling_hack`: none.
    None,
}

const KNOWN: &str = "resample_data_or_seg_to_shape, resample_torch_fornnunet and no_resampling_hack";

impl ResampleFunction {
    /// Reads the function `key` and its `<key>_kwargs` of a configuration.
    pub(crate) fn read(configuration: Record<'_>, key: &str, segmentation: bool) -> Result<Self, Error> {
        let name = configuration.required(key, "the name of a function", text)?;
        let kwargs = format!("{key}_kwargs");
        let none = Map::new();
        let arguments = configuration.optional(&kwargs, "an object", Json::as_object)?;
        let place = format!("{}{kwargs}.", configuration.place);
        let record = Record {
            place: &place,
            map: arguments.unwrap_or(&none),
            ..configuration
        };
        let path = configuration.path;
        let (kind, separate_z, allowed): (_, _, &[&str]) = match name.as_str() {
            "resample_data_or_seg_to_shape" => {
                let kind = ResampleKind::Spline {
                    order: order(record, "order", Order::Cubic)?,
                    order_z: order(record, "order_z", Order::Nearest)?,
                };
                (kind, SeparateZ::Never, &["is_seg", "order", "order_z"])
            }
            "resample_torch_fornnunet" => {
                fixed(record, "mode", "linear")?;
                fixed(record, "aniso_axis_mode", "nearest-exact")?;
                let majority = record.optional("memefficient_seg_resampling", BOOL, Json::as_bool)?;
                let kind = ResampleKind::Torch {
                    majority: majority.unwrap_or(false),
                };
                let allowed = &[
                    "is_seg",
                    "num_threads",
                    "device",
                    "memefficient_seg_resampling",
                    "mode",
                    "aniso_axis_mode",
                ];
                (kind, SeparateZ::Auto, allowed)
            }
            "no_resampling_hack" => (ResampleKind::None, SeparateZ::Never, &[]),
            _ => {
                let what = format!("{}{key}", configuration.place);
                return Err(Error::unsupported(path, &what, name, KNOWN));
            }
        };
        let common = ["force_separate_z", "separate_z_anisotropy_threshold"];
        if let Some(other) = record
            .map
            .keys()
            .find(|key| !allowed.contains(&key.as_str()) && !common.contains(&key.as_str()))
        {
            let known = [allowed, &common].concat().join(", ");
            let what = format!("an argument of {name} in {}{kwargs}", configuration.place);
            return Err(Error::unsupported(path, &what, other.as_str(), &known));
        }
        let is_seg = record.optional("is_seg", BOOL, Json::as_bool)?.unwrap_or(false);
        if is_seg != segmentation && kind != ResampleKind::None {
            return Err(record.wrong("is_seg", &segmentation.to_string(), &is_seg.to_string()));
        }
        let given = record.map.get("force_separate_z");
        let separate_z = match given {
            // The default of the function, which differs from an explicit null.
            None => separate_z,
            Some(Json::Null) => SeparateZ::Auto,
            Some(Json::Bool(true)) => SeparateZ::Always,
            Some(Json::Bool(false)) => SeparateZ::Never,
            Some(other) => {
                return Err(record.wrong("force_separate_z", "true, false or null", &other.to_string()))
            }
        };
        let threshold = record.optional("separate_z_anisotropy_threshold", "a number", Json::as_f64)?;
        Ok(Self {
            kind,
            separate_z,
            anisotropy_threshold: threshold.unwrap_or(ANISOTROPY_THRESHOLD),
        })
    }

    /// Whether it can be computed from a few planes at a time.
    pub(crate) fn streams(&self) -> bool {
        match self.kind {
            ResampleKind::Spline { order, order_z } => {
                let separate = self.separate_z != SeparateZ::Never;
                order != Order::Cubic && (!separate || order_z == Order::Nearest)
            }
            ResampleKind::Torch { .. } | ResampleKind::None => true,
        }
    }

    /// The resampling of an array from one spacing to another (mm), which gives the array `shape`. `None` if the function
    /// does not resample.
    ///
    /// # Errors
    /// [`resample::Error::Spacing`].
    pub fn resampling(
        &self,
        shape: [usize; 3],
        current: [f64; 3],
        new: [f64; 3],
    ) -> Result<Option<Resampling>, resample::Error> {
        let (order, order_z) = match self.kind {
            ResampleKind::Spline { order, order_z } => (order, order_z),
            ResampleKind::Torch { .. } => (Order::Linear, Order::Nearest),
            ResampleKind::None => return Ok(None),
        };
        let threshold = self.anisotropy_threshold;
        Ok(Some(Resampling {
            shape,
            separate_axis: resample::separate_axis(current, new, self.separate_z, threshold)?,
            order,
            order_z,
        }))
    }
}

const BOOL: &str = "true or false";

fn order(record: Record<'_>, key: &str, default: Order) -> Result<Order, Error> {
    let found = record.optional(key, "a spline order", whole)?;
    match found.map(Order::try_from) {
        None => Ok(default),
        Some(Ok(order)) => Ok(order),
        Some(Err(_)) => {
            let what = format!("{}{key}", record.place);
            let found = found.unwrap_or_default().to_string();
            Err(Error::unsupported(record.path, &what, found, "0, 1 and 3"))
        }
    }
}

/// Refuses another value of an argument than the function's default.
fn fixed(record: Record<'_>, key: &str, known: &str) -> Result<(), Error> {
    match record.optional(key, "a text", text)? {
        Some(other) if other != known => {
            let what = format!("{}{key}", record.place);
            Err(Error::unsupported(record.path, &what, other, known))
        }
        _ => Ok(()),
    }
}
