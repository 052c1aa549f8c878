//! The two working number types of the transform, and their layout in the memory of the output.

use bytemuck::Pod;

/// Number of elements of a slice whose intermediate values are stored together. A chunk of `u16` uses the
/// first half of the memory of its own `f32` chunk. Chunks can therefore be finished in any order, on any
/// thread.
pub(crate) const CHUNK: usize = 64;

/// A squared distance in working precision.
pub(crate) trait Lane: Pod + PartialOrd + Send + Sync {
    /// No site known: equal to or larger than every distance.
    const FAR: Self;
    /// Distance at a site.
    const ZERO: Self;

    /// One voxel further. [`Lane::FAR`] remains [`Lane::FAR`].
    fn next(self) -> Self;
    /// Sum, saturated at [`Lane::FAR`].
    fn plus(self, step: Self) -> Self;
    /// Squared distance of a count of voxels, for the squared spacing `s2`.
    fn square(self, s2: f32) -> Self;
    /// Whether this is larger than `step`.
    fn above(self, step: Self) -> bool;
    /// Converts to float32; [`Lane::FAR`] becomes infinity.
    fn to_f32(self) -> f32;
    /// Reads intermediate values of a slice, starting at flat position `start`.
    fn load(slice: &[f32], start: usize, out: &mut [Self]);
    /// Writes intermediate values of a slice, starting at flat position `start`.
    fn store(slice: &mut [f32], start: usize, values: &[Self]);

    /// The smaller of two values.
    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        if other < self {
            other
        } else {
            self
        }
    }

    /// Squared distances of 0, 1, 2, ... `n - 1` voxels.
    fn steps(n: usize, s2: f32) -> Vec<Self> {
        let mut count = Self::ZERO;
        (0..n)
            .map(|_| {
                let step = count.square(s2);
                count = count.next();
                step
            })
            .collect()
    }
}

impl Lane for u16 {
    const FAR: Self = u16::MAX;
    const ZERO: Self = 0;

    #[inline(always)]
    fn next(self) -> Self {
        self.saturating_add(1)
    }

    #[inline(always)]
    fn plus(self, step: Self) -> Self {
        self.saturating_add(step)
    }

    #[inline(always)]
    fn square(self, _: f32) -> Self {
        // Branch-free: 256² wraps to 0, and one less is FAR.
        let count = self.min(256);
        count.wrapping_mul(count).wrapping_sub(count >> 8)
    }

    #[inline(always)]
    fn above(self, step: Self) -> bool {
        // AVX2 has no unsigned comparison.
        self.saturating_sub(step) != 0
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        if self == Self::FAR {
            f32::INFINITY
        } else {
            f32::from(self)
        }
    }

    #[inline(always)]
    fn load(slice: &[f32], start: usize, out: &mut [Self]) {
        let mut done = 0;
        while done < out.len() {
            let (chunk, offset) = ((start + done) / CHUNK, (start + done) % CHUNK);
            let count = (CHUNK - offset).min(out.len() - done);
            let words: &[u16] =
                bytemuck::cast_slice(&slice[chunk * CHUNK..slice.len().min((chunk + 1) * CHUNK)]);
            copy(&mut out[done..done + count], &words[offset..offset + count]);
            done += count;
        }
    }

    #[inline(always)]
    fn store(slice: &mut [f32], start: usize, values: &[Self]) {
        let mut done = 0;
        let len = slice.len();
        while done < values.len() {
            let (chunk, offset) = ((start + done) / CHUNK, (start + done) % CHUNK);
            let count = (CHUNK - offset).min(values.len() - done);
            let words: &mut [u16] =
                bytemuck::cast_slice_mut(&mut slice[chunk * CHUNK..len.min((chunk + 1) * CHUNK)]);
            copy(&mut words[offset..offset + count], &values[done..done + count]);
            done += count;
        }
    }
}

/// Copies at most one chunk. A whole chunk is copied without a call.
#[inline(always)]
fn copy(to: &mut [u16], from: &[u16]) {
    match (
        <&mut [u16; CHUNK]>::try_from(&mut *to),
        <&[u16; CHUNK]>::try_from(from),
    ) {
        (Ok(to), Ok(from)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

impl Lane for f32 {
    const FAR: Self = f32::INFINITY;
    const ZERO: Self = 0.0;

    #[inline(always)]
    fn next(self) -> Self {
        self + 1.0
    }

    #[inline(always)]
    fn plus(self, step: Self) -> Self {
        self + step
    }

    #[inline(always)]
    fn square(self, s2: f32) -> Self {
        self * self * s2
    }

    #[inline(always)]
    fn above(self, step: Self) -> bool {
        self > step
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn load(slice: &[f32], start: usize, out: &mut [Self]) {
        out.copy_from_slice(&slice[start..start + out.len()]);
    }

    #[inline(always)]
    fn store(slice: &mut [f32], start: usize, values: &[Self]) {
        slice[start..start + values.len()].copy_from_slice(values);
    }
}

/// Lowers each lane of `best` to `line + step` if that is smaller.
#[inline(always)]
pub(crate) fn relax<L: Lane, const W: usize>(best: &mut [L; W], line: &[L], step: L) {
    let line = &line[..W];
    for lane in 0..W {
        best[lane] = best[lane].lesser(line[lane].plus(step));
    }
}

/// Whether any lane is above `step`, and a value at that distance could lower it.
#[inline(always)]
pub(crate) fn any_above<L: Lane, const W: usize>(best: &[L; W], step: L) -> bool {
    let mut any = false;
    for &lane in best {
        any |= lane.above(step);
    }
    any
}
