//! What is measured of the cases of a task: facts, tables and histograms.

use std::collections::{BTreeMap, BTreeSet};

use evaluate::quantile;
use volume::UNLABELLED;

use crate::data::{CaseSize, Cell, Column, Fact, Histogram, Row, Table};
use crate::names::Names;
use crate::section::{fact, short, times};

/// Cases counted in a bin of a histogram, on average.
const PER_BIN: usize = 4;

/// What a table says of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub case: String,
    pub size: Option<[usize; 3]>,
    pub spacing: Option<[f64; 3]>,
    /// Number of voxels of each label.
    pub labels: BTreeMap<i16, u64>,
}

impl Measured {
    /// Share of voxels with a label; `None` without labels.
    fn annotated(&self) -> Option<f64> {
        let total: u64 = self.labels.values().sum();
        let unlabelled = self.labels.get(&UNLABELLED).copied().unwrap_or(0);
        (total > 0).then(|| (total - unlabelled) as f64 / total as f64)
    }

    fn extent(&self) -> Option<[f64; 3]> {
        let (size, spacing) = (self.size?, self.spacing?);
        Some(std::array::from_fn(|axis| size[axis] as f64 * spacing[axis]))
    }
}

/// Medians of size and spacing, and the annotated share.
pub(crate) fn fingerprint(measured: &[Measured]) -> Vec<Fact> {
    let median = |values: Vec<f64>| (!values.is_empty()).then(|| quantile(values, 0.5));
    let axis = |value: &dyn Fn(&Measured) -> Option<[f64; 3]>| {
        let of = |axis: usize| {
            median(
                measured
                    .iter()
                    .filter_map(|case| Some(value(case)?[axis]))
                    .collect(),
            )
        };
        let all: Option<Vec<f64>> = (0..3).map(of).collect();
        all.map(|all| times(&all.into_iter().map(short).collect::<Vec<_>>()))
    };
    let size = axis(&|case| Some(case.size?.map(|n| n as f64)));
    let spacing = axis(&|case| case.spacing);
    let shares: Vec<f64> = measured.iter().filter_map(Measured::annotated).collect();
    let mut facts = Vec::new();
    facts.extend(size.map(|text| fact("Median size (z × y × x)", format!("{text} voxels"))));
    facts.extend(spacing.map(|text| fact("Median spacing (z × y × x)", format!("{text} mm"))));
    if shares.iter().any(|share| *share < 1.0) {
        let text = median(shares).map(|share| format!("{} %, median of the cases", short(100.0 * share)));
        facts.extend(text.map(|text| fact("Annotated voxels", text)));
    }
    facts
}

pub(crate) fn sizes(measured: &[Measured]) -> Vec<CaseSize> {
    let size = |case: &Measured| {
        Some(CaseSize {
            case: case.case.clone(),
            size: case.extent()?,
        })
    };
    measured.iter().filter_map(size).collect()
}

pub(crate) fn table(measured: &[Measured], names: &Names, weighted: &[bool]) -> Table {
    let column = |name: String, unit: &str| Column {
        name,
        unit: unit.to_owned(),
    };
    let labels: BTreeSet<i16> = measured
        .iter()
        .flat_map(|case| case.labels.keys().copied())
        .collect();
    let foreground: Vec<i16> = labels.iter().copied().filter(|label| *label > 0).collect();
    let sparse = labels.contains(&UNLABELLED);
    let mut columns: Vec<Column> = ["Size z", "Size y", "Size x"]
        .map(|name| column(name.to_owned(), "voxels"))
        .to_vec();
    columns.extend(["Spacing z", "Spacing y", "Spacing x"].map(|name| column(name.to_owned(), "mm")));
    columns.extend(
        foreground
            .iter()
            .map(|label| column(names.label((*label).into()), "ml")),
    );
    if sparse {
        columns.push(column("Annotated".to_owned(), "%"));
    }
    if !weighted.is_empty() {
        columns.push(column("Weightmap".to_owned(), ""));
    }
    let number = |value: Option<f64>| value.map_or(Cell::None(()), Cell::Number);
    let rows = measured.iter().enumerate().map(|(index, case)| {
        let axes = |value: Option<[f64; 3]>| (0..3).map(move |axis| number(value.map(|all| all[axis])));
        let mut values: Vec<Cell> = axes(case.size.map(|size| size.map(|n| n as f64))).collect();
        values.extend(axes(case.spacing));
        let voxel = case
            .spacing
            .map(|spacing| spacing.iter().product::<f64>() / 1000.0);
        values.extend(foreground.iter().map(|label| {
            let count = case.labels.get(label).copied().unwrap_or(0) as f64;
            number(
                voxel
                    .filter(|_| !case.labels.is_empty())
                    .map(|voxel| count * voxel),
            )
        }));
        if sparse {
            values.push(number(case.annotated().map(|share| 100.0 * share)));
        }
        if let Some(there) = weighted.get(index) {
            values.push(Cell::Text(if *there { "yes" } else { "no" }.to_owned()));
        }
        Row {
            case: case.case.clone(),
            values,
        }
    });
    Table {
        rows: rows.collect(),
        columns,
    }
}

pub(crate) fn histograms(measured: &[Measured]) -> Vec<Histogram> {
    let mut all = Vec::new();
    for (axis, name) in ["z", "y", "x"].into_iter().enumerate() {
        let values = measured
            .iter()
            .filter_map(|case| Some(case.spacing?[axis]))
            .collect();
        all.extend(histogram(&format!("Spacing {name}"), "mm", values));
    }
    for (axis, name) in ["z", "y", "x"].into_iter().enumerate() {
        let values = measured
            .iter()
            .filter_map(|case| Some(case.size?[axis] as f64))
            .collect();
        all.extend(histogram(&format!("Size {name}"), "voxels", values));
    }
    let shares: Vec<f64> = measured
        .iter()
        .filter_map(Measured::annotated)
        .map(|share| 100.0 * share)
        .collect();
    if shares.iter().any(|share| *share < 100.0) {
        all.extend(histogram("Annotated voxels", "%", shares));
    }
    all
}

/// Counts values in bins of equal width; a single value has one bin.
fn histogram(name: &str, unit: &str, values: Vec<f64>) -> Option<Histogram> {
    let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if finite.is_empty() {
        return None;
    }
    let bins = if high > low {
        finite.len().div_ceil(PER_BIN).clamp(5, 30)
    } else {
        1
    };
    let width = if high > low {
        (high - low) / bins as f64
    } else {
        1.0
    };
    let start = if high > low { low } else { low - 0.5 };
    let mut counts = vec![0; bins];
    for value in &finite {
        let bin = ((value - start) / width).floor().clamp(0.0, bins as f64 - 1.0);
        counts[bin as usize] += 1;
    }
    Some(Histogram {
        name: name.to_owned(),
        unit: unit.to_owned(),
        edges: (0..=bins).map(|edge| start + width * edge as f64).collect(),
        counts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let found = histogram("x", "mm", (0..40).map(f64::from).collect()).unwrap();
        assert_eq!((found.counts.len(), found.edges.len()), (10, 11));
        assert!(found.counts.iter().all(|count| *count == 4), "{found:?}");
        assert_eq!((found.edges[0], found.edges[10]), (0.0, 39.0));
        let one = histogram("x", "mm", vec![3.0; 7]).unwrap();
        assert_eq!((one.counts, one.edges), (vec![7], vec![2.5, 3.5]));
        assert_eq!(histogram("x", "mm", vec![f64::NAN]), None);
    }
}
