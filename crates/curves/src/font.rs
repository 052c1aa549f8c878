//! A font of dots for Latin letters, drawn for this crate (`font.txt`): the printable characters of ASCII, the letters
//! of Latin-1 and Latin Extended-A, and some signs. Letters with accents are composed.

/// Dots in a row of a letter.
const COLUMNS: usize = 5;
/// Rows of a letter without marks; the last two are below the line.
pub(crate) const ROWS: usize = 9;
/// Rows above the line.
pub(crate) const ABOVE: usize = 7;
/// Dots from one letter to the next.
pub(crate) const ADVANCE: usize = 6;
/// First character of the font; the last one of ASCII is the box for characters that it does not have.
const FIRST: usize = 32;
const LAST: usize = 127;
/// Characters after those of ASCII.
const MORE: &str = "ßÆæŒœØøĐđðÞþŁłıȷĦħŦŧŊŋĸſĲĳĿŀŉµ°±×÷·¹²³«»¿¡§€ẞƏə…";
/// Letters side by side in `font.txt`, and lines from one band of letters to the next.
const BAND: usize = 16;
const BAND_LINES: usize = ROWS + 1;

const DOTS: &str = include_str!("font.txt");

/// Characters that look like others.
const ALIKE: [(&str, char); 8] = [
    ("\u{a0}\u{2009}\u{202f}", ' '),
    ("\u{ad}‐‑‒–—―−", '-'),
    ("‘’‚ʼ´", '\''),
    ("“”„", '"'),
    ("Ð", 'Đ'),
    ("μ", 'µ'),
    ("º", '°'),
    ("∙•", '·'),
];

/// Marks as Unicode's combining characters: letters that have them, and the same letters without.
const COMPOSED: [(char, &str, &str); 15] = [
    (GRAVE, "ÀÈÌÒÙàèìòùǸǹẀẁỲỳ", "AEIOUaeiouNnWwYy"),
    (ACUTE, "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹź", "AEIOUYaeiouyCcLlNnRrSsZz"),
    (CIRCUMFLEX, "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷ", "AEIOUaeiouCcGgHhJjSsWwYy"),
    (TILDE, "ÃÑÕãñõĨĩŨũ", "ANOanoIiUu"),
    (MACRON, "ĀāĒēĪīŌōŪū", "AaEeIiOoUu"),
    (BREVE, "ĂăĔĕĞğĬĭŎŏŬŭ", "AaEeGgIiOoUu"),
    (DOT, "ĊċĖėĠġİŻż", "CcEeGgIZz"),
    (DIAERESIS, "ÄËÏÖÜäëïöüÿŸ", "AEIOUaeiouyY"),
    (RING, "ÅåŮů", "AaUu"),
    (DOUBLE_ACUTE, "ŐőŰű", "OoUu"),
    (CARON, "ČčĎďĚěĽľŇňŘřŠšŤťŽžǍǎǦǧ", "CcDdEeLlNnRrSsTtZzAaGg"),
    (TURNED_COMMA, "ģ", "g"),
    (COMMA_BELOW, "ĢĶķĻļŅņŖŗȘșȚț", "GKkLlNnRrSsTt"),
    (CEDILLA, "ÇçŞşŢţ", "CcSsTt"),
    (OGONEK, "ĄąĘęĮįŲų", "AaEeIiUu"),
];

const GRAVE: char = '\u{300}';
const ACUTE: char = '\u{301}';
const CIRCUMFLEX: char = '\u{302}';
const TILDE: char = '\u{303}';
const MACRON: char = '\u{304}';
const BREVE: char = '\u{306}';
const DOT: char = '\u{307}';
const DIAERESIS: char = '\u{308}';
const RING: char = '\u{30a}';
const DOUBLE_ACUTE: char = '\u{30b}';
const CARON: char = '\u{30c}';
const TURNED_COMMA: char = '\u{312}';
const COMMA_BELOW: char = '\u{326}';
const CEDILLA: char = '\u{327}';
const OGONEK: char = '\u{328}';

