//! Random numbers by position, eight blocks of Philox at a time.
//!
//! Patch-sized noise is drawn here in float32 with polynomials. [`Rng::normal`](random::Rng::normal), in
//! float64 and one number at a time, would need most of a chain's time.

use random::philox;

use crate::math::{log2, sin_cos_turns};
use crate::simd::kernel;

/// A field of standard normal numbers, addressed by position and independent of the order of access.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    key: [u32; 2],
    stream: u32,
}

/// Blocks of four numbers that [`Field::normal`] computes at once.
const LANES: usize = 8;

impl Field {
    /// Numbers per block, the unit of addresses.
    pub(crate) const BLOCK: usize = 4 * LANES;

    /// Field `stream` of `key`. The key is drawn from a sample's stream.
    pub(crate) fn new(key: [u32; 2], stream: u32) -> Self {
        Self { key, stream }
    }

    /// Writes uniform numbers in [0, 1) to `out`, from block `block` on.
    pub(crate) fn uniform(self, block: u64, out: &mut [f32]) {
        for (i, out) in out.chunks_mut(4).enumerate() {
            let counter = block * LANES as u64 + i as u64;
            let words = philox([counter as u32, (counter >> 32) as u32, self.stream, 1], self.key);
            for (o, word) in out.iter_mut().zip(words) {
                *o = (word >> 8) as f32 * (1.0 / 16_777_216.0);
            }
        }
    }

    /// Writes standard normal numbers to `out`, from block `block` on.
    pub(crate) fn normal(self, block: u64, out: &mut [f32]) {
        normal_field(self.key, self.stream, block, out);
    }
}

kernel! {
    fn normal_field(key: [u32; 2], stream: u32, block: u64, out: &mut [f32]) {
        for (i, out) in out.chunks_mut(4 * LANES).enumerate() {
            let first = (block + i as u64) * LANES as u64;
            let mut bits = [[0_u32; LANES]; 4];
            for lane in 0..LANES {
                let counter = first + lane as u64;
                let words = philox([counter as u32, (counter >> 32) as u32, stream, 0], key);
                for word in 0..4 {
                    bits[word][lane] = words[word];
                }
            }
            let mut normals = [[0.0_f32; LANES]; 4];
            for pair in [0, 2] {
                for lane in 0..LANES {
                    // 24 bits each: the radius is in (0, 1], the angle in [0, 1).
                    let radius = ((bits[pair][lane] >> 8) + 1) as i32 as f32 * (1.0 / 16_777_216.0);
                    let angle = (bits[pair + 1][lane] >> 8) as i32 as f32 * (1.0 / 16_777_216.0);
                    let radius = (-2.0 * std::f32::consts::LN_2 * log2(radius)).sqrt();
                    let (sin, cos) = sin_cos_turns(angle);
                    normals[pair][lane] = radius * cos;
                    normals[pair + 1][lane] = radius * sin;
                }
            }
            for (o, n) in out.iter_mut().zip(normals.as_flattened()) {
                *o = *n;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_standard_normal_and_addressed_by_position() {
        let field = Field::new([3, 4], 1);
        let mut whole = vec![0.0; 1 << 20];
        field.normal(0, &mut whole);
        let mut part = vec![0.0; 320];
        field.normal(7, &mut part);
        assert_eq!(part, whole[7 * 32..7 * 32 + 320]);
        let portable = crate::simd::portably(|| {
            let mut values = vec![0.0; 320];
            field.normal(7, &mut values);
            values
        });
        assert_eq!(part, portable);
        let n = whole.len() as f64;
        let moment = |k: i32| whole.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / n;
        // Standard errors of the first four moments over 2^20 draws, times five.
        for (k, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let tolerance = 5.0 * f64::sqrt(variance / n);
            assert!(
                (moment(k) - expected).abs() < tolerance,
                "moment {k}: {}",
                moment(k)
            );
        }
        let neighbours = whole.windows(2).map(|w| f64::from(w[0] * w[1])).sum::<f64>() / n;
        assert!(neighbours.abs() < 5.0 / n.sqrt());
        let mut other = vec![0.0; 320];
        Field::new([3, 4], 2).normal(7, &mut other);
        assert_ne!(part, other);
    }
}
