//! Learning curves of a training, made from the reports of its epochs: a picture ([`progress`]), a table
//! ([`table`]), and TensorBoard's event files ([`EventFile`]).
//!
//! A picture is a list of lines, texts and rectangles ([`Picture`]). It is written as PNG or as SVG. A
//! [`Chart`] makes one from series of points.

mod chart;
mod csv;
mod events;
mod font;
mod legend;
mod picture;
mod png;
mod progress;
mod raster;
mod style;
mod svg;
mod ticks;

pub use chart::{Axis, Chart, Series, Side};
pub use csv::table;
pub use events::EventFile;
pub use picture::{Anchor, Colour, Item, Picture, Stroke, BLACK};
pub use progress::progress;
pub use style::{hex, CLASS_COLOURS, CLASS_DASHES, LINE_COLOURS};
pub use ticks::{ticks, Tick};
