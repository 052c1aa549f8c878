//! SVG documents.

use std::fmt::Write;

use crate::picture::{text_width, Anchor, Item, Picture};
use crate::style::hex;

/// Fonts whose letters are as wide as those of the PNG. Programs that draw SVG may know no font as "monospace".
const FONTS: &str = "DejaVu Sans Mono, Liberation Mono, Menlo, Consolas, monospace";

/// The picture as a document. Texts are as wide as in the PNG, whatever font the viewer has.
pub(crate) fn document(picture: &Picture) -> String {
    let (width, height) = (picture.width, picture.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for item in &picture.items {
        // A `String` takes every write.
        let _ = writeln!(svg, "{}", element(item));
    }
    svg + "</svg>\n"
}

fn element(item: &Item) -> String {
    match item {
        Item::Line { points, stroke } => {
            let list: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
            // A line of no length with round ends is a dot.
            let list = if let [point] = &list[..] {
                format!("{point} {point}")
            } else {
                list.join(" ")
            };
            let dash: Vec<String> = stroke.dash.iter().map(f64::to_string).collect();
            let dash = if dash.is_empty() {
                String::new()
            } else {
                format!(" stroke-dasharray=\"{}\"", dash.join(" "))
            };
            let width = if points.len() == 1 {
                3.0 * stroke.width
            } else {
                stroke.width
            };
            format!(
                "<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linecap=\"round\" \
                 stroke-linejoin=\"round\"{dash} points=\"{list}\"/>",
                hex(stroke.colour)
            )
        }
        Item::Rectangle {
            corner: [x, y],
            size: [w, h],
            colour,
        } => format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{}\"/>",
            hex(*colour)
        ),
        Item::Text {
            at: [x, y],
            text,
            dot,
            anchor,
            upwards,
            colour,
        } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let turn = if *upwards {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-family=\"{FONTS}\" font-size=\"{}\" \
                 textLength=\"{}\" \
                 lengthAdjust=\"spacingAndGlyphs\" text-anchor=\"{anchor}\" fill=\"{}\"{turn}>{}</text>",
                10 * dot,
                text_width(text, *dot),
                hex(*colour),
                escaped(text)
            )
        }
    }
}

/// Text with XML's special characters replaced, and without the characters that XML forbids.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let allowed = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    for letter in text.chars().filter(allowed) {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
