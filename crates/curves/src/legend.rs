//! The legend of a chart.

use crate::chart::DOT;
use crate::picture::{text_width, Anchor, Item, Stroke, BLACK};

const SAMPLE: f64 = 40.0;
const GAP: f64 = 8.0;
const BETWEEN: f64 = 24.0;
const ROW: f64 = 24.0;
/// Longer names are cut.
const LONGEST: usize = 32;
const DOTS: &str = "...";

/// A drawn legend.
pub(crate) struct Legend {
    pub items: Vec<Item>,
    /// Lower edge in pixels.
    pub bottom: f64,
}

/// Samples of the lines with their names, side by side from `left`, in as many rows as `right` requires.
pub(crate) fn items(series: &[(&str, &Stroke)], left: f64, right: f64, top: f64) -> Legend {
    let names: Vec<String> = series.iter().map(|(name, _)| shortened(name, LONGEST)).collect();
    let widest = names.iter().map(|name| text_width(name, DOT)).fold(0.0, f64::max);
    // Columns of equal width, so that names of several rows are aligned.
    let column = SAMPLE + GAP + widest + BETWEEN;
    let across = (((right - left + BETWEEN) / column) as usize).max(1);
    let mut items = Vec::new();
    for (i, (name, (_, stroke))) in names.into_iter().zip(series).enumerate() {
        let x = left + (i % across) as f64 * column;
        let y = top + (i / across) as f64 * ROW;
        items.push(Item::Line {
            points: vec![[x, y + 8.5], [x + SAMPLE, y + 8.5]],
            stroke: (*stroke).clone(),
        });
        items.push(Item::Text {
            at: [x + SAMPLE + GAP, y + 15.0],
            text: name,
            dot: DOT,
            anchor: Anchor::Start,
            upwards: false,
            colour: BLACK,
        });
    }
    Legend {
        items,
        bottom: top + series.len().div_ceil(across) as f64 * ROW,
    }
}

/// A name of at most `longest` characters. Its middle is cut, since names of a kind often begin alike.
pub(crate) fn shortened(name: &str, longest: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    let room = longest.saturating_sub(DOTS.len());
    if letters.len() <= longest || room == 0 {
        return name.to_owned();
    }
    let (start, end) = (room.div_ceil(2), letters.len() - room / 2);
    let parts = [&letters[..start], &letters[end..]].map(|part| part.iter().collect::<String>());
    parts.join(DOTS)
}
