//! Cubic interpolation at arbitrary coordinates: 64 taps per voxel in a volume, 16 in a slice.

use super::coefficients::Coefficients;
use super::linear::index;
use super::map::Row;
use crate::spline::weights;

/// Taps of one output row: index of the first coefficient, and the fractions along z, y and x.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taps {
    base: Vec<u32>,
    fraction: [Vec<f32>; 3],
}

impl Taps {
    /// Computes the taps of outputs `row.first .. row.end`. With `planar`, within slices; the base then
    /// excludes the slice.
    pub(crate) fn locate(&mut self, row: &Row, box_: &Coefficients, planar: bool) {
        self.base.clear();
        self.base.resize(row.end - row.first, 0);
        for axis in usize::from(planar)..3 {
            let stride: usize = box_.size()[axis + 1..].iter().product();
            // The first of the four taps is one before the lower voxel.
            let start = box_.origin[axis] as i32 + 1;
            let last = box_.size()[axis] as i32 - 4;
            index(
                &row.whole[axis][row.first..row.end],
                start,
                last,
                stride as u32,
                &mut self.base,
            );
            let fraction = &mut self.fraction[axis];
            fraction.clear();
            fraction.extend(row.fraction[axis][row.first..row.end].iter().map(|&t| t as f32));
        }
    }
}

/// Interpolates a row in a volume of coefficients.
pub(crate) fn interpolate_volume(box_: &Coefficients, taps: &Taps, out: &mut [f32]) {
    let [_, ny, nx] = box_.size();
    let [tz, ty, tx] = &taps.fraction;
    #[cfg(target_arch = "x86_64")]
    if crate::simd::avx2() {
        // SAFETY: the processor has AVX2 and FMA, as just checked.
        unsafe { wide::volume(box_.values(), ny * nx, nx, &taps.base, tz, ty, tx, out) };
        return;
    }
    for (i, out) in out.iter_mut().enumerate() {
        let (wz, wy, wx) = (weights(tz[i]), weights(ty[i]), weights(tx[i]));
        let mut sum = [0.0; 8];
        for k in 0..4 {
            let part = plane(&box_.values()[taps.base[i] as usize + k * ny * nx..], nx, wy);
            for lane in 0..8 {
                sum[lane] = if k == 0 {
                    part[lane] * wz[0]
                } else {
                    part[lane].mul_add(wz[k], sum[lane])
                };
            }
        }
        *out = along_x(sum, wx);
    }
}

/// Interpolates a row in slice `z` of the box.
pub(crate) fn interpolate_slice(box_: &Coefficients, z: usize, taps: &Taps, out: &mut [f32]) {
    let [_, ny, nx] = box_.size();
    let slice = &box_.values()[z * ny * nx..(z + 1) * ny * nx];
    let [_, ty, tx] = &taps.fraction;
    #[cfg(target_arch = "x86_64")]
    if crate::simd::avx2() {
        // SAFETY: the processor has AVX2 and FMA, as just checked.
        unsafe { wide::slice(slice, nx, &taps.base, ty, tx, out) };
        return;
    }
    for (i, out) in out.iter_mut().enumerate() {
        *out = along_x(
            plane(&slice[taps.base[i] as usize..], nx, weights(ty[i])),
            weights(tx[i]),
        );
    }
}

/// Weighted sum along y of four rows of four: rows 0 and 2 in the first four lanes, 1 and 3 in the others.
#[inline(always)]
fn plane(values: &[f32], nx: usize, wy: [f32; 4]) -> [f32; 8] {
    std::array::from_fn(|lane| {
        let (row, x) = (lane / 4, lane % 4);
        values[(row + 2) * nx + x].mul_add(wy[row + 2], values[row * nx + x] * wy[row])
    })
}

