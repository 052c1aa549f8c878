//! Distances between surfaces, as DeepMind's `surface-distance` defines them.

use std::cmp::Ordering;

use ndarray::{s, Array3, ArrayView3};
use run::{Cancel, Cancelled};

use super::surfels::{areas, fill};
use crate::hausdorff::bounds;
use crate::mean::pairwise_sum;
use crate::Error;

/// Distances between the surfaces of two masks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceScores {
    /// 95th percentile of the distances in mm, by area: the larger one of both directions.
    pub hausdorff_95: f64,
    /// Mean of the distances of both directions in mm, by area.
    pub mean_distance: f64,
    /// Share of both surfaces, by area, that is within the tolerance of the other one.
    pub surface_dice: f64,
}

impl SurfaceScores {
    /// Neither mask has the object.
    pub(super) const UNDEFINED: Self = Self {
        hausdorff_95: f64::NAN,
        mean_distance: f64::NAN,
        surface_dice: f64::NAN,
    };
    /// One mask has the object. No distance exists, and nothing of the surface is near the other one.
    pub(super) const MISSED: Self = Self {
        surface_dice: 0.0,
        ..Self::UNDEFINED
    };
}

/// Measures the distances between the surfaces of two masks of shape (z, y, x) with voxels of `spacing` (z, y, x)
/// in mm. `tolerance` of the surface Dice is in mm, too.
///
/// A surface element lies at each corner between voxels whose eight neighbours are not all equal. Its area follows
/// from these eight voxels (marching cubes), its distance is the one to the nearest surface element of the other
/// mask. Voxels outside the image belong to no mask. The results equal those of DeepMind's `surface-distance`:
/// `compute_robust_hausdorff(…, 95)` and `compute_average_surface_distance` up to float32 rounding of squared
/// distances, and `compute_surface_dice_at_tolerance`. Two cases differ: distances to a mask without a surface are
/// undefined (NaN) instead of infinite; `mean_distance` is the mean over the elements of both surfaces.
///
/// `known` is false where the reference is unlabelled; both masks are false there. Such a voxel counts as the
/// nearest labelled one of the same eight, so that the border of an annotation is no surface and labelled slices
/// have walls along the outlines of the object.
///
/// # Errors
/// [`Error::Distance`] if a spacing is not positive; [`Error::Cancelled`] within the work of one slice.
pub fn surface_scores(
    reference: ArrayView3<'_, bool>,
    prediction: ArrayView3<'_, bool>,
    known: Option<ArrayView3<'_, bool>>,
    spacing: [f64; 3],
    tolerance: f64,
    cancel: &Cancel,
) -> Result<SurfaceScores, Error> {
    let [one, two] = [reference, prediction].map(|mask| mask.iter().any(|voxel| *voxel));
    let both = match (one, two) {
        (false, false) => return Ok(SurfaceScores::UNDEFINED),
        (true, true) => bounds([reference, prediction], cancel)?,
        _ => None,
    };
    let Some(bounds) = both else {
        return Ok(SurfaceScores::MISSED);
    };
    let surface = |mask| Surface::of(mask, known, bounds, cancel);
    let (reference, prediction) = (surface(reference)?, surface(prediction)?);
    match (reference.is_empty(), prediction.is_empty()) {
        (true, true) => return Ok(SurfaceScores::UNDEFINED),
        (false, false) => {}
        _ => return Ok(SurfaceScores::MISSED),
    }
    let areas = areas(spacing);
    let one = Directed::new(&reference, &prediction, &areas, spacing, tolerance, cancel)?;
    let two = Directed::new(&prediction, &reference, &areas, spacing, tolerance, cancel)?;
    let area = one.area + two.area;
    Ok(SurfaceScores {
        hausdorff_95: one.percentile_95.max(two.percentile_95),
        mean_distance: (one.weighted + two.weighted) / area,
        surface_dice: (one.within + two.within) / area,
    })
}

/// The surface elements of a mask.
struct Surface {
    /// The eight voxels around each corner of the voxels in the box; 0 without an element. Shape (z, y, x), one more
    /// than the box on each axis.
    codes: Array3<u8>,
}

