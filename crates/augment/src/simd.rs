//! Selection of the widest SIMD instructions of the processor at run time.
//!
//! Kernels are written once as plain loops with fused multiply-adds and compiled twice: for the baseline, and
//! for AVX2 with FMA. Neither version reorders floating-point operations, so both give the same bits.

#[cfg(test)]
thread_local! {
    static PORTABLE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `f` with the portable version of every kernel, for comparison.
#[cfg(test)]
pub(crate) fn portably<R>(f: impl FnOnce() -> R) -> R {
    PORTABLE.set(true);
    let result = f();
    PORTABLE.set(false);
    result
}

/// Whether kernels may use AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn avx2() -> bool {
    #[cfg(test)]
    if PORTABLE.get() {
        return false;
    }
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// Declares a function that is compiled for the baseline and for AVX2 with FMA. The call selects one.
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) $(-> $ret)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $type),*) $(-> $ret)? {
                    portable($($arg),*)
                }
                if $crate::simd::avx2() {
                    // SAFETY: the previous line checked that the processor has AVX2 and FMA.
                    return unsafe { wide($($arg),*) };
                }
            }
            portable($($arg),*)
        }
    };
}
pub(crate) use kernel;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spatial::ElasticOptions;
    use crate::{Block, Params, Pipeline, PipelineOptions, Sample, Workspace};
    use random::{Purpose, Rng};

    /// A chain with all transforms gives the same bits with and without AVX2.
    #[test]
    fn portable_and_avx2_kernels_agree() {
        for (patch, dummy) in [
            (vec![10, 12, 19], false),
            (vec![4, 12, 19], true),
            (vec![21, 18], false),
        ] {
            let mut options = PipelineOptions::new(&patch, 1);
            options.dummy_2d = dummy;
            options.weightmap = true;
            let mut strength = options.strength();
            strength.spatial.elastic = Some(ElasticOptions {
                probability: 0.3,
                alpha: [0.0, 9.0],
                sigma: [1.0, 2.0],
            });
            strength.spatial.rotation_probability = 0.5;
            strength.spatial.scale_probability = 0.5;
            for factor in [
                &mut strength.brightness,
                &mut strength.contrast,
                &mut strength.gamma,
            ] {
                factor.probability = 0.6;
            }
            for p in [
                &mut strength.noise.probability,
                &mut strength.blur.probability,
                &mut strength.low_resolution.probability,
            ] {
                *p = 0.6;
            }
            options.strength = Some(strength);
            let chain = Pipeline::training(&options).unwrap();
            let loaded = options.initial_patch_size();
            let mut shape = [1; 4];
            shape[4 - loaded.len()..].copy_from_slice(&loaded);
            let mut rng = Rng::keyed(1, Purpose::TrainingCase, 0, 0, 0);
            let (mut data, mut seg, mut map) = (Block::new(shape), Block::new(shape), Block::new(shape));
            data.values_mut()
                .iter_mut()
                .for_each(|v| *v = rng.normal() as f32);
            seg.values_mut()
                .iter_mut()
                .for_each(|v| *v = rng.below(4) as i16 - 1);
            map.values_mut().iter_mut().for_each(|v| *v = rng.unit() as f32);
            let sample = Sample::whole(data, seg, Some(map));
            for i in 0..40 {
                let mut params = Params::default();
                chain.draw(
                    &mut Rng::keyed(i, Purpose::TrainingTransform, 0, 0, 0),
                    &mut params,
                );
                let run = || {
                    let mut out = chain.destination();
                    chain
                        .apply(&params, None, &sample, &mut Workspace::default(), &mut out)
                        .unwrap();
                    out
                };
                let (wide, plain) = (run(), portably(run));
                let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&wide.data), bits(&plain.data), "{params:?}");
                assert_eq!(
                    (wide.targets, wide.weights),
                    (plain.targets, plain.weights),
                    "{params:?}"
                );
            }
        }
    }
}
