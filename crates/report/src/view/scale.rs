//! Values as bytes.

use ndarray::ArrayView3;

use crate::data::{Layer, LayerRole};

/// Hounsfield units that a CT shows.
const CT: [f32; 2] = [-1024.0, 2048.0];

/// Values as bytes.
pub(super) struct Scale {
    low: f64,
    slope: f64,
}

impl Scale {
    /// Bytes that are the values.
    pub const LABELS: Self = Self { low: 0.0, slope: 1.0 };

    /// From the darkest to the brightest of these values, without the outermost thousandth.
    pub fn of(values: ArrayView3<'_, f32>, ct: bool) -> Self {
        let stride = (values.len() / 200_000).max(1);
        let mut sample: Vec<f32> = values
            .iter()
            .step_by(stride)
            .copied()
            .filter(|v| v.is_finite())
            .collect();
        sample.sort_unstable_by(f32::total_cmp);
        let Some(last) = sample.len().checked_sub(1) else {
            return Self::LABELS;
        };
        let cut = last / 1000;
        let (mut low, mut high) = (sample[cut], sample[last - cut]);
        if ct {
            (low, high) = (low.clamp(CT[0], CT[1]), high.clamp(CT[0], CT[1]));
        }
        let slope = f64::from(high - low) / 255.0;
        Self {
            low: low.into(),
            slope: if slope > 0.0 { slope } else { 1.0 },
        }
    }

    /// From 0 to the largest weight.
    pub fn of_weights(values: ArrayView3<'_, f32>) -> Self {
        let high = values
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .fold(0.0, f32::max);
        Self {
            low: 0.0,
            slope: if high > 0.0 { f64::from(high) / 255.0 } else { 1.0 },
        }
    }

    pub fn byte(&self, value: f32) -> u8 {
        // A NaN becomes 0.
        ((f64::from(value) - self.low) / self.slope)
            .round()
            .clamp(0.0, 255.0) as u8
    }

    pub fn layer(&self, role: LayerRole, name: &str, ct: bool) -> Layer {
        Layer {
            role,
            name: name.to_owned(),
            blob: 0,
            element: "uint8",
            slope: self.slope,
            intercept: self.low,
            window: [self.low, self.low + 255.0 * self.slope],
            ct,
            unlabelled: None,
        }
    }
}
