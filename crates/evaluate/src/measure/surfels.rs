//! Surface elements between voxels: where they are, and how large.

/// The eight voxels around a point, as bits. Bit `4 x + 2 z + y` is the voxel after the point on the axes with 1.
pub(super) type Code = u8;

/// Area vectors (z, y, x), times 8 and without sign, of the surface elements of one neighbourhood, and that
/// neighbourhood as `[z][y][x]` in reading order. Every other neighbourhood mirrors, turns or inverts one of them.
///
/// These are the normals of DeepMind's `surface-distance` (`lookup_tables.py`), which follow from marching cubes.
const SHAPES: [([u8; 8], &[[u8; 3]]); 13] = [
    ([0, 0, 0, 0, 0, 0, 0, 1], &[[1, 1, 1]]),
    ([0, 0, 0, 0, 0, 0, 1, 1], &[[2, 2, 0], [2, 2, 0]]),
    ([0, 0, 0, 0, 0, 1, 1, 0], &[[1, 1, 1], [1, 1, 1]]),
    ([0, 0, 0, 0, 0, 1, 1, 1], &[[4, 0, 0], [2, 2, 2], [1, 1, 1]]),
    ([0, 0, 0, 0, 1, 1, 1, 1], &[[4, 0, 0], [4, 0, 0]]),
    ([0, 0, 0, 1, 0, 1, 1, 0], &[[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
    (
        [0, 0, 0, 1, 0, 1, 1, 1],
        &[[1, 1, 1], [2, 2, 2], [2, 2, 2], [1, 1, 1]],
    ),
    ([0, 0, 0, 1, 1, 0, 0, 0], &[[1, 1, 1], [1, 1, 1]]),
    ([0, 0, 0, 1, 1, 0, 0, 1], &[[0, 2, 2], [0, 2, 2], [1, 1, 1]]),
    (
        [0, 0, 0, 1, 1, 0, 1, 1],
        &[[1, 1, 1], [3, 3, 3], [0, 2, 2], [2, 0, 2]],
    ),
    (
        [0, 0, 0, 1, 1, 1, 1, 0],
        &[[4, 0, 0], [1, 1, 1], [2, 2, 2], [1, 1, 1]],
    ),
    (
        [0, 0, 1, 1, 1, 1, 0, 0],
        &[[2, 2, 0], [2, 2, 0], [2, 2, 0], [2, 2, 0]],
    ),
    (
        [0, 1, 1, 0, 1, 0, 0, 1],
        &[[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]],
    ),
];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The bit of the voxel at `[z, y, x]` of a neighbourhood.
fn bit([z, y, x]: [usize; 3]) -> Code {
    1 << (4 * x + 2 * z + y)
}

/// Returns the area of the surface in each neighbourhood, for voxels of `spacing` (z, y, x) in mm.
pub(super) fn areas(spacing: [f64; 3]) -> [f64; 256] {
    let mut areas = [0.0; 256];
    for (voxels, normals) in SHAPES {
        for order in ORDERS {
            let area: f64 = normals
                .iter()
                .map(|normal| {
                    let [z, y, x] = [0, 1, 2].map(|axis| f64::from(normal[order[axis]]) / 8.0);
                    let [sz, sy, sx] = spacing;
                    let [z, y, x] = [z * sy * sx, y * sz * sx, x * sz * sy];
                    (z * z + y * y + x * x).sqrt()
                })
                .sum();
            for mirrored in 0..8 {
                let mut code = 0;
                for (at, _) in voxels.iter().enumerate().filter(|(_, inside)| **inside == 1) {
                    let place = [at >> 2, at >> 1 & 1, at & 1];
                    code |= bit([0, 1, 2].map(|axis| place[order[axis]] ^ (mirrored >> axis & 1)));
                }
                areas[usize::from(code)] = area;
                areas[usize::from(!code)] = area;
            }
        }
    }
    areas
}

/// Gives unknown voxels of a neighbourhood the value of the nearest known one in it. At equal distances, the one
/// along z comes first, then y, then x. Without a known voxel there is no surface.
pub(super) fn fill(code: Code, unknown: Code) -> Code {
    /// Steps in bit numbers: along z, y, x, then two and three axes.
    const STEPS: [u32; 7] = [2, 1, 4, 3, 6, 5, 7];
    if unknown == Code::MAX {
        return 0;
    }
    let mut filled = code & !unknown;
    for at in (0..8).filter(|at| unknown >> at & 1 == 1) {
        let nearest = STEPS
            .iter()
            .map(|step| at ^ step)
            .find(|other| unknown >> other & 1 == 0);
        filled |= nearest.map_or(0, |other| (code >> other & 1) << at);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_surface_distance() {
        let areas = areas([1.0; 3]);
        // A flat face of one mm², a corner, and none.
        assert_eq!((areas[0b0101_0101], areas[0], areas[255]), (1.0, 0.0, 0.0));
        assert!((areas[1] - 3f64.sqrt() / 8.0).abs() < 1e-15);
        assert!(areas[1..255].iter().all(|area| *area > 0.2));
        assert!((0..=255_u8).all(|code| areas[usize::from(code)] == areas[usize::from(!code)]));
    }

    #[test]
    fn an_unknown_slice_takes_the_values_of_the_known_one() {
        let code = bit([0, 0, 1]) | bit([0, 1, 1]);
        let unknown = bit([1, 0, 0]) | bit([1, 0, 1]) | bit([1, 1, 0]) | bit([1, 1, 1]);
        let wall = code | bit([1, 0, 1]) | bit([1, 1, 1]);
        assert_eq!(fill(code, unknown), wall);
        assert_eq!(fill(code | unknown, unknown), wall);
        assert_eq!((fill(code, 0), fill(code, 255)), (code, 0));
    }
}
