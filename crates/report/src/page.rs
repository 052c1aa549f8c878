//! The page: a template in which the data are filled in.

use std::io::{self, Seek, Write};
use std::path::Path;

use crate::data::{Report, ViewCase};

/// The page without data, for a server that sends them.
pub const TEMPLATE: &str = include_str!("../page.html");

/// Where the data go.
const DATA: &str = r#"<script type="application/json" id="report">"#;
/// Where the blobs go.
const BLOBS: &str = "<!--blobs-->";

/// The data as JSON that is safe inside a script element.
pub(crate) fn json(report: &Report) -> String {
    // In JSON, `<` occurs in strings only.
    serde_json::to_string(report)
        .unwrap_or_default()
        .replace('<', "\\u003c")
}

/// Writes the page atomically. Returns its size in bytes.
pub(crate) fn write(path: &Path, json: &str, blobs: &[Vec<u8>]) -> Result<u64, storage::Error> {
    storage::write_atomic(path, |file| {
        fill(file, json, blobs)?;
        file.stream_position()
    })
}

fn fill(out: &mut impl Write, json: &str, blobs: &[Vec<u8>]) -> io::Result<()> {
    let (head, rest) = TEMPLATE.split_once(DATA).unwrap_or((TEMPLATE, ""));
    let (middle, tail) = rest.split_once(BLOBS).unwrap_or((rest, ""));
    for text in [head, DATA, json, middle] {
        out.write_all(text.as_bytes())?;
    }
    for (number, blob) in blobs.iter().enumerate() {
        writeln!(
            out,
            r#"<script type="text/plain" id="blob-{number}">{}</script>"#,
            base64(blob)
        )?;
    }
    out.write_all(tail.as_bytes())
}

/// Bytes of a page besides its cases.
pub(crate) fn bytes_without_cases(json: &str) -> u64 {
    (TEMPLATE.len() + json.len()) as u64
}

/// Bytes of a case in the page: its description, and its blobs in their elements.
pub(crate) fn bytes_of_case(case: &ViewCase, blobs: &[Vec<u8>]) -> u64 {
    let text = serde_json::to_string(case).unwrap_or_default();
    // Blobs get higher numbers than those of their case.
    let number = 8 * blobs.len() as u64;
    let blobs: u64 = blobs
        .iter()
        .map(|blob| 64 + 4 * (blob.len() as u64).div_ceil(3))
        .sum();
    text.len() as u64 + 1 + number + blobs
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let value = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for digit in 0..4 {
            text.push(match digit <= group.len() {
                true => char::from(ALPHABET[(value >> (18 - 6 * digit)) as usize & 63]),
                false => '=',
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        // RFC 4648, section 10.
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn the_template_has_each_place_once() {
        for place in [DATA, BLOBS] {
            assert_eq!(TEMPLATE.matches(place).count(), 1, "{place}");
        }
        let empty = format!("{DATA}</script>");
        assert!(TEMPLATE.contains(&empty));
        assert!(TEMPLATE.find(DATA) < TEMPLATE.find(BLOBS));
    }

    #[test]
    fn data_cannot_end_their_element() {
        let report = Report {
            version: 1,
            title: "</script><!--blobs-->".to_owned(),
            made: String::new(),
            program: String::new(),
            cases_left_out: 0,
            sections: Vec::new(),
        };
        let text = json(&report);
        assert!(!text.contains('<'), "{text}");
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["title"], "</script><!--blobs-->");
        let mut page = Vec::new();
        fill(&mut page, &text, &[vec![1, 2, 3], vec![4]]).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(r#"<script type="text/plain" id="blob-1">BA==</script>"#));
        assert!(!page.contains(BLOBS));
        assert_eq!(page.matches(DATA).count(), 1);
    }
}
