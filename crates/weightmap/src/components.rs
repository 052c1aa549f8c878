//! Connected components of every class at once.

use ndarray::Array3;

use crate::classes::Classes;

/// Numbers the components of each class, connected by faces, from 1 on; 0 is no object. Returns the numbers (z, y, x) and
/// how many there are.
pub(crate) fn label(index: &Array3<u8>, classes: &Classes) -> (Array3<u32>, u32) {
    let (_, height, width) = index.dim();
    let flat = index.as_standard_layout();
    let values = flat.as_slice().unwrap_or_default();
    // Each voxel points to an earlier one of its component, or to itself.
    let mut parent = Array3::<u32>::zeros(index.dim());
    let Some(links) = parent.as_slice_mut() else {
        return (parent, 0);
    };
    for at in 0..values.len() {
        links[at] = at as u32;
        let (x, y) = (at % width, at / width % height);
        let before = [(x > 0, 1), (y > 0, width), (at >= width * height, width * height)];
        for (exists, offset) in before {
            if exists && values[at - offset] == values[at] && classes.is_object(values[at]) {
                unite(links, (at - offset) as u32, at as u32);
            }
        }
    }
    // Parents come first, so one pass in order gives every voxel its component's number.
    let mut count = 0;
    for at in 0..values.len() {
        links[at] = match links[at] as usize {
            _ if !classes.is_object(values[at]) => 0,
            parent if parent == at => {
                count += 1;
                count
            }
            parent => links[parent],
        };
    }
    (parent, count)
}

fn root(links: &mut [u32], mut at: u32) -> u32 {
    while links[at as usize] != at {
        // Halves the path for the next one.
        links[at as usize] = links[links[at as usize] as usize];
        at = links[at as usize];
    }
    at
}

fn unite(links: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(links, a), root(links, b));
    links[a.max(b) as usize] = a.min(b);
}
