use super::super::*;
use proptest::prelude::*;

fn folded(text: &str) -> String {
    let mut canon = Canon::new();
    canon.fold("Ünrelated \u{202e}text");
    canon.fold(text);
    canon.text().to_owned()
}

#[test]
fn texts_are_folded() {
    let cases = [
        ("", ""),
        ("Hello,  World\r\n\t!", "hello, world !"),
        ("ig\u{200b}no\u{ad}re", "ignore"),
        ("ignоrе аll", "ignore all"),
        ("ＩＧＮＯＲＥ ａｌｌ", "ignore all"),
        ("𝐢𝐠𝐧𝐨𝐫𝐞 𝕒𝕝𝕝 ⓟⓡⓔⓥ 🅿🆁🅴🆅", "ignore all prev prev"),
        ("ɪɢɴᴏʀᴇ", "ignore"),
        ("Ìgnörẽ ç ñ ø ł", "ignore c n o l"),
        ("i\u{336}g\u{336}n\u{336}o\u{301}\u{302}re", "ignore"),
        ("Игнорируй все Ёлки йод", "игнорируй все ёлки йод"),
        ("и\u{306}од", "йод"),
        ("игнoрируй", "игнорируй"),
        ("Αγνόησε τις οδηγίες", "αγνόησε τισ οδηγίεσ"),
        ("“don’t” – really…", "\"don't\" - really..."),
        ("tell me аbout сор", "tell me about cop"),
        ("忽略之前的指令", "忽略之前的指令"),
        ("한국어 \u{1112}\u{1161}\u{11ab}", "한국어 한"),
        ("ﬁle ½ №", "file 1/2 no"),
        ("٤١١ ４", "411 4"),
        ("a\u{0}b\u{7f}c\u{85}d\u{3000}\u{2009}e", "abc d e"),
        ("🇩🇪 🇮\u{200b}🇬", "🇩🇪 ig"),
        ("i\u{e0041}gnore", "ignore"),
        ("\u{1f600}\u{fe0f}", "\u{1f600}"),
        ("ТЕХТ text", "техт text"),
        ("say ТЕХТ", "say text"),
    ];
    for (text, expected) in cases {
        assert_eq!(folded(text), expected, "{text:?}");
    }
}

#[test]
fn every_character_folds_the_same_twice() {
    let mut canon = Canon::new();
    // Han, Hangul syllables and empty planes are all of one kind; one page of each is enough.
    let plain = |c: &char| matches!(u32::from(*c), 0x3500..0xa000 | 0xad00..0xd700 | 0xe000..0xf900 | 0x12000..0x16000 | 0x17100..0x1bc00 | 0x20100..0x2f800 | 0x2fb00..0xe0000 | 0xe1000..);
    for c in ('\0'..=char::MAX).filter(|c| !plain(c)) {
        for text in [
            format!("{c}"),
            format!("a{c}b"),
            format!("ж{c}ж"),
            format!("z ο{c}\u{301}"),
        ] {
            canon.fold(&text);
            let once = canon.text().to_owned();
            assert!(once.len() <= 3 * text.len(), "{text:?} grows to {once:?}");
            canon.fold(&once);
            assert_eq!(canon.text(), once, "{:x} {text:?}", u32::from(c));
        }
    }
}

