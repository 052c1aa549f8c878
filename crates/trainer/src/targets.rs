//! Targets of the coarser deep-supervision scales, made on the device.

use tch::{Device, Tensor};

use crate::Result;

/// The voxels that a coarser target takes along an axis.
enum Selection {
    All,
    /// Every `step`-th from `start`: a view, which costs nothing.
    Steps {
        start: i64,
        step: i64,
        end: i64,
    },
    List(Tensor),
}

/// Makes the targets of all scales from the finest one, bit for bit those of the loader.
pub(crate) struct Coarser {
    /// For each scale, the selection of each axis.
    scales: Vec<Vec<Selection>>,
}

impl Coarser {
    /// The voxels of each scale and axis, for targets on `device`.
    pub fn new(sources: &[Vec<Vec<u32>>], device: Device) -> Result<Self> {
        let finest = sources.first().map_or(&[][..], Vec::as_slice);
        let select = |(axis, list): (usize, &Vec<u32>)| {
            let whole = finest.get(axis).map_or(0, Vec::len);
            Selection::of(list, whole, device)
        };
        let scale = |axes: &Vec<Vec<u32>>| axes.iter().enumerate().map(select).collect();
        Ok(Self {
            scales: sources.iter().map(scale).collect::<Result<_>>()?,
        })
    }

    /// Targets of all scales, finest first. `finest` is (b, 1, \[z,\] y, x).
    pub fn targets(&self, finest: &Tensor) -> Result<Vec<Tensor>> {
        let make = |axes: &Vec<Selection>| {
            let mut target = finest.shallow_clone();
            for (axis, selection) in (2..).zip(axes) {
                target = match selection {
                    Selection::All => target,
                    Selection::Steps { start, step, end } => target.f_slice(axis, *start, *end, *step)?,
                    Selection::List(list) => target.f_index_select(axis, list)?,
                };
            }
            Ok(target)
        };
        self.scales.iter().map(make).collect()
    }
}

impl Selection {
    /// The voxels of `list`, of `whole` ones.
    fn of(list: &[u32], whole: usize, device: Device) -> Result<Self> {
        let list: Vec<i64> = list.iter().map(|&i| i64::from(i)).collect();
        let (Some(&start), Some(&last)) = (list.first(), list.last()) else {
            return Ok(Self::All);
        };
        let step = list.get(1).map_or(1, |second| second - start);
        if step == 1 && list.len() == whole {
            return Ok(Self::All);
        }
        if step > 0 && list.windows(2).all(|pair| pair[1] - pair[0] == step) {
            return Ok(Self::Steps {
                start,
                step,
                end: last + 1,
            });
        }
        Ok(Self::List(Tensor::f_from_slice(&list)?.f_to_device(device)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_and_irregular_selections_take_the_listed_voxels() {
        let finest = Tensor::arange(30, (tch::Kind::Uint8, Device::Cpu)).reshape([1, 1, 5, 6]);
        let sources = vec![
            vec![vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4, 5]],
            vec![vec![1, 3], vec![1, 3, 5]],
            vec![vec![2], vec![0, 3, 4]],
        ];
        let targets = Coarser::new(&sources, Device::Cpu).unwrap().targets(&finest);
        let found: Vec<Vec<i64>> = targets
            .unwrap()
            .iter()
            .map(|t| Vec::try_from(t.to_kind(tch::Kind::Int64).flatten(0, -1)).unwrap())
            .collect();
        assert_eq!(found[0], (0..30).collect::<Vec<_>>());
        assert_eq!(found[1], [7, 9, 11, 19, 21, 23]);
        assert_eq!(found[2], [12, 15, 16]);
    }
}
