//! Pictures as PNG and SVG.

use std::io::Read;

use crate::common::report;
use curves::{progress, Anchor, Axis, Chart, Item, Picture, Series, Side, Stroke, BLACK};

/// A decoded PNG of eight bits red, green, blue without filters.
struct Png {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Png {
    fn decode(file: &[u8]) -> Self {
        assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
        let (mut at, mut kinds, mut header, mut data) = (8, Vec::new(), Vec::new(), Vec::new());
        let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        while at < file.len() {
            let length = word(at) as usize;
            let (kind, content) = (&file[at + 4..at + 8], &file[at + 8..at + 8 + length]);
            assert_eq!(word(at + 8 + length), crc32(&file[at + 4..at + 8 + length]));
            match kind {
                b"IHDR" => header = content.to_vec(),
                b"IDAT" => data.extend(content),
                _ => assert_eq!(kind, b"IEND"),
            }
            kinds.push(kind.to_vec());
            at += 12 + length;
        }
        assert_eq!(kinds, [b"IHDR", b"IDAT", b"IEND"]);
        assert_eq!(header[8..], [8, 2, 0, 0, 0]);
        let size = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap()) as usize;
        let (width, height) = (size(0), size(4));
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&data[..])
            .read_to_end(&mut rows)
            .unwrap();
        assert_eq!(rows.len(), height * (1 + width * 3));
        let pixels = rows.chunks(1 + width * 3).flat_map(|row| {
            assert_eq!(row[0], 0);
            row[1..].to_vec()
        });
        Self {
            width,
            height,
            pixels: pixels.collect(),
        }
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[(y * self.width + x) * 3..][..3].try_into().unwrap()
    }

    fn count(&self, colour: [u8; 3]) -> usize {
        self.pixels.chunks(3).filter(|pixel| *pixel == colour).count()
    }
}

/// CRC-32 of PNG, bit by bit.
fn crc32(data: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
    !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc))
    })
}

fn picture(items: Vec<Item>) -> Png {
    let (width, height) = (40, 30);
    Png::decode(&Picture { width, height, items }.to_png())
}

fn line(points: &[[f64; 2]], width: f64, dash: &[f64]) -> Item {
    Item::Line {
        points: points.to_vec(),
        stroke: Stroke {
            colour: [255, 0, 0],
            width,
            dash: dash.to_vec(),
        },
    }
}

#[test]
fn items_have_their_places_and_colours() {
    let rectangle = Item::Rectangle {
        corner: [2.0, 3.0],
        size: [4.0, 2.0],
        colour: [1, 2, 3],
    };
    let found = picture(vec![rectangle, line(&[[10.0, 20.5], [30.0, 20.5]], 3.0, &[])]);
    assert_eq!((found.width, found.height), (40, 30));
    assert_eq!(found.count([1, 2, 3]), 8);
    assert_eq!(
        (found.at(2, 3), found.at(5, 4), found.at(6, 4)),
        ([1, 2, 3], [1, 2, 3], [255; 3])
    );
    for y in 19..=21 {
        assert_eq!(found.at(20, y), [255, 0, 0]);
    }
    assert_eq!((found.at(20, 18), found.at(20, 22)), ([255; 3], [255; 3]));
}

#[test]
fn a_slanted_line_is_antialiased_and_does_not_add_up_at_corners() {
    let points = [[5.0, 5.0], [20.0, 12.0], [35.0, 5.0]];
    let found = picture(vec![line(&points, 2.0, &[])]);
    let shades: std::collections::HashSet<u8> = found.pixels.chunks(3).map(|p| p[1]).collect();
    assert!(shades.len() > 10, "{shades:?}");
    // The same line twice as one polyline covers the same pixels.
    let there_and_back = [points[0], points[1], points[2], points[1], points[0]];
    assert_eq!(
        picture(vec![line(&there_and_back, 2.0, &[])]).pixels,
        found.pixels
    );
}

