//! Names of channels and classes, for captions.

use dataset::{DatasetJson, Plans};
use recipe::TrainingData;
use run::{Coded, Context};

/// Names of the image channels from the plans.
pub(crate) fn modalities(plans: &Plans) -> Vec<String> {
    (0..plans.num_modalities)
        .map(|channel| match plans.modalities.get(&channel) {
            Some(name) => name.clone(),
            None => format!("channel {channel}"),
        })
        .collect()
}

/// Names of classes 1, 2, ..., from the `dataset.json` that preprocessing wrote to the task's folder.
pub(crate) fn classes(data: &TrainingData, context: &Context) -> Vec<String> {
    let file = data.preprocessed.join("dataset.json");
    let labels = match DatasetJson::read(&file) {
        Ok(dataset) => dataset.labels,
        Err(error) => {
            // Preprocessed folders of other programs may lack it. A picture can do without class names.
            if file.exists() {
                context.warn(error.code(), format!("classes have no names: {error}"), None);
            }
            Default::default()
        }
    };
    (1..=data.plans.num_classes as i64)
        .map(|label| match labels.get(&label) {
            Some(name) => name.clone(),
            None => format!("class {label}"),
        })
        .collect()
}
