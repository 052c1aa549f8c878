//! Runtime selection of the instruction set.

/// A computation that is compiled once per instruction set. `run` and all functions it calls must be
/// `#[inline(always)]`, so that they are compiled inside the function that enables the instructions.
pub(crate) trait Kernel {
    /// Runs the computation.
    fn run(self);
}

/// Runs a kernel with AVX2 if the machine supports it. Nothing is fused or reordered, so that results are
/// bit-identical.
pub(crate) fn dispatch<K: Kernel>(kernel: K) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the check above detected the feature.
        return unsafe { with_avx2(kernel) };
    }
    kernel.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) {
    kernel.run();
}