#[test]
fn dashes_have_gaps_and_a_single_point_is_a_dot() {
    let dashed = picture(vec![line(&[[0.0, 10.5], [40.0, 10.5]], 1.0, &[6.0, 6.0])]);
    let row: Vec<bool> = (0..40).map(|x| dashed.at(x, 10) == [255, 0, 0]).collect();
    assert!(
        row[1..5].iter().all(|&set| set) && row[13..17].iter().all(|&set| set),
        "{row:?}"
    );
    assert!(row[8..11].iter().all(|&set| !set), "{row:?}");
    let dot = picture(vec![line(&[[20.5, 10.5]], 2.0, &[])]);
    assert_eq!(dot.at(20, 10), [255, 0, 0]);
    assert!(dot.count([255, 0, 0]) >= 9);
}

#[test]
fn items_outside_of_the_picture_are_cut() {
    let found = picture(vec![
        line(&[[-100.0, -50.0], [1e4, 1e4], [f64::NAN, 1.0]], 2.0, &[]),
        Item::Rectangle {
            corner: [-5.0, -5.0],
            size: [7.0, 7.0],
            colour: BLACK,
        },
    ]);
    assert_eq!(found.count(BLACK), 4);
}

#[test]
fn text_is_anchored_and_can_run_upwards() {
    let text = |anchor, upwards| {
        picture(vec![Item::Text {
            at: [20.0, 20.0],
            text: "LL".to_owned(),
            dot: 1,
            anchor,
            upwards,
            colour: BLACK,
        }])
    };
    let edges = |png: &Png| {
        let black = |x: usize, y: usize| png.at(x, y) == BLACK;
        let across: Vec<usize> = (0..40).filter(|&x| (0..30).any(|y| black(x, y))).collect();
        let down: Vec<usize> = (0..30).filter(|&y| (0..40).any(|x| black(x, y))).collect();
        [across[0], across[across.len() - 1], down[0], down[down.len() - 1]]
    };
    // Two letters of 5 × 7 dots with a dot between them.
    assert_eq!(edges(&text(Anchor::Start, false)), [20, 30, 13, 19]);
    assert_eq!(edges(&text(Anchor::End, false)), [9, 19, 13, 19]);
    assert_eq!(edges(&text(Anchor::Start, true)), [13, 19, 9, 19]);
    assert_eq!(edges(&text(Anchor::Middle, false))[0], 14);
}

fn chart(value: f64) -> Chart {
    Chart {
        title: "a < b".to_owned(),
        x: Axis {
            title: "epoch".to_owned(),
            range: Some((0.0, 10.0)),
            whole: true,
        },
        left: Axis {
            title: "loss".to_owned(),
            range: Some((0.0, 2.0)),
            whole: false,
        },
        right: None,
        series: vec![Series {
            name: "training".to_owned(),
            points: vec![[0.0, 1.0], [5.0, value], [10.0, 1.0]],
            side: Side::Left,
            stroke: Stroke::solid([255, 0, 0], 3.0),
        }],
    }
}

#[test]
fn a_point_of_a_chart_is_drawn_where_its_axes_say() {
    let (width, height) = (620, 400);
    let Item::Line { points, .. } = &chart(1.5)
        .draw(width, height)
        .items
        .into_iter()
        .find(|item| matches!(item, Item::Line { stroke, .. } if stroke.colour == [255, 0, 0]))
        .unwrap()
    else {
        unreachable!()
    };
    // Half way across the plot, three quarters up from 0 to 2.
    let [left, right] = [points[0][0], points[2][0]];
    let middle = points[0][1]; // the value 1
    assert_eq!(
        points[1],
        [(left + right) / 2.0, middle - f64::from(height) / 4.0]
    );
    let png = Png::decode(&chart(1.5).draw(width, height).to_png());
    let [x, y] = points[1].map(|v| v as usize);
    let red = |png: &Png| png.at(x, y + 1)[1] < 64;
    assert!(red(&png));
    let other = Png::decode(&chart(0.5).draw(width, height).to_png());
    assert!(!red(&other));
    assert_eq!((png.width, png.height), (other.width, other.height));
}

