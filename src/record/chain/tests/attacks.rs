//! What is done to a chain, and where it is found.

use proptest::prelude::*;

use super::*;

#[test]
fn what_attackers_do_is_found_at_its_line() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let key = Some(scribe.signer.public());
    let first = |file: &[u8]| check(&[file], key, None).unwrap_err();
    let (_, line, problem) = first(&changed(&one, |lines| drop(lines.remove(2))));
    assert_eq!(
        (line, problem),
        (
            3,
            Problem::Missing {
                expected: 3,
                found: 4
            }
        ),
        "removed"
    );
    let (_, line, problem) = first(&changed(&one, |lines| lines.swap(1, 2)));
    assert_eq!(
        (line, problem),
        (
            2,
            Problem::Missing {
                expected: 2,
                found: 3
            }
        ),
        "reordered"
    );
    let again = changed(&one, |lines| lines.insert(3, lines[1].clone()));
    assert_eq!(first(&again).1, 4, "replayed");
    assert_eq!(
        first(&again).2,
        Problem::Repeated {
            expected: 4,
            found: 2
        },
        "replayed"
    );
    let cut = changed(&one, |lines| lines.truncate(3));
    assert_eq!(first(&cut).2, Problem::Cut, "cut");
    let at_checkpoint = changed(&one, |lines| lines.truncate(4));
    assert_eq!(
        first(&at_checkpoint).2,
        Problem::Cut,
        "cut right after a signature"
    );
    let torn = &one[..one.len() - 1];
    assert_eq!(first(torn).2, Problem::Torn, "the very last byte");
}

#[test]
fn files_without_their_ends_or_out_of_order_are_found() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let two = scribe.file(4, Ending::Closed);
    let key = Some(scribe.signer.public());
    let first = |file: &[u8]| check(&[file], key, None).unwrap_err();
    let no_head = changed(&one, |lines| drop(lines.remove(0)));
    assert_eq!(
        first(&no_head),
        (0, 1, Problem::NoHead),
        "without its beginning"
    );
    assert_eq!(first(b"").2, Problem::NoHead, "an empty file is no chain");
    let swapped = check(&[&two, &one], key, None).unwrap_err();
    assert_eq!(
        swapped,
        (
            1,
            1,
            Problem::Segment {
                expected: 3,
                found: 1
            }
        ),
        "swapped files"
    );
    let joined = [one.clone(), two.clone()].concat();
    assert_eq!(first(&joined).2, Problem::StrayHead, "joined files");
    let short = changed(&one, |lines| drop(lines.pop()));
    let gap = check(&[&short, &two], key, None).unwrap_err();
    assert_eq!(
        gap,
        (
            1,
            1,
            Problem::Missing {
                expected: 7,
                found: 8
            }
        ),
        "a cut file before"
    );
}

#[test]
fn a_chain_that_somebody_else_wrote_or_wrote_anew_is_found() {
    let mut scribe = Scribe::new(1, "c1");
    let one = scribe.file(4, Ending::Sealed);
    let key = Some(scribe.signer.public());
    let mut other = Scribe::new(2, "c1");
    let forged = other.file(4, Ending::Sealed);
    let found = check(&[&forged], key, None).unwrap_err();
    assert_eq!(found, (0, 1, Problem::OtherKey), "another key");
    // Whoever lacks the key can write hashes anew, and no signature.
    let mut naming = Scribe::new(2, "c1");
    let text = String::from_utf8(naming.file(4, Ending::Sealed)).unwrap();
    let own = scribe.signer.public().to_base64();
    let mut head = Head::NONE;
    let mut forged = Vec::new();
    for line in text.lines() {
        let body = line.split_once("\"event\":\"").unwrap().1;
        let body = body.rsplit_once(",\"hash\"").unwrap().0;
        let body = body.replace(&naming.signer.public().to_base64(), &own);
        head.append(at(head.seq), body.as_bytes(), &mut forged);
    }
    let found = check(&[&forged], key, None).unwrap_err();
    assert_eq!(
        found,
        (0, 4, Problem::Signature),
        "the first checkpoint tells"
    );
    let mut second = Scribe::new(1, "c2");
    second.file(4, Ending::Sealed);
    let foreign = second.file(1, Ending::Closed);
    let found = check(&[&one, &foreign], key, None).unwrap_err();
    assert_eq!(
        found,
        (1, 1, Problem::OtherChain),
        "a file of another gateway"
    );
}

proptest! {
    #[test]
    fn any_single_byte_edit_is_found(place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut scribe = Scribe::new(1, "c1");
        let mut one = scribe.file(4, Ending::Sealed);
        let two = scribe.file(2, Ending::Closed);
        let place = place.index(one.len());
        prop_assume!(one[place] != to);
        one[place] = to;
        let found = check(&[&one, &two], Some(scribe.signer.public()), None);
        prop_assert!(found.is_err(), "byte {place} became {to}");
    }

    #[test]
    fn any_cut_is_found(from in any::<prop::sample::Index>(), length in 1_usize..200) {
        let mut scribe = Scribe::new(1, "c1");
        let one = scribe.file(4, Ending::Closed);
        let from = from.index(one.len());
        let upto = one.len().min(from + length);
        let cut = [&one[..from], &one[upto..]].concat();
        let found = check(&[&cut], Some(scribe.signer.public()), None);
        prop_assert!(found.is_err(), "bytes {from} to {upto} are gone");
    }

    #[test]
    fn no_bytes_make_the_check_panic(lines in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let mut verifier = Verifier::new(None);
        for line in &lines {
            prop_assert!(verifier.push(line).is_err(), "{line:?} is no line");
        }
    }
}
