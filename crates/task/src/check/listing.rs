//! Compares `dataset.json` with the files of the task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataset::files::{nifti_files, ImageFolder};
use dataset::{case_of, DatasetJson};
use serde_json::json;
use volume::UNLABELLED;

use super::names;
use super::problem::{Problem, ProblemKind as Kind};
use crate::Error;

/// Files of a case to read.
pub(super) struct Case {
    pub(super) name: String,
    /// Channel files in order, without missing ones, which are reported separately.
    pub(super) images: Vec<PathBuf>,
    pub(super) label: Option<PathBuf>,
}

/// Problems and cases found from names alone.
pub(super) struct Listing {
    pub(super) cases: Vec<Case>,
    pub(super) channels: usize,
    pub(super) problems: Vec<Problem>,
}

/// Compares the lists of `dataset.json` with the folders of the raw task.
pub(super) fn compare(folder: &Path, dataset: &DatasetJson) -> Result<Listing, Error> {
    let mut problems = Vec::new();
    let file = folder.join("dataset.json");
    if let Err(error) = dataset.modalities() {
        problems.push(Problem::new(Kind::Modalities, error.to_string()).in_file(&file));
    }
    for (channel, name) in dataset.modality.iter().filter(|(_, name)| resembles_ct(name)) {
        let message = format!(
            "channel {channel} is named {name:?}; nnU-Net normalises only CT and ct as CT, and any other name by the \
             z-score: write CT, or noCT if that is what you want"
        );
        let problem = Problem::new(Kind::ChannelName, message).in_file(&file);
        problems.push(problem.with(json!({ "channel": channel, "name": name })));
    }
    if let Some(what) = label_numbers(dataset) {
        let labels: Vec<_> = dataset.labels.keys().collect();
        problems.push(
            Problem::new(Kind::Labels, what)
                .in_file(&file)
                .with(json!({ "labels": labels })),
        );
    }
    let channels = dataset.modality.len();
    let mut listing = Listing {
        cases: Vec::new(),
        channels,
        problems,
    };
    for (case, message) in dataset.misnamed() {
        let problem = Problem::new(Kind::CaseName, message).of_case(case);
        listing.problems.push(problem.in_file(&file));
    }
    for part in ["imagesTr", "labelsTr", "imagesTs"] {
        names::check(&folder.join(part), &mut listing.problems);
    }
    names::twins(dataset, &file, &mut listing.problems);
    training(folder, dataset, &mut listing)?;
    test(folder, dataset, &mut listing)?;
    Ok(listing)
}

/// Whether the first word of a channel's name is CT, but nnU-Net does not take it for CT.
fn resembles_ct(name: &str) -> bool {
    let mut words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let is_ct = words.next().is_some_and(|word| word.eq_ignore_ascii_case("ct"));
    is_ct && name != "CT" && name != "ct"
}

/// Checks the label numbers. nnU-Net v1 requires consecutive labels from 0; -1 may be listed for unlabelled
/// voxels.
fn label_numbers(dataset: &DatasetJson) -> Option<String> {
    let mut labels: Vec<i64> = dataset
        .labels
        .keys()
        .copied()
        .filter(|&label| label != i64::from(UNLABELLED))
        .collect();
    labels.sort_unstable();
    let expected = (0..labels.len() as i64).collect::<Vec<_>>();
    (labels != expected || labels.is_empty())
        .then(|| format!("labels are {labels:?}; expected consecutive labels 0 (background), 1, 2, ..."))
}

