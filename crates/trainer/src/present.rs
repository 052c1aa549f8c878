//! The classes that cases are annotated for, on the device.

use std::collections::BTreeMap;

use recipe::PresentLabels;
use tch::{Device, Tensor};

use crate::Result;

/// For each partially annotated case, a tensor (classes): true for annotated classes and the background.
#[derive(Default)]
pub(crate) struct PresentClasses {
    partial: BTreeMap<String, Tensor>,
    /// The tensor of the other cases; `None` if there is no partially annotated case.
    whole: Option<Tensor>,
}

impl PresentClasses {
    /// Copies the classes to the device, once.
    pub fn new(labels: &PresentLabels, classes: i64, device: Device) -> Result<Self> {
        if labels.is_empty() {
            return Ok(Self::default());
        }
        let place = |present: &dyn Fn(i64) -> bool| -> Result<Tensor> {
            let flags: Vec<bool> = (0..classes).map(|class| class == 0 || present(class)).collect();
            Ok(Tensor::f_from_slice(&flags)?.f_to_device(device)?)
        };
        let partial = labels
            .iter()
            .map(|(case, labels)| Ok((case.clone(), place(&|class| labels.contains(&class))?)));
        Ok(Self {
            partial: partial.collect::<Result<_>>()?,
            whole: Some(place(&|_| true)?),
        })
    }

    /// The classes of a batch's samples, (b, classes); `None` if every sample is annotated for all.
    pub fn of(&self, cases: &[String]) -> Result<Option<Tensor>> {
        let Some(whole) = &self.whole else { return Ok(None) };
        if !cases.iter().any(|case| self.partial.contains_key(case)) {
            return Ok(None);
        }
        let rows: Vec<&Tensor> = cases
            .iter()
            .map(|case| self.partial.get(case).unwrap_or(whole))
            .collect();
        Ok(Some(Tensor::f_stack(&rows, 0)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_batch_has_a_row_for_each_sample_if_one_is_partial() {
        let labels = PresentLabels::from([("a".to_owned(), BTreeSet::from([2]))]);
        let present = PresentClasses::new(&labels, 4, Device::Cpu).unwrap();
        let of = |cases: &[&str]| {
            present
                .of(&cases.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())
                .unwrap()
        };
        assert!(of(&["b", "c"]).is_none());
        let rows: Vec<Vec<bool>> = Vec::try_from(of(&["b", "a"]).unwrap()).unwrap();
        assert_eq!(rows, [[true, true, true, true], [true, false, true, false]]);
        let none = PresentClasses::new(&PresentLabels::new(), 4, Device::Cpu).unwrap();
        assert!(none.of(&["a".to_owned()]).unwrap().is_none());
    }
}
