//! Initial weights from keyed draws: identical on every machine and for any number of threads.

use random::Normals;
use rayon::prelude::*;

use super::layout::{Parameter, Role};

/// Negative slope passed to `InitWeights_He` by nnU-Net v1.
const SLOPE: f64 = 1e-2;

/// Standard deviation of He's initialisation (He et al. 2015) as `kaiming_normal_(a=1e-2)` computes it. The
/// fan-in is `shape[1] * kernel`; for a transposed convolution this counts the output channels.
pub(super) fn deviation(shape: &[i64]) -> f64 {
    let fan_in: i64 = shape[1..].iter().product();
    (2.0 / (1.0 + SLOPE * SLOPE) / fan_in as f64).sqrt()
}

/// Initial values of the parameter at `index`; `attempt` counts earlier initialisations of the network.
pub(super) fn values(parameter: &Parameter, index: usize, seed: u64, attempt: u64) -> Vec<f32> {
    let length = parameter.shape.iter().product::<i64>() as usize;
    match parameter.role {
        Role::NormWeight => vec![1.0; length],
        Role::Bias => vec![0.0; length],
        Role::Convolution => {
            let deviation = deviation(&parameter.shape);
            let normals = Normals::keyed(seed, &[attempt, index as u64]);
            (0..length as u64)
                .into_par_iter()
                .map(|i| (normals.at(i) * deviation) as f32)
                .collect()
        }
    }
}
