//! Connected components of 1D, 2D and 3D images.
//!
//! Run-based two-pass labelling with union-find (L. He, Y. Chao, K. Suzuki, "A run-based two-scan labeling algorithm",
//! 2008), extended to 3D: voxels are read once to find the runs of each row, touching runs of neighbouring rows are
//! joined, and each run is written once. Reading and writing are parallel over rows; joining works on runs alone, of
//! which there are few. Memory beside the result is 8 bytes a run, and 8 a row.

use ndarray::{Array, ArrayView, Dimension};
use rayon::prelude::*;

use crate::Error;

/// Which voxels touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Connectivity {
    /// Those that share a face: 6 neighbours in 3D, 4 in 2D. scipy's default, and nnU-Net's.
    #[default]
    Face,
    /// Those that share a face, edge or corner: 26 neighbours in 3D, 8 in 2D.
    Full,
}

/// Labelled components.
#[derive(Clone, Debug, PartialEq)]
pub struct Components<D: Dimension> {
    /// 0 outside; components are numbered from 1 in the order of their first voxel.
    pub labels: Array<u32, D>,
    /// Voxels of each component: `sizes[i]` is that of component `i + 1`.
    pub sizes: Vec<u64>,
}

/// A run of inside voxels along the last axis: start and end.
type Run = (u32, u32);

/// Numbers the connected components of the voxels for which `inside` holds.
///
/// The result depends neither on the image's layout nor on the number of threads. Numbering is that of
/// `scipy.ndimage.label`.
///
/// # Errors
/// [`Error::Rank`] beyond three axes, [`Error::TooManyRuns`] beyond 2³² runs or voxels in a row.
///
/// ```
/// use evaluate::{label, Connectivity};
/// let image = ndarray::array![[1, 0, 2], [0, 1, 1]];
/// let found = label(image.view(), |v| v == 1, Connectivity::Face)?;
/// assert_eq!(found.labels, ndarray::array![[1, 0, 0], [0, 2, 2]]);
/// assert_eq!(found.sizes, [1, 2]);
/// assert_eq!(label(image.view(), |v| v == 1, Connectivity::Full)?.sizes, [3]);
/// # Ok::<(), evaluate::Error>(())
/// ```
pub fn label<T: Copy + Sync + Send, D: Dimension>(
    image: ArrayView<'_, T, D>,
    inside: impl Fn(T) -> bool + Sync,
    connectivity: Connectivity,
) -> Result<Components<D>, Error> {
    let shape = image.shape();
    let (height, width) = match *shape {
        [] => (1, 1),
        [x] => (1, x),
        [y, x] => (y, x),
        [_, y, x] => (y, x),
        _ => return Err(Error::Rank { found: shape.len() }),
    };
    let mut labels = Array::zeros(image.raw_dim());
    if image.is_empty() {
        return Ok(Components {
            labels,
            sizes: Vec::new(),
        });
    }
    u32::try_from(width).map_err(|_| Error::TooManyRuns { found: width })?;
    let image = image.as_standard_layout();
    let values = image.as_slice().unwrap_or_default();
    let rows: Vec<Vec<Run>> = values
        .par_chunks_exact(width)
        .map(|row| runs(row, &inside))
        .collect();
    let mut forest = Forest::new(&rows)?;
    forest.join_all(&rows, height, connectivity);
    let (numbers, count) = forest.numbers();
    let mut sizes = vec![0; count];
    for (run, number) in rows.iter().flatten().zip(&numbers) {
        sizes[*number as usize - 1] += u64::from(run.1 - run.0);
    }
    if let Some(out) = labels.as_slice_mut() {
        out.par_chunks_exact_mut(width)
            .zip(&rows)
            .enumerate()
            .for_each(|(row, (out, runs))| {
                for ((start, end), number) in runs.iter().zip(&numbers[forest.first[row]..]) {
                    out[*start as usize..*end as usize].fill(*number);
                }
            });
    }
    Ok(Components { labels, sizes })
}

