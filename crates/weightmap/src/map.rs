//! Weightmap of one segmentation.

use ndarray::{Array3, ArrayView3};
use run::Cancel;

use crate::border::Gaussian;
use crate::classes::{Classes, UNLABELLED};
use crate::erosion::{outside, Erosion};
use crate::instances;
use crate::labels::{encode, Labels, Rule};
use crate::options::check_numbers;
use crate::weight::Weight;
use crate::{Error, Mode};

/// Parameters of a weightmap.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Labels of objects. If 0 is included, the background also has an inside.
    pub classes: Vec<i64>,
    /// Width of the border, in voxels, or in mm with `spacing`.
    pub sigma: f64,
    /// Height of the border term.
    pub w0: f64,
    /// The formula.
    pub mode: Mode,
    /// Spacing (z, y, x) in mm for distances. `None` measures in voxels.
    pub spacing: Option<[f64; 3]>,
    /// Reproduces the errors of the fork.
    pub compat: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            sigma: 5.0,
            w0: 10.0,
            mode: Mode::Border,
            spacing: None,
            compat: false,
        }
    }
}

/// Returns the weightmap of a segmentation (z, y, x) of whole numbers, with the same shape.
///
/// -1 means unlabelled: weight 0 (background with `compat`). Class frequencies are those of the segmentation.
/// Runs on the current rayon pool.
///
/// # Errors
/// [`Error::Label`] for NaN or a value with a fraction (with `compat`, a fraction is background).
/// [`Error::Class`], [`Error::TooManyClasses`] and [`Error::Option`] for invalid parameters. [`Error::Rank`]
/// for an empty volume.
///
/// ```
/// let mut segmentation = ndarray::Array3::<u8>::zeros((9, 9, 9));
/// segmentation.slice_mut(ndarray::s![3..6, 3..6, 3..6]).fill(1);
/// let parameters = weightmap::Parameters { classes: vec![1], ..Default::default() };
/// let map: ndarray::Array3<f32> = weightmap::border_weightmap(segmentation.view(), &parameters)?;
/// assert!(map[[4, 4, 3]] > 9.0 && map[[4, 4, 4]] < 1.0);
/// # Ok::<(), weightmap::Error>(())
/// ```
pub fn border_weightmap<T: Copy + Into<f64> + Sync, W: Weight>(
    segmentation: ArrayView3<'_, T>,
    parameters: &Parameters,
) -> Result<Array3<W>, Error> {
    let classes = Classes::new(&parameters.classes, parameters.compat)?;
    let labels = encode(
        segmentation,
        Rule {
            classes: &classes,
            fractions: parameters.compat,
        },
    )?;
    let weights = labels.counts.weights();
    make(labels, &classes, parameters, weights, &Cancel::new())
}

/// Returns the map of encoded labels, with the given weight of each class index.
pub(crate) fn make<W: Weight>(
    labels: Labels,
    classes: &Classes,
    parameters: &Parameters,
    weights: [f32; 256],
    cancel: &Cancel,
) -> Result<Array3<W>, Error> {
    check_numbers(parameters.sigma, parameters.w0, W::LARGEST)?;
    let Labels { index, counts } = labels;
    let (z, y, x) = index.dim();
    if index.is_empty() {
        return Err(Error::Rank { found: vec![z, y, x] });
    }
    let spacing = parameters.spacing.unwrap_or([1.0; 3]);
    let mut gaussian = Gaussian::new(parameters.sigma, parameters.w0);
    // If a class has weight 0, the smallest term matters.
    let (least, zero) = counts.least(&weights);
    let bound = if zero {
        f64::INFINITY
    } else {
        gaussian.bound(least, W::BITS)
    };
    let base = |index: u8| f64::from(weights[usize::from(index)]);
    if parameters.mode == Mode::Instances {
        let (nearest, second) = instances::distances(&index, classes, spacing, bound, cancel)?;
        let weight = |sum: f64, at| base(at) + gaussian.at(sum * sum);
        return Ok(instances::finish(nearest, second, &index, weight, cancel)?);
    }
    let flat = parameters.mode == Mode::TwoD;
    let axes = [z > 1 && !flat, y > 1, x > 1].map(|more| more || parameters.compat);
    let erosion = Erosion {
        axes,
        unlabelled_is_border: parameters.compat,
    };
    cancel.check()?;
    let (mask, any) = outside(index.view(), classes, erosion);
    if !any && parameters.compat {
        return Ok(virtual_corner_voxel(&index, |d2, at| base(at) + gaussian.at(d2)));
    }
    let mut distance = Array3::zeros((z, y, x));
    run::prefer_large_pages(distance.as_slice_mut().unwrap_or_default());
    let kept = (bound as f32).next_up();
    if !any {
        distance.fill(f32::INFINITY);
    } else if flat {
        for (mask, out) in mask.outer_iter().zip(distance.outer_iter_mut()) {
            edt::squared_distance_into(mask, &spacing[1..], Some(kept), out, cancel)?;
        }
    } else {
        edt::squared_distance_into(mask.view(), &spacing, Some(kept), distance.view_mut(), cancel)?;
    }
    drop(mask);
    if spacing == [1.0; 3] {
        gaussian.tabulate(bound);
    }
    let weight = |d2, at| match at {
        UNLABELLED => 0.0,
        at => base(at) + gaussian.border(d2),
    };
    Ok(W::finish(distance, &index, weight, cancel)?)
}

/// Without an inside voxel, the fork's distance is that to a virtual voxel at (-1, 0, 0).
fn virtual_corner_voxel<W: Weight>(index: &Array3<u8>, weight: impl Fn(f64, u8) -> f64) -> Array3<W> {
    Array3::from_shape_fn(index.dim(), |at| {
        let (z, y, x) = (at.0 as f64 + 1.0, at.1 as f64, at.2 as f64);
        W::round(weight(z * z + y * y + x * x, index[at]))
    })
}
