//! The automaton's table and its hot loops.
//!
//! Decides which literals end where in one stretch of text. The speed of one chain of dependent
//! loads is the load's latency (0.45 GB/s here), so the stretch is cut into pieces that are walked
//! at once. Each lane starts one literal's length (less a byte) before its piece, without
//! reporting, so that it knows every literal that ends inside the piece and reports no other.
//!
//! The loops only note where a state with outputs was met, at most [`LANE`] times a lane; what
//! these outputs are, and whether they truly stand there, is settled afterwards.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the hot scanner: a step's index is at most 65,535 * 32 + 255, inside CELLS; a lane \
              has SPARE places behind the LANE that it may fill, and a group adds at most eight; \
              spans and pieces are cut from lengths that were measured; texts are below 4 GiB \
              (`benches/scan.rs` has the rates)"
)]

use super::{Hits, LiteralHit, MAX_HITS};
use std::ops::Range;
use wide::u16x8;

/// Classes in a row. 32 states of two bytes are one cache line.
pub(super) const WIDTH: usize = 32;

/// Most pieces walked at once. Four suffice while the visited rows lie in the first cache; eight
/// also hide the second cache's latency, which a text full of triggers runs into.
pub(super) const LANES: usize = 8;

/// States with outputs noted for one lane.
pub(super) const LANE: usize = MAX_HITS / LANES;

/// Text from so many bytes on is walked in as many: what is read twice for eight would be a fifth
/// of a text of 1 KiB.
const LONG: usize = 2048;

/// A piece is at least this long, and as long as the bytes that are read twice for it.
const PIECE: usize = 40;

/// States with outputs are numbered from here, so that one bit tells them and the numbers of many
/// steps can be looked at at once.
pub(super) const LOUD: usize = 1 << 15;

/// Room for every row a `u16` can name and for any class after it, so that a step needs no bounds
/// check (10 % of the rate). Pages without a real row are never touched, and so never there.
const CELLS: usize = 2 * LOUD * WIDTH + 256;

/// A state's successors by class.
pub(super) type Row = [u16; WIDTH];

/// Notes that may be written behind a lane's last one: a group's, and the one that says full.
const SPARE: usize = 16;

/// Loud states of a group that are noted one by one. Ordinary text has two; of more, it would be
/// guessed wrongly too often how many there are, and all of a group's are written.
const FEW: u32 = 8;

/// Where one lane met states with outputs.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// Empty until the first scan, which makes room for [`LANE`].
    met: Vec<(u32, u16)>,
    /// At most `LANE + 1`, which means that more were met.
    len: usize,
}

impl Lane {
    const fn is_full(&self) -> bool {
        self.len > LANE
    }

    fn make_room(&mut self) {
        if self.met.is_empty() {
            self.met.resize(LANE + SPARE, (0, 0));
        }
    }

    /// Writes each state, and counts only those with outputs: in a text full of triggers, a branch
    /// would be mispredicted as often as not. A group has at most eight.
    #[inline]
    fn note(&mut self, end: usize, states: impl Iterator<Item = usize>) {
        let mut len = self.len;
        for (step, state) in states.enumerate() {
            self.met[len] = ((end + step) as u32, state as u16);
            len += (state & LOUD) / LOUD;
        }
        self.len = len.min(LANE + 1);
    }
}

/// A literal that ends in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) id: u16,
    pub(super) len: u8,
    /// Its path through the classes is ambiguous: its bytes must be compared.
    pub(super) compare: bool,
    /// Kinds of bytes ([`kind`]) that must not stand before it, and after it.
    pub(super) not_before: u8,
    pub(super) not_after: u8,
    /// Where the literal's bytes lie.
    pub(super) from: u32,
}

/// What ends in one loud state: the first output in place, the others in a common list.
#[derive(Debug)]
struct Loud {
    first: Output,
    others: Range<u32>,
}

/// A complete automaton over byte classes.
#[derive(Debug)]
pub(super) struct Automaton {
    /// Rows from the first cell that begins a cache line.
    cells: Box<[u16; CELLS]>,
    /// A byte's class, plus the number of cells before the first row.
    classes: [u8; 256],
    states: usize,
    ends: Vec<Loud>,
    others: Vec<Output>,
    bytes: Vec<u8>,
    reach: usize,
}

