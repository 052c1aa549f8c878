//! Removal of all but the largest component of each region.

use ndarray::ArrayViewMut3;

use crate::{Error, Region};
use components::{label, Connectivity};

/// Result for one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Removal {
    /// The region.
    pub region: Region,
    /// Volume of the largest removed component, in the unit of `volume_per_voxel`.
    pub largest_removed: Option<f64>,
    /// Volume of the largest component, which is always kept. `None` if the region has no voxels.
    pub kept_size: Option<f64>,
}

/// Sets all but the largest component of each region to 0, in order and in place. Components are connected by
/// faces.
///
/// `regions` of `None` means every label above 0, each separately. Several components of the largest size are
/// all kept. With `minimum_sizes`, one for each region, only components below that volume are removed.
///
/// # Errors
/// [`Error::Background`] if a region contains 0; [`Error::MinimumSize`] if `minimum_sizes` lacks a region.
pub fn remove_all_but_largest(
    labels: ArrayViewMut3<'_, i16>,
    regions: Option<&[Region]>,
    volume_per_voxel: f64,
    minimum_sizes: Option<&[(Region, f64)]>,
) -> Result<Vec<Removal>, Error> {
    let connectivity = Connectivity::Face;
    remove_components(labels, regions, volume_per_voxel, minimum_sizes, connectivity)
}

/// [`remove_all_but_largest`] with another connectivity.
pub(crate) fn remove_components(
    mut labels: ArrayViewMut3<'_, i16>,
    regions: Option<&[Region]>,
    volume_per_voxel: f64,
    minimum_sizes: Option<&[(Region, f64)]>,
    connectivity: Connectivity,
) -> Result<Vec<Removal>, Error> {
    let occurring;
    let regions = match regions {
        Some(regions) => regions,
        None => {
            occurring = positive_labels(&labels);
            &occurring
        }
    };
    if regions.iter().any(|region| region.contains(0)) {
        return Err(Error::Background);
    }
    let mut removals = Vec::with_capacity(regions.len());
    for region in regions {
        let minimum = match minimum_sizes {
            None => f64::INFINITY,
            Some(sizes) => sizes
                .iter()
                .find(|(other, _)| other == region)
                .map(|(_, size)| *size)
                .ok_or_else(|| Error::MinimumSize { region: region.key() })?,
        };
        removals.push(remove(
            &mut labels,
            region,
            volume_per_voxel,
            minimum,
            connectivity,
        )?);
    }
    Ok(removals)
}

fn remove(
    labels: &mut ArrayViewMut3<'_, i16>,
    region: &Region,
    volume_per_voxel: f64,
    minimum: f64,
    connectivity: Connectivity,
) -> Result<Removal, Error> {
    let components = label(labels.view(), |value| region.contains(value), connectivity)?;
    let volume = |size: u64| size as f64 * volume_per_voxel;
    let largest = components.sizes.iter().copied().max();
    let removed: Vec<bool> = components
        .sizes
        .iter()
        .map(|size| Some(*size) != largest && volume(*size) < minimum)
        .collect();
    let largest_removed = components
        .sizes
        .iter()
        .zip(&removed)
        .filter(|(_, removed)| **removed)
        .map(|(s, _)| *s)
        .max();
    if largest_removed.is_some() {
        labels.zip_mut_with(&components.labels, |value, component| {
            if *component > 0 && removed[*component as usize - 1] {
                *value = 0;
            }
        });
    }
    Ok(Removal {
        region: region.clone(),
        largest_removed: largest_removed.map(volume),
        kept_size: largest.map(volume),
    })
}

/// Returns the labels above 0 in ascending order.
fn positive_labels(labels: &ArrayViewMut3<'_, i16>) -> Vec<Region> {
    let mut seen = vec![false; usize::from(i16::MAX.unsigned_abs()) + 1];
    labels
        .iter()
        .filter(|value| **value > 0)
        .for_each(|value| seen[usize::from(value.unsigned_abs())] = true);
    (1..=i16::MAX)
        .filter(|label| seen[usize::from(label.unsigned_abs())])
        .map(Region::Label)
        .collect()
}
