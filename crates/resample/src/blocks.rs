//! Division of an output volume into independent blocks of rows.

use std::ops::Range;

use rayon::prelude::*;
use run::{Cancel, Cancelled};

/// Number of rows per block. It keeps the fraction of rows read by two blocks small, and all threads busy on
/// a single slice.
const ROWS: usize = 64;

/// Calls `work(z, rows, values, memory)` in parallel for blocks that cover a `(z, y, x)` volume. A block never
/// crosses planes. No block starts after `cancel` is set. `memory` is kept from block to block of a plane.
pub(crate) fn for_each<T: Send, M: Default>(
    values: &mut [T],
    shape: [usize; 3],
    cancel: &Cancel,
    work: impl Fn(usize, Range<usize>, &mut [T], &mut M) + Sync,
) -> Result<(), Cancelled> {
    let [_, ny, nx] = shape;
    let planes = values.par_chunks_mut(ny * nx).enumerate();
    planes.try_for_each(|(z, plane)| {
        let blocks = plane.par_chunks_mut(ROWS * nx).enumerate();
        blocks.try_for_each_init(M::default, |memory, (block, values)| {
            cancel.check()?;
            work(z, rows(block, ny), values, memory);
            Ok(())
        })
    })
}

/// [`for_each`] over two volumes of the same shape.
pub(crate) fn for_each_pair<T: Send, U: Send, M: Default>(
    first: &mut [T],
    second: &mut [U],
    shape: [usize; 3],
    cancel: &Cancel,
    work: impl Fn(usize, Range<usize>, &mut [T], &mut [U], &mut M) + Sync,
) -> Result<(), Cancelled> {
    let [_, ny, nx] = shape;
    let planes = first.par_chunks_mut(ny * nx).zip(second.par_chunks_mut(ny * nx));
    planes.enumerate().try_for_each(|(z, (first, second))| {
        let blocks = first
            .par_chunks_mut(ROWS * nx)
            .zip(second.par_chunks_mut(ROWS * nx));
        let blocks = blocks.enumerate();
        blocks.try_for_each_init(M::default, |memory, (block, (first, second))| {
            cancel.check()?;
            work(z, rows(block, ny), first, second, memory);
            Ok(())
        })
    })
}

fn rows(block: usize, ny: usize) -> Range<usize> {
    block * ROWS..((block + 1) * ROWS).min(ny)
}
