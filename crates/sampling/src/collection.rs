//! The checked cases of a split, for drawing patches.

use random::Draw;
use rayon::prelude::*;
use run::Context;

use crate::annotation::{AnnotationIndex, IndexBuilder};
use crate::boxes::{draw_box, is_forced, PatchBox, PatchSizes};
use crate::case::{Case, StageFolder};
use crate::centre::draw_lower;
use crate::error::Error;
use crate::foreground::ClassLocations;
use crate::fork::MeaningRule;
use crate::index_file::{index_path, Stamp};
use crate::meaning::Meaning;
use crate::options::Sampling;
use crate::properties::Properties;

/// Options of a [`Collection`].
#[derive(Clone, Debug)]
pub struct CollectionOptions {
    /// Folders and reading mode.
    pub stage: StageFolder,
    /// Identifiers of the cases. Their order affects the draws of a seed.
    pub cases: Vec<String>,
    /// The sampling rule.
    pub sampling: Sampling,
    /// Whether the recipe excludes unlabelled voxels (-1) from the loss.
    pub ignore_label: bool,
    /// Treats every -1 as unlabelled regardless of the case's properties, like DIAG's fork.
    pub reference_rules: bool,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Patch sizes.
    pub sizes: PatchSizes,
}

/// A case with the data for drawing its patches.
pub struct SampledCase {
    /// The case.
    pub case: Case,
    classes: Option<ClassLocations>,
    index: Option<AnnotationIndex>,
}

/// Position of a sample in its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The box to load. The network's patch is its centre crop.
    pub loaded: PatchBox,
    /// The drawn annotated voxel, if any.
    pub voxel: Option<[usize; 3]>,
}

/// Checked cases of one split.
pub struct Collection {
    cases: Vec<SampledCase>,
    skipped: Vec<String>,
    sampling: Sampling,
    batch_size: usize,
    sizes: PatchSizes,
}

