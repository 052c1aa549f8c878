//! Voxels of the foreground classes, for forced samples.

use std::collections::BTreeMap;

use ndarray::Array2;
use random::Draw;

/// The `class_locations` of a case, reduced to labels above 0 with voxels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassLocations {
    classes: Vec<ClassVoxels>,
}

#[derive(Clone, Debug, PartialEq)]
struct ClassVoxels {
    label: i64,
    /// Ordered by slice.
    voxels: Vec<[u32; 3]>,
    /// End of each slice's voxels in `voxels`; slices without voxels are omitted.
    slice_ends: Vec<usize>,
}

impl ClassLocations {
    /// Converts a case's `class_locations`: label to voxels of shape `(n, 3)` in `(z, y, x)`. Fails with the
    /// label if an array has another shape or a voxel outside `shape`.
    pub fn new(locations: &BTreeMap<i64, Array2<i64>>, shape: [usize; 3]) -> Result<Self, i64> {
        let mut classes = Vec::new();
        for (&label, array) in locations
            .iter()
            .filter(|(label, array)| **label > 0 && !array.is_empty())
        {
            let voxels: Option<Vec<[u32; 3]>> = array
                .rows()
                .into_iter()
                .map(|row| {
                    let inside = |d: usize| {
                        let value = *row.get(d)?;
                        usize::try_from(value)
                            .ok()
                            .filter(|v| *v < shape[d])
                            .and_then(|v| u32::try_from(v).ok())
                    };
                    (row.len() == 3).then_some(())?;
                    Some([inside(0)?, inside(1)?, inside(2)?])
                })
                .collect();
            classes.push(ClassVoxels::new(label, voxels.ok_or(label)?));
        }
        Ok(Self { classes })
    }

    /// The labels with voxels, ascending.
    pub fn labels(&self) -> impl Iterator<Item = i64> + '_ {
        self.classes.iter().map(|class| class.label)
    }

    /// Returns true if there is no foreground voxel.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.classes
            .iter()
            .map(|c| c.voxels.len() * size_of::<[u32; 3]>() + c.slice_ends.len() * size_of::<usize>())
            .sum()
    }

    /// Draws a class uniformly, then a voxel of it (`DataLoader3D`).
    pub fn draw(&self, draw: &mut impl Draw) -> Option<[usize; 3]> {
        let class = self.draw_class(draw)?;
        class.voxel(0..class.voxels.len(), draw)
    }

    /// Draws a class, then one of its slices, then a voxel (`DataLoader2D`). Each slice with the class is
    /// equally likely, for any number of its voxels.
    pub fn draw_by_slice(&self, draw: &mut impl Draw) -> Option<[usize; 3]> {
        let class = self.draw_class(draw)?;
        let slice = draw.below(class.slice_ends.len() as u64) as usize;
        let start = if slice == 0 {
            0
        } else {
            class.slice_ends[slice - 1]
        };
        class.voxel(start..class.slice_ends[slice], draw)
    }

    fn draw_class(&self, draw: &mut impl Draw) -> Option<&ClassVoxels> {
        if self.classes.is_empty() {
            return None;
        }
        self.classes.get(draw.below(self.classes.len() as u64) as usize)
    }
}

impl ClassVoxels {
    fn new(label: i64, mut voxels: Vec<[u32; 3]>) -> Self {
        voxels.sort_by_key(|voxel| voxel[0]);
        let mut slice_ends: Vec<usize> = (1..voxels.len())
            .filter(|&i| voxels[i][0] != voxels[i - 1][0])
            .collect();
        slice_ends.push(voxels.len());
        // Trimmed: the voxels stay in memory during training, and their size is reported before it.
        voxels.shrink_to_fit();
        slice_ends.shrink_to_fit();
        Self {
            label,
            voxels,
            slice_ends,
        }
    }

    fn voxel(&self, range: std::ops::Range<usize>, draw: &mut impl Draw) -> Option<[usize; 3]> {
        let index = range.start + draw.below(range.len() as u64) as usize;
        self.voxels.get(index).map(|voxel| voxel.map(|v| v as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::Scripted;
    use ndarray::array;

    fn locations() -> ClassLocations {
        let map = BTreeMap::from([
            (-1, array![[0, 0, 0]]),
            (0, array![[0, 0, 1]]),
            (1, array![[3, 0, 0], [1, 2, 3], [3, 1, 1]]),
            (2, Array2::zeros((0, 3))),
            (3, array![[2, 2, 2]]),
        ]);
        ClassLocations::new(&map, [4, 4, 4]).unwrap()
    }

    #[test]
    fn only_labels_above_zero_with_voxels_are_drawn() {
        let classes = locations();
        assert_eq!(classes.labels().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(classes.draw(&mut Scripted::new(&[1, 0])), Some([2, 2, 2]));
        assert_eq!(ClassLocations::default().draw(&mut Scripted::new(&[])), None);
    }

    #[test]
    fn slices_are_drawn_before_voxels() {
        let classes = locations();
        assert_eq!(
            classes.draw_by_slice(&mut Scripted::new(&[0, 0, 0])),
            Some([1, 2, 3])
        );
        assert_eq!(
            classes.draw_by_slice(&mut Scripted::new(&[0, 1, 1])),
            Some([3, 1, 1])
        );
    }

    #[test]
    fn a_voxel_outside_the_case_is_rejected_with_its_label() {
        let map = BTreeMap::from([(5, array![[0, 4, 0]])]);
        assert_eq!(ClassLocations::new(&map, [4, 4, 4]), Err(5));
        let flat = BTreeMap::from([(6, array![[0, 1]])]);
        assert_eq!(ClassLocations::new(&flat, [4, 4, 4]), Err(6));
    }
}
