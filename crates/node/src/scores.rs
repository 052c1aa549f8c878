//! Scores and places of label maps in memory, for pictures.

use evaluate::{MetricOptions, Region};
use napi::bindgen_prelude::Int16Array;
use napi_derive::napi;
use ndarray::ArrayView3;
use node_task::{guard, Failure};
use run::{Cancel, Code};
use serde_json::json;
use volume::{Geometry, UNLABELLED};

/// Dice of each class as the verb `evaluate` computes it with unlabelled voxels of the reference excluded; NaN if
/// neither label map has the class. Arrays are in C order (z, y, x).
#[napi]
pub fn dice(
    reference: Int16Array,
    prediction: Int16Array,
    shape: Vec<u32>,
    classes: Vec<i32>,
) -> napi::Result<Vec<f64>> {
    guard(|| {
        let reference = view(&reference, &shape)?;
        let prediction = view(&prediction, &shape)?;
        let labels: Vec<i16> = classes
            .iter()
            .map(|&class| i16::try_from(class).unwrap_or(i16::MAX))
            .collect();
        let options = MetricOptions {
            regions: labels.iter().map(|&label| Region::Label(label)).collect(),
            ignore_label: Some(UNLABELLED),
            hausdorff: false,
        };
        let scores = evaluate::evaluate(reference, prediction, [1.0; 3], &options, &Cancel::new())?;
        let dice = |label: &i16| scores.get(&Region::Label(*label).key()).map(|s| s.dice);
        Ok(labels.iter().map(|l| dice(l).unwrap_or(f64::NAN)).collect())
    })
    .map_err(Failure::into_napi)
}

fn view<'a>(values: &'a [i16], shape: &[u32]) -> Result<ArrayView3<'a, i16>, Failure> {
    let axes: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
    let found = match axes[..] {
        [z, y, x] => ArrayView3::from_shape([z, y, x], values).ok(),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!(
            "expected labels of shape {axes:?}, received {} voxels",
            values.len()
        );
        Failure::new(
            Code::Options,
            message,
            json!({ "shape": axes, "length": values.len() }),
        )
    })
}

/// Place of a volume, as in `VolumeData`.
#[napi(object)]
pub struct Place {
    /// Millimetres along (z, y, x).
    pub spacing: Vec<f64>,
    /// Position of the first voxel in millimetres, (x, y, z), LPS.
    pub origin: Vec<f64>,
    /// Row-major direction cosines, LPS.
    pub direction: Vec<f64>,
}

/// Largest relative deviation of two places, as the verb `evaluate` compares with its tolerance. NaN if either is
/// not a place.
#[napi]
pub fn place_deviation(first: Place, second: Place) -> f64 {
    let (Some(first), Some(second)) = (geometry(first), geometry(second)) else {
        return f64::NAN;
    };
    let found = first.relative_deviation(&second);
    let all = [found.spacing, found.origin, found.direction];
    // `f64::max` would ignore a NaN.
    all.into_iter()
        .fold(0.0, |m, d| if d.is_nan() || d > m { d } else { m })
}

fn geometry(place: Place) -> Option<Geometry> {
    Some(Geometry {
        spacing: place.spacing.try_into().ok()?,
        origin: place.origin.try_into().ok()?,
        direction: place.direction.try_into().ok()?,
    })
}
