//! The region outside a case's non-zero mask.
//!
//! nnU-Net v1 takes the union of the channels' non-zero voxels and fills its holes (`create_nonzero_mask`,
//! scipy's `binary_fill_holes` with face connectivity). This module finds the complement: zero voxels
//! connected to the border of the volume. They are stored as runs along x. The surroundings of a scan are few
//! long runs, so that memory and time are a small part of a mask's.

use ndarray::{ArrayView3, ArrayViewMut3};
use rayon::prelude::*;
use run::{Cancel, Cancelled};

/// Half-open index ranges of the axes (z, y, x).
pub type BoundingBox = [[usize; 2]; 3];

/// Voxels `start..end` of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    start: usize,
    end: usize,
}

/// Voxels that are zero in every channel and connected to the volume's border through faces of such voxels.
#[derive(Clone, Debug)]
pub struct Outside {
    shape: [usize; 3],
    /// Runs of row `z * ny + y` are `runs[rows[r]..rows[r + 1]]`. No two of them touch.
    rows: Vec<usize>,
    runs: Vec<Run>,
}

impl Outside {
    /// Finds the region outside the mask of `channels`, all of the same shape (z, y, x). NaN counts as
    /// non-zero.
    ///
    /// # Errors
    /// [`Cancelled`] within the work of one slice.
    pub fn of(channels: &[ArrayView3<'_, f32>], cancel: &Cancel) -> Result<Self, Cancelled> {
        let shape: [usize; 3] = channels.first().map_or([0; 3], |c| c.dim().into());
        let mut zeros = Self::zeros(channels, shape, cancel)?;
        let connected = zeros.connected_to_border(cancel)?;
        zeros.keep(&connected);
        Ok(zeros)
    }

    /// Finds all runs of zeros.
    fn zeros(
        channels: &[ArrayView3<'_, f32>],
        shape: [usize; 3],
        cancel: &Cancel,
    ) -> Result<Self, Cancelled> {
        let [nz, ny, nx] = shape;
        let slices: Vec<(Vec<usize>, Vec<Run>)> = (0..nz)
            .into_par_iter()
            .map(|z| {
                cancel.check()?;
                let (mut ends, mut runs) = (Vec::with_capacity(ny), Vec::new());
                let mut zero = vec![true; nx];
                for y in 0..ny {
                    zero.fill(true);
                    for channel in channels {
                        let row = channel.slice(ndarray::s![z, y, ..]);
                        zero.iter_mut().zip(row).for_each(|(zero, &v)| *zero &= v == 0.0);
                    }
                    push_runs(&zero, &mut runs);
                    ends.push(runs.len());
                }
                Ok((ends, runs))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut rows = vec![0];
        let mut all = Vec::with_capacity(slices.iter().map(|(_, runs)| runs.len()).sum());
        for (ends, runs) in slices {
            rows.extend(ends.into_iter().map(|end| all.len() + end));
            all.extend(runs);
        }
        Ok(Self {
            shape,
            rows,
            runs: all,
        })
    }

    fn row(&self, z: usize, y: usize) -> std::ops::Range<usize> {
        let row = z * self.shape[1] + y;
        self.rows[row]..self.rows[row + 1]
    }

    /// Returns for each run whether it reaches the border. Touching runs are united; one additional element
    /// is the border.
    fn connected_to_border(&self, cancel: &Cancel) -> Result<Vec<bool>, Cancelled> {
        let [nz, ny, nx] = self.shape;
        let border = self.runs.len();
        let mut sets = Sets((0..=border).collect());
        for z in 0..nz {
            cancel.check()?;
            for y in 0..ny {
                let here = self.row(z, y);
                let at_border = z == 0 || y == 0 || z + 1 == nz || y + 1 == ny;
                for i in here.clone() {
                    if at_border || self.runs[i].start == 0 || self.runs[i].end == nx {
                        sets.unite(i, border);
                    }
                }
                if y > 0 {
                    self.unite_rows(self.row(z, y - 1), here.clone(), &mut sets);
                }
                if z > 0 {
                    self.unite_rows(self.row(z - 1, y), here, &mut sets);
                }
            }
        }
        let root = sets.root(border);
        Ok((0..border).map(|i| sets.root(i) == root).collect())
    }

    /// Unites overlapping runs of two neighbouring rows.
    fn unite_rows(&self, a: std::ops::Range<usize>, b: std::ops::Range<usize>, sets: &mut Sets) {
        let (mut i, mut j) = (a.start, b.start);
        while i < a.end && j < b.end {
            let (p, q) = (self.runs[i], self.runs[j]);
            if p.start < q.end && q.start < p.end {
                sets.unite(i, j);
            }
            if p.end <= q.end {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    fn keep(&mut self, wanted: &[bool]) {
        let mut kept = 0;
        let mut start = 0;
        for row in 1..self.rows.len() {
            for i in start..self.rows[row] {
                if wanted[i] {
                    self.runs[kept] = self.runs[i];
                    kept += 1;
                }
            }
            start = self.rows[row];
            self.rows[row] = kept;
        }
        self.runs.truncate(kept);
        self.runs.shrink_to_fit();
    }

    /// Returns the smallest box that contains the mask, or `None` if every voxel is outside.
    pub fn bounding_box(&self) -> Option<BoundingBox> {
        let [nz, ny, nx] = self.shape;
        let mut found: Option<BoundingBox> = None;
        for z in 0..nz {
            for y in 0..ny {
                let runs = &self.runs[self.row(z, y)];
                let first = runs.first().filter(|r| r.start == 0).map_or(0, |r| r.end);
                let last = runs.last().filter(|r| r.end == nx).map_or(nx, |r| r.start);
                if first >= last {
                    continue;
                }
                let grow =
                    |range: [usize; 2], low: usize, high: usize| [range[0].min(low), range[1].max(high)];
                let [bz, by, bx] = found.unwrap_or([[z, z + 1], [y, y + 1], [first, last]]);
                found = Some([grow(bz, z, z + 1), grow(by, y, y + 1), grow(bx, first, last)]);
            }
        }
        found
    }

    /// Calls `visit` with every outside run of `segmentation`, which covers `bounds` of the volume.
    pub fn visit<T>(
        &self,
        bounds: &BoundingBox,
        mut segmentation: ArrayViewMut3<'_, T>,
        visit: impl Fn(&mut T),
    ) {
        let [bz, by, [x0, x1]] = *bounds;
        for z in bz[0]..bz[1] {
            for y in by[0]..by[1] {
                for run in &self.runs[self.row(z, y)] {
                    let (start, end) = (run.start.max(x0), run.end.min(x1));
                    if start < end {
                        segmentation
                            .slice_mut(ndarray::s![z - bz[0], y - by[0], start - x0..end - x0])
                            .iter_mut()
                            .for_each(&visit);
                    }
                }
            }
        }
    }
}

fn push_runs(zero: &[bool], runs: &mut Vec<Run>) {
    let mut x = 0;
    while let Some(start) = zero[x..].iter().position(|&z| z).map(|n| x + n) {
        let end = zero[start..]
            .iter()
            .position(|&z| !z)
            .map_or(zero.len(), |n| start + n);
        runs.push(Run { start, end });
        x = end;
    }
}

/// Disjoint sets with path halving. The smaller root wins, which keeps trees flat in scan order.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high] = low;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;
    use proptest::prelude::*;

    use super::*;

    /// Flood fill from a border of added zeros.
    fn flooded(zero: &Array3<bool>) -> Array3<bool> {
        let (nz, ny, nx) = zero.dim();
        let mut padded = Array3::from_elem((nz + 2, ny + 2, nx + 2), true);
        padded.slice_mut(ndarray::s![1..=nz, 1..=ny, 1..=nx]).assign(zero);
        let mut seen = Array3::from_elem(padded.dim(), false);
        let mut stack = vec![(0usize, 0usize, 0usize)];
        while let Some((z, y, x)) = stack.pop() {
            if std::mem::replace(&mut seen[(z, y, x)], true) {
                continue;
            }
            let around = [
                (z.wrapping_sub(1), y, x),
                (z + 1, y, x),
                (z, y.wrapping_sub(1), x),
                (z, y + 1, x),
                (z, y, x.wrapping_sub(1)),
                (z, y, x + 1),
            ];
            stack.extend(
                around
                    .into_iter()
                    .filter(|&i| padded.get(i) == Some(&true) && !seen[i]),
            );
        }
        seen.slice(ndarray::s![1..=nz, 1..=ny, 1..=nx]).to_owned()
    }

    proptest! {
        #[test]
        fn outside_equals_flood_fill_from_border(
            (nz, ny, nx, first, second) in (1usize..6, 1usize..7, 1usize..8).prop_flat_map(|(nz, ny, nx)| {
                let voxels = prop::collection::vec(prop_oneof![Just(0f32), Just(0f32), Just(2f32)], nz * ny * nx);
                (Just(nz), Just(ny), Just(nx), voxels.clone(), voxels)
            }),
            both in any::<bool>(),
        ) {
            let first = Array3::from_shape_vec((nz, ny, nx), first).unwrap();
            let second = Array3::from_shape_vec((nz, ny, nx), second).unwrap();
            let channels = if both { vec![first.view(), second.view()] } else { vec![first.view()] };
            let zero = Array3::from_shape_fn((nz, ny, nx), |i| channels.iter().all(|c| c[i] == 0.0));
            let expected = flooded(&zero);
            let outside = Outside::of(&channels, &Cancel::new()).unwrap();

            let mut found = Array3::from_elem((nz, ny, nx), false);
            outside.visit(&[[0, nz], [0, ny], [0, nx]], found.view_mut(), |v| *v = true);
            prop_assert_eq!(&found, &expected);

            let inside: Vec<(usize, usize, usize)> =
                expected.indexed_iter().filter(|(_, &out)| !out).map(|(i, _)| i).collect();
            let range = |of: fn(&(usize, usize, usize)) -> usize| {
                Some([inside.iter().map(of).min()?, inside.iter().map(of).max()? + 1])
            };
            let bounds = (|| Some([range(|i| i.0)?, range(|i| i.1)?, range(|i| i.2)?]))();
            prop_assert_eq!(outside.bounding_box(), bounds);

            if let Some(bounds) = bounds {
                let [z, y, x] = bounds;
                let part = ndarray::s![z[0]..z[1], y[0]..y[1], x[0]..x[1]];
                let mut found = expected.slice(part).mapv(|_| false);
                outside.visit(&bounds, found.view_mut(), |v| *v = true);
                prop_assert_eq!(found, expected.slice(part));
                // The mask of the cropped channels is the cropped mask.
                let cropped: Vec<_> = channels.iter().map(|c| c.slice(part)).collect();
                let again = Outside::of(&cropped, &Cancel::new()).unwrap();
                let mut found = expected.slice(part).mapv(|_| false);
                let all = [z, y, x].map(|[a, b]| [0, b - a]);
                again.visit(&all, found.view_mut(), |v| *v = true);
                prop_assert_eq!(found, expected.slice(part));
            }
        }
    }

    #[test]
    fn nan_counts_as_nonzero() {
        let image = Array3::from_elem((2, 2, 2), f32::NAN);
        let outside = Outside::of(&[image.view()], &Cancel::new()).unwrap();
        assert_eq!(outside.bounding_box(), Some([[0, 2]; 3]));
    }
}
