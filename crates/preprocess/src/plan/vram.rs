//! The planner's estimate of GPU memory.

/// Maximum estimate of the 3D planner at batch size 2: 520e6 for 30 features, scaled to the actual 32.
pub const REFERENCE_3D: f64 = 520_000_000.0 * 32.0 / 30.0;
/// Maximum estimate of the 2D planner at batch size 2.
pub const REFERENCE_2D: f64 = 19_739_648.0 * 50.0 / 2.0;

/// Network of the memory estimate.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Number of features of the finest stage, doubled at each pooling.
    pub base_features: usize,
    /// Maximum number of features of any stage.
    pub max_features: usize,
    /// Number of input channels.
    pub modalities: usize,
    /// Number of output channels, including the background.
    pub classes: usize,
    /// Number of convolutions per stage.
    pub convolutions_per_stage: usize,
    /// Whether coarser stages also have outputs. The planner uses false.
    pub deep_supervision: bool,
}

/// Returns the number of feature map values of one forward pass of `patch`: proportional to memory, not
/// bytes.
///
/// `kernels` are the pooling strides, finest first. Reference:
/// `Generic_UNet.compute_approx_vram_consumption`.
pub fn estimate(network: &Network, patch: &[usize], kernels: &[Vec<usize>]) -> u64 {
    let mut size: Vec<u64> = patch.iter().map(|&p| p as u64).collect();
    let voxels = |size: &[u64]| size.iter().product::<u64>();
    let per_stage = network.convolutions_per_stage as u64;
    let mut features = network.base_features as u64;
    let mut total = (2 * per_stage + 1) * voxels(&size) * features
        + (network.modalities + network.classes) as u64 * voxels(&size);
    for (stage, kernel) in kernels.iter().enumerate() {
        for (s, &k) in size.iter_mut().zip(kernel) {
            *s /= k as u64;
        }
        features = (features * 2).min(network.max_features as u64);
        // Encoder, decoder and one transposed convolution. The bottleneck has only an encoder.
        let blocks = if stage + 1 < kernels.len() {
            2 * per_stage + 1
        } else {
            per_stage
        };
        total += blocks * voxels(&size) * features;
        if network.deep_supervision && stage + 2 < kernels.len() {
            total += voxels(&size) * network.classes as u64;
        }
    }
    total
}
