//! The most similar known name for a misspelt one.

/// Returns the known name nearest to `found`, unless all are too different.
pub(crate) fn nearest<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let target = plain(found);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&target, &plain(name)), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).clamp(1, 4))
        .map(|(_, name)| name)
}

/// `; did you mean NAME?`, or an empty text.
pub(crate) fn advice<'n>(found: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(found, known).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
