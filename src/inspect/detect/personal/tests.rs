//! Tables of what is personal data and what only looks like it; block equivalence.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a wrong place must fail the test"
)]

use proptest::prelude::*;

use super::Personal;
use crate::inspect::detect::window::{Edges, LOOKBACK, PENDING};
use crate::inspect::detect::{Hit, Index, RuleSet, rules};

pub(super) fn set() -> RuleSet {
    RuleSet::compile(&[rules::personal::RULES], &[], &[], str::to_owned).unwrap()
}

/// Kinds and texts of what is found.
fn found(text: &str) -> Vec<(String, String)> {
    let set = set();
    let mut hits = Vec::new();
    Personal::compile(&set).find(Index::default().read(text, 0), Edges::WHOLE, &mut hits);
    hits.iter()
        .map(|hit| {
            let range = usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap();
            (
                set.rule(hit.rule).unwrap().kind.to_string(),
                text[range].to_owned(),
            )
        })
        .collect()
}

/// Scans in blocks of `size` bytes, each with its carried overlap alone in view.
fn in_blocks(personal: &Personal, text: &str, size: usize) -> Vec<Hit> {
    let mut hits = Vec::new();
    let (mut from, mut end) = (0, 0);
    while end < text.len() {
        end = text.ceil_char_boundary((end + size).min(text.len()));
        let left = text.floor_char_boundary(from.max(LOOKBACK) - LOOKBACK);
        let edges = Edges {
            from: u32::try_from(from - left).unwrap(),
            ends_string: end == text.len(),
            open: None,
        };
        let mut part = Vec::new();
        let rest = personal.find(Index::default().read(&text[left..end], 0), edges, &mut part);
        let next = usize::try_from(rest.from).unwrap() + left;
        assert!(
            next >= from && end - next <= PENDING,
            "at most {PENDING} bytes wait"
        );
        from = next;
        let shift = u32::try_from(left).unwrap();
        hits.extend(part.into_iter().map(|hit| Hit {
            start: hit.start + shift,
            end: hit.end + shift,
            ..hit
        }));
    }
    hits
}

