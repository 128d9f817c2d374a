//! Whatever the text, the answer is a policy or faults.

use proptest::prelude::*;

use super::*;

/// Words that lead deep into the code.
const WORDS: &[&str] = &[
    "server",
    "listeners",
    "address",
    "providers",
    "name",
    "api",
    "echo",
    "openai",
    "endpoints",
    "url",
    "https://a/b",
    "routes",
    "models",
    "\"*\"",
    "auth",
    "keys_file",
    "${A}",
    "file:x",
    "null",
    "1",
    "-1",
    "1e9",
    "10MiB",
    "30s",
    "true",
    "&a",
    "*a",
    "<<",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "? ",
    "|",
    ">",
    "'",
    "\"",
    "#",
    "---\n",
    "!t",
    "\t",
    "\u{feff}",
    "\u{0}",
    "é",
];

/// So many cases, unless `PROPTEST_CASES` asks for others: whatever is a whole configuration has
/// all its rules compiled, which takes a debug build half a second.
fn cases(few: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: if asked { usual.cases } else { few },
        ..usual
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in ".{0,200}") {
        let _answer = World::default().review(&text);
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn no_mixture_of_known_words_makes_the_loader_panic(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..60)
    ) {
        let text = words.concat();
        let world = World::default().env("A", "b").file("keys.yaml", &text);
        let _answer = world.review(&text);
        let _with_base = world.review(&with(&text));
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_cut_or_changed_example_makes_the_loader_say_so_or_compile(
        cut in 0_usize..12_000, at in 0_usize..12_000, byte in 0_u8..128
    ) {
        let full = include_str!("../../../conf/full.yaml");
        let mut bytes = full.as_bytes().to_vec();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(cut);
        let text = String::from_utf8_lossy(&bytes);
        if let Err(faults) = World::default().review(&text) {
            prop_assert!(!faults.is_empty(), "a refusal has a reason");
        }
    }
}