/// Rows of a mark, and whether it is above its letter.
fn mark(mark: char) -> Option<([&'static str; 3], bool)> {
    let rows = match mark {
        GRAVE => [".#...", "..#..", ""],
        ACUTE => ["...#.", "..#..", ""],
        CIRCUMFLEX => ["..#..", ".#.#.", ""],
        TILDE => [".##.#", "#.##.", ""],
        MACRON => ["", ".###.", ""],
        BREVE => ["#...#", ".###.", ""],
        DOT => ["", "..#..", ""],
        DIAERESIS => ["", ".#.#.", ""],
        RING => ["..#..", ".#.#.", "..#.."],
        DOUBLE_ACUTE => ["..#.#", ".#.#.", ""],
        CARON => [".#.#.", "..#..", ""],
        TURNED_COMMA => ["..##.", "..#..", ""],
        COMMA_BELOW => return Some((["..#..", ".#...", ""], false)),
        CEDILLA => return Some((["..#..", ".##..", ""], false)),
        OGONEK => return Some((["...#.", "...##", ""], false)),
        _ => return None,
    };
    Some((rows, true))
}

/// Whether a character is drawn over the one before it, as in decomposed text.
fn is_mark(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Number of letters of a text. Marks of decomposed text count with their letters.
pub(crate) fn count(text: &str) -> usize {
    let marks = text.chars().skip(1).filter(|letter| is_mark(*letter)).count();
    text.chars().count() - marks
}

/// The dots `(column, row)` of a text's letters. The column counts from the start of the text. Rows of marks above a
/// letter may be negative.
pub(crate) fn dots(text: &str) -> Vec<(usize, i32)> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    let mut place = 0;
    while let Some(letter) = letters.next() {
        let (base, own) = composed(letter);
        let mut marks: Vec<char> = own.into_iter().collect();
        marks.extend(std::iter::from_fn(|| letters.next_if(|next| is_mark(*next))));
        found.extend(
            with_marks(base, &marks)
                .into_iter()
                .map(|(column, row)| (place * ADVANCE + column, row)),
        );
        place += 1;
    }
    found
}

/// A letter without its mark, and the mark.
fn composed(letter: char) -> (char, Option<char>) {
    for (mark, letters, bases) in COMPOSED {
        if let Some(at) = letters.chars().position(|other| other == letter) {
            return (bases.chars().nth(at).unwrap_or(letter), Some(mark));
        }
    }
    let alike = ALIKE.iter().find(|(letters, _)| letters.contains(letter));
    (alike.map_or(letter, |(_, other)| *other), None)
}

fn with_marks(base: char, marks: &[char]) -> Vec<(usize, i32)> {
    let marks: Vec<_> = marks.iter().filter_map(|other| mark(*other)).collect();
    let base = match base {
        // Their dots give way.
        'i' if marks.iter().any(|(_, above)| *above) => 'ı',
        'j' if marks.iter().any(|(_, above)| *above) => 'ȷ',
        other => other,
    };
    let mut found = of_letter(base);
    let top = found.iter().map(|(_, row)| *row).min().unwrap_or(0);
    for (rows, above) in marks {
        let first = if above { top - 3 } else { ABOVE as i32 };
        for (line, row) in rows.iter().zip(first..) {
            let cells = line.bytes().enumerate().filter(|(_, cell)| *cell == b'#');
            found.extend(cells.map(|(column, _)| (column, row)));
        }
    }
    found
}

/// The dots of a letter without marks.
fn of_letter(letter: char) -> Vec<(usize, i32)> {
    let code = letter as usize;
    let index = match MORE.chars().position(|other| other == letter) {
        Some(at) => LAST + 1 + at,
        None if (FIRST..=LAST).contains(&code) => code,
        None => LAST,
    } - FIRST;
    let mut found = Vec::new();
    let lines = DOTS.lines().skip(index / BAND * BAND_LINES).take(ROWS);
    for (line, row) in lines.zip(0..) {
        let cells = line
            .bytes()
            .skip(index % BAND * ADVANCE)
            .take(COLUMNS)
            .enumerate();
        let set = cells.filter(|(_, cell)| *cell == b'#');
        found.extend(set.map(|(column, _)| (column, row)));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    /// All characters that have a shape of their own.
    fn alphabet() -> Vec<char> {
        let ascii = (FIRST..=LAST).map(|code| char::from(code as u8));
        let composed = COMPOSED.iter().flat_map(|(_, letters, _)| letters.chars());
        ascii.chain(MORE.chars()).chain(composed).collect()
    }

    #[test]
    fn every_character_has_dots_of_its_own_inside_its_cell() {
        let mut shapes: HashMap<Vec<(usize, i32)>, char> = HashMap::new();
        for letter in alphabet() {
            let mut dots = dots(&letter.to_string());
            assert!(
                dots.iter()
                    .all(|&(x, y)| x < COLUMNS && (-3..ROWS as i32).contains(&y)),
                "{letter}"
            );
            assert_eq!(dots.is_empty(), letter == ' ', "{letter:?}");
            dots.sort_unstable();
            let other = shapes.insert(dots, letter);
            assert_eq!(other, None, "{letter} looks like another letter");
        }
        let lengths: HashSet<usize> = DOTS.lines().map(str::len).collect();
        assert_eq!(lengths, HashSet::from([0, BAND * ADVANCE - 1]));
        assert_eq!(
            DOTS.lines().count(),
            (LAST + 1 - FIRST + 48) / BAND * BAND_LINES - 1
        );
        assert_eq!(MORE.chars().count(), 48);
    }

    #[test]
    fn latin_letters_of_two_blocks_are_no_boxes() {
        let unknown = dots("\u{7f}");
        let letters = ('\u{c0}'..='\u{17f}').filter(|letter| letter.is_alphabetic());
        let boxes: String = letters
            .filter(|letter| dots(&letter.to_string()) == unknown)
            .collect();
        // U+0149 is drawn, too; all of both blocks are.
        assert_eq!(boxes, "");
        for pairs in COMPOSED {
            assert_eq!(pairs.1.chars().count(), pairs.2.chars().count(), "{pairs:?}");
        }
    }

    #[test]
    fn an_accent_is_above_its_letter_and_decomposed_text_looks_the_same() {
        // As `font.txt` has the letters; row 0 is the top of a capital letter.
        let rows = |text: &str| -> Vec<String> {
            let dots = dots(text);
            let cell = |x, row| if dots.contains(&(x, row)) { '#' } else { '.' };
            let line = |row| (0..COLUMNS).map(|x| cell(x, row)).collect();
            (-3..ROWS as i32).map(line).collect()
        };
        let e = [
            ".....", ".....", "...#.", "..#..", ".....", ".###.", "#...#", "#####", "#....", ".###.",
            ".....", ".....",
        ];
        assert_eq!(rows("é"), e);
        let o = [
            ".....", ".#.#.", ".....", ".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###.",
            ".....", ".....",
        ];
        assert_eq!(rows("Ö"), o);
        for (composed, decomposed) in [
            ("Läsion ß", "La\u{308}sion ß"),
            ("São", "Sa\u{303}o"),
            ("żółć", "z\u{307}o\u{301}łc\u{301}"),
            ("ï", "i\u{308}"),
        ] {
            assert_eq!(dots(composed), dots(decomposed));
            assert_eq!(
                (count(composed), count(decomposed)),
                (composed.chars().count(), composed.chars().count())
            );
        }
        assert_eq!(dots("–"), dots("-"));
    }

    #[test]
    fn letters_are_side_by_side_and_unknown_ones_are_boxes() {
        let second: Vec<_> = dots("I").iter().map(|&(x, y)| (x + ADVANCE, y)).collect();
        assert_eq!(dots(" I"), second);
        for unknown in ["肝", "ж", "\u{301}"] {
            assert_eq!(dots(unknown), dots("\u{7f}"), "{unknown:?}");
            assert_eq!(count(unknown), 1);
        }
    }
}
