//! A font of dots for the printable characters of ASCII, drawn for this crate (`font.txt`).

/// Dots in a row of a letter.
const COLUMNS: usize = 5;
/// Rows of a letter; the last two are below the line.
pub(crate) const ROWS: usize = 9;
/// Rows above the line.
pub(crate) const ABOVE: usize = 7;
/// Dots from one letter to the next.
pub(crate) const ADVANCE: usize = 6;
/// First character of the font; the last one is the box for characters that it does not have.
const FIRST: usize = 32;
const LAST: usize = 127;
/// Letters side by side in `font.txt`, and lines from one band of letters to the next.
const BAND: usize = 16;
const BAND_LINES: usize = ROWS + 1;

const DOTS: &str = include_str!("font.txt");

/// The dots `(column, row)` of a text's letters. The column counts from the start of the text.
pub(crate) fn dots(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&[u8]> = DOTS.lines().map(str::as_bytes).collect();
    let mut found = Vec::new();
    for (place, letter) in text.chars().enumerate() {
        let code = letter as usize;
        let index = if (FIRST..=LAST).contains(&code) {
            code
        } else {
            LAST
        } - FIRST;
        for row in 0..ROWS {
            let line = lines
                .get(index / BAND * BAND_LINES + row)
                .copied()
                .unwrap_or_default();
            let start = index % BAND * ADVANCE;
            let cells = line.iter().skip(start).take(COLUMNS).enumerate();
            let set = cells.filter(|(_, &cell)| cell == b'#');
            found.extend(set.map(|(column, _)| (place * ADVANCE + column, row)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_character_has_dots_of_its_own_inside_its_cell() {
        let mut shapes = HashSet::new();
        for code in FIRST..=LAST {
            let letter = char::from(code as u8).to_string();
            let dots = dots(&letter);
            assert!(dots.iter().all(|&(x, y)| x < COLUMNS && y < ROWS), "{letter}");
            assert_eq!(dots.is_empty(), letter == " ", "{letter:?}");
            assert!(shapes.insert(dots), "{letter} looks like another letter");
        }
        let lengths: HashSet<usize> = DOTS.lines().map(str::len).collect();
        assert_eq!(lengths, HashSet::from([0, BAND * ADVANCE - 1]));
    }

    #[test]
    fn letters_are_side_by_side_and_unknown_ones_are_boxes() {
        let second: Vec<_> = dots("I").iter().map(|&(x, y)| (x + ADVANCE, y)).collect();
        assert_eq!(dots(" I"), second);
        assert_eq!(dots("é"), dots("\u{7f}"));
    }
}
