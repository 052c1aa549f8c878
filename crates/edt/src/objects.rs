//! Distances to the two nearest of many objects.
//!
//! Separable like the transform itself. Along each axis, a voxel keeps the two smallest values of `f(j) +
//! s²(i - j)²` that belong to different objects. Two are enough: an object that is third in its line has two
//! nearer ones at every voxel that it could reach through that line. Only the distance of the second is kept.
//! It matters only where the first of its line is also the voxel's first.

use ndarray::{Array3, ArrayViewMut2, Axis as NdAxis};
use rayon::prelude::*;
use run::Cancel;

use crate::grid::Axis;
use crate::simd::{dispatch, Kernel};
use crate::{transform, Error};

/// Number of columns processed at once.
const W: usize = 16;
/// Steps outwards between two checks whether any lane can still improve.
const STRIDE: usize = 4;

/// Returns the squared distances (z, y, x) of every voxel to the nearest and the second nearest object.
///
/// `objects` (z, y, x) holds object numbers; 0 means no object. `spacing` is (z, y, x). An object's own
/// voxels are at distance 0 from it. Distances above `bound` (not squared), and distances to missing objects,
/// are infinite.
///
/// Exact up to float32 rounding. The time is proportional to the number of voxels, times the number of voxels
/// within `bound`, or within the distance of the second nearest object if that is smaller. Memory besides
/// `objects` is two arrays.
///
/// # Errors
/// [`Error`] for a wrong spacing or bound; [`Error::Cancelled`] within the work of one slice or of 16
/// columns.
pub fn two_nearest_objects(
    mut objects: Array3<u32>,
    spacing: [f64; 3],
    bound: Option<f32>,
    cancel: &Cancel,
) -> Result<(Array3<f32>, Array3<f32>), Error> {
    transform::check_numbers(&spacing, bound)?;
    let mut nearest = objects.mapv(|object| if object == 0 { f32::INFINITY } else { 0.0 });
    let mut second = Array3::from_elem(objects.dim(), f32::INFINITY);
    if objects.is_empty() {
        return Ok((nearest, second));
    }
    let (depth, height, width) = objects.dim();
    let cap = bound.map(|b| b * b);
    let axis = |n, s: f64| Axis::<f32>::new(n, (s * s) as f32, cap);
    let (z, y, x) = (
        axis(depth, spacing[0]),
        axis(height, spacing[1]),
        axis(width, spacing[2]),
    );
    let slices = objects
        .outer_iter_mut()
        .into_par_iter()
        .zip(nearest.outer_iter_mut())
        .zip(second.outer_iter_mut());
    slices.try_for_each(|((mut object, mut nearest), mut second)| {
        cancel.check()?;
        let mut lines = Lines::new(&x, 1);
        for ((object, nearest), second) in object
            .rows_mut()
            .into_iter()
            .zip(nearest.rows_mut())
            .zip(second.rows_mut())
        {
            let field = Field {
                object: object.insert_axis(NdAxis(0)),
                nearest: nearest.insert_axis(NdAxis(0)),
                second: second.insert_axis(NdAxis(0)),
            };
            dispatch(Pass {
                axis: &x,
                lines: &mut lines,
                field,
                along_x: true,
            });
        }
        let mut lines = Lines::new(&y, W);
        let columns = object
            .axis_chunks_iter_mut(NdAxis(1), W)
            .zip(nearest.axis_chunks_iter_mut(NdAxis(1), W));
        for ((object, nearest), second) in columns.zip(second.axis_chunks_iter_mut(NdAxis(1), W)) {
            dispatch(Pass {
                axis: &y,
                lines: &mut lines,
                field: Field {
                    object,
                    nearest,
                    second,
                },
                along_x: false,
            });
        }
        Ok::<_, Error>(())
    })?;
    let flat = |_| Error::Layout {
        shape: vec![depth, height, width],
    };
    let mut object = objects
        .into_shape_with_order((depth, height * width))
        .map_err(flat)?;
    let mut near = nearest
        .into_shape_with_order((depth, height * width))
        .map_err(flat)?;
    let mut far = second
        .into_shape_with_order((depth, height * width))
        .map_err(flat)?;
    let columns = object.axis_chunks_iter_mut(NdAxis(1), W).into_par_iter();
    let columns = columns
        .zip(near.axis_chunks_iter_mut(NdAxis(1), W))
        .zip(far.axis_chunks_iter_mut(NdAxis(1), W));
    columns.try_for_each_init(
        || Lines::new(&z, W),
        |lines, ((object, nearest), second)| {
            cancel.check()?;
            dispatch(Pass {
                axis: &z,
                lines,
                field: Field {
                    object,
                    nearest,
                    second,
                },
                along_x: false,
            });
            Ok::<_, Error>(())
        },
    )?;
    if let Some(cap) = cap {
        let clamp = |d: &mut f32| *d = if *d > cap { f32::INFINITY } else { *d };
        near.par_mapv_inplace(|mut d| {
            clamp(&mut d);
            d
        });
        far.par_mapv_inplace(|mut d| {
            clamp(&mut d);
            d
        });
    }
    let shape = (depth, height, width);
    let near = near.into_shape_with_order(shape).map_err(flat)?;
    Ok((near, far.into_shape_with_order(shape).map_err(flat)?))
}

