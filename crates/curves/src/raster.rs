//! Rasterises a picture.

use crate::font;
use crate::picture::{offset, Anchor, Colour, Item, Picture, Stroke};

/// Pixels of a picture: red, green, blue, row by row.
pub(crate) struct Raster {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

/// Draws all items on white ground. Lines are antialiased: the coverage of a pixel is linear in the distance
/// of its middle from the edge of the line.
pub(crate) fn draw(picture: &Picture) -> Raster {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let mut raster = Raster {
        width,
        height,
        pixels: vec![255; width * height * 3],
    };
    let mut mask = Mask {
        width,
        height,
        coverage: vec![0.0; width * height],
        rows: (height, 0),
    };
    for item in &picture.items {
        match item {
            Item::Line { points, stroke } => {
                mask.line(points, stroke);
                raster.blend(&mut mask, stroke.colour);
            }
            Item::Rectangle { corner, size, colour } => raster.rectangle(*corner, *size, *colour),
            Item::Text {
                at,
                text,
                dot,
                anchor,
                upwards,
                colour,
            } => raster.text(*at, text, *dot, *anchor, *upwards, *colour),
        }
    }
    raster
}

impl Raster {
    fn rectangle(&mut self, [x, y]: [f64; 2], [w, h]: [f64; 2], colour: Colour) {
        // Casts of negative numbers to usize give 0.
        let columns = (x.round() as usize).min(self.width)..((x + w).round() as usize).min(self.width);
        let rows = (y.round() as usize).min(self.height)..((y + h).round() as usize).min(self.height);
        for row in rows {
            for column in columns.clone() {
                self.pixels[(row * self.width + column) * 3..][..3].copy_from_slice(&colour);
            }
        }
    }

    fn text(&mut self, at: [f64; 2], text: &str, dot: u32, anchor: Anchor, upwards: bool, colour: Colour) {
        let size = f64::from(dot);
        let start = offset(text, dot, anchor);
        let [x, y] = at.map(f64::round);
        for (column, row) in font::dots(text) {
            let along = column as f64 * size - start.round();
            let across = (f64::from(row) - font::ABOVE as f64) * size;
            let corner = if upwards {
                [x + across, y - along - size]
            } else {
                [x + along, y + across]
            };
            self.rectangle(corner, [size, size], colour);
        }
    }

    /// Paints the covered pixels of the mask, and clears it.
    fn blend(&mut self, mask: &mut Mask, colour: Colour) {
        let (first, last) = mask.rows;
        for at in first * self.width..(last * self.width).max(first * self.width) {
            let share = std::mem::take(&mut mask.coverage[at]);
            if share > 0.0 {
                for (value, &new) in self.pixels[at * 3..][..3].iter_mut().zip(&colour) {
                    let mixed = f32::from(*value) * (1.0 - share) + f32::from(new) * share;
                    *value = mixed.round() as u8;
                }
            }
        }
        mask.rows = (mask.height, 0);
    }
}

/// Coverage of every pixel by one line. Segments that overlap do not add up.
struct Mask {
    width: usize,
    height: usize,
    coverage: Vec<f32>,
    /// Rows with covered pixels: first, and one after the last.
    rows: (usize, usize),
}

impl Mask {
    fn line(&mut self, points: &[[f64; 2]], stroke: &Stroke) {
        let reach = stroke.width / 2.0 + 0.5;
        if let [point] = points {
            // A dot larger than the line, so that a lonely point is seen.
            self.segment(*point, *point, reach + stroke.width);
        }
        let mut dashes = Dashes::new(&stroke.dash);
        for pair in points.windows(2) {
            dashes.split(pair[0], pair[1], |a, b| self.segment(a, b, reach));
        }
    }

    /// Covers the pixels whose middles are nearer to the segment than `reach`.
    fn segment(&mut self, a: [f64; 2], b: [f64; 2], reach: f64) {
        if !a.iter().chain(&b).all(|v| v.is_finite()) {
            return;
        }
        let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        let length = dx * dx + dy * dy;
        let rows = bounds(a[1].min(b[1]), a[1].max(b[1]), reach, self.height);
        self.rows = (self.rows.0.min(rows.start), self.rows.1.max(rows.end));
        for row in rows {
            let y = row as f64 + 0.5;
            // The part of the segment that is near enough in y.
            let [from, to] = if dy.abs() < 1e-9 {
                [0.0, 1.0]
            } else {
                let ends = [(y - reach - a[1]) / dy, (y + reach - a[1]) / dy];
                [ends[0].min(ends[1]).max(0.0), ends[0].max(ends[1]).min(1.0)]
            };
            let [left, right] = [a[0] + from * dx, a[0] + to * dx];
            let line = &mut self.coverage[row * self.width..][..self.width];
            for column in bounds(left.min(right), left.max(right), reach, self.width) {
                let [px, py] = [column as f64 + 0.5 - a[0], y - a[1]];
                let along = if length > 0.0 {
                    ((px * dx + py * dy) / length).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let [off_x, off_y] = [px - along * dx, py - along * dy];
                let distance = (off_x * off_x + off_y * off_y).sqrt();
                let share = (reach - distance).clamp(0.0, 1.0) as f32;
                line[column] = line[column].max(share);
            }
        }
    }
}

/// Pixels from `low` to `high`, and `reach` beyond, inside `0..size`.
fn bounds(low: f64, high: f64, reach: f64, size: usize) -> std::ops::Range<usize> {
    let first = (low - reach).floor().max(0.0) as usize;
    let end = (high + reach).ceil().max(0.0) as usize;
    first.min(size)..end.min(size)
}

/// Cuts a line into its dashes.
struct Dashes<'a> {
    lengths: &'a [f64],
    index: usize,
    /// Rest of the current dash or gap.
    left: f64,
}

impl<'a> Dashes<'a> {
    fn new(lengths: &'a [f64]) -> Self {
        // Lengths that sum up to nothing would never end.
        let usable = lengths.len() > 1 && lengths.iter().all(|&l| l > 0.1);
        let lengths = if usable { lengths } else { &[] };
        Self {
            lengths,
            index: 0,
            left: lengths.first().copied().unwrap_or(f64::INFINITY),
        }
    }

    fn split(&mut self, a: [f64; 2], b: [f64; 2], mut dash: impl FnMut([f64; 2], [f64; 2])) {
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        if self.lengths.is_empty() || !length.is_finite() {
            return dash(a, b);
        }
        let at = |done: f64| {
            [
                a[0] + (b[0] - a[0]) * done / length,
                a[1] + (b[1] - a[1]) * done / length,
            ]
        };
        let mut done = 0.0;
        while done < length {
            let end = (done + self.left).min(length);
            if self.index.is_multiple_of(2) {
                dash(at(done), at(end));
            }
            self.left -= end - done;
            if self.left <= 1e-9 {
                self.index = (self.index + 1) % self.lengths.len();
                self.left = self.lengths[self.index];
            }
            done = end;
        }
    }
}
