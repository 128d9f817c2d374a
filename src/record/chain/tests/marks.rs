//! Marks and keys: what tells where a chain ends, and who signed it.

use super::*;

#[test]
fn the_mark_tells_a_cut_tail_from_one_that_is_still_written() {
    let mut scribe = Scribe::new(1, "c1");
    let mut file = scribe.file(4, Ending::Open);
    let key = Some(scribe.signer.public());
    let mark = scribe.mark(file.len(), Ending::Open);
    check(&[&file], key, Some(&mark)).expect("it goes on");
    assert_eq!(
        check(&[&file], key, None).unwrap_err().2,
        Problem::Cut,
        "nobody vouches for it"
    );
    let cut = changed(&file, |lines| drop(lines.pop()));
    let found = check(&[&cut], key, Some(&mark)).unwrap_err().2;
    assert_eq!(found, Problem::Short(mark.head.seq), "cut");
    scribe.line("denial\"", &mut file);
    check(&[&file], key, Some(&mark)).expect("lines may follow a mark");
    let closed = Mark {
        ending: Ending::Closed,
        ..mark
    };
    let found = check(&[&file], key, Some(&closed)).unwrap_err().2;
    assert_eq!(found, Problem::AfterEnd, "and may not follow an end");
    let mut other = Scribe::new(1, "c1");
    let other = other.file(9, Ending::Closed);
    let found = check(&[&other], key, Some(&closed)).unwrap_err();
    assert_eq!(
        found.2,
        Problem::Replaced(closed.head.seq),
        "an older or newer twin"
    );
}

#[test]
fn marks_and_keys_are_read_as_they_were_written_and_not_otherwise() {
    let scribe = Scribe::new(1, "c1");
    let public = scribe.signer.public();
    let mark = scribe.mark(77, Ending::Closed);
    let line = mark.to_line(&scribe.signer);
    assert_eq!(Mark::read(&line, &public), Some(mark), "{line}");
    assert_eq!(
        Mark::read(&line, &signer(2).public()),
        None,
        "another key's"
    );
    for place in 0..line.len() - 1 {
        let mut bytes = line.clone().into_bytes();
        bytes[place] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            assert_eq!(Mark::read(&text, &public), None, "{text}");
        }
    }
    let pem = scribe.signer.to_pem();
    assert_eq!(
        Signer::read(&pem).unwrap().public(),
        public,
        "the private key"
    );
    assert_eq!(
        PublicKey::read(&public.to_pem()),
        Ok(public),
        "the public key"
    );
    for wrong in ["", "x", &public.to_pem(), &pem.replace("MC4", "MC5")] {
        assert!(Signer::read(wrong).is_err(), "{wrong} is no private key");
    }
}