impl Automaton {
    /// Rows without outputs, and rows with theirs, of which none is empty. A row names its
    /// successors as they are numbered here: the first kind from 0, the second from `LOUD`.
    pub(super) fn new(
        quiet: &[Row],
        loud: Vec<(Row, Vec<Output>)>,
        classes: [u8; 256],
        bytes: Vec<u8>,
    ) -> Option<Self> {
        let mut cells: Box<[u16; CELLS]> = vec![0; CELLS].into_boxed_slice().try_into().ok()?;
        let states = quiet.len() + loud.len();
        let skipped = cells.as_ptr().align_offset(64).min(WIDTH - 1);
        let (low, high) = cells[skipped..].split_at_mut(LOUD * WIDTH);
        copy(low, quiet.iter());
        copy(high, loud.iter().map(|(row, _)| row));
        let (mut ends, mut others, mut reach) = (Vec::with_capacity(loud.len()), Vec::new(), 0);
        for (_, mut list) in loud {
            list.sort_by(|a, b| a.id.cmp(&b.id).then(b.len.cmp(&a.len)));
            reach = list
                .iter()
                .map(|output| usize::from(output.len))
                .fold(reach, usize::max);
            let from = others.len() as u32;
            let (&first, rest) = list.split_first()?;
            others.extend_from_slice(rest);
            ends.push(Loud {
                first,
                others: from..others.len() as u32,
            });
        }
        let classes = classes.map(|class| class % WIDTH as u8 + skipped as u8);
        let reach = reach.saturating_sub(1);
        Some(Self {
            cells,
            classes,
            states,
            ends,
            others,
            bytes,
            reach,
        })
    }

    /// How many bytes before a byte a literal that ends with it can begin.
    pub(super) const fn reach(&self) -> usize {
        self.reach
    }

    pub(super) const fn table_bytes(&self) -> usize {
        self.states * size_of::<Row>()
    }

    pub(super) const fn states(&self) -> usize {
        self.states
    }

    /// Appends the literals that lie in `region`, in order of end, id and start.
    pub(super) fn scan(&self, text: &[u8], region: Range<usize>, hits: &mut Hits) {
        hits.lanes.iter_mut().for_each(Lane::make_room);
        let piece = self.reach.max(PIECE).next_multiple_of(8);
        if region.len() >= (piece * LANES).max(LONG) {
            self.interleave::<LANES, 8>(text, region, &mut hits.lanes);
        } else if region.len() >= piece * 4 {
            self.interleave::<4, 8>(text, region, &mut hits.lanes);
        } else {
            self.walk(text, region, 0, &mut hits.lanes[0]);
        }
        for lane in &mut hits.lanes {
            for &(end, state) in &lane.met[..lane.len.min(LANE)] {
                self.settle(text, end as usize, state, &mut hits.list);
            }
            hits.saturated |= lane.is_full();
            lane.len = 0;
        }
    }

    #[inline]
    fn step(&self, state: usize, byte: u8) -> usize {
        let row = (state & (2 * LOUD - 1)) * WIDTH;
        usize::from(self.cells[row + usize::from(self.classes[usize::from(byte)])])
    }

    /// One lane, from a known state to the end of a range.
    fn walk(&self, text: &[u8], range: Range<usize>, state: usize, lane: &mut Lane) {
        let mut state = state;
        let start = range.start;
        for (offset, &byte) in text[range].iter().enumerate() {
            state = self.step(state, byte);
            if state & LOUD != 0 {
                lane.note(start + offset + 1, std::iter::once(state));
            }
        }
    }

    /// `L` lanes over pieces of one length, with a look for loud states after every `S` steps; the
    /// last lane walks on through what the division left.
    fn interleave<const L: usize, const S: usize>(
        &self,
        text: &[u8],
        region: Range<usize>,
        lanes: &mut [Lane; LANES],
    ) {
        let groups = region.len() / (L * S);
        let starts: [usize; L] = std::array::from_fn(|lane| region.start + lane * groups * S);
        let (chunks, _) = text[region.start..].as_chunks::<S>();
        let mut now = self.warm(text, starts);
        let mut live = LOUD;
        for group in 0..groups {
            let mut bytes = [[0_u8; S]; L];
            for lane in 0..L {
                bytes[lane] = chunks[lane * groups + group];
            }
            let mut seen = [[0_u16; L]; S];
            let mut any = 0;
            for step in 0..S {
                for lane in 0..L {
                    now[lane] = self.step(now[lane], bytes[lane][step]);
                    seen[step][lane] = now[lane] as u16;
                    any |= now[lane];
                }
            }
            if any & live & LOUD != 0 {
                live = note_group(region.start + group * S + 1, groups * S, &seen, lanes);
            }
        }
        let rest = starts[L - 1] + groups * S..region.end;
        self.walk(text, rest, now[L - 1], &mut lanes[L - 1]);
    }

