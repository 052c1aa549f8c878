//! Converts Rust documentation to plain text.

use regex::Regex;
use serde_json::Value;

/// Maximum line length of a comment.
const WIDTH: usize = 100;

/// Removes rustdoc links: [`Fold`] becomes `Fold`.
pub(crate) fn plain(text: &str) -> String {
    match Regex::new(r"\[(`[^`\]]+`)\](?:\([^)]*\)|\[[^\]]*\])?") {
        Ok(link) => link.replace_all(text, "$1").into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Applies [`plain`] to every description of a schema.
pub(crate) fn plain_all(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => *text = plain(text),
                    other => plain_all(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain_all),
        _ => {}
    }
}

/// A JSDoc comment with these paragraphs, each line indented by `indent`.
pub(crate) fn jsdoc(paragraphs: &[String], indent: &str) -> String {
    let lines: Vec<String> = paragraphs
        .iter()
        .flat_map(|text| text.split('\n').flat_map(wrap).collect::<Vec<_>>())
        .map(|line| line.replace("*/", "*\u{200b}/"))
        .collect();
    match lines.as_slice() {
        [] => String::new(),
        [one] => format!("{indent}/** {one} */\n"),
        many => {
            let body: String = many
                .iter()
                .map(|line| format!("{indent} *{}{line}\n", if line.is_empty() { "" } else { " " }))
                .collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

fn wrap(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length > 0 && length + word.chars().count() >= WIDTH {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustdoc_links_become_plain_code() {
        assert_eq!(plain("see [`a::B`] and [`c`](d::e)"), "see `a::B` and `c`");
        assert_eq!(plain("`[\"kept\"]` [0, 1]"), "`[\"kept\"]` [0, 1]");
    }

    #[test]
    fn comments_are_wrapped() {
        assert_eq!(jsdoc(&["One.".into()], "  "), "  /** One. */\n");
        let long = "word ".repeat(30);
        let comment = jsdoc(&[long.trim().into(), String::new(), "@default 1".into()], "");
        assert!(comment.lines().all(|line| line.len() < 110), "{comment}");
        assert!(comment.contains("\n *\n * @default 1\n"), "{comment}");
    }
}