impl Surface {
    fn of(
        mask: ArrayView3<'_, bool>,
        known: Option<ArrayView3<'_, bool>>,
        bounds: [(usize, usize); 3],
        cancel: &Cancel,
    ) -> Result<Self, Cancelled> {
        let inside = padded(mask, bounds, false);
        let unknown = known.map(|known| padded(known, bounds, true).mapv(|known| !known));
        let [z, y, x] = bounds.map(|(start, end)| end - start + 1);
        let mut codes = Array3::zeros((z, y, x));
        for (z, mut plane) in codes.outer_iter_mut().enumerate() {
            cancel.check()?;
            for (y, mut row) in plane.outer_iter_mut().enumerate() {
                // Four voxels at one x.
                let column = |voxels: &Array3<bool>, x: usize| {
                    let voxel = |z: usize, y: usize| u8::from(voxels[[z, y, x]]);
                    voxel(z, y) | voxel(z, y + 1) << 1 | voxel(z + 1, y) << 2 | voxel(z + 1, y + 1) << 3
                };
                let mut before = column(&inside, 0);
                let mut unknown_before = unknown.as_ref().map_or(0, |unknown| column(unknown, 0));
                for (x, code) in row.iter_mut().enumerate() {
                    let after = column(&inside, x + 1);
                    *code = before | after << 4;
                    before = after;
                    if let Some(unknown) = &unknown {
                        let after = column(unknown, x + 1);
                        *code = fill(*code, unknown_before | after << 4);
                        unknown_before = after;
                    }
                    if *code == u8::MAX {
                        *code = 0;
                    }
                }
            }
        }
        Ok(Self { codes })
    }

    fn is_empty(&self) -> bool {
        self.codes.iter().all(|code| *code == 0)
    }
}

/// The box of a mask with one voxel more on each side. Voxels outside the image have the value `outside`.
fn padded(mask: ArrayView3<'_, bool>, bounds: [(usize, usize); 3], outside: bool) -> Array3<bool> {
    let mut padded = Array3::from_elem(bounds.map(|(start, end)| end - start + 2), outside);
    let shape: [usize; 3] = mask.dim().into();
    let from = bounds.map(|(start, _)| start.saturating_sub(1));
    let to = [0, 1, 2].map(|axis: usize| (bounds[axis].1 + 1).min(shape[axis]));
    let at = bounds.map(|(start, _)| usize::from(start == 0));
    let end = [0, 1, 2].map(|axis: usize| at[axis] + to[axis] - from[axis]);
    padded
        .slice_mut(s![at[0]..end[0], at[1]..end[1], at[2]..end[2]])
        .assign(&mask.slice(s![from[0]..to[0], from[1]..to[1], from[2]..to[2]]));
    padded
}

/// What the elements of one surface have in the other.
struct Directed {
    /// Sum of the areas.
    area: f64,
    /// Sum of the distances, by area.
    weighted: f64,
    /// Sum of the areas within the tolerance.
    within: f64,
    percentile_95: f64,
}

