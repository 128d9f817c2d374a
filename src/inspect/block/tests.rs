//! Where text came from, and where blocks end.

use super::{BLOCK, Block, MARKS, OVERLAP, SPANS};
use crate::inspect::channel::Channel;
use crate::inspect::json::{Decoded, Limits, Part, Reader, Sink};

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap()
}

fn run(block: &mut Block, raw: u64, text: &str) -> usize {
    block.take(&Decoded::plain(raw, text))
}

fn raw(block: &Block, start: u32, end: u32) -> Vec<(u64, u64)> {
    block
        .raw(start..end)
        .map(|raw| (raw.start, raw.end))
        .collect()
}

#[test]
fn every_range_of_the_text_has_its_place_in_the_body() {
    let mut block = Block::default();
    block.begin(1, Channel::User);
    assert_eq!(run(&mut block, 10, "abc"), 3);
    assert!(block.unit(13, 6, "\u{e9}"));
    assert_eq!(run(&mut block, 19, "de"), 2);
    // Two bytes of the body were left out.
    assert_eq!(run(&mut block, 23, "fg"), 2);
    block.begin(2, Channel::Tool);
    assert!(block.unit(40, 2, "\n"));
    assert_eq!(run(&mut block, 42, "xyz"), 3);
    assert_eq!(block.text(), "abc\u{e9}defg\n\nxyz");
    for (range, want) in [
        ((0, 3), vec![(10, 13)]),
        ((1, 5), vec![(11, 19)]),
        ((3, 4), vec![(13, 19)]),
        ((4, 6), vec![(13, 20)]),
        ((5, 9), vec![(19, 25)]),
        ((7, 8), vec![(23, 24)]),
        ((6, 10), vec![(20, 25)]),
        ((9, 10), vec![]),
        ((8, 12), vec![(24, 25), (40, 43)]),
        ((10, 11), vec![(40, 42)]),
        ((11, 14), vec![(42, 45)]),
    ] {
        assert_eq!(raw(&block, range.0, range.1), want, "{range:?}");
    }
    assert_eq!(block.span(8).map(|span| span.channel), Some(Channel::User));
    assert_eq!(
        block.span(10).map(|span| (span.unit, span.channel)),
        Some((2, Channel::Tool))
    );
}

#[test]
fn a_full_block_takes_no_more_and_keeps_its_end() {
    let mut block = Block::default();
    block.begin(1, Channel::User);
    let text = "\u{e9}".repeat(BLOCK);
    assert_eq!(
        run(&mut block, 1, &text),
        BLOCK,
        "as many bytes as the block has room for"
    );
    assert_eq!(run(&mut block, wide(BLOCK) + 1, "a"), 0, "then it is full");
    assert!(!block.unit(wide(BLOCK) + 1, 2, "\n"));
    block.advance();
    assert_eq!(block.text().len(), OVERLAP);
    assert_eq!(block.total(), wide(BLOCK));
    assert_eq!(
        raw(&block, 2, 4),
        [(wide(BLOCK - OVERLAP) + 3, wide(BLOCK - OVERLAP) + 5)]
    );
    assert_eq!(
        run(&mut block, wide(BLOCK) + 1, &text),
        BLOCK,
        "and there is room again"
    );
}

#[test]
fn marks_fill_a_block_too() {
    let mut block = Block::default();
    block.begin(1, Channel::User);
    let mut taken = 0_u64;
    while block.unit(taken * 2, 2, "\n") {
        taken += 1;
    }
    assert_eq!(taken, wide(MARKS), "the cap");
    assert_eq!(
        run(&mut block, taken * 2, "plain"),
        5,
        "what needs no mark still fits"
    );
    block.advance();
    assert!(block.unit(taken * 2 + 5, 2, "\n"));
    let first = (taken + 5 - wide(OVERLAP)) * 2;
    assert_eq!(
        raw(&block, 0, 2),
        [(first, first + 4)],
        "carried marks still tell the place"
    );
}