impl Collection {
    /// Opens all cases in parallel and checks for later failures: shapes, weightmaps, class locations,
    /// annotation. Annotation indices are read from the files beside the cases, or built and written.
    ///
    /// Warnings: `WARN_UNLABELLED_UNKNOWN` (cases written by nnU-Net v1 under a recipe with an ignore label),
    /// `WARN_NO_FOREGROUND` (cases whose forced samples fall back to random boxes),
    /// `WARN_SKIPPED_UNANNOTATED`, `WARN_INDEX_NOT_WRITTEN`.
    ///
    /// # Errors
    /// [`Error::NoCases`]. [`Error::Weightmaps`] and [`Error::NoAnnotation`] list all affected cases. For the
    /// first affected case: [`Error::MissingCase`], [`Error::CaseFile`], [`Error::CaseShape`],
    /// [`Error::Properties`], [`Error::ClassLocations`]. [`Error::Cancelled`].
    pub fn open(options: &CollectionOptions, context: &Context) -> Result<Self, Error> {
        if options.cases.is_empty() {
            return Err(Error::NoCases {
                folder: options.stage.folder.clone(),
            });
        }
        let rule = MeaningRule::of(options.reference_rules);
        let open = || -> Vec<Result<SampledCase, Error>> {
            options
                .cases
                .par_iter()
                .map(|name| open_case(name, options, rule, context))
                .collect()
        };
        let opened = context.pool()?.install(open);
        let (mut cases, mut missing, mut mismatched) = (Vec::new(), Vec::new(), Vec::new());
        for result in opened {
            match result {
                Ok(case) => cases.push(case),
                // Reported for all cases at once.
                Err(Error::Weightmaps {
                    missing: names,
                    mismatched: shapes,
                    ..
                }) => {
                    missing.extend(names);
                    mismatched.extend(shapes);
                }
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() || !mismatched.is_empty() {
            return Err(Error::Weightmaps {
                folder: options.stage.folder.clone(),
                missing,
                mismatched,
            });
        }
        check_channels(&cases)?;
        let skipped = take_unannotated(&mut cases, &options.sampling)?;
        let collection = Self {
            cases,
            skipped,
            sampling: options.sampling,
            batch_size: options.batch_size,
            sizes: options.sizes,
        };
        collection.warn(rule, context);
        Ok(collection)
    }

    /// The cases in the given order, without skipped ones.
    pub fn cases(&self) -> &[SampledCase] {
        &self.cases
    }

    /// Number of image channels of every case.
    pub fn channels(&self) -> usize {
        self.cases.first().map_or(0, |case| case.case.channels())
    }

    /// Skipped cases, which have no annotated voxels.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The sampling rule.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// The patch sizes.
    pub fn sizes(&self) -> &PatchSizes {
        &self.sizes
    }

    /// Bytes held for drawing: class locations, and indices that could not be written.
    pub fn bytes(&self) -> usize {
        let of = |case: &SampledCase| {
            case.classes.as_ref().map_or(0, ClassLocations::bytes)
                + case.index.as_ref().map_or(0, AnnotationIndex::bytes)
        };
        self.cases.iter().map(of).sum()
    }

    /// Draws a case uniformly, for one sample of a batch.
    pub fn draw_case(&self, draw: &mut impl Draw) -> &SampledCase {
        // `open` rejects an empty collection, so the index is valid.
        &self.cases[draw.below(self.cases.len() as u64) as usize]
    }

    /// Draws the position of sample `index` of a batch in `case`.
    pub fn draw_placement(&self, case: &SampledCase, index: usize, draw: &mut impl Draw) -> Placement {
        let shape = case.case.shape();
        if let (Sampling::Annotated(options), Some(annotation)) = (&self.sampling, &case.index) {
            let voxel = annotation.draw(options.balance, draw);
            if let Some(voxel) = voxel {
                let lower = draw_lower(voxel, shape, &self.sizes, options.offset, draw);
                return Placement {
                    loaded: self.sizes.loaded_around(lower),
                    voxel: Some(voxel),
                };
            }
        }
        let forced = is_forced(index, self.batch_size, self.sampling.forced_fraction());
        let foreground = if forced { case.classes.as_ref() } else { None };
        Placement {
            loaded: draw_box(shape, &self.sizes, foreground, draw),
            voxel: None,
        }
    }

    fn warn(&self, rule: MeaningRule, context: &Context) {
        let unknown: Vec<&str> = self.named(|case| case.case.meaning() == Meaning::Unknown);
        if !unknown.is_empty() && rule.warns() {
            let message = format!(
                "{} of {} cases were preprocessed by nnU-Net v1, which writes -1 both for unlabelled voxels and for background \
                 outside the non-zero mask: all of it is taken for unlabelled; preprocess again here to tell them apart ({})",
                unknown.len(), self.cases.len(), unknown.join(", ")
            );
            context.warn("WARN_UNLABELLED_UNKNOWN", message, None);
        }
        let bare: Vec<&str> = self.named(|case| case.classes.as_ref().is_some_and(ClassLocations::is_empty));
        if !bare.is_empty() {
            let message = format!(
                "{} of {} cases contain no foreground; their forced samples are drawn at random ({})",
                bare.len(),
                self.cases.len(),
                bare.join(", ")
            );
            context.warn("WARN_NO_FOREGROUND", message, None);
        }
        if !self.skipped.is_empty() {
            let message = format!(
                "cases without annotated voxels are excluded: {}",
                self.skipped.join(", ")
            );
            context.warn("WARN_SKIPPED_UNANNOTATED", message, None);
        }
    }

    fn named(&self, test: impl Fn(&SampledCase) -> bool) -> Vec<&str> {
        self.cases
            .iter()
            .filter(|case| test(case))
            .map(|case| case.case.name())
            .collect()
    }
}

fn open_case(
    name: &str,
    options: &CollectionOptions,
    rule: MeaningRule,
    context: &Context,
) -> Result<SampledCase, Error> {
    context.check()?;
    let forces = is_forced(
        options.batch_size.saturating_sub(1),
        options.batch_size,
        options.sampling.forced_fraction(),
    );
    let properties = if forces || options.ignore_label {
        Some(Properties::read(&options.stage.folder, name)?)
    } else {
        None
    };
    let meaning = rule.meaning(options.ignore_label, properties.as_ref());
    let mut case = Case::open(name, &options.stage, meaning)?;
    if options.stage.weightmaps {
        case.open_weights(&options.stage)?;
    }
    let classes = match properties {
        Some(properties) if forces => {
            let locations = properties.class_locations;
            let unusable = |label| Error::ClassLocations {
                case: name.to_owned(),
                label,
            };
            let locations = locations.ok_or_else(|| unusable(None))?;
            Some(ClassLocations::new(&locations, case.shape()).map_err(|label| unusable(Some(label)))?)
        }
        _ => None,
    };
    let index = match options.sampling.annotated() {
        Some(annotated) => Some(open_index(&case, options, annotated.balance, context)?),
        None => None,
    };
    Ok(SampledCase { case, classes, index })
}

/// Reads the case's annotation index from the file beside it, or builds and writes it.
fn open_index(
    case: &Case,
    options: &CollectionOptions,
    by_class: bool,
    context: &Context,
) -> Result<AnnotationIndex, Error> {
    let path = index_path(&options.stage.folder, case.name());
    // Read before the segmentation: if the file is replaced meanwhile, the index is stale instead of wrong.
    let stamp = Stamp::of(case.path()).map(|stamp| stamp.ignoring(case.ignored()));
    let stamp = stamp.map_err(|source| {
        Error::file(
            case.name(),
            volume::Error::Io {
                path: case.path().to_owned(),
                source,
            },
        )
    })?;
    if let Some(index) = AnnotationIndex::open(&path, stamp, case.shape(), case.meaning(), by_class) {
        return Ok(index);
    }
    let mut builder = IndexBuilder::new(case.shape(), case.meaning(), by_class);
    case.for_each_slice(|slice| builder.push(slice))?;
    let index = builder.finish();
    match index.write(&path, stamp, case.meaning()) {
        // A mapped file needs no memory; if it cannot be opened, the index in memory is used.
        Ok(()) => {
            Ok(AnnotationIndex::open(&path, stamp, case.shape(), case.meaning(), by_class).unwrap_or(index))
        }
        Err(error) => {
            let message = format!("the index of annotated voxels stays in memory: {error}");
            context.warn("WARN_INDEX_NOT_WRITTEN", message, Some(case.name()));
            Ok(index)
        }
    }
}

fn check_channels(cases: &[SampledCase]) -> Result<(), Error> {
    let Some(first) = cases.first() else { return Ok(()) };
    match cases
        .iter()
        .find(|case| case.case.channels() != first.case.channels())
    {
        None => Ok(()),
        Some(other) => Err(Error::CaseShape {
            case: other.case.name().to_owned(),
            path: other.case.path().to_owned(),
            found: std::iter::once(other.case.channels() + 1)
                .chain(other.case.shape())
                .collect(),
            expected: format!(
                "{} channels as case {} has",
                first.case.channels() + 1,
                first.case.name()
            ),
        }),
    }
}

/// Removes the cases without annotation, if allowed.
fn take_unannotated(cases: &mut Vec<SampledCase>, sampling: &Sampling) -> Result<Vec<String>, Error> {
    let Some(options) = sampling.annotated() else {
        return Ok(Vec::new());
    };
    let is_bare = |case: &SampledCase| case.index.as_ref().is_some_and(|index| index.annotated() == 0);
    let bare: Vec<String> = cases
        .iter()
        .filter(|c| is_bare(c))
        .map(|c| c.case.name().to_owned())
        .collect();
    if !bare.is_empty() && (!options.skip_unannotated || bare.len() == cases.len()) {
        return Err(Error::NoAnnotation { cases: bare });
    }
    cases.retain(|case| !is_bare(case));
    Ok(bare)
}
