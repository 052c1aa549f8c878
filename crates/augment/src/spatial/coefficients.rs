//! B-spline coefficients of the region of a loaded patch that one draw reads.

use std::ops::Range;

use crate::buffer::fit;
use crate::spline::{
    filter_rows, start_backward, start_forward, step_backward, step_forward, Extension, RowFilter, HORIZON,
    REACH,
};

/// The window of a loaded patch, one channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a, T> {
    /// Values, (z, y, x) in C order.
    pub values: &'a [T],
    /// Size of the window.
    pub size: [usize; 3],
    /// Its first voxel in the loaded patch.
    pub start: [usize; 3],
}

/// Coefficients in a box of the loaded patch. Positions one or two voxels outside the loaded patch, which
/// taps can reach, have the coefficients of its mirror image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coefficients {
    values: Vec<f32>,
    lines: Vec<f32>,
    filter: RowFilter,
    size: [usize; 3],
    /// First position of the box in the loaded patch; -1 if taps exceed the border.
    pub origin: [isize; 3],
}

/// Positions of the taps for coordinates in `bounds`.
pub(crate) fn taps(bounds: [f64; 2]) -> Range<isize> {
    bounds[0].floor() as isize - 1..bounds[1].floor() as isize + 3
}

/// Samples that affect the coefficients at `taps`, within the precision of f32.
pub(crate) fn support(taps: &Range<isize>, n: usize) -> Range<usize> {
    let start = (taps.start - REACH as isize).max(0) as usize;
    start..((taps.end + REACH as isize).max(0) as usize).min(n)
}

impl Coefficients {
    /// Values of one channel.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Size of the box.
    pub(crate) fn size(&self) -> [usize; 3] {
        self.size
    }

    /// Computes the coefficients for coordinates within `bounds`. With `planar`, slices are not filtered
    /// along z.
    pub(crate) fn fill(
        &mut self,
        source: Window<'_, f32>,
        full: [usize; 3],
        bounds: [[f64; 2]; 3],
        planar: bool,
    ) {
        let mut tapped: [Range<isize>; 3] = std::array::from_fn(|axis| taps(bounds[axis]));
        if planar {
            tapped[0] = bounds[0][0] as isize..bounds[0][1] as isize + 1;
        }
        let read: [Range<usize>; 3] = std::array::from_fn(|axis| support(&tapped[axis], full[axis]));
        let depth = if planar {
            tapped[0].start as usize..tapped[0].end as usize
        } else {
            read[0].clone()
        };
        // The box has all slices of the recursion along z, and the mirrored ones beyond the border.
        let bottom = tapped[0].start.min(depth.start as isize);
        let top = tapped[0].end.max(depth.end as isize);
        let [_, ny, nx] = std::array::from_fn(|axis| (tapped[axis].end - tapped[axis].start) as usize);
        self.size = [(top - bottom) as usize, ny, nx];
        self.origin = [bottom, tapped[1].start, tapped[2].start];
        let area = ny * nx;
        fit(&mut self.values, self.size[0] * area, 0.0);
        let first = (depth.start as isize - bottom) as usize;
        for (k, z) in depth.clone().enumerate() {
            self.slice(source, z, full, &tapped, &read, first + k);
            if !planar {
                self.forward(first, k, depth.len(), area);
            }
        }
        if planar {
            return;
        }
        self.backward(first, depth.len(), area);
        for z in bottom..top {
            let from = Extension::Mirror.fold(z, full[0]);
            if from as isize != z && depth.contains(&from) {
                let from = (from as isize - bottom) as usize * area;
                self.values
                    .copy_within(from..from + area, (z - bottom) as usize * area);
            }
        }
    }

    /// Filters slice `z` along x and y into slice `to` of the box.
    fn slice(
        &mut self,
        source: Window<'_, f32>,
        z: usize,
        full: [usize; 3],
        tapped: &[Range<isize>; 3],
        read: &[Range<usize>; 3],
        to: usize,
    ) {
        let [_, sy, sx] = source.size;
        let (width, rows) = (self.size[2], read[1].len());
        fit(&mut self.lines, rows * width, 0.0);
        for (i, y) in read[1].clone().enumerate() {
            let start =
                ((z - source.start[0]) * sy + y - source.start[1]) * sx + read[2].start - source.start[2];
            let row = &source.values[start..start + read[2].len()];
            let out = &mut self.lines[i * width..(i + 1) * width];
            self.filter.filter(
                row,
                read[2].start,
                full[2],
                Extension::Mirror,
                tapped[2].start,
                out,
            );
        }
        filter_rows(&mut self.lines, rows, width, width);
        let slice = &mut self.values[to * width * self.size[1]..][..width * self.size[1]];
        for (y, row) in tapped[1].clone().zip(slice.chunks_exact_mut(width)) {
            // Only beyond the border does the mirroring change y.
            let line = Extension::Mirror
                .fold(y, full[1])
                .saturating_sub(read[1].start)
                .min(rows - 1);
            row.copy_from_slice(&self.lines[line * width..(line + 1) * width]);
        }
    }

    /// Adds slice `k` of `count` to the causal recursion along z, over slices `first ..` of the box.
    fn forward(&mut self, first: usize, k: usize, count: usize, area: usize) {
        let volume = &mut self.values[first * area..(first + count) * area];
        // Slices stay unfiltered until the recursion along z can start.
        let warm = (HORIZON + 1).min(count);
        if k + 1 < warm {
            return;
        }
        if k + 1 == warm {
            start_forward(&mut volume[..warm * area], warm, area, area);
        }
        let from = if k + 1 == warm { 1 } else { k };
        for row in from..=k {
            let (head, tail) = volume.split_at_mut(row * area);
            step_forward(&head[(row - 1) * area..], &mut tail[..area]);
        }
    }

    fn backward(&mut self, first: usize, count: usize, area: usize) {
        let volume = &mut self.values[first * area..(first + count) * area];
        if count > 1 {
            let (head, tail) = volume.split_at_mut((count - 1) * area);
            start_backward(&head[(count - 2) * area..], tail);
        }
        for row in (0..count.saturating_sub(1)).rev() {
            let (head, tail) = volume.split_at_mut((row + 1) * area);
            step_backward(&tail[..area], &mut head[row * area..]);
        }
    }
}