#[test]
fn a_unit_that_is_cut_stays_whole_in_the_body() {
    let mut block = Block::default();
    block.begin(1, Channel::Key);
    assert!(block.unit(5, 900, &"k".repeat(700)));
    assert_eq!(run(&mut block, 905, &"x".repeat(500)), 500);
    block.advance();
    assert_eq!(block.text().len(), OVERLAP);
    assert_eq!(
        raw(&block, 0, 10),
        [(5, 905)],
        "any part of it is all of it"
    );
    assert_eq!(raw(&block, 524, 530), [(905, 911)]);
}

/// Fills one block with stretches as they are decoded, another with their parts one by one.
#[derive(Default)]
struct Both(Block, Block);

impl Sink for Both {
    fn string_begin(&mut self, _at: u64) {
        self.0.begin(1, Channel::User);
        self.1.begin(1, Channel::User);
    }

    fn string_run(&mut self, at: u64, text: &str) {
        assert_eq!(run(&mut self.0, at, text), text.len());
        assert_eq!(run(&mut self.1, at, text), text.len());
    }

    fn string_decoded(&mut self, decoded: Decoded<'_>) {
        assert_eq!(self.0.take(&decoded), decoded.text().len());
        let mut rest = decoded;
        while let Some(part) = rest.next_part() {
            match part {
                Part::Run(at, text) => assert_eq!(run(&mut self.1, at, text), text.len()),
                Part::Escape(at, len, ch) => {
                    let text = ch.to_string();
                    assert!(self.1.unit(at, u16::from(len), &text));
                }
            }
        }
    }
}

#[test]
fn a_stretch_with_escapes_stands_where_its_parts_stand() {
    let string = r#""a\n\u00e9\ud83d\ude00b c\\\"d é\u0041中""#;
    let body = format!("[{string},\"x\",{string},\"{}\"]", "word\\n".repeat(300));
    let mut both = Both::default();
    let mut reader = Reader::new(Limits::default());
    reader.push(body.as_bytes(), &mut both).expect("an array");
    let Both(one, other) = both;
    assert_eq!(one.text(), other.text());
    let end = u32::try_from(one.text().len()).unwrap();
    for start in 0..end {
        for stop in [start + 1, end.min(start + 9), end] {
            assert_eq!(raw(&one, start, stop), raw(&other, start, stop), "{start}");
        }
    }
}

#[test]
fn a_stretch_is_taken_as_far_as_there_is_room_for_its_escapes() {
    struct Fill(Block, usize, bool);
    impl Sink for Fill {
        fn string_escape(&mut self, at: u64, raw_len: u8, ch: char) {
            let text = ch.to_string();
            if !self.2 && self.0.unit(at, u16::from(raw_len), &text) {
                self.1 += text.len();
            }
        }

        fn string_decoded(&mut self, decoded: Decoded<'_>) {
            if self.2 {
                return;
            }
            let taken = self.0.take(&decoded);
            self.1 += taken;
            let (_, rest) = decoded.split_at(taken);
            if !rest.text().is_empty() {
                assert!(rest.begins_with_escape(), "plain text needs no mark");
                assert_eq!(self.0.take(&rest), 0, "the block is full");
                self.2 = true;
            }
        }
    }
    let body = format!("\"{}\"", "ab\\t".repeat(MARKS + 200));
    let mut fill = Fill(Block::default(), 0, false);
    fill.0.begin(1, Channel::User);
    let mut reader = Reader::new(Limits::default());
    reader.push(body.as_bytes(), &mut fill).expect("a string");
    assert!(fill.2, "there were more escapes than fit");
    // One mark says where the string begins.
    assert_eq!(fill.1, (MARKS - 1) * 3 + 2);
}

#[test]
fn strings_fill_a_block_too() {
    let mut block = Block::default();
    let mut taken = 0_u64;
    loop {
        block.begin(1, Channel::User);
        if run(&mut block, taken * 4, "a") == 0 {
            break;
        }
        taken += 1;
    }
    assert_eq!(taken, wide(SPANS), "the cap");
    block.advance();
    assert_eq!(
        run(&mut block, taken * 4, "a"),
        1,
        "and there is room again"
    );
}