/// The two nearest objects of some voxels. Each view is (line, columns).
struct Field<'a> {
    object: ArrayViewMut2<'a, u32>,
    nearest: ArrayViewMut2<'a, f32>,
    second: ArrayViewMut2<'a, f32>,
}

/// A copy of a line of lanes, with padding at both ends.
struct Lines {
    object: Vec<u32>,
    nearest: Vec<f32>,
    second: Vec<f32>,
    pad: usize,
    stride: usize,
}

impl Lines {
    fn new(axis: &Axis<f32>, stride: usize) -> Self {
        let pad = axis.limit;
        // The last lanes of a row read past its end.
        let room = (2 * pad + axis.steps.len()) * stride + W;
        let far = vec![f32::INFINITY; room];
        Self {
            object: vec![0; room],
            nearest: far.clone(),
            second: far,
            pad,
            stride,
        }
    }

    /// Returns the two nearest objects at `at` and the lanes after it.
    #[inline(always)]
    fn search(&self, axis: &Axis<f32>, at: usize) -> Best {
        let mut best = Best {
            object: [0; W],
            nearest: [0.0; W],
            second: [0.0; W],
        };
        best.object.copy_from_slice(&self.object[at..at + W]);
        best.nearest.copy_from_slice(&self.nearest[at..at + W]);
        best.second.copy_from_slice(&self.second[at..at + W]);
        let mut k = 1;
        while k < axis.limit && axis.steps[k] < best.farthest() {
            let end = (k + STRIDE).min(axis.limit);
            for k in k..end {
                best.insert(self, at - k * self.stride, axis.steps[k]);
                best.insert(self, at + k * self.stride, axis.steps[k]);
            }
            k = end;
        }
        best
    }
}

struct Best {
    object: [u32; W],
    nearest: [f32; W],
    second: [f32; W],
}

impl Best {
    #[inline(always)]
    fn farthest(&self) -> f32 {
        self.second
            .iter()
            .fold(0.0, |far, &d| if d > far { d } else { far })
    }

    /// Inserts the candidates at `at`, `step` farther away.
    #[inline(always)]
    fn insert(&mut self, lines: &Lines, at: usize, step: f32) {
        let (object, nearest) = (&lines.object[at..at + W], &lines.nearest[at..at + W]);
        let second = &lines.second[at..at + W];
        for lane in 0..W {
            let (first, next) = (nearest[lane] + step, second[lane] + step);
            let (one, two) = (self.nearest[lane], self.second[lane]);
            let less = first < one;
            // The median of three is the second smallest of two objects and a third.
            let capped = if first < two { first } else { two };
            let median = if capped > one { capped } else { one };
            let kept = if object[lane] == self.object[lane] {
                two
            } else {
                median
            };
            self.nearest[lane] = if less { first } else { one };
            self.object[lane] = if less { object[lane] } else { self.object[lane] };
            let other = if next < kept { next } else { kept };
            self.second[lane] = if object[lane] == self.object[lane] {
                other
            } else {
                kept
            };
        }
    }
}

/// The transform along one axis, for some lines.
struct Pass<'a> {
    axis: &'a Axis<f32>,
    lines: &'a mut Lines,
    field: Field<'a>,
    /// Whether the lanes are parallel to the axis.
    along_x: bool,
}

impl Kernel for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            axis,
            lines,
            mut field,
            along_x,
        } = self;
        let (rows, lanes) = field.object.dim();
        if field.nearest.iter().all(|d| d.is_infinite()) {
            return;
        }
        let start = lines.pad * lines.stride;
        for row in 0..rows {
            for lane in 0..lanes {
                let at = start + row * W + lane;
                lines.object[at] = field.object[[row, lane]];
                lines.nearest[at] = field.nearest[[row, lane]];
                lines.second[at] = field.second[[row, lane]];
            }
            if !along_x {
                // Lanes past the edge are finished, so that they never prolong a search.
                for at in start + row * W + lanes..start + (row + 1) * W {
                    (lines.nearest[at], lines.second[at]) = (0.0, 0.0);
                }
            }
        }
        // Along x, one row is divided into groups of lanes. Across x, every row is one group.
        let groups = if along_x { lanes.div_ceil(W) } else { rows };
        for group in 0..groups {
            let best = lines.search(axis, start + group * W);
            for lane in 0..W {
                let (row, column) = if along_x {
                    (0, group * W + lane)
                } else {
                    (group, lane)
                };
                if column < lanes {
                    field.object[[row, column]] = best.object[lane];
                    field.nearest[[row, column]] = best.nearest[lane];
                    field.second[[row, column]] = best.second[lane];
                }
            }
        }
    }
}
