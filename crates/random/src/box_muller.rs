//! Normal numbers from uniform ones (Box and Muller 1958).

/// Uniform in [0, 1) from the upper 53 of 64 random bits.
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A standard normal number from two independent uniform numbers in [0, 1): the cosine half.
pub(crate) fn box_muller(radius: f64, angle: f64) -> f64 {
    // 1 - radius lies in (0, 1]: its logarithm is finite.
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}