#[test]
fn an_svg_has_the_same_items() {
    let svg = chart(1.5).draw(620, 400).to_svg();
    assert!(
        svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    for words in [
        "a &lt; b",
        ">loss</text>",
        ">1.2</text>",
        "stroke=\"#ff0000\"",
        "rotate(-90",
    ] {
        assert!(svg.contains(words), "{words}\n{svg}");
    }
    assert!(!svg.contains("NaN"));
}

#[test]
fn a_training_has_lines_for_losses_mean_dice_and_every_class() {
    let mut reports: Vec<_> = (0..30).map(report).collect();
    reports[7].validation_loss = None;
    reports[9].dice = vec![None, None];
    let chart = progress("Task001_X, fold 0", &reports, &["liver".to_owned()]);
    let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Dice of class 2",
            "Dice liver",
            "mean Dice",
            "validation loss",
            "training loss"
        ]
    );
    assert_eq!(chart.series[4].points[3], [3.0, reports[3].train_loss.unwrap()]);
    let picture = chart.draw(1200, 700);
    let parts = |colour| {
        let own = |item: &&Item| {
            let Item::Line { stroke, points } = item else {
                return false;
            };
            stroke.colour == colour && points.len() > 2
        };
        picture.items.iter().filter(own).count()
    };
    assert_eq!(
        (parts([0, 114, 178]), parts([213, 94, 0]), parts([230, 159, 0])),
        (1, 2, 2)
    );
    assert_ne!(
        picture.to_png(),
        progress("Task001_X, fold 0", &reports[..29], &[])
            .draw(1200, 700)
            .to_png()
    );
}

#[test]
fn a_training_of_no_epoch_or_one_or_of_huge_losses_is_drawn() {
    let drawn = |reports: &[run::EpochReport]| {
        let picture = progress("x", reports, &[]).draw(1200, 700);
        assert!(!picture.to_svg().contains("NaN") && !picture.to_svg().contains("inf"));
        Png::decode(&picture.to_png())
    };
    let blue = |reports: &[run::EpochReport]| drawn(reports).count([0, 114, 178]);
    assert!(blue(&[report(0)]) > blue(&[]) + 20, "the point is a dot");
    let mut huge = report(1);
    (huge.train_loss, huge.validation_loss) = (Some(f64::MAX), Some(3e30));
    drawn(&[report(0), huge]);
}

#[test]
fn the_legend_wraps_and_the_picture_grows() {
    let reports = |classes: usize| {
        let mut report = report(0);
        report.dice = vec![Some(0.5); classes];
        vec![report]
    };
    let height = |classes| progress("x", &reports(classes), &[]).draw(1200, 700).height;
    assert_eq!(height(1), height(0));
    assert!(height(14) > height(1) && height(120) > height(14));
    let picture = progress("x", &reports(120), &["n".repeat(300)]).draw(1200, 700);
    for item in &picture.items {
        if let Item::Text {
            at: [x, y],
            text,
            dot,
            anchor: Anchor::Start,
            ..
        } = item
        {
            let end = x + (6 * text.chars().count() as u32 * dot) as f64;
            assert!(end < 1200.0 && *y < f64::from(picture.height), "{text} {end}");
        }
    }
}

/// Left, upper, right and lower edge of every text and of every line of a legend.
fn boxes(picture: &Picture) -> Vec<(String, [f64; 4])> {
    let text = |item: &Item| {
        let Item::Text {
            at: [x, y],
            text,
            dot,
            anchor,
            upwards,
            ..
        } = item
        else {
            return None;
        };
        let dot = f64::from(*dot);
        let width = (6 * text.chars().count()).saturating_sub(1) as f64 * dot;
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        // Letters reach 7 dots above their line and 2 below.
        let edges = if *upwards {
            [x - 7.0 * dot, y + start - width, x + 2.0 * dot, y + start]
        } else {
            [x - start, y - 7.0 * dot, x - start + width, y + 2.0 * dot]
        };
        Some((text.clone(), edges))
    };
    picture.items.iter().filter_map(text).collect()
}

