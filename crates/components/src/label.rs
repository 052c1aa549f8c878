//! Labelling of connected components.

use ndarray::{Array, ArrayView, Dimension};
use rayon::prelude::*;

use crate::connectivity::Connectivity;
use crate::forest::Forest;
use crate::runs::{equal_runs, runs, Run};
use crate::Error;

/// Labelled components.
#[derive(Clone, Debug, PartialEq)]
pub struct Components<D: Dimension> {
    /// Component number of each voxel; 0 outside. Numbers start at 1, in the order of each component's first
    /// voxel.
    pub labels: Array<u32, D>,
    /// Number of voxels of each component; `sizes[i]` belongs to component `i + 1`.
    pub sizes: Vec<u64>,
}

/// Numbers the connected components of the voxels for which `inside` holds.
///
/// The numbering equals that of `scipy.ndimage.label`. It depends neither on the memory layout of the image
/// nor on the number of threads.
///
/// # Errors
/// [`Error::Rank`] for more than three axes, [`Error::TooManyRuns`] for 2³² or more runs, or voxels in a row.
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
    label_runs(
        image,
        |row, found| runs(row, &inside, found),
        |_, _| true,
        connectivity,
    )
}

/// Numbers the connected components of each value for which `inside` holds. Two voxels are connected if they
/// share a face and have the same value.
///
/// Otherwise it behaves as [`label`].
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
    // Runs of different values can be adjacent. Joining across edges (`Full`) requires a gap between runs.
    let connectivity = Connectivity::Face;
    label_runs(
        image,
        |row, found| equal_runs(row, &inside, found),
        |one, other| one == other,
        connectivity,
    )
}

/// Numbers the components formed by the runs of each row.
fn label_runs<T: Copy + Sync + Send, D: Dimension>(
    image: ArrayView<'_, T, D>,
    find: impl Fn(&[T], &mut Vec<Run>) + Sync + Send,
    matches: impl Fn(T, T) -> bool + Sync,
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
    run::prefer_large_pages(labels.as_slice_mut().unwrap_or_default());
    u32::try_from(width).map_err(|_| Error::TooManyRuns { found: width })?;
    let image = image.as_standard_layout();
    let values = image.as_slice().unwrap_or_default();
    let rows: Vec<Box<[Run]>> = values
        .par_chunks_exact(width)
        .map_init(Vec::new, |found, row| {
            found.clear();
            find(row, found);
            found.as_slice().into()
        })
        .collect();
    let mut forest = Forest::new(&rows)?;
    forest.join_all(&rows, height, connectivity, |[row, at], [other, there]| {
        matches(values[row * width + at], values[other * width + there])
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
