//! Classes of a weightmap and their one-byte indices.

use crate::Error;

/// Index of background and of every label that is not listed as a class.
pub(crate) const BACKGROUND: u8 = 0;
/// Index of unlabelled voxels.
pub(crate) const UNLABELLED: u8 = u8::MAX;
/// Label of unlabelled voxels.
pub(crate) const UNLABELLED_LABEL: i64 = volume::UNLABELLED as i64;
/// Maximum number of classes besides the background.
const LIMIT: usize = UNLABELLED as usize - 1;

/// Classes of objects.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    /// Labels other than 0. The index of each is its position plus one.
    labels: Vec<f32>,
    /// Whether 0 is listed, so that the background also has an inside.
    background: bool,
    /// Whether -1 means unlabelled, instead of background.
    unlabelled: bool,
}

impl Classes {
    /// Checks and numbers `classes`. With `compat`, -1 is a label like any other.
    pub(crate) fn new(classes: &[i64], compat: bool) -> Result<Self, Error> {
        let mut sorted = classes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let refused = |class: i64| match class {
            _ if class.unsigned_abs() > 1 << 24 => {
                Some("its magnitude exceeds 16777216, the limit of float32 labels")
            }
            UNLABELLED_LABEL if !compat => Some("-1 marks voxels without a label"),
            _ => None,
        };
        if let Some((class, problem)) = sorted.iter().find_map(|&class| Some((class, refused(class)?))) {
            return Err(Error::Class { class, problem });
        }
        let labels: Vec<f32> = sorted
            .iter()
            .filter(|&&class| class != 0)
            .map(|&class| class as f32)
            .collect();
        if labels.len() > LIMIT {
            return Err(Error::TooManyClasses {
                found: labels.len(),
                limit: LIMIT,
            });
        }
        Ok(Self {
            labels,
            background: sorted.contains(&0),
            unlabelled: !compat,
        })
    }

    /// Whether voxels of this index can be inside an object.
    #[inline(always)]
    pub(crate) fn is_object(&self, index: u8) -> bool {
        (index != BACKGROUND || self.background) && index != UNLABELLED
    }

    /// Encodes `values` as indices. Returns false if a value is NaN or has a fraction.
    #[inline(always)]
    pub(crate) fn encode<const N: usize>(&self, values: &[f32; N], indices: &mut [u8; N]) -> bool {
        let mut found = [u32::from(BACKGROUND); N];
        if self.unlabelled {
            for lane in 0..N {
                let unlabelled = values[lane] == UNLABELLED_LABEL as f32;
                found[lane] = if unlabelled {
                    u32::from(UNLABELLED)
                } else {
                    u32::from(BACKGROUND)
                };
            }
        }
        for (position, &label) in self.labels.iter().enumerate() {
            for lane in 0..N {
                found[lane] = if values[lane] == label {
                    position as u32 + 1
                } else {
                    found[lane]
                };
            }
        }
        let mut whole = true;
        for lane in 0..N {
            indices[lane] = found[lane] as u8;
            // Above the range of i32 this may reject whole numbers. The caller checks again.
            whole &= values[lane] as i32 as f32 == values[lane];
        }
        whole
    }
}
