//! Directions of the cases of a batch.

use std::collections::HashMap;
use std::path::PathBuf;

use dataset::CaseProperties;
use recipe::TrainingData;

/// Reads the directions of cases, each case once.
pub(crate) struct Directions {
    folder: PathBuf,
    transpose: [usize; 3],
    known: HashMap<String, Option<[f64; 9]>>,
}

impl Directions {
    pub fn new(data: &TrainingData) -> Self {
        Self {
            folder: data.folder.clone(),
            transpose: data.plans.transpose_forward,
            known: HashMap::new(),
        }
    }

    /// Direction of a case's preprocessed array. Training does not need it, so a record without one is no error.
    pub fn of(&mut self, case: &str) -> Option<[f64; 9]> {
        if let Some(known) = self.known.get(case) {
            return *known;
        }
        let record = CaseProperties::read(&self.folder.join(format!("{case}.pkl")));
        let direction = record.and_then(|properties| properties.itk_direction()).ok();
        let found = direction.map(|direction| transposed(direction, self.transpose));
        self.known.insert(case.to_owned(), found);
        found
    }
}

/// The direction of an array whose axis `k` was axis `order[k]` of the file.
fn transposed(direction: [f64; 9], order: [usize; 3]) -> [f64; 9] {
    let mut out = [0.0; 9];
    for (new, &old) in order.iter().enumerate() {
        for row in 0..3 {
            // Columns are (x, y, z), axes (z, y, x). Plans hold an order of 0, 1, 2.
            out[3 * row + 2 - new] = direction[3 * row + 2 - old.min(2)];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_the_axes_of_the_array() {
        let direction = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_eq!(transposed(direction, [0, 1, 2]), direction);
        // The first axis is the file's last one, x; its column is the last one.
        assert_eq!(
            transposed(direction, [2, 0, 1]),
            [2.0, 3.0, 1.0, 5.0, 6.0, 4.0, 8.0, 9.0, 7.0]
        );
    }
}
