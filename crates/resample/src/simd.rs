//! Runtime choice of the instruction set.

/// A computation that is compiled once a set of instructions. `run` and all it calls must be `#[inline(always)]`, so
/// that it is compiled inside the function that enables the instructions.
pub(crate) trait Kernel {
    /// Executes it.
    fn run(self);
}

/// Runs a kernel with AVX2 where the machine has it. Nothing is fused or reordered, so results are the same bit for bit.
pub(crate) fn dispatch<K: Kernel>(kernel: K) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was detected just above.
        return unsafe { with_avx2(kernel) };
    }
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) {
    kernel.run();
}
