//! The verb.

use std::path::Path;

use run::{Context, Event, NotFound, OptionError};
use serde_json::json;

use crate::collect::{collect, cut};
use crate::options::{PageOptions, ReportOptions, ReportSummary};
use crate::page;
use crate::section::Depth;
use crate::Result;

/// Writes what there is to see of models, tasks or predictions as one HTML file, which needs no network.
///
/// Images are cut to where something is, and read one case at a time. Memory: the images of one case, and the compressed
/// images of all (`maxSize`).
///
/// # Errors
/// [`crate::Error::Option`], also if the output is a folder; [`crate::Error::NotFound`] for a path that does not
/// exist, or a missing folder of the output; [`crate::Error::Path`] for a path that holds nothing to report;
/// [`crate::Error::Evaluate`] for a damaged `summary.json`, or if no prediction can be evaluated;
/// [`crate::Error::Task`]; [`crate::Error::Storage`]; [`crate::Error::Cancelled`]. No file is written then.
pub fn report(options: &ReportOptions, context: &Context) -> Result<ReportSummary> {
    run::validate(options)?;
    let shown = &options.page;
    // Before the work, which may take an hour.
    let folder = options
        .output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    NotFound::unless_exists(
        "folder of the report",
        folder,
        "create it, or choose another file with --output",
    )?;
    if options.output.is_dir() {
        let problem = format!("{} is a folder; name a file", options.output.display());
        return Err(OptionError::new("output", problem).into());
    }
    for (what, given) in [
        ("folder of references", &shown.reference),
        ("folder of images", &shown.images),
    ] {
        if let Some(given) = given {
            NotFound::unless_exists(what, given, "choose an existing folder")?;
        }
    }
    context.emit(Event::Started {
        verb: "report",
        settings: json!({
            "paths": shown.paths, "output": options.output, "reference": shown.reference, "images": shown.images,
            "maxSize": shown.max_size, "ignoreLabel": shown.ignore_label,
        }),
    });
    let mut collected = collect(shown, Depth::Full, context)?;
    let budget = image_budget(shown, &page::json(&collected.report));
    let images = cut(&mut collected, budget, context)?;
    let bytes = page::write(&options.output, &page::json(&collected.report), &images.blobs)?;
    if bytes > (shown.max_size * 1e6) as u64 {
        let message = format!(
            "the page has {:.1} MB without images, more than maxSize ({} MB)",
            bytes as f64 / 1e6,
            shown.max_size
        );
        context.warn("WARN_REPORT_SIZE", message, None);
    }
    let sections = &mut collected.report.sections;
    let cases = sections
        .iter_mut()
        .filter_map(crate::collect::cases_of)
        .map(|cases| cases.len())
        .sum();
    Ok(ReportSummary {
        output: options.output.clone(),
        bytes,
        kinds: collected.kinds,
        cases,
        thinned: images.thinned,
        without_channels: images.lacking,
        failures: collected.failures,
    })
}

/// Bytes of the page for all images, so that it keeps to its limit.
pub(crate) fn image_budget(options: &PageOptions, json: &str) -> u64 {
    let limit = (options.max_size * 1e6) as u64;
    limit.saturating_sub(page::bytes_without_cases(json))
}
