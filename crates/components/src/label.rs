//! Labelling.

use ndarray::{Array, ArrayView, Dimension};
use rayon::prelude::*;

use crate::connectivity::Connectivity;
use crate::forest::Forest;
use crate::runs::{equal_runs, runs, Run};
use crate::Error;

/// Labelled components.
#[derive(Clone, Debug, PartialEq)]
pub struct Components<D: Dimension> {
    /// 0 outside; components are numbered from 1 in the order of their first voxel.
    pub labels: Array<u32, D>,
    /// Voxels of each component: `sizes[i]` is that of component `i + 1`.
    pub sizes: Vec<u64>,
}

/// Numbers the connected components of the voxels for which `inside` holds.
///
/// The result depends neither on the image's layout nor on the number of threads. Numbering is that of
/// `scipy.ndimage.label`.
///
/// # Errors
/// [`Error::Rank`] beyond three axes, [`Error::TooManyRuns`] beyond 2³² runs or voxels in a row.
///
/// ```
/// use components::{label, Connectivity};
/// let image = ndarray::array![[1, 0, 2], [0, 1, 1]];
/// let found = label(image.view(), |v| v == 1, Connectivity::Face)?;
/// assert_eq!(found.labels, ndarray::array![[1, 0, 0], [0, 2, 2]]);
/// assert_eq!(found.sizes, [1, 2]);
/// assert_eq!(label(image.view(), |v| v == 1, Connectivity::Full)?.sizes, [3]);
/// # Ok::<(), components::Error>(())
/// ```
pub fn label<T: Copy + Sync + Send, D: Dimension>(
    image: ArrayView<'_, T, D>,
    inside: impl Fn(T) -> bool + Sync + Send,
    connectivity: Connectivity,
) -> Result<Components<D>, Error> {
    label_runs(image, |row| runs(row, &inside), |_, _| true, connectivity)
}

/// Numbers the components of each value for which `inside` holds: voxels are connected if they share a face and are equal.
///
/// Otherwise as [`label`].
///
/// # Errors
/// As [`label`].
///
/// ```
/// let image = ndarray::array![[1, 1, 2], [0, 1, 2]];
/// let found = components::label_values(image.view(), |v| v != 0)?;
/// assert_eq!(found.labels, ndarray::array![[1, 1, 2], [0, 1, 2]]);
/// assert_eq!(found.sizes, [3, 2]);
/// # Ok::<(), components::Error>(())
/// ```
pub fn label_values<T: Copy + PartialEq + Sync + Send, D: Dimension>(
    image: ArrayView<'_, T, D>,
    inside: impl Fn(T) -> bool + Sync + Send,
) -> Result<Components<D>, Error> {
    // Runs of different values follow each other without a gap, which joining over edges does not expect.
    let connectivity = Connectivity::Face;
    label_runs(
        image,
        |row| equal_runs(row, &inside),
        |one, other| one == other,
        connectivity,
    )
}

/// Numbers the components that the runs found in each row make up.
fn label_runs<T: Copy + Sync + Send, D: Dimension>(
    image: ArrayView<'_, T, D>,
    find: impl Fn(&[T]) -> Vec<Run> + Sync + Send,
    alike: impl Fn(T, T) -> bool,
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
    let rows: Vec<Vec<Run>> = values.par_chunks_exact(width).map(find).collect();
    let mut forest = Forest::new(&rows)?;
    forest.join_all(&rows, height, connectivity, |[row, at], [other, there]| {
        alike(values[row * width + at], values[other * width + there])
    });
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
