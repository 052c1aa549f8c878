//! Paired comparison of two folders of predictions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use run::{CaseFailure, CaseLoop, Context, Event, Job, NotFound, OptionResult, Options, Outcome, Progress};
use serde::Serialize;
use serde_json::json;

use crate::annotation::Annotation;
use crate::folder::{compare_files, list, EvaluateOptions};
use crate::labels::Labels;
use crate::mean::{nanmean, quantile};
use crate::measure::{require_softmax, softmax_memory, CaseMetrics, MeasureOptions, COLUMNS};
use crate::report::{cell, definitions, field, number, range, short, Tables};
use crate::statistics::{confidence_interval, signed_rank};
use crate::{Error, Region};

/// Options of [`compare_folders`].
#[run::options]
pub struct CompareOptions {
    /// Folder of reference segmentations, `.nii.gz` or `.nii`.
    #[schemars(length(min = 1))]
    pub reference_dir: PathBuf,
    /// First folder of predicted segmentations with the same file names.
    #[schemars(length(min = 1))]
    pub first_dir: PathBuf,
    /// Second folder of predicted segmentations. Differences are second minus first.
    #[schemars(length(min = 1))]
    pub second_dir: PathBuf,
    /// Labels or unions of labels to compare. The default is every label in a case, without the
    /// background.
    #[schemars(length(min = 1))]
    pub labels: Option<Vec<Region>>,
    /// Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
    pub ignore_label: Option<i16>,
    /// File to write. The default is `comparison.json` in the second folder. Tables in CSV and Markdown
    /// are beside it.
    pub output: Option<PathBuf>,
    /// Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines
    /// between a prediction and its reference.
    #[default(1e-3)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
    /// Skips references without any prediction, such as those of other folds.
    #[default]
    pub predicted_only: bool,
    /// Further metrics.
    #[default]
    #[serde(flatten)]
    pub measures: MeasureOptions,
}

impl Options for CompareOptions {
    fn check(&self) -> OptionResult<()> {
        self.measures.check()
    }
}

/// A metric of one region in two folders of predictions, over the cases where it is defined in both.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairedTest {
    /// Region; null for the calibration error of all classes.
    pub region: Option<String>,
    /// Name of the metric, a member of `RegionMetrics`.
    pub metric: String,
    /// Cases where the metric is defined in both.
    pub cases: usize,
    /// Cases where it is undefined (null) in either.
    pub undefined: usize,
    /// Mean of the first predictions; null without a case, like the numbers below.
    pub first_mean: f64,
    /// Mean of the second predictions.
    pub second_mean: f64,
    /// Mean of the differences, second minus first.
    pub difference: f64,
    /// Lower end of its bootstrap confidence interval; null with fewer than two cases or without
    /// bootstrap.
    pub low: Option<f64>,
    /// Upper end of it.
    pub high: Option<f64>,
    /// Median of the differences.
    pub median_difference: f64,
    /// Cases where the second predictions have the larger value.
    pub larger: usize,
    /// Cases where they have the smaller value.
    pub smaller: usize,
    /// Wilcoxon's signed-rank statistic: the smaller sum of ranks. Cases without a difference are left
    /// out.
    pub statistic: f64,
    /// Two-sided p-value of Wilcoxon's signed-rank test; 1 without a difference.
    pub p: f64,
    /// `p` adjusted for all rows of the table (S. Holm, 1979).
    pub adjusted_p: f64,
    /// Whether `p` is exact, which it is up to 50 differences. Otherwise it is that of the normal
    /// approximation.
    pub exact: bool,
    /// Effect size: matched-pairs rank-biserial correlation, from -1 (the first is always larger) to 1
    /// (the second is always larger). Null without a difference.
    pub rank_biserial: f64,
}

/// Result of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompareSummary {
    /// The written file.
    pub output: PathBuf,
    /// The written files: JSON, CSV and Markdown.
    pub files: Vec<PathBuf>,
    /// Number of cases compared.
    pub cases: usize,
    /// The tests by region and metric.
    pub tests: Vec<PairedTest>,
    /// Cases that could not be compared, with reasons.
    pub failures: Vec<CaseFailure>,
}

/// Metrics of a case in both folders.
struct Both {
    first: CaseMetrics,
    second: CaseMetrics,
    labels: Labels,
}

