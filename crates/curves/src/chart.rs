//! A chart of series of points, with one axis on the left and possibly one on the right.

use crate::legend;
use crate::picture::{letters, text_width, Anchor, Colour, Item, Picture, Stroke, BLACK};
use crate::ticks::{ticks, Tick};

/// Pixels of a dot of the font.
pub(crate) const DOT: u32 = 2;
const TITLE_DOT: u32 = 3;
const GRID: Colour = [221, 221, 221];
const TOP: f64 = 56.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = 100.0;
/// From the plot to the legend: labels of ticks and the title of the axis.
const BELOW: f64 = 76.0;
const TICK: f64 = 6.0;
/// Least distance of the title from the edges of the picture.
const EDGE: f64 = 8.0;
/// Ticks of a vertical and of the horizontal axis.
const MOST_DOWN: usize = 11;
const MOST_ACROSS: usize = 11;
/// Values beyond this are not drawn, so that positions stay finite.
const LARGEST: f64 = 1e100;

/// The axis that a series belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left axis.
    Left,
    /// The right axis.
    Right,
}

/// An axis of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Its title.
    pub title: String,
    /// First and last value. `None`: the range of the points, with a margin on vertical axes.
    pub range: Option<(f64, f64)>,
    /// Whether ticks are whole numbers.
    pub whole: bool,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points `[x, y]`. A value that is not finite interrupts the line.
    pub points: Vec<[f64; 2]>,
    /// Its vertical axis.
    pub side: Side,
    /// Its line.
    pub stroke: Stroke,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Title above the plot.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The axis on the left.
    pub left: Axis,
    /// The axis on the right.
    pub right: Option<Axis>,
    /// The lines; later ones are above earlier ones. The legend begins with the last one.
    pub series: Vec<Series>,
}

/// Maps values to pixels.
#[derive(Clone, Copy, Debug)]
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

impl Chart {
    /// The chart as a picture. `width` is the width of the whole picture, `height` the height of the plot in
    /// pixels; titles, ticks and the legend below add to it. The legend wraps.
    #[must_use]
    pub fn draw(&self, width: u32, height: u32) -> Picture {
        let (plot_right, bottom) = (f64::from(width) - RIGHT, TOP + f64::from(height));
        let names: Vec<_> = self
            .series
            .iter()
            .rev()
            .map(|s| (s.name.as_str(), &s.stroke))
            .collect();
        let legend = legend::items(&names, LEFT, plot_right, bottom + BELOW);
        let x = self.scale(&self.x, None, LEFT, plot_right);
        let left = self.scale(&self.left, Some(Side::Left), bottom, TOP);
        let right = self
            .right
            .as_ref()
            .map(|a| (a, self.scale(a, Some(Side::Right), bottom, TOP)));

        let mut items = Vec::new();
        let x_ticks = ticks(x.low, x.high, MOST_ACROSS, self.x.whole);
        let left_ticks = ticks(left.low, left.high, MOST_DOWN, self.left.whole);
        for tick in &left_ticks {
            items.push(line(
                [LEFT, left.at(tick.value)],
                [plot_right, left.at(tick.value)],
                GRID,
            ));
        }
        for series in &self.series {
            let scale = match (series.side, &right) {
                (Side::Right, Some((_, scale))) => *scale,
                _ => left,
            };
            items.extend(curve(series, x, scale));
        }
        items.extend(frame(LEFT, TOP, plot_right, bottom));
        let centre = (LEFT + plot_right) / 2.0;
        let room = f64::from(width) - 2.0 * EDGE;
        let dot = if text_width(&self.title, TITLE_DOT) <= room {
            TITLE_DOT
        } else {
            DOT
        };
        let title = legend::shortened(&self.title, letters(room, dot));
        let half = text_width(&title, dot) / 2.0;
        // Above the middle of the plot, unless it is too long for that.
        let at = centre.clamp(half + EDGE, (f64::from(width) - half - EDGE).max(half + EDGE));
        items.push(text([at, TOP - 22.0], &title, dot, Anchor::Middle, false));
        for Tick { value, label } in &x_ticks {
            let at = x.at(*value);
            items.push(line([at, bottom], [at, bottom + TICK], BLACK));
            items.push(text([at, bottom + 26.0], label, DOT, Anchor::Middle, false));
        }
        items.push(text(
            [centre, bottom + 52.0],
            &self.x.title,
            DOT,
            Anchor::Middle,
            false,
        ));
        let middle = (TOP + bottom) / 2.0;
        items.extend(axis_labels(&left_ticks, left, LEFT, -1.0));
        items.push(text([28.0, middle], &self.left.title, DOT, Anchor::Middle, true));
        if let Some((axis, scale)) = &right {
            let found = ticks(scale.low, scale.high, MOST_DOWN, axis.whole);
            items.extend(axis_labels(&found, *scale, plot_right, 1.0));
            let at = [f64::from(width) - 16.0, middle];
            items.push(text(at, &axis.title, DOT, Anchor::Middle, true));
        }
        items.extend(legend.items);
        Picture {
            width,
            height: legend.bottom.ceil() as u32 + 20,
            items,
        }
    }