/// Adds both halves, weights along x and sums, in the order of the wide version.
#[inline(always)]
fn along_x(sum: [f32; 8], wx: [f32; 4]) -> f32 {
    let v: [f32; 4] = std::array::from_fn(|x| (sum[x] + sum[x + 4]) * wx[x]);
    (v[0] + v[2]) + (v[1] + v[3])
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use crate::spline::{CUBE, LINEAR, ONE, SQUARE};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn load4(values: &[f32; 4]) -> __m128 {
        // SAFETY: the array has four elements.
        unsafe { _mm_loadu_ps(values.as_ptr()) }
    }

    /// Weights of all four taps at `t`.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn weights4(t: f32) -> __m128 {
        let t = _mm_set1_ps(t);
        let w = _mm_fmadd_ps(load4(&CUBE), t, load4(&SQUARE));
        _mm_fmadd_ps(_mm_fmadd_ps(w, t, load4(&LINEAR)), t, load4(&ONE))
    }

    /// Weights of taps `k` and `k + 1`, four times each.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn weights_pair<const K: usize>(t: f32) -> __m256 {
        let t = _mm256_set1_ps(t);
        let pair = |c: &[f32; 4]| _mm256_set_m128(_mm_set1_ps(c[K + 1]), _mm_set1_ps(c[K]));
        let w = _mm256_fmadd_ps(pair(&CUBE), t, pair(&SQUARE));
        _mm256_fmadd_ps(_mm256_fmadd_ps(w, t, pair(&LINEAR)), t, pair(&ONE))
    }

    /// See `super::plane`.
    ///
    /// # Safety
    /// `at` must be followed by `3 * nx + 4` readable values.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn plane(at: *const f32, nx: usize, w01: __m256, w23: __m256) -> __m256 {
        // SAFETY: the furthest value read is the fourth of row 3, within the bounds guaranteed by the caller.
        let (a, b) = unsafe {
            (
                _mm256_loadu2_m128(at.add(nx), at),
                _mm256_loadu2_m128(at.add(3 * nx), at.add(2 * nx)),
            )
        };
        _mm256_fmadd_ps(b, w23, _mm256_mul_ps(a, w01))
    }

    /// See `super::along_x`.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn along_x(sum: __m256, wx: __m128) -> f32 {
        let v = _mm_mul_ps(
            _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum)),
            wx,
        );
        let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn volume(
        values: &[f32],
        area: usize,
        nx: usize,
        base: &[u32],
        tz: &[f32],
        ty: &[f32],
        tx: &[f32],
        out: &mut [f32],
    ) {
        let span = 3 * area + 3 * nx + 4;
        for ((((out, &base), &tz), &ty), &tx) in out.iter_mut().zip(base).zip(tz).zip(ty).zip(tx) {
            let base = base as usize;
            if base + span > values.len() {
                continue;
            }
            let (w01, w23) = (weights_pair::<0>(ty), weights_pair::<2>(ty));
            let mut wz = [0.0; 4];
            // SAFETY: the array has four elements.
            unsafe { _mm_storeu_ps(wz.as_mut_ptr(), weights4(tz)) };
            // SAFETY: `base + span` lies within `values`, checked above; plane k needs `k * area` more than
            // plane 0.
            let sum = unsafe {
                let at = values.as_ptr().add(base);
                let mut sum = _mm256_mul_ps(plane(at, nx, w01, w23), _mm256_set1_ps(wz[0]));
                for k in 1..4 {
                    sum = _mm256_fmadd_ps(plane(at.add(k * area), nx, w01, w23), _mm256_set1_ps(wz[k]), sum);
                }
                sum
            };
            *out = along_x(sum, weights4(tx));
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn slice(values: &[f32], nx: usize, base: &[u32], ty: &[f32], tx: &[f32], out: &mut [f32]) {
        let span = 3 * nx + 4;
        for (((out, &base), &ty), &tx) in out.iter_mut().zip(base).zip(ty).zip(tx) {
            let base = base as usize;
            if base + span > values.len() {
                continue;
            }
            // SAFETY: `base + span` lies within `values`, checked above.
            let sum = unsafe {
                plane(
                    values.as_ptr().add(base),
                    nx,
                    weights_pair::<0>(ty),
                    weights_pair::<2>(ty),
                )
            };
            *out = along_x(sum, weights4(tx));
        }
    }
}