pub(super) const PERSONAL: &[(&str, &str, &str)] = &[
    (
        "write to bob.smith+news@mail.example.co.uk.",
        "EMAIL",
        "bob.smith+news@mail.example.co.uk",
    ),
    ("<müller@bücher.example>", "EMAIL", "müller@bücher.example"),
    ("mailto:a@b.io?subject=x", "EMAIL", "a@b.io"),
    ("call +1 (555) 123-4567 now", "PHONE", "+1 (555) 123-4567"),
    ("+4915123456789", "PHONE", "+4915123456789"),
    ("+44 (0)20 7946 0958", "PHONE", "+44 (0)20 7946 0958"),
    ("tel 0044 20 7946 0958", "PHONE", "0044 20 7946 0958"),
    ("(555) 123-4567", "PHONE", "(555) 123-4567"),
    ("555-123-4567 x89", "PHONE", "555-123-4567 x89"),
    ("1-800-555-0199", "PHONE", "1-800-555-0199"),
    ("appelez le 01 23 45 67 89", "PHONE", "01 23 45 67 89"),
    ("030/1234567", "PHONE", "030/1234567"),
    ("my mobile is 612345678", "PHONE", "612345678"),
    (
        "card 4111 1111 1111 1111 ok",
        "CREDIT_CARD",
        "4111 1111 1111 1111",
    ),
    ("4111111111111111", "CREDIT_CARD", "4111111111111111"),
    ("3782-822463-10005", "CREDIT_CARD", "3782-822463-10005"),
    ("5555.5555.5555.4444", "CREDIT_CARD", "5555.5555.5555.4444"),
    (
        "DE89 3704 0044 0532 0130 00",
        "IBAN",
        "DE89 3704 0044 0532 0130 00",
    ),
    (
        "iban gb82west12345698765432",
        "IBAN",
        "gb82west12345698765432",
    ),
    ("SSN: 123-45-6789", "US_SSN", "123-45-6789"),
    ("123 45 6789", "US_SSN", "123 45 6789"),
    ("social security number 123456789", "US_SSN", "123456789"),
    ("ITIN 912-70-1234", "US_ITIN", "912-70-1234"),
    ("from 203.0.113.7:8080", "IP", "203.0.113.7"),
    ("host 192.168.1.100/24", "IP", "192.168.1.100"),
    (
        "at 2001:db8::8a2e:370:7334.",
        "IP",
        "2001:db8::8a2e:370:7334",
    ),
    ("[fe80::1]", "IP", "fe80::1"),
    ("00:1A:2b:3C:4d:5E", "MAC", "00:1A:2b:3C:4d:5E"),
    ("AA:BB:CC:DD:EE:FF", "MAC", "AA:BB:CC:DD:EE:FF"),
    ("00-1A-2B-3C-4D-5E", "MAC", "00-1A-2B-3C-4D-5E"),
    ("001a.2b3c.4d5e", "MAC", "001a.2b3c.4d5e"),
    (
        "pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "CRYPTO",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ),
    (
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "CRYPTO",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ),
    (
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "CRYPTO",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ),
    ("CPF 529.982.247-25", "BR_CPF", "529.982.247-25"),
    ("Aadhaar 2341 2341 2346", "IN_AADHAAR", "2341 2341 2346"),
    ("1 85 05 78 006 084 91", "FR_NIR", "1 85 05 78 006 084 91"),
    ("RSSMRA85T10A562S", "IT_FISCAL_CODE", "RSSMRA85T10A562S"),
    ("DNI 12345678Z", "ES_DNI", "12345678Z"),
    ("NIE X1234567L", "ES_NIE", "X1234567L"),
    ("PAN ABCPE1234F", "IN_PAN", "ABCPE1234F"),
    ("AB123456C", "UK_NINO", "AB123456C"),
    ("NI no. AB 12 34 56 C", "UK_NINO", "AB 12 34 56 C"),
    ("NHS 943 476 5919", "PHONE", "943 476 5919"),
    ("S1234567D", "SG_NRIC", "S1234567D"),
    ("Steuer-ID (IdNr) 86095742719", "DE_TAX_ID", "86095742719"),
    ("tax file number (TFN) 123 456 782", "AU_TFN", "123 456 782"),
    ("passport no. X1234567", "PASSPORT", "X1234567"),
    (
        "driver's license: D1234567",
        "US_DRIVER_LICENSE",
        "D1234567",
    ),
    ("born on 12.03.1980 in Ulm", "DATE_OF_BIRTH", "12.03.1980"),
    ("dob 1980-03-12", "DATE_OF_BIRTH", "1980-03-12"),
    (
        "account number 123456789012",
        "BANK_ACCOUNT",
        "123456789012",
    ),
    ("PESEL 44051401359", "PL_PESEL", "44051401359"),
];

#[test]
fn personal_data_is_found_with_its_exact_range() {
    for (text, kind, value) in PERSONAL {
        let expected = vec![((*kind).to_owned(), (*value).to_owned())];
        assert_eq!(found(text), expected, "{text:?} holds one {kind}");
    }
}

#[test]
fn numbers_that_name_no_person_pass() {
    for text in [
        "order 123-4567890-1234567",
        "order no. 4111111111111112",
        "1700000000 1700000000000 1700000000000000000",
        "v1.2.3.4 and version 10.0.19041.1",
        "Chrome/120.0.6099.109",
        "ISBN 978-3-16-148410-0, 0-306-40615-2",
        "2024-01-15T10:30:00.123456Z, 15.01.2024, 01-02-2024 10:30",
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "git@github.com:acme/app.git",
        "root@localhost, @app.route, @Override, icon@2x.png",
        "127.0.0.1 0.0.0.0 255.255.255.0 ::1 ::",
        "std::mem::take, u8::MAX, f64::E, 12:34:56",
        "0.1234567890123456, 3.14159265358979",
        "000-12-3456, 666-12-3456, 123-00-4567",
        "DE89 3704 0044 0532 0130 01",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "call 12 functions 3 times",
        "100 200 300 400 500 600 700",
        "1,234,567,890.12 EUR",
        "pages 120-145, 2019-2024, 50/50",
        "12345678A, X1234567A, ABCDE1234F",
        "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff",
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "SELECT * FROM t WHERE id IN (1001, 1002, 1003);",
    ] {
        assert_eq!(found(text), Vec::new(), "{text:?} is no personal data");
    }
}

#[test]
fn every_row_stands_where_its_constant_says() {
    use rules::personal as row;
    for (place, kind) in [
        (row::CREDIT_CARD, "CREDIT_CARD"),
        (row::IBAN, "IBAN"),
        (row::US_SSN, "US_SSN"),
        (row::CRYPTO, "CRYPTO"),
        (row::FR_NIR, "FR_NIR"),
        (row::UK_NINO, "UK_NINO"),
        (row::SE_PERSONNUMMER, "SE_PERSONNUMMER"),
        (row::DATE_OF_BIRTH, "DATE_OF_BIRTH"),
        (row::IP, "IP"),
        (row::MAC, "MAC"),
        (row::EMAIL, "EMAIL"),
        (row::PHONE, "PHONE"),
        (row::UK_NHS, "UK_NHS"),
        (row::NATIONAL_ID, "NATIONAL_ID"),
    ] {
        assert_eq!(
            row::RULES[usize::from(place)].kind,
            kind,
            "constants number the table"
        );
    }
}

#[test]
fn a_switched_off_rule_finds_nothing() {
    let set = RuleSet::compile(
        &[rules::personal::RULES],
        &["pii.email"],
        &[],
        str::to_owned,
    )
    .unwrap();
    let mut hits = Vec::new();
    Personal::compile(&set).find(
        Index::default().read("a@b.io 4111111111111111", 0),
        Edges::WHOLE,
        &mut hits,
    );
    assert_eq!(hits.len(), 1, "only the card is left");
}

#[test]
fn plain_words_are_hardly_held() {
    let personal = Personal::compile(&set());
    for (text, held) in [
        ("", ""),
        ("hello world ", ""),
        ("hello wor", "wor"),
        ("Hello, world! ", ""),
        ("write to bob@exa", "bob@exa"),
        ("my card is 4111 1111 ", "4111 1111 "),
        ("in 2024 we", "we"),
        ("你好世界", ""),
        ("iban DE89 3704", "DE89 3704"),
    ] {
        assert_eq!(&text[personal.hold_from(text)..], held, "{text:?}");
    }
}

/// Texts made of what the detectors look at, and of what comes between.
fn hostile() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = PERSONAL
        .iter()
        .map(|row| row.0)
        .chain([
            " ",
            "-",
            ".",
            "@",
            ":",
            "+",
            "(",
            ")",
            "0",
            "12",
            "4111",
            "call ",
            "phone ",
            "ssn ",
            "passport ",
            "a",
            "AB ",
            "é",
            "漢",
            "\u{a0}",
            "\n",
            "word ",
            "x",
            "1-1-1-1-",
            "....",
            "@@@",
            "99999999",
            "abcdefabcdefabcdef1234567890abcdefabcdefabcdefabcdefabcdefabcdefabcdef",
        ])
        .collect();
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn blocks_find_what_the_whole_finds(text in hostile(), size in 1_usize..200) {
        let personal = Personal::compile(&set());
        let mut whole = Vec::new();
        personal.find(Index::default().read(&text, 0), Edges::WHOLE, &mut whole);
        prop_assert_eq!(in_blocks(&personal, &text, size), whole, "blocks of {} in {:?}", size, text);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), from in 0_u32..64, ends in any::<bool>()) {
        let edges = Edges { from, ends_string: ends, open: None };
        let mut hits = Vec::new();
        let rest = Personal::compile(&set()).find(Index::default().read(&text, 0), edges, &mut hits);
        prop_assert!(usize::try_from(rest.from).unwrap() <= text.len());
        for hit in hits {
            let range = usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap();
            prop_assert!(text.get(range).is_some_and(|value| !value.is_empty()));
        }
    }

    #[test]
    fn what_was_masked_is_clean(parts in prop::collection::vec(0..PERSONAL.len(), 1..12)) {
        let text = parts.iter().map(|n| PERSONAL[*n].0).collect::<Vec<_>>().join(" ; ");
        let mut hits = Vec::new();
        let set = set();
        Personal::compile(&set).find(Index::default().read(&text, 0), Edges::WHOLE, &mut hits);
        let mut masked = text.clone();
        for (n, hit) in hits.iter().enumerate().rev() {
            let range = usize::try_from(hit.start).unwrap()..usize::try_from(hit.end).unwrap();
            let kind = &set.rule(hit.rule).unwrap().kind;
            masked.replace_range(range, &format!("[{kind}_{n}]"));
        }
        prop_assert_eq!(found(&masked), Vec::new(), "{:?} from {:?}", &masked, &text);
    }
}

#[test]
fn every_short_mix_of_digits_and_signs_is_read_to_its_end() {
    let set = set();
    let personal = Personal::compile(&set);
    let signs = ["1", "4111", ":", "-", "@", ".", " "];
    let mut texts = vec![String::new()];
    for _ in 0..4 {
        let longer = texts
            .iter()
            .flat_map(|text| signs.map(|sign| format!("{text}{sign}")));
        texts = longer.collect();
    }
    for mix in texts {
        // Behind it stands enough to be read many bytes at a time.
        let text = format!("{mix} and nothing else");
        let mut hits = Vec::new();
        let rest = personal.find(Index::default().read(&text, 0), Edges::WHOLE, &mut hits);
        assert_eq!(usize::try_from(rest.from), Ok(text.len()), "{text:?}");
        let inside = |hit: &Hit| usize::try_from(hit.end).unwrap() <= mix.len();
        assert!(hits.iter().all(inside), "{text:?}: words are no finds");
    }
}