/// Compares two folders of predictions of the same cases: metrics of each, differences, and Wilcoxon's signed-rank test.
///
/// A case that one folder lacks fails; the others continue.
///
/// # Errors
/// [`Error::Option`], [`Error::NotFound`], [`Error::NoCases`], [`Error::NoPairs`], [`Error::Folder`],
/// [`Error::Storage`], [`Error::Cancelled`]. No file is written after [`Error::Cases`] (every case failed) or
/// [`Error::LabelsAbsent`].
pub fn compare_folders(options: &CompareOptions, context: &Context) -> Result<CompareSummary, Error> {
    run::validate(options)?;
    let folders = [&options.first_dir, &options.second_dir];
    let advice = "choose the folder of the reference segmentations, such as labelsTs of the task";
    NotFound::unless_exists("folder of references", &options.reference_dir, advice)?;
    for folder in folders {
        let advice = "run `nnunet-diag predict` first, or choose another folder";
        NotFound::unless_exists("folder of predictions", folder, advice)?;
    }
    let references = list(&options.reference_dir)?;
    let predictions = [list(folders[0])?, list(folders[1])?];
    let mut cases: Vec<&String> = predictions.iter().flat_map(BTreeMap::keys).collect();
    if !options.predicted_only {
        cases.extend(references.keys());
    }
    cases.sort();
    cases.dedup();
    if !predictions[0]
        .keys()
        .any(|case| predictions[1].contains_key(case))
    {
        let [first, second] = folders.map(PathBuf::clone);
        return Err(Error::NoPairs { first, second });
    }
    for (folder, predictions) in folders.iter().zip(&predictions) {
        require_softmax(folder, predictions.keys(), &options.measures)?;
    }
    context.emit(Event::Started {
        verb: "compare",
        settings: json!({
            "referenceDir": options.reference_dir, "firstDir": options.first_dir, "secondDir": options.second_dir,
            "cases": cases.len(), "labels": options.labels, "ignoreLabel": options.ignore_label,
            "metrics": options.measures.metrics, "workers": context.workers(),
        }),
    });
    let bytes = |case: &str| {
        let memory = folders.map(|folder| softmax_memory(folder, case, &options.measures));
        memory[0].max(memory[1])
    };
    let jobs: Vec<_> = cases
        .iter()
        .map(|case| Job {
            case: (*case).clone(),
            bytes: bytes(case),
            input: (),
        })
        .collect();
    let Outcome { results, failures } = CaseLoop::new(context)?.with_memory_budget(None).run(
        &jobs,
        Progress::new("cases", jobs.len()),
        |job| {
            let case = &job.case;
            let missing = |folder: &Path| Error::MissingPrediction {
                case: case.clone(),
                folder: folder.to_owned(),
            };
            let reference = references.get(case).ok_or_else(|| Error::MissingReference {
                case: case.clone(),
                folder: options.reference_dir.clone(),
            })?;
            let measure = |index: usize| {
                let file = predictions[index]
                    .get(case)
                    .ok_or_else(|| missing(folders[index]))?;
                let found = options.evaluation(folders[index]);
                compare_files(
                    case,
                    [reference, file],
                    &found,
                    &Annotation::default(),
                    true,
                    context.cancel(),
                )
            };
            let (first, second) = (measure(0)?, measure(1)?);
            Ok::<_, Error>(Both {
                labels: Labels::of([&first.comparison, &second.comparison].into_iter()),
                first: first.metrics,
                second: second.metrics,
            })
        },
    )?;
    let cases: Vec<Both> = results.into_iter().flatten().collect();
    if cases.is_empty() {
        return Err(Error::Cases { failures });
    }
    if let Some(regions) = &options.labels {
        Labels::merge(cases.iter().map(|case| &case.labels)).require(regions)?;
    }
    let tests = paired_tests(
        cases.iter().map(|case| [&case.first, &case.second]),
        &options.measures,
    );
    let output = options.output.clone();
    let output = output.unwrap_or_else(|| options.second_dir.join("comparison.json"));
    let tables = Tables {
        json: json!({
            "options": options, "cases": cases.len(), "tests": tests, "failures": failures,
        }),
        csv: csv(&tests),
        markdown: markdown(&tests, options),
    };
    let stem = if output.extension().is_some_and(|extension| extension == "json") {
        output.with_extension("")
    } else {
        output
    };
    let files = tables.write(&stem)?;
    Ok(CompareSummary {
        output: files[0].clone(),
        files,
        cases: cases.len(),
        tests,
        failures,
    })
}

impl CompareOptions {
    /// The options of one folder's evaluation.
    fn evaluation(&self, folder: &Path) -> EvaluateOptions {
        let mut options = EvaluateOptions::new(&*self.reference_dir, folder);
        options.labels.clone_from(&self.labels);
        options.ignore_label = self.ignore_label;
        options.tolerance = self.tolerance;
        options.measures = self.measures.clone();
        options
    }
}

/// Tests every metric of quality over cases that were measured in two folders: metrics in the first and in the second.
pub fn paired_tests<'a>(
    cases: impl IntoIterator<Item = [&'a CaseMetrics; 2]>,
    options: &MeasureOptions,
) -> Vec<PairedTest> {
    let mut pairs: BTreeMap<_, Vec<[f64; 2]>> = BTreeMap::new();
    for [first, second] in cases {
        let second: BTreeMap<_, f64> = second.values().into_iter().collect();
        let mut seen: BTreeMap<_, [f64; 2]> = second
            .iter()
            .map(|(key, v)| (key.clone(), [f64::NAN, *v]))
            .collect();
        for (key, value) in first.values() {
            seen.entry(key).or_insert([f64::NAN; 2])[0] = value;
        }
        for (key, values) in seen
            .into_iter()
            .filter(|((_, column), _)| COLUMNS[*column].quality)
        {
            pairs.entry(key).or_default().push(values);
        }
    }
    let mut tests: Vec<PairedTest> = pairs
        .into_iter()
        .map(|((region, column), pairs)| paired(region, COLUMNS[column].key, &pairs, options))
        .collect();
    adjust(&mut tests);
    tests
}

