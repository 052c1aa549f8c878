//! Colours and dashes of lines, in one place for every format.
//!
//! Colours are those of Okabe and Ito ("Color Universal Design", 2008) and of Tol ("Colour Schemes", 2021), which
//! differ for colour-blind readers. Neighbours in a list also differ in their dashes.

use crate::picture::{Colour, Stroke};

const BLUE: Colour = [0, 114, 178];
const VERMILLION: Colour = [213, 94, 0];
const GREEN: Colour = [0, 158, 115];

/// Colours of classes 1, 2, 3, …, for lines and for labels over images. They begin again after the last one. The
/// colours of losses and of the mean are not among them.
pub const CLASS_COLOURS: [Colour; 16] = [
    [230, 159, 0],
    [86, 180, 233],
    [204, 121, 167],
    [153, 153, 51],
    [136, 34, 85],
    [68, 170, 153],
    [51, 34, 136],
    [221, 204, 119],
    [170, 68, 153],
    [17, 119, 51],
    [102, 17, 0],
    [238, 102, 119],
    [187, 204, 51],
    [102, 153, 204],
    [153, 119, 0],
    [238, 153, 170],
];

/// Colours of the lines of no class: the training loss, the validation loss, and a mean over classes.
pub const LINE_COLOURS: [Colour; 3] = [BLUE, VERMILLION, GREEN];

/// Dashes of the lines of classes 1, 2, 3, …: lengths of lines and gaps in turn; none for a solid line.
pub const CLASS_DASHES: [&[f64]; 4] = [&[], &[10.0, 5.0], &[2.0, 5.0], &[10.0, 5.0, 2.0, 5.0]];

/// The line of the training loss.
pub(crate) fn train_loss() -> Stroke {
    Stroke::solid(BLUE, 2.4)
}

/// The line of the validation loss.
pub(crate) fn validation_loss() -> Stroke {
    Stroke::solid(VERMILLION, 2.4)
}

/// The line of a mean over classes.
pub(crate) fn mean() -> Stroke {
    Stroke {
        colour: GREEN,
        width: 2.4,
        dash: vec![12.0, 6.0],
    }
}

/// The line of a class, counted from 0. With 16 colours and 4 dashes, 64 classes differ.
pub(crate) fn class(class: usize) -> Stroke {
    Stroke {
        colour: CLASS_COLOURS[class % CLASS_COLOURS.len()],
        width: 1.4,
        // One further when the colours begin again, so that a colour has other dashes each time.
        dash: CLASS_DASHES[(class + class / CLASS_COLOURS.len()) % CLASS_DASHES.len()].to_vec(),
    }
}

/// A colour as `#rrggbb`.
#[must_use]
pub fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_64_classes_losses_and_mean_differ_and_neighbours_differ_twice() {
        let classes = (0..64).map(class);
        let all: Vec<Stroke> = classes.chain([train_loss(), validation_loss(), mean()]).collect();
        for (i, one) in all.iter().enumerate() {
            for two in &all[..i] {
                assert!(one.colour != two.colour || one.dash != two.dash, "{one:?}");
            }
        }
        for i in 1..64 {
            let (one, two) = (class(i - 1), class(i));
            assert!(one.colour != two.colour && one.dash != two.dash, "{i}");
        }
        assert_eq!(hex([230, 159, 0]), "#e69f00");
    }

    /// A line of low contrast would not be seen on white ground (WCAG 2 asks for 3:1 for graphics; yellows, which
    /// labels over dark images need, have less).
    #[test]
    fn no_class_is_nearly_white() {
        for [red, green, blue] in CLASS_COLOURS {
            let light = 0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue);
            assert!(light < 210.0, "{red} {green} {blue}");
        }
    }
}