/// Runs of one row, in order.
///
/// Works on 64 voxels at a time as bits, of which only the changes are looked at one by one.
fn runs<T: Copy>(row: &[T], inside: impl Fn(T) -> bool) -> Vec<Run> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut open = false;
    for (block, values) in row.chunks(64).enumerate() {
        let mut bits = 0_u64;
        for (i, value) in values.iter().enumerate() {
            bits |= u64::from(inside(*value)) << i;
        }
        let mut changes = bits ^ (bits << 1 | u64::from(open));
        if values.len() < 64 {
            // What lies beyond the row is no change; an open run ends below.
            changes &= (1 << values.len()) - 1;
        }
        while changes != 0 {
            let x = (64 * block) as u32 + changes.trailing_zeros();
            if open {
                found.push((start, x));
            }
            start = x;
            open = !open;
            changes &= changes - 1;
        }
    }
    if open {
        found.push((start, row.len() as u32));
    }
    found
}

/// Union-find over all runs. A root is the first run of its component.
struct Forest {
    parent: Vec<u32>,
    /// Index of each row's first run.
    first: Vec<usize>,
}

impl Forest {
    fn new(rows: &[Vec<Run>]) -> Result<Self, Error> {
        let mut first = Vec::with_capacity(rows.len());
        let mut count = 0;
        for row in rows {
            first.push(count);
            count += row.len();
        }
        let end = u32::try_from(count).map_err(|_| Error::TooManyRuns { found: count })?;
        Ok(Self {
            parent: (0..end).collect(),
            first,
        })
    }

    fn join_all(&mut self, rows: &[Vec<Run>], height: usize, connectivity: Connectivity) {
        // Earlier rows that can touch a row: (slices back, rows back).
        let neighbours: &[(usize, isize)] = match connectivity {
            Connectivity::Face => &[(0, 1), (1, 0)],
            Connectivity::Full => &[(0, 1), (1, -1), (1, 0), (1, 1)],
        };
        let reach = u32::from(connectivity == Connectivity::Full);
        for row in 0..rows.len() {
            let (z, y) = (row / height, row % height);
            for &(slices, back) in neighbours {
                let other = y.checked_add_signed(-back).filter(|other| *other < height);
                if let (Some(z), Some(y)) = (z.checked_sub(slices), other) {
                    self.join_rows(rows, row, z * height + y, reach);
                }
            }
        }
    }

    /// Joins the runs of two rows that overlap, or come within `reach` of overlapping.
    fn join_rows(&mut self, rows: &[Vec<Run>], one: usize, two: usize, reach: u32) {
        let (a, b) = (&rows[one], &rows[two]);
        let (mut i, mut j) = (0, 0);
        while i < a.len() && j < b.len() {
            if a[i].0 < b[j].1 + reach && b[j].0 < a[i].1 + reach {
                self.join(self.first[one] + i, self.first[two] + j);
            }
            // The run that ends first cannot touch anything further.
            if a[i].1 < b[j].1 {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    fn root(&mut self, mut run: u32) -> u32 {
        while self.parent[run as usize] != run {
            let above = self.parent[self.parent[run as usize] as usize];
            self.parent[run as usize] = above;
            run = above;
        }
        run
    }

    fn join(&mut self, one: usize, two: usize) {
        let (one, two) = (self.root(one as u32), self.root(two as u32));
        self.parent[one.max(two) as usize] = one.min(two);
    }

    /// Number of each run's component, and how many there are.
    fn numbers(&mut self) -> (Vec<u32>, usize) {
        let mut numbers = vec![0; self.parent.len()];
        let mut count = 0;
        for run in 0..self.parent.len() {
            let root = self.root(run as u32) as usize;
            // A root comes before every other run of its component.
            if root == run {
                count += 1;
                numbers[run] = count;
            } else {
                numbers[run] = numbers[root];
            }
        }
        (numbers, count as usize)
    }
}