    /// The scale of an axis; `side` is `None` for the horizontal one.
    fn scale(&self, axis: &Axis, side: Option<Side>, from: f64, to: f64) -> Scale {
        let all = self
            .series
            .iter()
            .filter(|s| side.is_none_or(|side| s.side == side));
        let coordinate = usize::from(side.is_some());
        let values = all.flat_map(|s| s.points.iter().map(|p| p[coordinate]));
        let (mut low, mut high) = axis.range.unwrap_or_else(|| {
            let usable = values.filter(|v| v.abs() <= LARGEST);
            usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
                (l.min(v), h.max(v))
            })
        });
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= 1e-6 * low.abs().max(high.abs()) {
            let margin = if low == 0.0 { 0.5 } else { low.abs() * 0.05 };
            (low, high) = (low - margin, high + margin);
        } else if axis.range.is_none() && side.is_some() {
            let margin = 0.04 * (high - low);
            (low, high) = (low - margin, high + margin);
        }
        Scale { low, high, from, to }
    }
}

/// The line of a series, cut where a value is missing.
fn curve(series: &Series, x: Scale, y: Scale) -> Vec<Item> {
    let usable = |p: &[f64; 2]| p.iter().all(|v| v.abs() <= LARGEST);
    let parts = series
        .points
        .split(|p| !usable(p))
        .filter(|part| !part.is_empty());
    let place = |&[across, value]: &[f64; 2]| [x.at(across), y.at(value.clamp(y.low, y.high))];
    parts
        .map(|part| Item::Line {
            points: part.iter().map(place).collect(),
            stroke: series.stroke.clone(),
        })
        .collect()
}

fn frame(left: f64, top: f64, right: f64, bottom: f64) -> [Item; 4] {
    [
        line([left, top], [right, top], BLACK),
        line([right, top], [right, bottom], BLACK),
        line([right, bottom], [left, bottom], BLACK),
        line([left, bottom], [left, top], BLACK),
    ]
}

/// Ticks of a vertical axis at `x` with their labels, on the side of `direction`.
fn axis_labels(ticks: &[Tick], scale: Scale, x: f64, direction: f64) -> Vec<Item> {
    let anchor = if direction < 0.0 {
        Anchor::End
    } else {
        Anchor::Start
    };
    let item = |tick: &Tick| {
        let y = scale.at(tick.value);
        [
            line([x, y], [x + direction * TICK, y], BLACK),
            text(
                [x + direction * (TICK + 6.0), y + 7.0],
                &tick.label,
                DOT,
                anchor,
                false,
            ),
        ]
    };
    ticks.iter().flat_map(item).collect()
}

/// A thin straight line. It lies on the middle of pixels, so that it is sharp.
fn line(from: [f64; 2], to: [f64; 2], colour: Colour) -> Item {
    let sharp = |v: f64| v.floor() + 0.5;
    Item::Line {
        points: vec![from.map(sharp), to.map(sharp)],
        stroke: Stroke::solid(colour, 1.0),
    }
}

fn text(at: [f64; 2], text: &str, dot: u32, anchor: Anchor, upwards: bool) -> Item {
    Item::Text {
        at,
        text: text.to_owned(),
        dot,
        anchor,
        upwards,
        colour: BLACK,
    }
}
