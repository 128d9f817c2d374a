//! The one look at every byte: where in a line could a secret begin?
//!
//! Decides, from three neighbouring bytes, that nothing can begin at a place; most lines have no
//! place left and are passed on as they are. It never decides that something is a secret.

// Tables have 256 rows and are indexed by a byte; the lanes are constants below the lane count.
#![expect(
    clippy::indexing_slicing,
    reason = "a byte indexes 256 rows; measured at over 1 GB/s by benches/record.rs"
)]

/// One bit a kind of candidate: each of its three bytes must be among these.
const KINDS: [[&[u8]; 3]; 15] = [
    // The last three letters of names: key, token, secret, password, passwd, passphrase, bearer.
    [b"kK", b"eE", b"yY"],
    [b"kK", b"eE", b"nN"],
    [b"rR", b"eE", b"tT"],
    [b"oO", b"rR", b"dD"],
    [b"sS", b"wW", b"dD"],
    [b"aA", b"sS", b"eE"],
    [b"rR", b"eE", b"rR"],
    // Three letters within `authorization`, as its end is that of many words.
    [b"rR", b"iI", b"zZ"],
    [b":", b"/", b"/"],
    [b"s", b"k", b"-"],
    [b"p", b"c", b"l"],
    // AKIA, ASIA.
    [b"A", b"KS", b"I"],
    // ghp_ and its siblings, github_pat_.
    [b"g", b"hi", b"pousrt"],
    // AIza, xox.
    [b"Ax", b"Io", b"zx"],
    [b"e", b"y", b"J"],
];

/// For each place in a triple and each byte: the kinds it fits.
const TABLES: [[u16; 256]; 3] = tables();

const fn tables() -> [[u16; 256]; 3] {
    let mut tables = [[0_u16; 256]; 3];
    let mut bits = 1_u16;
    let mut kinds: &[[&[u8]; 3]] = &KINDS;
    while let [kind, others @ ..] = kinds {
        set(&mut tables[0], kind[0], bits);
        set(&mut tables[1], kind[1], bits);
        set(&mut tables[2], kind[2], bits);
        bits = bits.wrapping_shl(1);
        kinds = others;
    }
    tables
}

const fn set(table: &mut [u16; 256], bytes: &[u8], bits: u16) {
    let mut rest = bytes;
    while let [byte, others @ ..] = rest {
        #[expect(clippy::as_conversions, reason = "u8 to usize in a const fn")]
        let row = *byte as usize;
        table[row] |= bits;
        rest = others;
    }
}

/// The next place at or after `from` where a secret, or a name of one, could begin.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<usize> {
    const LANES: usize = 8;
    let mut rest = bytes.get(from..)?;
    let mut at = from;
    // Eight places a round and one branch: three loads a byte, none waiting for another.
    while let Some(block) = rest.first_chunk::<{ LANES + 2 }>() {
        let mut any = 0;
        for lane in 0..LANES {
            any |= kinds(block[lane], block[lane + 1], block[lane + 2]);
        }
        if any != 0 {
            break;
        }
        rest = rest.get(LANES..)?;
        at += LANES;
    }
    rest.windows(3)
        .position(|w| matches!(w, [a, b, c] if kinds(*a, *b, *c) != 0))
        .map(|place| at + place)
}

fn kinds(first: u8, second: u8, third: u8) -> u16 {
    TABLES[0][usize::from(first)] & TABLES[1][usize::from(second)] & TABLES[2][usize::from(third)]
}
