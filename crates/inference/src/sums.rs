//! Weighted sums of tiles, over all planes of a volume or over those that tiles still change.

use std::ops::Range;

use bytemuck::allocation::try_zeroed_slice_box;
use bytemuck::Zeroable;
use half::f16;
use ndarray::{s, Array4, ArrayView4};
use rayon::prelude::*;

use crate::Error;

/// A tile's place in a volume (z, y, x). It may reach beyond the volume.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// First voxel; negative in the padding before the volume.
    pub corner: [isize; 3],
    /// Voxels along each axis.
    pub size: [usize; 3],
}

/// A number of the sums. Sums are computed in float32 and rounded to it.
pub(crate) trait Stored: Copy + Send + Sync + Zeroable {
    fn get(self) -> f32;
    fn of(value: f32) -> Self;
}

impl Stored for f32 {
    fn get(self) -> f32 {
        self
    }

    fn of(value: f32) -> Self {
        value
    }
}

impl Stored for f16 {
    fn get(self) -> f32 {
        self.to_f32()
    }

    fn of(value: f32) -> Self {
        Self::from_f32(value)
    }
}

/// Sums of values times weights, and of weights, of a volume (class, z, y, x).
///
/// Holds `depth` planes at a time. A plane is in slot `plane % depth`, so that nothing moves when planes are taken out.
pub(crate) struct Sums<T = f32> {
    shape: [usize; 3],
    depth: usize,
    /// The first plane that was not taken out.
    first: usize,
    values: Vec<T>,
    weights: Vec<T>,
}

impl<T: Stored> Sums<T> {
    /// Zeros for a volume of `shape`, with room for `depth` planes.
    pub fn new(classes: usize, shape: [usize; 3], depth: usize) -> Result<Self, Error> {
        let depth = depth.clamp(1, shape[0].max(1));
        let plane = depth * shape[1] * shape[2];
        Ok(Self {
            shape,
            depth,
            first: 0,
            values: zeros(classes * plane)?,
            weights: zeros(plane)?,
        })
    }

    /// The part of an axis of the volume under a tile: first voxel, number of voxels, and their first one in the tile.
    fn overlap(&self, place: Place, axis: usize) -> (usize, usize, usize) {
        let (corner, size) = (place.corner[axis], place.size[axis]);
        let start = corner.max(0) as usize;
        let end = (corner + size as isize).clamp(0, self.shape[axis] as isize) as usize;
        (
            start,
            end.saturating_sub(start),
            (start as isize - corner) as usize,
        )
    }

    /// Adds `weight` (z, y, x) of a tile to the sum of weights.
    pub fn add_weight(&mut self, weight: &[f32], place: Place) {
        let ([z, y, x], [_, ny, nx]) = ([0, 1, 2].map(|axis| self.overlap(place, axis)), place.size);
        let [_, height, width] = self.shape;
        for plane in 0..z.1 {
            let slot = (z.0 + plane) % self.depth;
            for row in 0..y.1 {
                let to = (slot * height + y.0 + row) * width + x.0;
                let from = ((z.2 + plane) * ny + y.2 + row) * nx + x.2;
                let rows = self.weights[to..to + x.1]
                    .iter_mut()
                    .zip(&weight[from..from + x.1]);
                rows.for_each(|(sum, value)| *sum = T::of(sum.get() + value));
            }
        }
    }

    /// Adds classes of a tile, from `class` on, times `weight`. `tile` (class, z, y, x) is mirrored along the axes where
    /// `mirrored` is set.
    pub fn add(&mut self, class: usize, tile: &[f32], weight: &[f32], place: Place, mirrored: [bool; 3]) {
        let ([z, y, x], [nz, ny, nx]) = ([0, 1, 2].map(|axis| self.overlap(place, axis)), place.size);
        let (depth, [_, height, width]) = (self.depth, self.shape);
        let plane = height * width;
        let count = tile.len() / (nz * ny * nx).max(1);
        let turned = |at: usize, size: usize, mirrored: bool| if mirrored { size - 1 - at } else { at };
        let all = &mut self.values[class * depth * plane..(class + count) * depth * plane];
        all.par_chunks_mut(plane.max(1))
            .enumerate()
            .for_each(|(index, sums)| {
                let (class, slot) = (index / depth, index % depth);
                // The plane of the tile in this slot, if any. A tile has at most `depth` planes in the volume.
                let at = (slot + depth - z.0 % depth) % depth;
                if at >= z.1 {
                    return;
                }
                let in_tile = z.2 + at;
                for row in 0..y.1 {
                    let weights = &weight[(in_tile * ny + y.2 + row) * nx + x.2..][..x.1];
                    let source = (class * nz + turned(in_tile, nz, mirrored[0])) * ny
                        + turned(y.2 + row, ny, mirrored[1]);
                    let source = &tile[source * nx..][..nx];
                    let sums = &mut sums[(y.0 + row) * width + x.0..][..x.1];
                    if mirrored[2] {
                        let source = &source[nx - x.2 - x.1..nx - x.2];
                        let each = sums.iter_mut().zip(source.iter().rev()).zip(weights);
                        each.for_each(|((sum, value), weight)| *sum = T::of(sum.get() + value * weight));
                    } else {
                        let each = sums.iter_mut().zip(&source[x.2..x.2 + x.1]).zip(weights);
                        each.for_each(|((sum, value), weight)| *sum = T::of(sum.get() + value * weight));
                    }
                }
            });
    }