impl Directed {
    fn new(
        from: &Surface,
        to: &Surface,
        areas: &[f64; 256],
        spacing: [f64; 3],
        tolerance: f64,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        let mut squared = Array3::<f32>::zeros(to.codes.dim());
        let outside = to.codes.mapv(|code| code == 0);
        edt::squared_distance_into(outside.view(), &spacing, None, squared.view_mut(), cancel)?;
        let shell = Shell::new(tolerance, spacing, to.codes.dim());
        let mut elements = Vec::new();
        for ((at, code), squared) in from.codes.indexed_iter().zip(&squared) {
            if *code == 0 {
                continue;
            }
            let (distance, area) = (f64::from(*squared).sqrt(), areas[usize::from(*code)]);
            let near = match shell.compare(distance) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => shell.reaches(&to.codes, at),
            };
            elements.push((distance, area, near));
        }
        cancel.check()?;
        elements.sort_unstable_by(|one, two| one.0.total_cmp(&two.0).then(one.1.total_cmp(&two.1)));
        let sorted: Vec<f64> = elements.iter().map(|(_, area, _)| *area).collect();
        let weighted: Vec<f64> = elements
            .iter()
            .map(|(distance, area, _)| distance * area)
            .collect();
        // In the same order as all areas, so that the share of all of them is exactly 1.
        let near = elements.iter().filter(|(_, _, near)| *near);
        let within: Vec<f64> = near.map(|(_, area, _)| *area).collect();
        let area = pairwise_sum(&sorted);
        let mut sum = 0.0;
        let reached = elements.iter().find(|(_, one, _)| {
            sum += one;
            sum / area >= 0.95
        });
        let percentile_95 = reached
            .or(elements.last())
            .map_or(f64::NAN, |(distance, _, _)| *distance);
        Ok(Self {
            area,
            weighted: pairwise_sum(&weighted),
            within: pairwise_sum(&within),
            percentile_95,
        })
    }
}

/// The offsets whose length is the tolerance, within rounding.
///
/// Tolerances are often multiples of the spacing. The distances have float32 rounding, so that lengths close to the
/// tolerance are computed again, in float64 as scipy does.
struct Shell {
    tolerance: f64,
    /// Offsets up to the tolerance.
    offsets: Vec<[isize; 3]>,
}

/// Larger than the rounding of distances, as a fraction.
const ROUNDING: f64 = 1e-6;

impl Shell {
    fn new(tolerance: f64, spacing: [f64; 3], shape: (usize, usize, usize)) -> Self {
        let mut offsets = Vec::new();
        let [sz, sy, sx] = spacing;
        let square = |steps: usize, spacing: f64| (steps as f64 * spacing).powi(2);
        for z in (0..shape.0).take_while(|z| *z as f64 * sz <= tolerance) {
            for y in (0..shape.1).take_while(|y| square(z, sz) + square(*y, sy) <= tolerance.powi(2)) {
                let rest = tolerance.powi(2) - square(z, sz) - square(y, sy);
                let nearest = (rest.sqrt() / sx).round() as usize;
                for x in nearest.saturating_sub(1)..=nearest + 1 {
                    let length = (square(z, sz) + square(y, sy) + square(x, sx)).sqrt();
                    if length <= tolerance && length >= tolerance * (1.0 - 2.0 * ROUNDING) {
                        offsets.push([z, y, x].map(|steps| steps as isize));
                    }
                }
            }
        }
        Self { tolerance, offsets }
    }

    /// Compares a distance with the tolerance; `Equal` within rounding.
    fn compare(&self, distance: f64) -> Ordering {
        if (distance - self.tolerance).abs() > self.tolerance * ROUNDING {
            distance.total_cmp(&self.tolerance)
        } else {
            Ordering::Equal
        }
    }

