//! Typed access to JSON, with errors that name file and entry.

use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::Error;

/// An object of a JSON file, and where it is in it.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) path: &'a Path,
    /// Keys that lead to the object, each with a point behind it.
    pub(crate) place: &'a str,
    pub(crate) map: &'a Map<String, Json>,
}

impl<'a> Record<'a> {
    /// The whole file.
    pub(crate) fn of(path: &'a Path, json: &'a Json) -> Result<Self, Error> {
        match json {
            Json::Object(map) => Ok(Self { path, place: "", map }),
            _ => Err(Error::record(path, "the file is not a JSON object")),
        }
    }

    /// The value of a key, unless it is missing or null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Json> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key as `read` gives it.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(key, expected, &short(value))),
        }
    }

    /// The value of a key that must be there.
    pub(crate) fn required<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl Fn(&'a Json) -> Option<T>,
    ) -> Result<T, Error> {
        self.optional(key, expected, read)?
            .ok_or_else(|| self.wrong(key, expected, "nothing"))
    }

    pub(crate) fn wrong(&self, key: &str, expected: &str, found: &str) -> Error {
        let place = self.place;
        Error::record(
            self.path,
            format!("{place}{key}: expected {expected}, found {found}"),
        )
    }
}

/// A value as text of limited length.
pub(crate) fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(crate) fn text(value: &Json) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A list with `read` of each element.
pub(crate) fn list<'a, T>(read: impl Fn(&'a Json) -> Option<T>) -> impl Fn(&'a Json) -> Option<Vec<T>> {
    move |value| value.as_array()?.iter().map(&read).collect()
}

pub(crate) fn size(value: &Json) -> Option<usize> {
    whole(value)?.try_into().ok()
}

/// A whole number; Python may have written `2.0`.
pub(crate) fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
    })
}
