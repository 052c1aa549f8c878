//! Mirroring (batchgenerators' `augment_mirroring`).

use random::Rng;

/// Draws the mirrored axes: each of `axes` with probability one half.
pub fn draw(axes: [bool; 3], rng: &mut Rng) -> [bool; 3] {
    axes.map(|allowed| rng.chance(0.5) && allowed)
}

/// Mirrors one channel of `size` (z, y, x) in place along the axes of `flip`.
pub fn apply(values: &mut [f32], size: [usize; 3], flip: [bool; 3]) {
    if flip == [false; 3] {
        return;
    }
    let [depth, height, width] = size;
    for line in 0..depth * height {
        let (z, y) = (line / height, line % height);
        let z = if flip[0] { depth - 1 - z } else { z };
        let y = if flip[1] { height - 1 - y } else { y };
        let partner = z * height + y;
        if partner == line && flip[2] {
            values[line * width..(line + 1) * width].reverse();
        } else if partner > line {
            let (head, tail) = values.split_at_mut(partner * width);
            let (a, b) = (&mut head[line * width..(line + 1) * width], &mut tail[..width]);
            if flip[2] {
                for (a, b) in a.iter_mut().zip(b.iter_mut().rev()) {
                    std::mem::swap(a, b);
                }
            } else {
                a.swap_with_slice(b);
            }
        }
    }
}
