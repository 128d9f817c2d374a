//! The fast ways of the fold and of its map, held against the plain ones.

use super::super::map::SourceMap;
use super::super::*;
use proptest::prelude::*;

/// Texts in which words are disguised, in which some are not, what may stand in them, and words of
/// scripts that are like no other.
fn disguised() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "[a-cxA-C01_оеасіԝΑоκ]{0,7}",
        1 => "[a-cжфψо]{0,6}",
        1 => "[aоéß\u{301}\u{1}你“ａ\u{ad}½]{0,5}",
        1 => "[aо]{28,40}",
        2 => "[א-ת،؟٣ئ你。á ,.!\n]{0,12}",
    ];
    prop::collection::vec((word, "[ ,.!\\-\n\t]{0,2}"), 0..30).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, gap)| [word, gap])
            .collect()
    })
}

/// The text with something unseen behind each letter, so that each is read by itself; and, for each
/// place of it, the one of the text.
fn parted(text: &str) -> (String, Vec<usize>) {
    let (mut slow, mut places) = (String::new(), Vec::new());
    for (at, c) in text.char_indices() {
        let joiner = if c.is_alphanumeric() || c == '_' {
            "\u{200b}"
        } else {
            ""
        };
        let wide = c.len_utf8();
        slow.push(c);
        slow.push_str(joiner);
        places.extend(at..at + wide);
        places.extend(joiner.bytes().map(|_| at + wide));
    }
    places.push(text.len());
    (slow, places)
}

/// One thing told to a map.
#[derive(Clone, Copy, Debug)]
enum Told {
    Copy(usize),
    Resume(usize),
    Character(usize, usize),
    Narrowed(usize, u32),
    Dropped(usize),
    Truncate(usize),
}

fn told() -> impl Strategy<Value = Told> {
    prop_oneof![
        3 => (1_usize..50).prop_map(Told::Copy),
        1 => (1_usize..50).prop_map(Told::Resume),
        4 => prop::sample::select(vec![(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3), (3, 6)])
            .prop_map(|(len, from)| Told::Character(len, from)),
        4 => (1_u32..=32, any::<u32>()).prop_map(|(len, twos)| {
            Told::Narrowed(len as usize, twos & (u32::MAX >> (32 - len)))
        }),
        2 => (1_usize..9).prop_map(Told::Dropped),
        1 => (0_usize..200).prop_map(Told::Truncate),
    ]
}

/// The map of what was told, and the source of each character by itself: its places in both texts.
fn mapped(all: &[Told]) -> (SourceMap, Vec<(usize, usize, usize, usize)>) {
    let (mut map, mut each, mut at) = (SourceMap::default(), Vec::new(), 0);
    for &told in all {
        let out = each.last().map_or(0, |&(_, end, _, _)| end);
        let mut put = |out: usize, len: usize, source: &mut usize, from: usize| {
            each.push((out, out + len, *source, *source + from));
            *source += from;
        };
        match told {
            Told::Copy(len) => {
                map.copy(at, len);
                (0..len).for_each(|n| put(out + n, 1, &mut at, 1));
            }
            Told::Resume(len) => {
                at += 1;
                map.resume(at, len);
                (0..len).for_each(|n| put(out + n, 1, &mut at, 1));
            }
            Told::Character(len, from) => {
                map.character(len, at, from);
                // Characters of equal width are told byte by byte.
                let step = if len == from { 1 } else { len };
                let own = if len == from { 1 } else { from };
                (0..len)
                    .step_by(step)
                    .for_each(|n| put(out + n, step, &mut at, own));
            }
            Told::Narrowed(len, twos) => {
                map.narrowed(at, len, twos);
                for n in 0..len {
                    put(out + n, 1, &mut at, 1 + (twos >> n & 1) as usize);
                }
            }
            Told::Dropped(len) => at += len,
            Told::Truncate(keep) => {
                each.truncate(keep);
                map.truncate(each.last().map_or(0, |&(_, end, _, _)| end));
                at = each.last().map_or(at, |&(_, _, _, end)| end);
            }
        }
    }
    (map, each)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Something unseen in each word keeps the fold from taking it whole.
    #[test]
    fn words_fold_like_each_of_their_letters(text in disguised()) {
        let (slow, places) = parted(&text);
        let (mut canon, mut other) = (Canon::new(), Canon::new());
        canon.fold(&text);
        other.fold(&slow);
        prop_assert_eq!(canon.text(), other.text());
        let words = |seen: Oddities| (seen.mixed_words, seen.disguised_words);
        prop_assert_eq!(words(canon.oddities()), words(other.oddities()));
        // A mark may belong to the letter before it, or stand by itself behind what is unseen.
        let texts = canon.text().char_indices().filter(|_| !text.contains('\u{301}'));
        for (at, c) in texts {
            let (from, to) = (offset(at), offset(at + c.len_utf8()));
            let (start, end) = other.source_range(from, to);
            let range = (places[start as usize], places[end as usize]);
            let own = canon.source_range(from, to);
            prop_assert_eq!((own.0 as usize, own.1 as usize), range, "{:?} at {}", text, at);
        }
    }

    #[test]
    fn a_map_leads_back_to_each_character(all in prop::collection::vec(told(), 0..60)) {
        let (map, each) = mapped(&all);
        let len = each.last().map_or(0, |&(_, end, _, _)| end);
        let mut drops = Vec::new();
        for (n, &(out, end, from, to)) in each.iter().enumerate() {
            for at in out..end {
                prop_assert_eq!((map.start(at), map.end(at + 1)), (from, to), "{:?}", all);
            }
            let before = n.checked_sub(1).and_then(|n| each.get(n));
            if before.is_some_and(|&(_, _, _, before)| before < from) {
                drops.push(out);
            }
        }
        let mut cursor = map.cursor(0);
        let dropped: Vec<_> = (1..len).filter(|&at| map.drops_before(at, &mut cursor)).collect();
        prop_assert_eq!(&dropped, &drops);
        let (mut cursor, mut found) = (map.cursor(0), Vec::new());
        for at in (1..len).step_by(64) {
            let bits = map.drops_in(at, 64.min(len - at), &mut cursor);
            found.extend((0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| at + bit));
        }
        prop_assert_eq!(found, drops);
    }

    #[test]
    fn a_map_repeats_what_was_mapped(
        all in prop::collection::vec(told(), 0..30),
        seconds in 0_usize..9,
        part in (0_usize..99, 0_usize..99),
    ) {
        let (mut map, mut each) = mapped(&all);
        let (mut len, source) = each.last().map_or((0, 0), |&(_, end, _, to)| (end, to));
        let half = seconds / 2;
        map.seconds(source + 9, half);
        map.seconds(source + 9 + 2 * half, seconds - half);
        for n in 0..seconds {
            each.push((len, len + 1, source + 9 + 2 * n, source + 10 + 2 * n));
            len += 1;
        }
        let (one, other) = (part.0.min(each.len()), part.1.min(each.len()));
        let again = each.get(one.min(other)..one.max(other)).unwrap_or_default().to_vec();
        if let (Some(first), Some(last)) = (again.first(), again.last()) {
            map.repeat(first.0, last.1 - first.0);
            each.extend(again.iter().map(|&(out, end, from, to)| {
                (len + out - first.0, len + end - first.0, from, to)
            }));
        }
        for (out, end, from, to) in each {
            for at in out..end {
                prop_assert_eq!((map.start(at), map.end(at + 1)), (from, to), "{:?}", all);
            }
        }
    }
}