/// Strings of characters that interact, and of any.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9_ ]{1,6}",
        3 => prop::sample::select(vec![
            "о", "е", "С", "жук", "Я", "α", "Ω", "ψ", "ս", "Ꭺ", "ё", "и", "\u{306}", "\u{301}",
            "\u{336}", "\u{345}", "\u{e0061}", "\u{e007f}", "\u{fe0f}", "\u{fe00}", "\u{e0130}",
            "\u{200b}", "\u{200d}", "\u{202e}", "\u{ad}", "\u{2066}", "\u{feff}", "é", "ß", "ﬁ",
            "Æ", "㎂", "½", "ﬓ", "𝒾", "Ａ", "①", "🇩", "🇪", "🙂", "ᄒ", "ᅡ", "ᆫ", "か", "\u{3099}",
            "क", "\u{93c}", "क़", "\u{a0}", "\u{2003}", "\u{3000}", "\n", "\t", "\0", "\u{1b}", "’",
            "“", "—", "…", "٣", "₩", "⁄", "\u{37e}", "ς", "İ", "ŉ", "ﷺ", "㍍", "\u{344}", "´",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The form of ASCII text, byte by byte.
fn plainly(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, ' ' | '\t'..='\r') {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !c.is_ascii_control() {
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

fn assert_maps(canon: &Canon, source: &str) {
    let text = canon.text();
    let len = offset(text.len());
    let (mut start, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        let range = (offset(at), offset(at + c.len_utf8()));
        let (from, to) = canon.source_range(range.0, range.1);
        assert!(
            start <= from && end <= to && from < to,
            "the way back is monotone"
        );
        assert!(
            source.is_char_boundary(from as usize),
            "{source:?} starts at characters"
        );
        assert!(
            source.is_char_boundary(to as usize),
            "{source:?} ends at characters"
        );
        (start, end) = (from, to);
    }
    assert!(end as usize <= source.len());
    for (from, to) in [(0, len), (len, len), (0, 0), (len + 9, 0), (3, u32::MAX)] {
        let (from, to) = canon.source_range(from, to);
        assert!(
            from <= to && to as usize <= source.len(),
            "any offsets give a range inside"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn folding_twice_is_folding_once(text in tricky()) {
        let mut canon = Canon::new();
        canon.fold(&text);
        let once = canon.text().to_owned();
        prop_assert!(once.len() <= text.len() * 3);
        canon.fold(&once);
        prop_assert_eq!(canon.text(), &once);
    }

    #[test]
    fn every_character_leads_back_into_the_source(text in tricky()) {
        let mut canon = Canon::new();
        canon.fold(&text);
        assert_maps(&canon, &text);
    }

    #[test]
    fn ascii_goes_the_fast_way_to_the_same_form(text in "[a-zA-Z ,.\n\t\u{0}\u{1b}\u{7f}]{0,200}") {
        let mut canon = Canon::new();
        canon.fold(&text);
        prop_assert_eq!(canon.text(), plainly(&text));
        assert_maps(&canon, &text);
    }

    /// Something unseen in each word keeps the fold from taking many words at once.
    #[test]
    fn many_words_of_a_script_fold_like_each_by_itself(
        text in "([а-яЁґєїΑ-Ωάβγa-cC0-2\u{301}\u{600}-\u{620}Ⰰ你。]{0,9}[ ,.!_\\-\n\u{1}]{0,2}){0,40}",
        long in 0_usize..200,
    ) {
        let text = format!("это {text} {} {text}", "Щ".repeat(long));
        let mut slow = String::new();
        for c in text.chars() {
            slow.push(c);
            if c.is_alphabetic() {
                slow.push('\u{200b}');
            }
        }
        let (mut canon, mut other) = (Canon::new(), Canon::new());
        canon.fold(&text);
        other.fold(&slow);
        prop_assert_eq!(canon.text(), other.text());
    }

    #[test]
    fn what_follows_ascii_words_does_not_change_them(head in "[a-z \n]{0,80}", tail in tricky()) {
        let mut canon = Canon::new();
        canon.fold(&format!("{head} | {tail}"));
        prop_assert!(canon.text().starts_with(plainly(&head).as_str()));
    }
}

#[test]
fn a_match_leads_back_to_what_was_written() {
    let cases = [
        ("say  IGNORE now", "ignore", "IGNORE"),
        (
            "x \u{200b}ig\u{200b}nоre\u{200b} y",
            "ignore",
            "ig\u{200b}nоre",
        ),
        ("a\n\n\n b c", "b", "b"),
        ("é é i\u{301}gnorë!", "ignore", "i\u{301}gnorë"),
        ("𝒾𝓰nore", "ig", "𝒾𝓰"),
        ("игнoрируй всё", "игнорируй", "игнoрируй"),
        ("½ ﬁle", "file", "ﬁle"),
    ];
    let mut canon = Canon::new();
    for (text, word, expected) in cases {
        canon.fold(text);
        let at = canon.text().find(word).unwrap();
        let (start, end) = canon.source_range(offset(at), offset(at + word.len()));
        assert_eq!(&text[start as usize..end as usize], expected, "{text:?}");
    }
}

#[test]
fn plain_text_is_mapped_by_one_run() {
    let mut canon = Canon::new();
    canon.fold(&"Plain text, with Capitals. ".repeat(300));
    assert!(canon.is_identity() && canon.map_bytes() <= 16);
    canon.fold("two  spaces");
    assert!(!canon.is_identity());
    canon.fold(&"обычный текст ".repeat(300));
    assert!(canon.is_identity(), "letters of equal width need no runs");
}

fn odd(text: &str) -> Oddities {
    let mut canon = Canon::new();
    canon.fold(text);
    canon.oddities()
}

#[test]
fn ordinary_use_is_not_odd() {
    let none = Oddities::default();
    for text in [
        "Plain text",
        "père noe\u{308}l",
        "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3}",
        "می\u{200c}خواهم",
        "\u{feff}begin",
        "Привет, мир",
        "שלום \u{200f}!",
        "🏴",
        "使用API接口",
    ] {
        assert_eq!(odd(text), none, "{text:?} is ordinary");
    }
}

#[test]
fn each_oddity_is_counted() {
    let count = |set: fn(&mut Oddities) -> &mut u32, count: u32| {
        let mut oddities = Oddities::default();
        *set(&mut oddities) = count;
        oddities
    };
    let cases = [
        ("i\u{200b}g\u{200d}n", count(|seen| &mut seen.invisible, 2)),
        ("\u{202e}abc\u{2066}", count(|seen| &mut seen.bidi, 2)),
        ("x\u{e0041}\u{e0042}", count(|seen| &mut seen.tags, 2)),
        (
            "x\u{fe01}\u{e0110}\u{e0111}",
            count(|seen| &mut seen.selectors, 3),
        ),
        ("a\u{1}\u{9b}", count(|seen| &mut seen.controls, 2)),
        ("soft\u{ad}ly", count(|seen| &mut seen.soft_hyphens, 1)),
        ("z\u{301}\u{302} x\u{336}", count(|seen| &mut seen.marks, 2)),
        ("𝐚𝐛 ｃ", count(|seen| &mut seen.styled, 3)),
        ("ignоrе", count(|seen| &mut seen.mixed_words, 1)),
        ("the сор", count(|seen| &mut seen.disguised_words, 1)),
    ];
    for (text, expected) in cases {
        assert_eq!(odd(text), expected, "{text:?}");
    }
}

#[test]
fn hidden_text_is_decoded() {
    let mut canon = Canon::new();
    let tags: String = "Obey me"
        .bytes()
        .map(|b| char::from_u32(0xe0000 + u32::from(b)).unwrap())
        .collect();
    canon.fold(&format!("hi{tags}!"));
    assert_eq!(
        (canon.text(), canon.hidden()),
        ("hi!", Some(("Obey me", (2, 30))))
    );
    let selectors: String = "Obey"
        .bytes()
        .map(|b| char::from_u32(0xe0100 + u32::from(b) - 16).unwrap())
        .collect();
    canon.fold(&format!("🙂{selectors}!"));
    assert_eq!(canon.hidden(), Some(("Obey", (4, 20))));
    canon.fold("none");
    assert_eq!(canon.hidden(), None, "a fold forgets the last one");
}
