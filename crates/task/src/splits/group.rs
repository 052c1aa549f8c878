//! Splits that keep the cases of a patient together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dataset::splits::{k_fold, Split};
use dataset::text::{read_json, read_text};
use regex_lite::Regex;

use crate::Error;

/// Returns five folds of groups of cases: nnU-Net's `KFold` applied to the sorted groups. No group is in both
/// training and validation of a fold. `groups` maps each case to its group (its patient).
///
/// # Errors
/// [`dataset::Error::Splits`] naming cases without a group; [`dataset::Error::TooFewCases`] for fewer than
/// five groups.
pub fn grouped_splits<S: AsRef<str>>(
    cases: &[S],
    groups: &BTreeMap<String, String>,
) -> Result<Vec<Split>, Error> {
    let mut cases: Vec<String> = cases.iter().map(|c| c.as_ref().to_owned()).collect();
    cases.sort();
    let without: Vec<String> = cases
        .iter()
        .filter(|c| !groups.contains_key(*c))
        .cloned()
        .collect();
    if !without.is_empty() {
        return Err(dataset::Error::Splits {
            problem: "cases without a patient".into(),
            cases: without,
        }
        .into());
    }
    let names: BTreeSet<&String> = cases.iter().filter_map(|c| groups.get(c)).collect();
    let names: Vec<&String> = names.into_iter().collect();
    let parts = k_fold(names.len(), "groups of cases")?;
    let pick = |indices: &[usize]| {
        let chosen: BTreeSet<&String> = indices.iter().map(|&i| names[i]).collect();
        let inside = cases
            .iter()
            .filter(|c| groups.get(*c).is_some_and(|g| chosen.contains(g)));
        inside.cloned().collect()
    };
    Ok(parts
        .iter()
        .map(|(train, val)| Split {
            train: pick(train),
            val: pick(val),
        })
        .collect())
}

/// Returns the group of each case: the match of a regular expression's first capture group in its name.
///
/// # Errors
/// [`Error::Option`] for an invalid expression; [`dataset::Error::Splits`] naming the cases without a match.
pub fn groups_by_pattern<S: AsRef<str>>(
    cases: &[S],
    pattern: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let bad = |problem: String| run::OptionError::new("groupPattern", format!("{pattern:?}: {problem}"));
    let regex = Regex::new(pattern).map_err(|e| bad(e.to_string()))?;
    if regex.captures_len() < 2 {
        let problem = "expected a group in parentheses around the patient, such as ^(patient\\d+)_";
        return Err(bad(problem.to_owned()).into());
    }
    let mut groups = BTreeMap::new();
    let mut unmatched = Vec::new();
    for case in cases {
        let case = case.as_ref();
        match regex.captures(case).and_then(|c| c.get(1)) {
            Some(group) => drop(groups.insert(case.to_owned(), group.as_str().to_owned())),
            None => unmatched.push(case.to_owned()),
        }
    }
    if unmatched.is_empty() {
        return Ok(groups);
    }
    Err(dataset::Error::Splits {
        problem: format!("pattern {pattern:?} does not match"),
        cases: unmatched,
    }
    .into())
}

/// Reads the group of each case from a file: a JSON object of case to group, or CSV with case and group as
/// the first and second column, separated by comma, semicolon or tab. A first line that begins with `case` is a
/// header. Lines that begin with `#`, and Excel's `sep=;`, are skipped.
///
/// # Errors
/// [`dataset::Error::Io`] or [`dataset::Error::Record`] naming the file.
pub fn groups_from_file(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    if path.extension().is_some_and(|e| e == "json") {
        return Ok(read_json(path)?);
    }
    let text = read_text(path)?;
    let mut groups = BTreeMap::new();
    let content = |line: &str| !(line.is_empty() || line.starts_with('#') || line.starts_with("sep="));
    let mut first = true;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| content(line.trim())) {
        let mut fields = line.split([',', ';', '\t']).map(|f| f.trim().trim_matches('"'));
        let (Some(case), Some(group)) = (fields.next(), fields.next().filter(|g| !g.is_empty())) else {
            return Err(Error::record(
                path,
                format!("line {}: expected case,patient", number + 1),
            ));
        };
        if std::mem::take(&mut first) && case.eq_ignore_ascii_case("case") {
            continue;
        }
        if groups
            .insert(case.to_owned(), group.to_owned())
            .is_some_and(|old| old != group)
        {
            return Err(Error::record(
                path,
                format!("line {}: case {case} has two patients", number + 1),
            ));
        }
    }
    Ok(groups)
}
