//! A picture as a list of items to draw.

use crate::font;

/// A colour: red, green, blue.
pub type Colour = [u8; 3];

/// The colour of texts and axes.
pub const BLACK: Colour = [0, 0, 0];

/// How a line is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// Colour of the line.
    pub colour: Colour,
    /// Width in pixels.
    pub width: f64,
    /// Lengths of dashes and gaps in pixels, alternating; empty for a solid line.
    pub dash: Vec<f64>,
}

impl Stroke {
    /// A solid line.
    #[must_use]
    pub fn solid(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            width,
            dash: Vec::new(),
        }
    }
}

/// The part of a text that lies at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The first letter.
    Start,
    /// The middle.
    Middle,
    /// The last letter.
    End,
}

/// One item of a picture. Positions are in pixels from the left and upper edges.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A line through points, with round ends. A single point is a dot.
    Line {
        /// Points `[x, y]`.
        points: Vec<[f64; 2]>,
        /// Colour, width and dashes.
        stroke: Stroke,
    },
    /// A filled rectangle.
    Rectangle {
        /// Left upper corner `[x, y]`.
        corner: [f64; 2],
        /// Width and height.
        size: [f64; 2],
        /// Colour of the area.
        colour: Colour,
    },
    /// A line of text.
    Text {
        /// Position `[x, y]` of the anchor, on the line that letters stand on.
        at: [f64; 2],
        /// The text. PNG has the letters of Latin-1 and Latin Extended-A; those of other scripts are boxes.
        text: String,
        /// Pixels of a dot of the font: a letter is 5 dots wide and 7 dots high.
        dot: u32,
        /// The part of the text at `at`.
        anchor: Anchor,
        /// Whether the text runs upwards.
        upwards: bool,
        /// Colour of the letters.
        colour: Colour,
    },
}

/// A picture on white ground.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Items, in the order in which they are drawn.
    pub items: Vec<Item>,
}

impl Picture {
    /// The picture as a PNG file.
    #[must_use]
    pub fn to_png(&self) -> Vec<u8> {
        crate::png::encode(&crate::raster::draw(self))
    }

    /// The picture as an SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        crate::svg::document(self)
    }
}

/// Width of a text in pixels.
pub(crate) fn text_width(text: &str, dot: u32) -> f64 {
    let letters = font::count(text);
    (letters * font::ADVANCE).saturating_sub(1) as f64 * f64::from(dot)
}

/// Most letters that are not wider than `width` pixels.
pub(crate) fn letters(width: f64, dot: u32) -> usize {
    ((width / f64::from(dot) + 1.0) / font::ADVANCE as f64).max(0.0) as usize
}

/// The start of a text along its direction, before its anchor.
pub(crate) fn offset(text: &str, dot: u32, anchor: Anchor) -> f64 {
    match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => text_width(text, dot) / 2.0,
        Anchor::End => text_width(text, dot),
    }
}