    /// The states in which the lanes begin their pieces. Pieces are no shorter than `reach`.
    fn warm<const L: usize>(&self, text: &[u8], starts: [usize; L]) -> [usize; L] {
        let mut states = [0; L];
        for back in (1..=self.reach).rev() {
            for lane in 1..L {
                states[lane] = self.step(states[lane], text[starts[lane] - back]);
            }
        }
        states
    }

    /// Adds the literals of one state that truly end at `end`.
    #[inline]
    fn settle(&self, text: &[u8], end: usize, state: u16, list: &mut Vec<LiteralHit>) {
        let loud = &self.ends[usize::from(state) & (LOUD - 1)];
        let others = &self.others[loud.others.start as usize..loud.others.end as usize];
        for output in std::iter::once(&loud.first).chain(others) {
            let start = end - usize::from(output.len);
            let before = start
                .checked_sub(1)
                .map_or(0, |at| KINDS[usize::from(text[at])]);
            let after = text.get(end).map_or(0, |&byte| KINDS[usize::from(byte)]);
            // No `&&`: each half is unpredictable in hostile text.
            let edges = (before & output.not_before) | (after & output.not_after);
            if edges == 0 && (!output.compare || self.holds(&text[start..end], output)) {
                list.push(LiteralHit {
                    end: end as u32,
                    id: output.id,
                    start: start as u32,
                });
            }
        }
    }

    fn holds(&self, found: &[u8], output: &Output) -> bool {
        found.eq_ignore_ascii_case(&self.bytes[output.from as usize..][..found.len()])
    }
}

/// Each byte's kind.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = kind(byte as u8);
        byte += 1;
    }
    kinds
};

/// What a byte continues: 1 a word of ASCII, 2 a word of another script, or nothing.
const fn kind(byte: u8) -> u8 {
    if !byte.is_ascii() {
        2
    } else if byte.is_ascii_alphanumeric() || byte == b'_' {
        1
    } else {
        0
    }
}

/// Whether a byte is one of a word of ASCII.
pub(super) const fn is_word(byte: u8) -> bool {
    kind(byte) == 1
}

/// Kinds of neighbours that continue the word to which a literal's outer byte belongs.
///
/// A non-ASCII neighbour continues only a non-ASCII literal: canonical text has Latin letters in
/// ASCII, so what stands beside them is another script or a picture, which must not hide a word.
pub(super) const fn continuing(edge: u8) -> u8 {
    match kind(edge) {
        0 => 0,
        1 => 1,
        _ => 1 | 2,
    }
}

/// Notes one group's states, and answers `LOUD` while any lane has room. The first lane's first
/// step ends at `end`, and each lane is `apart` from the one before it.
#[inline(never)]
fn note_group<const L: usize, const S: usize>(
    end: usize,
    apart: usize,
    seen: &[[u16; L]; S],
    lanes: &mut [Lane; LANES],
) -> usize {
    let mut loud = loud_of(seen.as_flattened());
    let mut live = 0;
    if loud.count_ones() <= FEW {
        // The lowest bit is the first step's, so that each lane hears of its states in order.
        while loud != 0 {
            let place = loud.trailing_zeros() as usize;
            let (lane, step) = (place % L, place / L);
            let state = usize::from(seen[step][lane]);
            lanes[lane].note(end + lane * apart + step, std::iter::once(state));
            loud &= loud - 1;
        }
        for lane in &lanes[..L] {
            live |= if lane.is_full() { 0 } else { LOUD };
        }
        return live;
    }
    for lane in 0..L {
        lanes[lane].note(
            end + lane * apart,
            seen.iter().map(|states| usize::from(states[lane])),
        );
        live |= if lanes[lane].is_full() { 0 } else { LOUD };
    }
    live
}

/// A bit for each of at most 64 states: whether it has outputs.
#[inline]
fn loud_of(states: &[u16]) -> u64 {
    let (parts, _) = states.as_chunks::<8>();
    parts.iter().rev().fold(0, |loud, part| {
        loud << 8 | u64::from(u16x8::new(*part).to_bitmask())
    })
}

fn copy<'a>(cells: &mut [u16], rows: impl Iterator<Item = &'a Row>) {
    for (target, row) in cells.chunks_exact_mut(WIDTH).zip(rows) {
        target.copy_from_slice(row);
    }
}
