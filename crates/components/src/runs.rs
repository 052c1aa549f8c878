//! Runs of voxels along the last axis.

/// Start and end of a run in its row.
pub(crate) type Run = (u32, u32);

/// Returns the runs of voxels in one row for which `inside` holds, in order.
///
/// Processes 64 voxels at a time as a bit mask, and visits only the bits that change.
pub(crate) fn runs<T: Copy>(row: &[T], inside: impl Fn(T) -> bool) -> Vec<Run> {
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
            // Bits past the end of the row are not changes. An open run ends below.
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

/// Returns the runs of equal voxels in one row for which `inside` holds, in order.
pub(crate) fn equal_runs<T: Copy + PartialEq>(row: &[T], inside: impl Fn(T) -> bool) -> Vec<Run> {
    let mut found = Vec::new();
    let mut start = 0;
    for run in row.chunk_by(|one, next| one == next) {
        let end = start + run.len() as u32;
        if inside(run[0]) {
            found.push((start, end));
        }
        start = end;
    }
    found
}
