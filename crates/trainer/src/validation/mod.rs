//! Whole-case validation of a fold after its training (`nnUNetTrainer.validate`, `predict_next_stage`).

mod case;
mod next_stage;
mod record;
mod score;

use std::fs;
use std::path::PathBuf;

use engine::network::GenericUNet;
use inference::{Export, Predictor, WindowOptions};
use ndarray::Array4;
use run::{CaseFailure, CaseLoop, Context, Event, Job, NotFound, Share, ValidationReport};
use settings::{default_export_mode, TrainOptions};
use volume::nifti::{Stored, EXTENSIONS};

use crate::ranks::Ranks;
use crate::setup::Setup;
use crate::start::Claim;
use crate::{Error, Result};
use case::Case;
use next_stage::NextStage;
use record::Record;

/// The validation of a trained fold.
pub(crate) struct Validation<'a> {
    pub ranks: &'a Ranks,
    pub options: &'a TrainOptions,
    pub setup: &'a Setup,
    pub network: &'a GenericUNet,
    pub context: &'a Context,
}

/// Checks that the validation will find its references. Called before the training, which takes hours.
///
/// # Errors
/// [`Error::NotFound`] with the first missing file.
pub(crate) fn check(options: &TrainOptions, setup: &Setup) -> Result<()> {
    if options.validate {
        let advice = "run `nnunet-diag preprocess` again, which copies the reference segmentations there, \
                      or train with --no-validate";
        for case in &setup.data.split.val {
            let path = setup.references.join(format!("{case}.nii.gz"));
            NotFound::unless_exists("reference of a validation case", &path, advice)?;
        }
    }
    NextStage::find(options, setup)?;
    Ok(())
}

impl Validation<'_> {
    /// Segments the validation cases into `validation_raw`, evaluates them, determines the postprocessing and writes the
    /// segmentations for the next stage, as far as the options ask for it. Returns `None` if they ask for none of it.
    ///
    /// Cases that an interrupted validation of the same checkpoint finished are kept.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::TimeLimit`]; errors of files. The report lists failed cases.
    pub fn run(&self, _claim: &Claim) -> Result<Option<ValidationReport>> {
        let next_stage = NextStage::find(self.options, self.setup)?;
        if !self.options.validate && next_stage.is_none() {
            return Ok(None);
        }
        let failures = self.segment(next_stage.as_ref())?;
        let failures = self.collect(failures)?;
        if !self.options.validate || !self.ranks.is_first() {
            return Ok(None);
        }
        let report = self.score(failures)?;
        self.keep_references()?;
        self.context.emit(Event::Validation(report.clone()));
        Ok(Some(report))
    }

    /// The failures of all ranks, in the first one. Each rank segments its own cases.
    fn collect(&self, failures: Vec<CaseFailure>) -> Result<Vec<CaseFailure>> {
        if self.ranks.size() == 1 {
            return Ok(failures);
        }
        let own = serde_json::to_string(&failures).unwrap_or_default();
        let all = self.ranks.collect(&own, self.context)?;
        let mut all: Vec<CaseFailure> = all
            .iter()
            .flat_map(|text| serde_json::from_str::<Vec<CaseFailure>>(text).unwrap_or_default())
            .collect();
        let position = |failure: &CaseFailure| {
            let cases = &self.setup.data.split.val;
            cases.iter().position(|case| *case == failure.case)
        };
        all.sort_by_key(position);
        Ok(all)
    }

    /// Folder of the segmentations.
    fn folder(&self) -> PathBuf {
        self.setup.model.fold(self.options.data.fold).validation_raw()
    }

    /// Segments every case that is not finished. Returns the failures.
    fn segment(&self, next_stage: Option<&NextStage>) -> Result<Vec<CaseFailure>> {
        let (setup, options) = (self.setup, self.options);
        let folder = self.folder();
        let export = Export::new(
            folder.clone(),
            options.npz,
            default_export_mode(),
            setup.data.plans.transpose_forward,
        );
        if options.validate && self.ranks.is_first() {
            fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
            Record::new(options, setup)?.prepare(&folder)?;
        }
        self.ranks.meet(self.context)?;
        let done = |case: &String| {
            // The record vouches for the segmentation, and with it for the next stage's, which is written before it.
            options.validate && export.is_done(case) && next_stage.is_none_or(|next| next.is_done(case))
        };
        let (rank, size) = (self.ranks.rank(), self.ranks.size());
        let own = setup.data.split.val.iter().skip(rank).step_by(size);
        let todo = own.filter(|case| !done(case));
        let jobs: Vec<_> = todo.map(|case| Job::new(case, ())).collect();
        let patch = &setup.data.plan.patch_size;
        let window = WindowOptions::new(patch.len());
        let predictor = Predictor::new(self.network, setup.compute.kind, patch, window)?;
        let cancel = self.context.cancel();
        let outcome = CaseLoop::new(self.context)?.pipeline(
            &jobs,
            |job| Case::read(&job.case, setup),
            |_, case: Case, share| {
                let softmax = self.softmax(&predictor, &case.image, share)?;
                Ok((softmax, case.properties))
            },
            |job, (softmax, properties)| {
                if let Some(next) = next_stage {
                    next.write(&job.case, softmax.view(), cancel)?;
                }
                if options.validate {
                    export.write(&job.case, softmax, properties, cancel)?;
                }
                Ok::<_, Error>(())
            },
        );
        match outcome {
            Err(Error::Cancelled(_)) if setup.time_limit.is_over() => {
                Err(setup.time_limit.error(options.epochs, self.final_checkpoint()))
            }
            outcome => Ok(outcome?.failures),
        }
    }

    fn softmax(
        &self,
        predictor: &Predictor<&GenericUNet>,
        image: &Array4<f32>,
        share: &Share<'_>,
    ) -> Result<Array4<f32>> {
        let tiles = predictor.tiles(&image.shape()[1..]);
        let mut tile = 0;
        let mut step = || {
            tile += 1;
            share.report(tile, tiles);
            if self.setup.time_limit.is_over() {
                // Ends the loop over cases at its next check.
                self.context.cancel().cancel();
            }
        };
        Ok(predictor.softmax(image.view(), self.context, &mut step)?)
    }

    fn final_checkpoint(&self) -> PathBuf {
        let fold = self.setup.model.fold(self.options.data.fold);
        fold.checkpoint(dataset::results::FINAL_CHECKPOINT)
    }

    /// Copies the references beside the folds, where the consolidation of a cross-validation finds them.
    fn keep_references(&self) -> Result<()> {
        let folder = self.setup.model.gt_niftis();
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        for (case, source) in
            volume::nifti::list(&self.setup.references).map_err(|e| Error::io(&self.setup.references, e))?
        {
            self.context.check()?;
            let target = folder.join(format!("{case}{}", EXTENSIONS[0]));
            let size = |path: &PathBuf| fs::metadata(path).map(|m| m.len()).ok();
            if source.extension() != target.extension() {
                // nnU-Net v1 looks for no other name.
                Stored::open(&source)?.save(&target)?;
            } else if size(&target) != size(&source) {
                storage::copy_file(&source, &target, storage::Links::Follow)?;
            }
        }
        Ok(())
    }
}
