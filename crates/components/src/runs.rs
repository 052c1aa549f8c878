//! Runs of voxels along the last axis.

/// Start and end of a run in its row.
pub(crate) type Run = (u32, u32);

/// Appends the runs of voxels in one row for which `inside` holds, in order.
///
/// Processes 64 voxels at a time as a bit mask, and visits only the bits that change.
pub(crate) fn runs<T: Copy>(row: &[T], inside: impl Fn(T) -> bool, found: &mut Vec<Run>) {
    let mut start = 0;
    let mut open = false;
    for (block, values) in row.chunks(64).enumerate() {
        let bits = mask_of(values, &inside);
        if bits == if open { u64::MAX } else { 0 } {
            continue;
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
}

/// Returns a bit for each of up to 64 voxels: whether `inside` holds.
///
/// Bytes are packed eight at a time by a multiplication that moves the lowest bit of each to the highest byte.
fn mask_of<T: Copy>(values: &[T], inside: impl Fn(T) -> bool) -> u64 {
    let mut bytes = [0_u8; 64];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = u8::from(inside(*value));
    }
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().enumerate().fold(0, |bits, (i, word)| {
        let packed = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits | packed << (8 * i)
    })
}

/// Appends the runs of equal voxels in one row for which `inside` holds, in order.
pub(crate) fn equal_runs<T: Copy + PartialEq>(row: &[T], inside: impl Fn(T) -> bool, found: &mut Vec<Run>) {
    let mut start = 0;
    for run in row.chunk_by(|one, next| one == next) {
        let end = start + run.len() as u32;
        if inside(run[0]) {
            found.push((start, end));
        }
        start = end;
    }
}
