//! Durations as text.

use std::time::Duration;

/// Parses `23h`, `90m`, `1h30m`, `2d` or `45s`; `None` for any other text, and for no time at all.
pub fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
    let (mut seconds, mut units, mut rest) = (0u64, UNITS.iter(), text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.chars().next()?;
        // Each unit once, from the longest to the shortest.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = &tail[1..];
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_nonsense_is_not() {
        let seconds = |text: &str| parse_duration(text).map(|d| d.as_secs());
        assert_eq!(seconds("23h"), Some(82_800));
        assert_eq!(seconds("1d2h3m4s"), Some(93_784));
        assert_eq!(seconds("90m"), Some(5400));
        for bad in [
            "",
            "h",
            "5",
            "0s",
            "1m1h",
            "2h2h",
            "-1h",
            "1.5h",
            "é",
            "99999999999999999999h",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