    /// Whether a surface has an element at one of the offsets from `at`.
    fn reaches(&self, codes: &Array3<u8>, (z, y, x): (usize, usize, usize)) -> bool {
        self.offsets.iter().any(|offset| {
            (0..8).any(|signs| {
                let place = |at: usize, axis: usize| {
                    let step = if signs >> axis & 1 == 1 {
                        -offset[axis]
                    } else {
                        offset[axis]
                    };
                    at.checked_add_signed(step)
                };
                match (place(z, 0), place(y, 1), place(x, 2)) {
                    (Some(z), Some(y), Some(x)) => codes.get([z, y, x]).is_some_and(|code| *code != 0),
                    _ => false,
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every corner whose eight voxels differ, and its area.
    fn elements(mask: &Array3<bool>, areas: &[f64; 256]) -> Vec<([usize; 3], f64)> {
        let (depth, height, width) = mask.dim();
        let mut found = Vec::new();
        for (z, y, x) in places(depth + 1, height + 1, width + 1) {
            let mut code = 0_u8;
            for (a, b, c) in places(2, 2, 2) {
                let before = [z + a, y + b, x + c].map(|at| at.checked_sub(1));
                let inside = match before {
                    [Some(z), Some(y), Some(x)] => mask.get([z, y, x]).copied().unwrap_or(false),
                    _ => false,
                };
                code |= u8::from(inside) << (4 * c + 2 * a + b);
            }
            if code != 0 && code != u8::MAX {
                found.push(([z, y, x], areas[usize::from(code)]));
            }
        }
        found
    }

    fn places(z: usize, y: usize, x: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..z * y * x).map(move |i| (i / (y * x), i / x % y, i % x))
    }

    fn masks() -> impl Strategy<Value = (Array3<bool>, Array3<bool>)> {
        (1..6_usize, 1..6_usize, 1..6_usize).prop_flat_map(|(z, y, x)| {
            let voxels = || prop::collection::vec(prop::bool::weighted(0.3), z * y * x);
            let array = move |voxels| Array3::from_shape_vec((z, y, x), voxels).unwrap();
            (voxels(), voxels()).prop_map(move |(one, two)| (array(one), array(two)))
        })
    }

    proptest! {
        /// The oracle compares every element of one surface with every element of the other.
        #[test]
        fn scores_are_those_of_all_pairs_of_elements(
            (one, two) in masks(),
            spacing in [0.3f64..3.0, 0.3f64..3.0, 0.3f64..3.0],
            tolerance in 0f64..3.0,
        ) {
            let found = surface_scores(one.view(), two.view(), None, spacing, tolerance, &Cancel::new()).unwrap();
            let areas = areas(spacing);
            let surfaces = [elements(&one, &areas), elements(&two, &areas)];
            if surfaces.iter().any(Vec::is_empty) {
                prop_assert!(found.hausdorff_95.is_nan() && found.mean_distance.is_nan());
                return Ok(());
            }
            let (mut within, mut weighted, mut area, mut hausdorff) = (0.0, 0.0, 0.0, [0.0_f64; 2]);
            for [from, to] in [[0, 1], [1, 0]] {
                let mut distances: Vec<(f64, f64)> = surfaces[from].iter().map(|(at, area)| {
                    let nearest = surfaces[to].iter().map(|(other, _)| {
                        let part = |axis: usize| ((at[axis] as f64 - other[axis] as f64) * spacing[axis]).powi(2);
                        (part(0) + part(1) + part(2)).sqrt()
                    });
                    (nearest.fold(f64::INFINITY, f64::min), *area)
                }).collect();
                distances.sort_by(|one, two| one.0.total_cmp(&two.0));
                let total: f64 = distances.iter().map(|(_, area)| area).sum();
                // Whether a sum that equals the share reaches it depends on rounding: both are right.
                for (share, hausdorff) in [0.95 - 1e-9, 0.95 + 1e-9].into_iter().zip(&mut hausdorff) {
                    let mut sum = 0.0;
                    let reached = distances.iter().find(|(_, area)| { sum += area; sum >= share * total });
                    *hausdorff = reached.or(distances.last()).map_or(0.0, |(d, _)| *d).max(*hausdorff);
                }
                area += total;
                weighted += distances.iter().map(|(distance, area)| distance * area).sum::<f64>();
                within += distances.iter().filter(|(d, _)| *d <= tolerance).map(|(_, area)| area).sum::<f64>();
            }
            prop_assert!((found.mean_distance - weighted / area).abs() < 1e-5);
            prop_assert!((found.surface_dice - within / area).abs() < 1e-9);
            let [low, high] = hausdorff;
            prop_assert!((low - 1e-5..=high + 1e-5).contains(&found.hausdorff_95), "{found:?} {hausdorff:?}");
        }

        /// Without unknown voxels nothing changes.
        #[test]
        fn known_voxels_change_nothing((one, two) in masks()) {
            let known = Array3::from_elem(one.dim(), true);
            let scores = |known| surface_scores(one.view(), two.view(), known, [2.0, 1.0, 0.5], 1.0, &Cancel::new());
            let [with, without] = [scores(Some(known.view())).unwrap(), scores(None).unwrap()];
            prop_assert_eq!(format!("{with:?}"), format!("{without:?}"));
        }
    }
}