#[test]
fn texts_never_overlap_and_lie_inside_for_any_number_of_classes_and_length_of_names() {
    let hostile = "<b>&\"']]>\u{0}\u{1b}\u{ffff}\n".to_owned();
    for classes in [0, 1, 3, 14, 60] {
        for length in [1, 8, 31, 300] {
            for title in [
                "x".to_owned(),
                "Task_".repeat(11),
                "t".repeat(500),
                hostile.clone(),
            ] {
                let mut reports = vec![report(0), report(1)];
                for report in &mut reports {
                    report.dice = (0..classes).map(|_| Some(0.5)).collect();
                }
                let names: Vec<String> = (0..classes)
                    .map(|i| "n".repeat(length) + &i.to_string())
                    .collect();
                let picture = progress(&title, &reports, &names).draw(1200, 700);
                let all = boxes(&picture);
                for (i, (one, a)) in all.iter().enumerate() {
                    let inside = a[0] >= 0.0 && a[1] >= 0.0;
                    let (width, height) = (f64::from(picture.width), f64::from(picture.height));
                    assert!(inside && a[2] <= width && a[3] <= height, "{one} {a:?}");
                    for (two, b) in &all[..i] {
                        let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
                        assert!(apart, "{one} {a:?} overlaps {two} {b:?}");
                    }
                }
                let mut names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                names.retain(|name| name.starts_with("Dice "));
                let different: std::collections::HashSet<_> = names.iter().collect();
                assert_eq!((names.len(), different.len()), (classes, classes));
            }
        }
    }
}

#[test]
fn an_svg_escapes_names_and_leaves_out_what_xml_forbids() {
    let mut odd = chart(1.5);
    odd.title = "<b>&\"']]>\u{0}\u{1b}\u{fffe}\u{ffff}\n\u{85}é🧠".to_owned();
    let svg = odd.draw(620, 400).to_svg();
    assert!(svg.contains(">&lt;b&gt;&amp;&quot;']]&gt;é🧠</text>"), "{svg}");
    let forbidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    assert!(!svg.contains(forbidden));
    // Every element is closed at once, except the document.
    for line in svg.lines().skip(1) {
        assert!(
            line.ends_with("/>") || line.ends_with("</text>") || line == "</svg>",
            "{line}"
        );
    }
}

#[test]
fn values_that_are_not_finite_interrupt_lines_and_leave_the_axes_finite() {
    let mut reports: Vec<_> = (0..9).map(report).collect();
    reports[1].train_loss = Some(f64::INFINITY);
    reports[2].train_loss = Some(f64::NEG_INFINITY);
    reports[3].train_loss = Some(f64::NAN);
    reports[4].validation_loss = Some(1e308);
    reports[5].dice = vec![Some(f64::NAN), Some(f64::INFINITY)];
    for some in [&reports[..], &reports[1..4], &[]] {
        let picture = progress("x", some, &[]).draw(1200, 700);
        for item in &picture.items {
            if let Item::Line { points, .. } = item {
                assert!(points.iter().flatten().all(|v| v.is_finite()));
            }
        }
        assert!(!picture.to_svg().contains("NaN") && !picture.to_svg().contains("inf"));
        Png::decode(&picture.to_png());
    }
}

#[test]
fn names_of_classes_have_their_accents_and_other_scripts_are_boxes() {
    let reports = [report(0), report(1)];
    let drawn = |title: &str, class: &str| {
        let classes = [class.to_owned(), "b".to_owned()];
        progress(title, &reports, &classes).draw(1200, 400).to_png()
    };
    let plain = drawn("Task501_Läsion", "Größe");
    assert_ne!(plain, drawn("Task501_Lasion", "Größe"));
    assert_ne!(plain, drawn("Task501_L\u{7f}sion", "Größe"));
    assert_ne!(plain, drawn("Task501_Läsion", "Gr\u{7f}\u{7f}e"));
    // As macOS writes file names.
    assert_eq!(plain, drawn("Task501_La\u{308}sion", "Gro\u{308}ße"));
    assert_eq!(drawn("Task501_肝", "脾"), drawn("Task501_\u{7f}", "\u{7f}"));
    let svg = progress("Task501_Läsion, 肝", &reports, &[])
        .draw(1200, 400)
        .to_svg();
    assert!(svg.contains("Task501_Läsion, 肝"), "{svg}");
}