fn training(folder: &Path, dataset: &DatasetJson, listing: &mut Listing) -> Result<(), Error> {
    let images = ImageFolder::list(&folder.join("imagesTr"))?;
    let labels = nifti_files(&folder.join("labelsTr"))?;
    let misnamed: BTreeSet<_> = dataset.misnamed().into_iter().map(|(case, _)| case).collect();
    let (mut listed, mut used) = (BTreeSet::new(), BTreeSet::new());
    for entry in &dataset.training {
        let mut case = case_of(&entry.image);
        if misnamed.contains(case) && case != entry.case {
            // An image listed with its channel number.
            case = &entry.case;
        }
        if case != entry.case {
            let message = format!(
                "image {} and label {} have different names; rename one of them, because nnU-Net uses one name for both",
                entry.image, entry.label
            );
            let details = json!({ "image": entry.image, "label": entry.label });
            listing.problems.push(
                Problem::new(Kind::NameMismatch, message)
                    .of_case(case)
                    .with(details),
            );
        }
        if !listed.insert(case) {
            listing
                .problems
                .push(Problem::new(Kind::ListedTwice, "listed twice in training").of_case(case));
            continue;
        }
        // A label with another name is still checked.
        let found = labels
            .get_key_value(case)
            .or_else(|| labels.get_key_value(&entry.case));
        used.extend(found.map(|(name, _)| name));
        let label = found.map(|(_, path)| path.clone());
        if label.is_none() {
            let path = folder.join("labelsTr").join(format!("{case}.nii.gz"));
            let found = if images.cases.contains_key(case) {
                "no label (its image exists)"
            } else {
                "neither image nor label"
            };
            let form = names::other_spelling(case, labels.keys().map(String::as_str)).unwrap_or_default();
            let message = format!("listed in dataset.json, but has {found}{form}");
            listing.problems.push(
                Problem::new(Kind::LabelMissing, message)
                    .of_case(case)
                    .in_file(path),
            );
        }
        add_case(case, &images, "imagesTr", folder, label, listing);
    }
    for (case, path) in labels.iter().filter(|(name, _)| !used.contains(name)) {
        let (kind, message) = match images.cases.contains_key(case) {
            true => (
                Kind::NotListed,
                "image and label exist, but dataset.json does not list the case",
            ),
            false => (
                Kind::ImageMissing,
                "a label without an image, and dataset.json does not list the case",
            ),
        };
        listing
            .problems
            .push(Problem::new(kind, message).of_case(case).in_file(path));
        listed.extend(images.cases.get_key_value(case).map(|(name, _)| name.as_str()));
    }
    for (case, files) in images
        .cases
        .iter()
        .filter(|(case, _)| !listed.contains(case.as_str()))
    {
        let message = "an image without a label, and dataset.json does not list the case";
        let problem = Problem::new(Kind::LabelMissing, message).of_case(case);
        listing.problems.push(match files.values().next() {
            Some(path) => problem.in_file(path),
            None => problem,
        });
    }
    unnumbered_files(&images, listing);
    Ok(())
}

fn test(folder: &Path, dataset: &DatasetJson, listing: &mut Listing) -> Result<(), Error> {
    let folder_exists = folder.join("imagesTs").is_dir();
    let images = if folder_exists {
        ImageFolder::list(&folder.join("imagesTs"))?
    } else {
        ImageFolder::default()
    };
    let mut listed = BTreeSet::new();
    for case in dataset.test.iter().map(|path| case_of(path)) {
        if listed.insert(case) {
            add_case(case, &images, "imagesTs", folder, None, listing);
        } else {
            listing
                .problems
                .push(Problem::new(Kind::ListedTwice, "listed twice in test").of_case(case));
        }
    }
    unnumbered_files(&images, listing);
    Ok(())
}

fn unnumbered_files(images: &ImageFolder, listing: &mut Listing) {
    for path in &images.others {
        let message = "the name does not end in a channel number of four digits, such as _0000, so that it belongs to no case";
        listing
            .problems
            .push(Problem::new(Kind::FileName, message).in_file(path));
    }
}

fn add_case(
    case: &str,
    images: &ImageFolder,
    images_folder: &str,
    folder: &Path,
    label: Option<PathBuf>,
    listing: &mut Listing,
) {
    let nothing = BTreeMap::new();
    let files = images.cases.get(case).unwrap_or(&nothing);
    for channel in (0..listing.channels).filter(|channel| !files.contains_key(channel)) {
        let path = folder
            .join(images_folder)
            .join(format!("{case}_{channel:04}.nii.gz"));
        let form = match files.is_empty() {
            true => names::other_spelling(case, images.cases.keys().map(String::as_str)).unwrap_or_default(),
            false => String::new(),
        };
        let message = format!("channel {channel} of {} is missing{form}", listing.channels);
        let problem = Problem::new(Kind::ChannelMissing, message)
            .of_case(case)
            .in_file(path);
        listing.problems.push(problem.with(json!({ "channel": channel })));
    }
    for (channel, path) in files.range(listing.channels..) {
        let message = format!(
            "dataset.json lists {} channels, this is channel {channel}",
            listing.channels
        );
        let problem = Problem::new(Kind::ChannelUnexpected, message)
            .of_case(case)
            .in_file(path);
        listing.problems.push(problem.with(json!({ "channel": channel })));
    }
    let images = files
        .range(..listing.channels)
        .map(|(_, path)| path.clone())
        .collect();
    listing.cases.push(Case {
        name: case.to_owned(),
        images,
        label,
    });
}
