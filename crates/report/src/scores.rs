//! Scores of cases, and their comparison.

use std::collections::{BTreeMap, BTreeSet};

use evaluate::measure::{metric_title, CaseMetrics, MeasureOptions, MetricGroup, RegionMetrics};
use evaluate::{nanmean, paired_tests, CaseScores, Report};

use crate::data::{
    ComparedCase, ComparedMetric, Comparison, Metric, ScoreSummary, ScoredCase, ScoredClass, Scores,
};
use crate::names::Names;

/// Metrics that a report shows, if they were measured, with whether larger values are better.
const METRICS: [(&str, bool); 6] = [
    ("dice", true),
    ("hd95", false),
    ("assd", false),
    ("surfaceDice", true),
    ("relativeVolumeError", false),
    ("absoluteRelativeVolumeError", false),
];

/// What is measured for a report.
pub(crate) fn measures() -> MeasureOptions {
    MeasureOptions {
        metrics: vec![MetricGroup::Surface, MetricGroup::Volume],
        ..MeasureOptions::default()
    }
}

/// The metrics of a case of a `summary.json`: Dice, without the background.
pub(crate) fn of_summary(case: &CaseScores) -> CaseMetrics {
    let regions = case.regions.iter().filter(|(key, _)| *key != "0");
    let metrics = |dice: f64| RegionMetrics {
        dice: Some(dice),
        ..RegionMetrics::default()
    };
    let file = if case.test.is_empty() {
        &case.reference
    } else {
        &case.test
    };
    CaseMetrics {
        case: dataset::case_of(file).to_owned(),
        regions: regions
            .map(|(key, scores)| (key.clone(), metrics(scores.dice)))
            .collect(),
        ..CaseMetrics::default()
    }
}

/// Mean Dice of a case; NaN if it is defined for no class.
pub(crate) fn mean_dice(case: &CaseMetrics) -> f64 {
    let dice: Vec<f64> = case
        .regions
        .values()
        .map(|metrics| metrics.dice.unwrap_or(f64::NAN))
        .collect();
    nanmean(&dice)
}

/// The cases by their mean Dice, worst first; undefined ones last. Equal ones keep their order.
pub(crate) fn worst_first(cases: &mut [CaseMetrics]) {
    cases.sort_by(|one, two| {
        let key = |case: &CaseMetrics| {
            Some(mean_dice(case))
                .filter(|dice| !dice.is_nan())
                .unwrap_or(f64::INFINITY)
        };
        key(one).total_cmp(&key(two))
    });
}

/// Scores of cases in the order given.
pub(crate) fn scores(cases: &[CaseMetrics], names: &Names) -> Option<Scores> {
    if cases.is_empty() {
        return None;
    }
    let keys = regions(cases.iter());
    let metrics: Vec<(&str, bool)> = METRICS
        .into_iter()
        .filter(|(key, _)| {
            cases
                .iter()
                .flat_map(|case| case.regions.values())
                .any(|region| region.get(key).is_some())
        })
        .collect();
    let value = |case: &CaseMetrics, region: &str, key: &str| defined(case.regions.get(region)?.get(key)?);
    let rows = cases.iter().map(|case| ScoredCase {
        name: case.case.clone(),
        values: keys
            .iter()
            .map(|region| metrics.iter().map(|(key, _)| value(case, region, key)).collect())
            .collect(),
    });
    // The samples of the intervals depend on the order of the cases.
    let mut ordered = cases.to_vec();
    ordered.sort_by(|one, two| one.case.cmp(&two.case));
    let statistics = Report::new(ordered, &measures()).statistics;
    let summary = statistics.into_iter().filter_map(|row| {
        let class = keys.iter().position(|key| Some(key) == row.region.as_ref())?;
        metrics.iter().find(|(key, _)| *key == row.metric)?;
        Some(ScoreSummary {
            class,
            metric: row.metric,
            n: row.cases,
            mean: defined(row.mean),
            sd: defined(row.standard_deviation),
            median: defined(row.median),
            low: row.low.and_then(defined),
            high: row.high.and_then(defined),
        })
    });
    Some(Scores {
        classes: keys
            .iter()
            .map(|key| ScoredClass {
                label: key.parse().ok(),
                name: names.region(key),
            })
            .collect(),
        metrics: metrics.iter().map(|(key, better)| metric(key, *better)).collect(),
        summary: summary.collect(),
        cases: rows.collect(),
    })
}

/// Paired comparison of the cases that are in both; `None` without one.
pub(crate) fn comparison(
    names: [&str; 2],
    [first, second]: [&[CaseMetrics]; 2],
    labels: &Names,
) -> Option<Comparison> {
    let others: BTreeMap<&str, &CaseMetrics> = second.iter().map(|case| (case.case.as_str(), case)).collect();
    let mut pairs: Vec<[&CaseMetrics; 2]> = first
        .iter()
        .filter_map(|case| Some([case, *others.get(case.case.as_str())?]))
        .collect();
    // The samples of the intervals depend on the order of the cases.
    pairs.sort_by(|one, two| one[0].case.cmp(&two[0].case));
    if pairs.is_empty() {
        return None;
    }
    let class =
        |region: Option<&str>| region.map_or_else(|| "all classes".to_owned(), |key| labels.region(key));
    let rows = paired_tests(pairs.iter().copied(), &measures())
        .into_iter()
        .map(|test| ComparedMetric {
            class: class(test.region.as_deref()),
            metric: test.metric,
            n: test.cases,
            first: defined(test.first_mean),
            second: defined(test.second_mean),
            difference: defined(test.difference),
            low: test.low.and_then(defined),
            high: test.high.and_then(defined),
            p: defined(test.p),
            adjusted: defined(test.adjusted_p),
            effect: defined(test.rank_biserial),
        });
    let rows: Vec<ComparedMetric> = rows.collect();
    let tested: BTreeSet<String> = rows.iter().map(|row| row.metric.clone()).collect();
    let mut values = Vec::new();
    for region in regions(pairs.iter().flatten().copied()) {
        for metric in &tested {
            let value = |case: &CaseMetrics| defined(case.regions.get(&region)?.get(metric)?);
            values.extend(pairs.iter().map(|[one, two]| ComparedCase {
                class: labels.region(&region),
                metric: metric.clone(),
                case: one.case.clone(),
                first: value(one),
                second: value(two),
            }));
        }
    }
    Some(Comparison {
        kind: "comparison",
        first: names[0].to_owned(),
        second: names[1].to_owned(),
        rows,
        pairs: values,
    })
}

/// Keys of all regions, labels by their number.
fn regions<'a>(cases: impl Iterator<Item = &'a CaseMetrics>) -> Vec<String> {
    let keys: BTreeSet<(i64, &String)> = cases
        .flat_map(|case| case.regions.keys())
        .map(|key| (key.parse().unwrap_or(i64::MAX), key))
        .collect();
    keys.into_iter().map(|(_, key)| key.clone()).collect()
}

fn metric(key: &str, higher_is_better: bool) -> Metric {
    let title = metric_title(key).unwrap_or(key);
    let (name, unit) = match title.strip_suffix(" (mm)") {
        Some(name) => (name, "mm"),
        None => (title, ""),
    };
    Metric {
        key: key.to_owned(),
        name: name.to_owned(),
        unit: unit.to_owned(),
        higher_is_better,
    }
}

/// A number that is one.
pub(crate) fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
