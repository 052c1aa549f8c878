//! Check of a batch's labels.

use crate::error::Error;
use crate::options::LoaderOptions;

/// The labels that a target may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelRule {
    highest: Option<i16>,
    ignored: Option<i16>,
}

impl LabelRule {
    pub(crate) fn of(options: &LoaderOptions) -> Self {
        Self {
            highest: options.highest_label,
            ignored: options.pipeline.ignore_label,
        }
    }

    /// Returns whether any label is not ignored. The labels of coarser scales are some of the finest one's.
    ///
    /// # Errors
    /// [`Error::Label`] with the first label that is neither a class nor ignored.
    pub(crate) fn check(self, labels: &[f32], case: &str) -> Result<bool, Error> {
        let ignored = self.ignored.map_or(f32::NAN, f32::from);
        let highest = self.highest.map_or(f32::INFINITY, f32::from);
        let is_valid = |label: f32| label == ignored || (0.0..=highest).contains(&label);
        // Without early exit, so that the loop uses vector instructions.
        let (mut valid, mut annotated) = (true, false);
        for &label in labels {
            valid &= is_valid(label);
            annotated |= label != ignored;
        }
        match labels.iter().find(|&&label| !valid && !is_valid(label)) {
            None => Ok(annotated),
            Some(&label) => Err(Error::Label {
                case: case.to_owned(),
                label,
                highest: self.highest.unwrap_or(i16::MAX),
                ignored: self
                    .ignored
                    .map_or_else(String::new, |label| format!(" or {label} (ignored)")),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_no_class_is_named_with_its_case() {
        let rule = |ignored| LabelRule {
            highest: Some(2),
            ignored,
        };
        assert!(rule(None).check(&[0.0, 2.0], "a").unwrap());
        assert!(!rule(Some(-1)).check(&[-1.0, -1.0], "a").unwrap());
        assert!(rule(Some(-1)).check(&[-1.0, 1.0], "a").unwrap());
        for (ignored, labels, words) in [
            (
                None,
                [0.0, -1.0],
                "case a: a patch has label -1; expected labels 0..=2;",
            ),
            (
                Some(-1),
                [3.0, -1.0],
                "case a: a patch has label 3; expected labels 0..=2 or -1 (ignored);",
            ),
        ] {
            let error = rule(ignored).check(&labels, "a").unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
