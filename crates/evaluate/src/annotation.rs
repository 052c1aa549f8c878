//! What the references of a training leave out.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array3;

use crate::metrics::Comparison;

/// What was not annotated in references, besides voxels with the ignore label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// Labels that count as the ignore label.
    pub ignored: Vec<i16>,
    /// The annotated classes of partially annotated cases, without the background. The scores of their other classes are
    /// undefined.
    pub present: BTreeMap<String, BTreeSet<i64>>,
}

impl Annotation {
    /// Replaces the labels that count as the ignore label.
    pub(crate) fn merge(&self, reference: &mut Array3<i16>, ignore_label: Option<i16>) {
        let Some(label) = ignore_label.filter(|_| !self.ignored.is_empty()) else {
            return;
        };
        reference.mapv_inplace(|value| {
            if self.ignored.contains(&value) {
                label
            } else {
                value
            }
        });
    }

    /// Makes the scores of classes that a case is not annotated for undefined.
    pub(crate) fn leave_out(&self, case: &str, comparison: &mut Comparison) {
        let Some(present) = self.present.get(case) else {
            return;
        };
        for (key, scores) in &mut comparison.scores {
            let counts = key
                .parse()
                .is_ok_and(|label: i64| label == 0 || present.contains(&label));
            if !counts {
                *scores = scores.undefined();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use run::Cancel;

    use super::*;
    use crate::metrics::{compare, MetricOptions};
    use crate::Region;

    #[test]
    fn ignored_labels_and_absent_classes_do_not_count() {
        let annotation = Annotation {
            ignored: vec![255, 7],
            present: BTreeMap::from([("partial".to_owned(), BTreeSet::from([2]))]),
        };
        let mut reference = array![[[0, 2, 255, 7, -1]]];
        annotation.merge(&mut reference, None);
        assert_eq!(reference, array![[[0, 2, 255, 7, -1]]]);
        annotation.merge(&mut reference, Some(-1));
        assert_eq!(reference, array![[[0, 2, -1, -1, -1]]]);

        let options = MetricOptions {
            regions: vec![Region::Label(0), Region::Label(1), Region::Label(2)],
            ignore_label: Some(-1),
            hausdorff: true,
        };
        let prediction = array![[[1, 2, 2, 2, 2]]];
        let found = compare(
            reference.view(),
            prediction.view(),
            [1.0; 3],
            &options,
            &Cancel::new(),
        );
        for (case, counts) in [("partial", false), ("whole", true)] {
            let mut comparison = Comparison {
                counts: BTreeMap::new(),
                voxels: 0,
                scores: found.as_ref().unwrap().scores.clone(),
                regions: Vec::new(),
                reference: BTreeSet::new(),
                prediction: BTreeSet::new(),
            };
            annotation.leave_out(case, &mut comparison);
            let dice = |key: &str| comparison.scores[key].dice;
            assert_eq!((dice("0"), dice("2")), (0.0, 1.0));
            assert_eq!(dice("1") == 0.0, counts, "{case}: {}", dice("1"));
            assert_eq!(comparison.scores["1"].total_positives_test, 1.0);
        }
    }
}