fn paired(region: Option<String>, metric: &str, pairs: &[[f64; 2]], options: &MeasureOptions) -> PairedTest {
    let defined: Vec<&[f64; 2]> = pairs
        .iter()
        .filter(|pair| !pair.iter().any(|v| v.is_nan()))
        .collect();
    let column = |index: usize| defined.iter().map(|pair| pair[index]).collect::<Vec<_>>();
    let differences: Vec<f64> = defined.iter().map(|[first, second]| second - first).collect();
    let rank = signed_rank(&differences);
    let interval = confidence_interval(&differences, options.bootstrap());
    let undefined = |p: f64| if defined.is_empty() { f64::NAN } else { p };
    PairedTest {
        region,
        metric: metric.to_owned(),
        cases: defined.len(),
        undefined: pairs.len() - defined.len(),
        first_mean: nanmean(&column(0)),
        second_mean: nanmean(&column(1)),
        difference: nanmean(&differences),
        low: interval.map(|[low, _]| low),
        high: interval.map(|[_, high]| high),
        larger: differences.iter().filter(|d| **d > 0.0).count(),
        smaller: differences.iter().filter(|d| **d < 0.0).count(),
        median_difference: quantile(differences, 0.5),
        statistic: undefined(rank.statistic),
        p: undefined(rank.p),
        adjusted_p: f64::NAN,
        exact: rank.exact,
        rank_biserial: rank.rank_biserial,
    }
}

/// Holm's adjustment over all defined p-values.
fn adjust(tests: &mut [PairedTest]) {
    let mut order: Vec<&mut PairedTest> = tests.iter_mut().filter(|test| !test.p.is_nan()).collect();
    order.sort_by(|one, two| one.p.total_cmp(&two.p));
    let count = order.len();
    let mut largest = 0.0_f64;
    for (done, test) in order.into_iter().enumerate() {
        largest = largest.max(((count - done) as f64 * test.p).min(1.0));
        test.adjusted_p = largest;
    }
}

fn csv(tests: &[PairedTest]) -> String {
    let mut text = String::from(
        "region,metric,cases,undefined,firstMean,secondMean,difference,low,high,medianDifference,larger,smaller,statistic,\
         p,adjustedP,exact,rankBiserial\n",
    );
    for test in tests {
        let region = field(test.region.as_deref().unwrap_or_default());
        let PairedTest {
            metric,
            cases,
            undefined,
            larger,
            smaller,
            exact,
            ..
        } = test;
        let [first, second, difference, median] = [
            test.first_mean,
            test.second_mean,
            test.difference,
            test.median_difference,
        ]
        .map(|v| number(Some(v)));
        let [low, high] = [test.low, test.high].map(number);
        let [statistic, p, adjusted, effect] =
            [test.statistic, test.p, test.adjusted_p, test.rank_biserial].map(|v| number(Some(v)));
        let _ = writeln!(
            text,
            "{region},{metric},{cases},{undefined},{first},{second},{difference},{low},{high},{median},{larger},{smaller},\
             {statistic},{p},{adjusted},{exact},{effect}"
        );
    }
    text
}

fn markdown(tests: &[PairedTest], options: &CompareOptions) -> String {
    let measures = &options.measures;
    let interval = format!("{} % CI", measures.confidence * 100.0);
    let mut text = format!(
        "| Region | Metric | Cases | First | Second | Difference | {interval} | Larger / smaller | p | p (Holm) | Effect |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for test in tests {
        let title = COLUMNS
            .iter()
            .find(|column| column.key == test.metric)
            .map_or("", |c| c.title);
        let region = cell(test.region.as_deref().unwrap_or("all classes"));
        let [first, second, difference, effect] = [
            test.first_mean,
            test.second_mean,
            test.difference,
            test.rank_biserial,
        ]
        .map(short);
        let [p, adjusted] = [test.p, test.adjusted_p].map(probability);
        let PairedTest {
            cases,
            larger,
            smaller,
            ..
        } = test;
        let interval = range(test.low, test.high);
        let _ = writeln!(
            text,
            "| {region} | {title} | {cases} | {first} | {second} | {difference} | {interval} | {larger} / {smaller} | {p} | \
             {adjusted} | {effect} |"
        );
    }
    let [first, second] =
        [&options.first_dir, &options.second_dir].map(|folder| cell(&folder.to_string_lossy()));
    let _ = writeln!(
        text,
        "\nFirst: {first}. Second: {second}. Differences are second minus first. p: Wilcoxon's signed-rank test, two-sided; \
         p (Holm): adjusted for all rows. Effect: matched-pairs rank-biserial correlation."
    );
    text.push_str(&definitions(
        measures,
        tests.iter().map(|test| test.metric.as_str()),
    ));
    text
}

/// A p-value for readers.
fn probability(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        short(p)
    }
}
