//! Common start of planning and preprocessing.

use std::collections::BTreeSet;
use std::sync::Mutex;

use run::{CaseLoop, Context, Event, OptionError, Shard};
use serde_json::json;
use storage::LocalFolder;
use volume::UNLABELLED;

use crate::source::{Loaded, Source};
use crate::task_cases::{TaskCases, TrainingCase};
use crate::{Crop, Error, Notice, Options};

/// A task with its options and its loop over cases.
pub struct Session<'a> {
    /// Folders and cases of the task.
    pub task: TaskCases,
    /// The verb's options.
    pub options: &'a Options,
    /// Loop over cases, with its workers, memory budget and event sink.
    pub cases: CaseLoop<'a>,
    /// Where results are made, if not beside their place.
    pub local: Option<LocalFolder>,
    /// Case and code of the notices that were reported.
    noticed: Mutex<BTreeSet<(String, &'static str, String)>>,
}

impl<'a> Session<'a> {
    /// Checks the options, finds the task, and reports the start of `verb`.
    pub fn start(verb: &'static str, options: &'a Options, context: &'a Context) -> Result<Self, Error> {
        run::validate(options)?;
        let folders = options.folders.resolve(context);
        let task = TaskCases::find(&options.task, &folders)?;
        let cropped = task
            .cases
            .iter()
            .any(|case| matches!(case.source, Source::Cropped { .. }));
        if cropped && options.crop == Crop::None {
            let problem =
                "expected \"nonzero\": the task has no raw data, and its cropped data are cropped already";
            return Err(OptionError::new("crop", problem).into());
        }
        let local = LocalFolder::of_option::<Error>(options.scratch.as_deref())?;
        let cases = CaseLoop::new(context)?.with_memory_budget(options.memory_bytes());
        let settings = json!({
            "task": task.name, "cases": task.cases.len(), "shard": options.shard, "configurations": options.configurations,
            "preprocessed": task.preprocessed, "memoryBudget": cases.memory_budget(), "workers": context.workers(),
        });
        context.emit(Event::Started { verb, settings });
        Ok(Self {
            task,
            options,
            cases,
            local,
            noticed: Mutex::default(),
        })
    }

    /// The cases that this run works on, in their order: all, or a part of them.
    pub fn selected(&self) -> Vec<&TrainingCase> {
        Shard::select(self.options.shard, self.task.cases.iter().collect())
    }

    /// Warns of what was found in a case that was read, once: planning and preprocessing read the same case.
    pub fn notice_case(&self, case: &str, loaded: &mut Loaded) {
        let mut notices = std::mem::take(&mut loaded.notices);
        let listed = &self.task.dataset.labels;
        let mut unlisted = loaded.cropped.classes.clone();
        unlisted.retain(|&label| label != UNLABELLED && !listed.contains_key(&i64::from(label)));
        if !unlisted.is_empty() {
            let message = format!(
                "the label has the values {unlisted:?}, which dataset.json does not list; values below -1 become \
                 background, and training refuses other values"
            );
            let code = "WARN_UNLISTED_LABELS";
            notices.push(Notice { code, message });
        }
        self.notice(case, notices);
    }

    /// Warns of notices of a case, once each.
    pub fn notice(&self, case: &str, notices: Vec<Notice>) {
        for Notice { code, message } in notices {
            let mut noticed = self
                .noticed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if noticed.insert((case.to_owned(), code, message.clone())) {
                self.cases.context().warn(code, message, Some(case));
            }
        }
    }
}
