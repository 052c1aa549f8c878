//! Tables of metrics that nnU-Net v1 does not have.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use run::CaseFailure;
use serde::Serialize;
use serde_json::json;

use crate::mean::{nanmean, quantile};
use crate::measure::{CaseMetrics, LesionCounts, MeasureOptions, COLUMNS};
use crate::statistics::confidence_interval;
use crate::Error;

/// Statistics of a metric over cases.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricStatistics {
    /// Region; null for the calibration error of all classes.
    pub region: Option<String>,
    /// Name of the metric, a member of `RegionMetrics`.
    pub metric: String,
    /// Cases where the metric is defined. The other numbers are over these cases.
    pub cases: usize,
    /// Cases with this region where the metric is undefined (null).
    pub undefined: usize,
    /// Mean; null without a case, like the numbers below.
    pub mean: f64,
    /// Standard deviation (n - 1); null with fewer than two cases.
    pub standard_deviation: f64,
    /// Median.
    pub median: f64,
    /// Lower end of the confidence interval of the mean; null with fewer than two cases or without
    /// bootstrap.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
}

/// Metrics that nnU-Net v1 does not have, of all cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EvaluateReport")]
pub struct Report {
    /// Metrics of each case, in the order of file names.
    pub cases: Vec<CaseMetrics>,
    /// Statistics over cases by region and metric.
    pub statistics: Vec<MetricStatistics>,
    /// Lesions of all cases together by region, from small to large; empty unless requested.
    pub lesions_by_size: BTreeMap<String, Vec<LesionCounts>>,
    /// The written files: JSON, CSV and Markdown.
    pub files: Vec<PathBuf>,
}

impl Report {
    /// Statistics of these cases; nothing is written.
    pub fn new(cases: Vec<CaseMetrics>, options: &MeasureOptions) -> Self {
        let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for (key, value) in cases.iter().flat_map(CaseMetrics::values) {
            values.entry(key).or_default().push(value);
        }
        let statistics = values
            .into_iter()
            .map(|((region, column), values)| {
                let defined: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
                let interval = confidence_interval(&defined, options.bootstrap());
                MetricStatistics {
                    region,
                    metric: COLUMNS[column].key.to_owned(),
                    cases: defined.len(),
                    undefined: values.len() - defined.len(),
                    mean: nanmean(&defined),
                    standard_deviation: deviation(&defined),
                    low: interval.map(|[low, _]| low),
                    high: interval.map(|[_, high]| high),
                    median: quantile(defined, 0.5),
                }
            })
            .collect();
        let mut lesions: BTreeMap<String, Vec<LesionCounts>> = BTreeMap::new();
        for (region, metrics) in cases.iter().flat_map(|case| &case.regions) {
            let Some(groups) = &metrics.lesions_by_size else {
                continue;
            };
            let sums = lesions.entry(region.clone()).or_insert_with(|| {
                groups
                    .iter()
                    .map(|group| LesionCounts::between(group.from, group.below))
                    .collect()
            });
            for (sum, group) in sums.iter_mut().zip(groups) {
                sum.add(group);
            }
        }
        Self {
            cases,
            statistics,
            lesions_by_size: lesions,
            files: Vec::new(),
        }
    }

    /// Writes `<stem>_metrics.json`, `.csv` and `.md` beside the summary.
    pub(crate) fn write(
        &mut self,
        summary: &Path,
        options: &MeasureOptions,
        failures: &[CaseFailure],
    ) -> Result<(), Error> {
        let stem = summary
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let stem = summary.with_file_name(format!("{stem}_metrics"));
        let content = json!({
            "options": options, "cases": self.cases, "statistics": self.statistics,
            "lesionsBySize": self.lesions_by_size, "failures": failures,
        });
        let tables = Tables {
            json: serde_json::to_value(content).unwrap_or_default(),
            csv: self.csv(),
            markdown: self.markdown(options),
        };
        self.files = tables.write(&stem)?;
        Ok(())
    }

    /// One row for each region of each case. Undefined metrics are empty.
    fn csv(&self) -> String {
        let columns: Vec<usize> = (0..COLUMNS.len())
            .filter(|i| self.statistics.iter().any(|s| s.metric == COLUMNS[*i].key))
            .collect();
        let mut text = String::from("case,region");
        for column in &columns {
            let _ = write!(text, ",{}", COLUMNS[*column].key);
        }
        text.push('\n');
        for case in &self.cases {
            let mut rows: BTreeMap<Option<String>, BTreeMap<usize, f64>> = BTreeMap::new();
            for ((region, column), value) in case.values() {
                rows.entry(region).or_default().insert(column, value);
            }
            for (region, values) in rows {
                text.push_str(&field(&case.case));
                text.push(',');
                text.push_str(&field(&region.unwrap_or_default()));
                for column in &columns {
                    text.push(',');
                    text.push_str(&number(values.get(column).copied()));
                }
                text.push('\n');
            }
        }
        text
    }