    /// Divides the planes from `start` to `end` by their weights. Returns the number of values that are not finite.
    fn divide(&mut self, start: usize, end: usize) -> usize {
        let (depth, plane) = (self.depth, self.shape[1] * self.shape[2]);
        let weights = &self.weights;
        let planes = self.values.par_chunks_mut(plane.max(1)).enumerate();
        let counts = planes.map(|(index, sums)| {
            let slot = index % depth;
            if (slot + depth - start % depth) % depth >= end - start {
                return 0;
            }
            let mut finite = true;
            for (sum, weight) in sums.iter_mut().zip(&weights[slot * plane..]) {
                *sum = T::of(sum.get() / weight.get());
                finite &= sum.get().is_finite();
            }
            if finite {
                0
            } else {
                sums.iter().filter(|sum| !sum.get().is_finite()).count()
            }
        });
        counts.sum()
    }

    /// Takes the planes before `end` out: gives their means (class, z, y, x) to `receive`, in order and in at most two
    /// pieces, and makes room for later planes. Returns the number of values that are not finite; if there are any,
    /// nothing is given.
    pub fn take<E>(
        &mut self,
        end: usize,
        mut receive: impl FnMut(ArrayView4<'_, T>) -> Result<(), E>,
    ) -> Result<usize, E> {
        Self::take_together(std::slice::from_mut(self), end, |means| {
            means.iter().try_for_each(|mean| receive(mean.view()))
        })
    }

    /// [`Sums::take`] of several sums of volumes of the same shape, with the same depth and progress. `receive` gets the
    /// same planes of each.
    pub fn take_together<E>(
        all: &mut [Self],
        end: usize,
        mut receive: impl FnMut(&[ArrayView4<'_, T>]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let Some(&Self { first, depth, .. }) = all.first() else {
            return Ok(0);
        };
        if end <= first {
            return Ok(0);
        }
        let bad: usize = all.iter_mut().map(|sums| sums.divide(first, end)).sum();
        if bad > 0 {
            return Ok(bad);
        }
        let mut next = first;
        while next < end {
            let slot = next % depth;
            let slots = slot..slot + (end - next).min(depth - slot);
            let planes: Vec<_> = all.iter().filter_map(|sums| sums.planes(slots.clone())).collect();
            receive(&planes)?;
            all.iter_mut().for_each(|sums| sums.clear(slots.clone()));
            next += slots.len();
        }
        all.iter_mut().for_each(|sums| sums.first = end);
        Ok(0)
    }

    /// The planes in these slots (class, z, y, x).
    fn planes(&self, slots: Range<usize>) -> Option<ArrayView4<'_, T>> {
        let [_, height, width] = self.shape;
        let classes = self.values.len() / (self.depth * height * width).max(1);
        let all = ArrayView4::from_shape((classes, self.depth, height, width), &self.values).ok()?;
        Some(all.slice_move(s![.., slots, .., ..]))
    }

    fn clear(&mut self, slots: Range<usize>) {
        let plane = self.shape[1] * self.shape[2];
        let range = slots.start * plane..slots.end * plane;
        for class in self.values.chunks_mut((self.depth * plane).max(1)) {
            class[range.clone()].fill(T::of(0.0));
        }
        self.weights[range].fill(T::of(0.0));
    }

    /// The means of all planes, without a copy, if there is room for all; or the number of values that are not finite.
    pub fn into_mean(mut self) -> Result<Result<Array4<T>, usize>, Error> {
        let [depth, height, width] = self.shape;
        let bad = self.divide(0, depth);
        if bad > 0 {
            return Ok(Err(bad));
        }
        let classes = self.values.len() / (depth * height * width).max(1);
        Array4::from_shape_vec((classes, depth, height, width), self.values)
            .map(Ok)
            .map_err(|e| Error::shape(&e))
    }
}

/// Zeros, which the system provides as they are touched.
fn zeros<T: Zeroable>(count: usize) -> Result<Vec<T>, Error> {
    let zeros = try_zeroed_slice_box(count).map_err(|()| Error::Memory {
        bytes: (count * size_of::<T>()) as u64,
    })?;
    Ok(zeros.into_vec())
}

#[cfg(test)]
mod tests {
    use ndarray::{s, Array3, Array4, Axis};
    use proptest::prelude::*;

    use super::*;

