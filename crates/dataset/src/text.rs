//! Text and JSON files, also those of Windows and Excel.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::Error;

const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a UTF-8 file, without the byte order mark that editors on Windows write.
///
/// # Errors
/// [`Error::Io`]; [`Error::Record`] for another encoding.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    decode(bytes).map_err(|problem| Error::record(path, problem))
}

/// Text of the bytes of a file, as [`read_text`] reads it.
///
/// # Errors
/// The problem, if the text is not UTF-8.
pub fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err("the file is UTF-16; save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        format!("line {line} is not UTF-8 (perhaps Latin-1); save the file as UTF-8")
    })?;
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Reads a JSON file as [`read_text`]. The message of an error has line and column, and names what JSON does not
/// have.
///
/// # Errors
/// [`Error::Io`], [`Error::Record`].
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = read_text(path)?;
    if text.trim().is_empty() {
        return Err(Error::record(path, "the file is empty; expected JSON"));
    }
    serde_json::from_str(&text).map_err(|error| {
        let hint = match error.is_syntax() {
            true => hint(&text, error.line(), error.column()),
            false => "",
        };
        Error::record(path, format!("{error}{hint}"))
    })
}

/// Returns what is at a place where JSON is wrong, if it is a common mistake.
fn hint(text: &str, line: usize, column: usize) -> &'static str {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    // The column is that of the byte where reading stopped.
    let near = [column.saturating_sub(1), column.saturating_sub(2)];
    let starts = |mark: &str| {
        near.iter()
            .any(|&at| line.get(at..).is_some_and(|rest| rest.starts_with(mark)))
    };
    match () {
        () if ["#", "//", "/*"].into_iter().any(starts) => "; JSON has no comments: remove it",
        () if ["NaN", "Infinity", "-Infinity"].into_iter().any(starts) => {
            "; JSON has no NaN and no infinity: write null or a number"
        }
        () if starts("'") => "; JSON quotes with \"",
        () if starts("None") || starts("True") || starts("False") => "; JSON writes null, true and false",
        () => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;

    fn read(bytes: &[u8]) -> Result<Value, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read_json(file.path()).map_err(|e| {
            assert!(
                e.to_string().starts_with(&file.path().display().to_string()),
                "{e}"
            );
            e.to_string()
        })
    }

    #[test]
    fn files_of_windows_are_read() {
        let expected = json!({ "name": "Müller" });
        assert_eq!(
            read("\u{feff}{\r\n\"name\": \"Müller\"\r\n}\r\n".as_bytes()).unwrap(),
            expected
        );
    }

    #[test]
    fn messages_name_what_json_lacks() {
        let utf_16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], &str); 11] = [
            (&utf_16, "UTF-16"),
            (b"{\n\"name\": \"M\xfcller\"}", "line 2 is not UTF-8"),
            (b"", "empty"),
            (b"\xef\xbb\xbf\r\n", "empty"),
            (
                b"{\n  \"a\": 1 # one\n}",
                "line 2 column 10; JSON has no comments",
            ),
            (b"{\n  \"a\": { // one\n}}", "no comments"),
            (b"{\n  /* one */ \"a\": 1}", "no comments"),
            (b"{\"a\": [1, 2,]}", "trailing comma at line 1"),
            (b"{\"a\": NaN}", "no NaN"),
            (b"{\"a\": -Infinity}", "no infinity"),
            (b"{'a': 1}", "quotes with \""),
        ];
        for (bytes, expected) in cases {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(expected), "{error}: {expected}");
        }
    }
}
