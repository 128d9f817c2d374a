//! The gate hides nothing that a look at every mark finds, over texts made of near misses.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::{HEX, KEYS, MIX, UPPER, key_text, set};
use crate::inspect::detect::secrets::Secrets;
use crate::inspect::detect::window::Edges;
use crate::inspect::detect::{Index, rules};

static SECRETS: LazyLock<Secrets> = LazyLock::new(|| Secrets::compile(&set()));

/// Texts made of what nearly is a secret: short pieces of keys, of their beginnings and ends, of
/// names and signs, of runs about as long as the shortest key.
fn near_misses() -> impl Strategy<Value = String> {
    let beginnings = rules::secrets::KEYS.iter().flat_map(|key| key.prefixes);
    let mut pieces: Vec<String> = beginnings.map(|&prefix| prefix.to_owned()).collect();
    pieces.extend(KEYS.iter().map(|row| key_text(row).0));
    let names = "password passwd pwd pass pw api_key apiKey secret token to_ken key. credentials \
        authorization authorization: Bearer Basic section login log_in my.key- pass_word p-w Key ion";
    let shapes = "-u --user -x --use -----BEGIN -----begin ----begin PRIVATE KEY $1$ $2a$ $2b $y$ \
        $7$ 110201543 bot110201543 :A 12345678:AAA aB1Q~ 8Q~ MTk4NjIyNDgzNDcxOTI1MjQ4 N -us1 -us eyJ \
        eyJhbGciOiJIUzI1NiJ9 hooks.slack.com/services/ ://u:p4ss@ https://";
    pieces.extend(names.split(' ').map(str::to_owned));
    pieces.extend(shapes.split_whitespace().map(str::to_owned));
    let marks = "= : == => := :: :/ :// / . - _ + ~ $ @ , ; ( ) < > ' \" ` \\ ] é 漢 \0";
    let single = marks
        .split(' ')
        .map(str::to_owned)
        .chain([" ".to_owned(), "\n".to_owned()]);
    let run = (
        prop::sample::select(vec![HEX, MIX, UPPER, "abcdefghijklmnopqrstuvwxyz"]),
        0..50_usize,
        1..40_usize,
    );
    let run = run.prop_map(|(of, from, n)| of.chars().cycle().skip(from).take(n).collect());
    let number =
        (any::<u64>(), 1..12_usize).prop_map(|(of, n)| format!("{of:012}")[..n].to_owned());
    let piece = prop_oneof![
        2 => prop::sample::select(pieces),
        3 => prop::sample::select(single.collect::<Vec<_>>()),
        2 => run,
        1 => number,
        1 => "[a-z]{1,9}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_gate_hides_nothing(text in near_misses(), from in 0_u32..200, ends in any::<bool>()) {
        let secrets = &*SECRETS;
        let edges = Edges { from: if from > 99 { 0 } else { from }, ends_string: ends, open: None };
        let mut index = Index::default();
        let read = index.read(&text, 0);
        let (mut gated, mut all) = (Vec::new(), Vec::new());
        let rest = secrets.look::<true>(read, edges, &mut gated);
        prop_assert_eq!(rest, secrets.look::<false>(read, edges, &mut all));
        prop_assert_eq!(gated, all);
    }
}