    fn markdown(&self, options: &MeasureOptions) -> String {
        let interval = format!("{} % CI", options.confidence * 100.0);
        let mut text = format!("| Region | Metric | Cases | Mean ± SD | Median | {interval} |\n");
        text.push_str("| --- | --- | ---: | ---: | ---: | ---: |\n");
        for row in &self.statistics {
            let title = COLUMNS
                .iter()
                .find(|column| column.key == row.metric)
                .map_or("", |c| c.title);
            let region = row.region.as_deref().unwrap_or("all classes");
            let cases = match row.undefined {
                0 => row.cases.to_string(),
                undefined => format!("{} of {}", row.cases, row.cases + undefined),
            };
            let [mean, sd, median] = [row.mean, row.standard_deviation, row.median].map(short);
            let (region, interval) = (cell(region), range(row.low, row.high));
            let _ = writeln!(
                text,
                "| {region} | {title} | {cases} | {mean} ± {sd} | {median} | {interval} |"
            );
        }
        if !self.lesions_by_size.is_empty() {
            text.push_str("\n| Region | Lesion size (mm³) | Reference | Detected | Predicted | Correct | Sensitivity | ");
            text.push_str(
                "Precision | F1 |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            );
        }
        for (region, groups) in &self.lesions_by_size {
            for group in groups.iter().chain([&LesionCounts::total(groups)]) {
                let size = match group.below {
                    Some(below) => format!("{} – {below}", group.from),
                    None if group.from > 0.0 => format!("from {}", group.from),
                    None => "all".to_owned(),
                };
                let LesionCounts {
                    reference,
                    detected,
                    predicted,
                    correct,
                    ..
                } = group;
                let [sensitivity, precision, f1] = [group.sensitivity, group.precision, group.f1].map(short);
                let region = cell(region);
                let _ = writeln!(
                    text,
                    "| {region} | {size} | {reference} | {detected} | {predicted} | {correct} | {sensitivity} | {precision} \
                     | {f1} |"
                );
            }
        }
        text.push('\n');
        text.push_str(&definitions(
            options,
            self.statistics.iter().map(|row| row.metric.as_str()),
        ));
        text
    }
}

/// What readers of a table need to know of its metrics.
pub(crate) fn definitions<'a>(options: &MeasureOptions, metrics: impl Iterator<Item = &'a str>) -> String {
    let metrics: Vec<&str> = metrics.collect();
    let mut text = String::from("Undefined values are left out. ");
    if metrics.contains(&"surfaceDice") {
        let tolerance = options.surface_tolerance;
        let _ = write!(
            text,
            "HD95, ASSD and surface Dice (tolerance {tolerance} mm) are weighted by the area of the surface, as in DeepMind's \
             surface-distance; HD95 and ASSD are undefined if either segmentation lacks the region. "
        );
    }
    if metrics.contains(&"lesionF1") {
        let neighbours = match options.lesion_connectivity {
            crate::measure::LesionConnectivity::Full => 26,
            crate::measure::LesionConnectivity::Face => 6,
        };
        let overlap = options.lesion_overlap * 100.0;
        let _ = write!(
            text,
            "Lesions are connected components ({neighbours} neighbours); one matches if the other segmentation has more than \
             {overlap} % of its voxels. "
        );
    }
    if metrics.contains(&"calibrationError") {
        let _ = write!(
            text,
            "The calibration error has {} equal intervals and counts the voxels of the cropped image. ",
            options.calibration_bins
        );
    }
    if options.bootstrap > 0 {
        let _ = write!(
            text,
            "Confidence intervals: percentile bootstrap over cases, {} samples, seed {}. ",
            options.bootstrap, options.seed
        );
    }
    format!("{}\n", text.trim_end())
}

/// The same results for programs, spreadsheets and papers.
pub(crate) struct Tables {
    pub json: serde_json::Value,
    pub csv: String,
    pub markdown: String,
}

impl Tables {
    /// Writes `<stem>.json`, `<stem>.csv` and `<stem>.md`, each atomically.
    pub(crate) fn write(&self, stem: &Path) -> Result<Vec<PathBuf>, Error> {
        let path = |extension: &str| {
            let mut name = stem.as_os_str().to_owned();
            name.push(extension);
            PathBuf::from(name)
        };
        let [json, csv, markdown] = [".json", ".csv", ".md"].map(path);
        storage::write_atomic(&json, |file| {
            serde_json::to_writer_pretty(&mut *file, &self.json).map_err(io::Error::from)?;
            file.write_all(b"\n")
        })?;
        storage::write_atomic(&csv, |file| file.write_all(self.csv.as_bytes()))?;
        storage::write_atomic(&markdown, |file| file.write_all(self.markdown.as_bytes()))?;
        Ok(vec![json, csv, markdown])
    }
}

/// Standard deviation with n - 1.
fn deviation(values: &[f64]) -> f64 {
    let mean = nanmean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    let count = values.len() as f64;
    if values.len() < 2 {
        return f64::NAN;
    }
    (nanmean(&squares) * count / (count - 1.0)).sqrt()
}

/// A text in CSV (RFC 4180).
pub(crate) fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A number in CSV; empty if it is undefined.
pub(crate) fn number(value: Option<f64>) -> String {
    value
        .filter(|value| !value.is_nan())
        .map_or_else(String::new, |value| value.to_string())
}

/// A text in a Markdown table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A number of four digits for readers.
pub(crate) fn short(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    format!("{value:.digits$}")
}

/// An interval for readers.
pub(crate) fn range(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} – {}", short(low), short(high)),
        _ => "–".to_owned(),
    }
}
