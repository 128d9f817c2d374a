//! Where text came from, and where blocks end.

use super::{BLOCK, Block, MARKS, OVERLAP};
use crate::inspect::channel::Channel;

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap()
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
    assert_eq!(block.run(10, "abc"), 3);
    assert!(block.unit(13, 6, "\u{e9}"));
    assert_eq!(block.run(19, "de"), 2);
    // Two bytes of the body were left out.
    assert_eq!(block.run(23, "fg"), 2);
    block.begin(2, Channel::Tool);
    assert!(block.unit(40, 2, "\n"));
    assert_eq!(block.run(42, "xyz"), 3);
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
        block.run(1, &text),
        BLOCK,
        "as many bytes as the block has room for"
    );
    assert_eq!(block.run(wide(BLOCK) + 1, "a"), 0, "then it is full");
    assert!(!block.unit(wide(BLOCK) + 1, 2, "\n"));
    block.advance();
    assert_eq!(block.text().len(), OVERLAP);
    assert_eq!(block.total(), wide(BLOCK));
    assert_eq!(
        raw(&block, 2, 4),
        [(wide(BLOCK - OVERLAP) + 3, wide(BLOCK - OVERLAP) + 5)]
    );
    assert_eq!(
        block.run(wide(BLOCK) + 1, &text),
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
        block.run(taken * 2, "plain"),
        5,
        "what needs no mark still fits"
    );
    block.advance();
    assert!(block.unit(2000, 2, "\n"));
    assert_eq!(
        raw(&block, 0, 2),
        [(0, 4)],
        "carried marks still tell the place"
    );
}

#[test]
fn a_unit_that_is_cut_stays_whole_in_the_body() {
    let mut block = Block::default();
    block.begin(1, Channel::Key);
    assert!(block.unit(5, 900, &"k".repeat(700)));
    assert_eq!(block.run(905, &"x".repeat(500)), 500);
    block.advance();
    assert_eq!(block.text().len(), OVERLAP);
    assert_eq!(
        raw(&block, 0, 10),
        [(5, 905)],
        "any part of it is all of it"
    );
    assert_eq!(raw(&block, 524, 530), [(905, 911)]);
}