    /// Sums of tiles with a whole volume, element by element.
    fn direct(
        classes: usize,
        shape: [usize; 3],
        tiles: &[(Place, [bool; 3], Array4<f32>)],
        weight: &Array3<f32>,
    ) -> Array4<f32> {
        let mut sums = Array4::<f32>::zeros((classes, shape[0], shape[1], shape[2]));
        let mut weights = Array3::<f32>::zeros(shape);
        for (place, mirrored, tile) in tiles {
            let mut tile = tile.clone();
            (0..3)
                .filter(|&a| mirrored[a])
                .for_each(|axis| tile.invert_axis(Axis(axis + 1)));
            for ((z, y, x), w) in weight.indexed_iter() {
                let at = [z, y, x]
                    .iter()
                    .zip(place.corner)
                    .map(|(&i, c)| i as isize + c)
                    .collect::<Vec<_>>();
                if at.iter().zip(shape).any(|(&i, n)| i < 0 || i >= n as isize) {
                    continue;
                }
                let at = [at[0] as usize, at[1] as usize, at[2] as usize];
                weights[at] += w;
                for class in 0..classes {
                    sums[[class, at[0], at[1], at[2]]] += tile[[class, z, y, x]] * w;
                }
            }
        }
        sums / weights.insert_axis(Axis(0))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn slabs_equal_the_whole_volume_and_direct_sums(
            patch in prop::array::uniform3(1usize..6),
            more in prop::array::uniform3(0usize..7),
            before in prop::array::uniform3(0usize..2),
            classes in 1usize..4,
            seed in 0u32..1000,
        ) {
            // A patch may reach beyond the volume on axes where the volume is smaller.
            let shape: [usize; 3] = std::array::from_fn(|a| if more[a] == 0 { (patch[a] - before[a].min(patch[a] - 1)).max(1) } else { patch[a] + more[a] });
            let starts = crate::tile_starts(&patch, &std::array::from_fn::<_, 3, _>(|a| shape[a].max(patch[a])), 0.5);
            let pad: [usize; 3] = std::array::from_fn(|a| patch[a].saturating_sub(shape[a]) / 2);
            let weight = Array3::from_shape_fn(patch, |(z, y, x)| 0.1 + ((z * 3 + y * 5 + x * 7 + seed as usize) % 11) as f32);
            let corners = crate::tile_corners(&starts);
            let tiles: Vec<_> = corners.iter().enumerate().flat_map(|(t, corner)| (0..2u32).map(move |copy| {
                let bits = (t as u32 * 5 + copy * 3 + seed) % 8;
                let corner = std::array::from_fn(|a| corner[a] as isize - pad[a] as isize);
                let tile = Array4::from_shape_fn((classes, patch[0], patch[1], patch[2]), |(c, z, y, x)| {
                    ((c * 31 + z * 7 + y * 3 + x + t * 13 + copy as usize) % 17) as f32 / 3.0
                });
                (Place { corner, size: patch }, [0, 1, 2].map(|a| bits >> a & 1 == 1), tile)
            })).collect();
            let run = |sums: &mut Sums, after: &mut dyn FnMut(&mut Sums, usize)| {
                for (i, (place, mirrored, tile)) in tiles.iter().enumerate() {
                    sums.add_weight(weight.as_slice().unwrap(), *place);
                    // One class after another.
                    for class in 0..classes {
                        let tile = tile.index_axis(Axis(0), class);
                        sums.add(class, tile.as_slice().unwrap(), weight.as_slice().unwrap(), *place, *mirrored);
                    }
                    let next = tiles.get(i + 1).map_or(shape[0], |next| next.0.corner[0].max(0) as usize);
                    after(sums, next);
                }
            };
            let mut whole = Sums::<f32>::new(classes, shape, shape[0]).unwrap();
            run(&mut whole, &mut |_, _| ());
            let whole = whole.into_mean().unwrap().unwrap();
            let mut slabs = Sums::<f32>::new(classes, shape, patch[0]).unwrap();
            let mut found = Array4::<f32>::from_elem(whole.raw_dim(), f32::NAN);
            let mut first = 0;
            run(&mut slabs, &mut |sums, end| {
                let bad = sums.take(end, |planes| {
                    let last = first + planes.dim().1;
                    found.slice_mut(s![.., first..last, .., ..]).assign(&planes);
                    first = last;
                    Ok::<(), Error>(())
                });
                assert_eq!(bad.unwrap(), 0);
            });
            prop_assert_eq!(first, shape[0]);
            prop_assert_eq!(&found, &whole);
            prop_assert_eq!(&direct(classes, shape, &tiles, &weight), &whole);
        }
    }

    #[test]
    fn values_that_are_not_finite_are_counted_and_not_given() {
        let place = Place {
            corner: [0; 3],
            size: [2, 1, 1],
        };
        let mut sums = Sums::<f32>::new(1, [2, 1, 1], 2).unwrap();
        sums.add_weight(&[1.0; 2], place);
        sums.add(0, &[1.0, f32::INFINITY], &[1.0; 2], place, [false; 3]);
        assert_eq!(sums.take(1, |_| Ok::<(), Error>(())).unwrap(), 0);
        assert_eq!(sums.take(2, |_| Err(Error::Memory { bytes: 0 })).unwrap(), 1);
    }

    #[test]
    fn a_volume_beyond_the_memory_is_an_error() {
        let found = Sums::<f32>::new(1 << 20, [1 << 10; 3], 1 << 10).map(|_| ());
        assert!(matches!(found, Err(Error::Memory { .. })));
    }
}
