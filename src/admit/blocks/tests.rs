//! Blocks against a list that is searched from end to end, and at their bounds.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(seconds))
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn operator() -> By {
    By::Operator("ops".into())
}

#[test]
fn a_block_holds_until_it_ends_and_only_for_its_addresses() {
    let blocks = Blocks::default();
    for (text, end) in [
        ("192.0.2.1/32", Some(at(10))),
        ("198.51.100.0/24", Some(at(20))),
        ("2001:db8:1::/64", None),
        ("2001:db8:2::/48", Some(at(10))),
        ("2001:db8:3::7/128", Some(at(10))),
        ("::ffff:203.0.113.0/120", Some(at(10))),
    ] {
        blocks
            .block(net(text), "test", end, operator(), at(0))
            .unwrap();
    }
    for (address, second, blocked) in [
        ("192.0.2.1", 9, true),
        ("::ffff:192.0.2.1", 9, true),
        ("192.0.2.1", 10, false),
        ("192.0.2.2", 9, false),
        ("198.51.100.255", 19, true),
        ("198.51.101.0", 19, false),
        ("2001:db8:1::abcd:1", 1_000_000, true),
        ("2001:db8:1:1::1", 0, false),
        ("2001:db8:2:ffff::1", 9, true),
        ("2001:db8:3::7", 9, true),
        ("2001:db8:3::8", 9, false),
        ("203.0.113.77", 9, true),
    ] {
        let found = blocks.is_blocked(address.parse().unwrap(), at(second));
        assert_eq!(found.is_some(), blocked, "{address} at {second}");
    }
    assert_eq!(blocks.len(at(0)), 6, "all hold at first");
    assert_eq!(blocks.len(at(15)), 2, "ended blocks are not counted");
    blocks.sweep(at(15));
    assert_eq!(blocks.list(at(0)).len(), 2, "and are dropped by a sweep");
}

#[test]
fn a_lifted_block_is_gone_and_lifting_says_whether_there_was_one() {
    let blocks = Blocks::default();
    for text in ["192.0.2.1/32", "198.51.100.0/24"] {
        blocks
            .block(net(text), "test", None, operator(), at(0))
            .unwrap();
        assert!(blocks.unblock(net(text), at(1)), "{text} was blocked");
        assert!(!blocks.unblock(net(text), at(1)), "{text} is not any more");
        let address = net(text).addr();
        assert_eq!(blocks.is_blocked(address, at(1)), None, "{text} is free");
    }
    assert!(blocks.is_empty(at(1)), "nothing is left");
}

#[test]
fn the_gateways_own_blocks_never_shorten_one_and_an_operators_replaces_it() {
    let blocks = Blocks::default();
    let one = net("192.0.2.1/32");
    let until = || blocks.list(at(0)).first().unwrap().until;
    blocks.block(one, "long", None, operator(), at(0)).unwrap();
    blocks
        .block(one, "short", Some(at(5)), By::BruteForce, at(0))
        .unwrap();
    assert_eq!(until(), None, "the longer block stays");
    blocks
        .block(one, "short", Some(at(5)), operator(), at(0))
        .unwrap();
    assert_eq!(until(), Some(at(5)), "an operator's word counts");
    blocks
        .block(one, "longer", Some(at(9)), By::Limits, at(0))
        .unwrap();
    assert_eq!(until(), Some(at(9)), "a longer one lengthens it");
}

#[test]
fn a_flood_of_addresses_lifts_no_block_and_an_operator_still_finds_a_place() {
    let blocks = Blocks::new(100);
    let address = |number: u32| IpAddr::from(number.to_be_bytes());
    for number in 0..100 {
        let block = blocks.block_client(address(number), "x", at(10), By::Limits, at(0));
        assert_eq!(block, Ok(()), "client {number} has a place");
    }
    let refused = blocks.block_client(address(100), "x", at(10), By::Limits, at(0));
    assert_eq!(refused, Err(Full), "one more has none");
    assert_eq!(blocks.turned_away(), 1, "and is counted");
    let held = (0..100).filter(|number| blocks.is_blocked(address(*number), at(9)).is_some());
    assert_eq!(held.count(), 100, "nobody was let go for it");
    let by_operator = Client::of(address(101)).network();
    assert_eq!(
        blocks.block(by_operator, "x", None, operator(), at(0)),
        Ok(()),
        "an operator's block has a place"
    );
    assert!(blocks.is_blocked(address(101), at(0)).is_some(), "it holds");
    assert!(blocks.unblock(by_operator, at(0)), "and can be lifted");
    let later = blocks.block_client(address(100), "x", at(20), By::Limits, at(10));
    assert_eq!(later, Ok(()), "ended blocks make room");
}

#[test]
fn networks_are_bounded() {
    let blocks = Blocks::default();
    let network = |number: usize| {
        let bits = u32::try_from(number).unwrap() << 8;
        IpNet::new(IpAddr::from(bits.to_be_bytes()), 24).unwrap()
    };
    for number in 0..MAX_NETWORKS {
        let block = blocks.block(network(number), "x", None, operator(), at(0));
        assert_eq!(block, Ok(()), "network {number} has a place");
    }
    let refused = blocks.block(network(MAX_NETWORKS), "x", None, operator(), at(0));
    assert_eq!(refused, Err(Full), "one more has none");
    let again = blocks.block(network(0), "y", Some(at(9)), operator(), at(0));
    assert_eq!(again, Ok(()), "one that is there can be changed");
}

#[test]
fn changes_made_here_are_kept_for_others_and_adopted_ones_are_not() {
    let blocks = Blocks::default();
    let one = net("192.0.2.1/32");
    blocks.block(one, "x", None, operator(), at(0)).unwrap();
    assert_eq!(blocks.take_changes(), [], "nobody asked for them");
    blocks.keep_changes();
    blocks.block(one, "x", None, operator(), at(0)).unwrap();
    blocks.unblock(one, at(0));
    let block = Block {
        network: one,
        reason: "x".into(),
        by: By::Limits,
        since: at(0),
        until: None,
    };
    blocks.adopt(block, at(0)).unwrap();
    blocks.forget(one, at(0));
    let changes = blocks.take_changes();
    assert!(
        matches!(&*changes, [Change::Blocked(_), Change::Lifted(_)]),
        "own changes, in order: {changes:?}"
    );
}

#[test]
fn reasons_are_cut_at_a_character() {
    let blocks = Blocks::default();
    let long = "ä".repeat(MAX_REASON);
    blocks
        .block(net("192.0.2.1/32"), &long, None, operator(), at(0))
        .unwrap();
    let kept = &blocks.list(at(0)).first().unwrap().reason.clone();
    assert_eq!(kept.len(), MAX_REASON, "to the byte, as ä is two");
}

fn networks() -> impl Strategy<Value = IpNet> {
    let four = (0_u32..64, 24_u8..=32)
        .prop_map(|(host, length)| IpNet::new(IpAddr::from((host << 3).to_be_bytes()), length));
    let six = (0_u128..64, 56_u8..=72)
        .prop_map(|(host, length)| IpNet::new(IpAddr::from((host << 60).to_be_bytes()), length));
    prop_oneof![four, six].prop_map(|network| network.unwrap())
}

proptest! {
    #[test]
    fn the_table_agrees_with_a_list_that_is_searched_from_end_to_end(
        written in prop::collection::vec((networks(), any::<bool>(), 1_u64..20), 1..30),
        asked in prop::collection::vec((networks(), 0_u64..20), 1..30),
    ) {
        let blocks = Blocks::default();
        let mut list: Vec<(IpNet, Moment)> = Vec::new();
        for (network, block, end) in written {
            let network = network.trunc();
            list.retain(|(standing, _)| *standing != network);
            if block {
                blocks.block(network, "x", Some(at(end)), operator(), at(0)).unwrap();
                list.push((network, at(end)));
            } else {
                blocks.unblock(network, at(0));
            }
        }
        for (network, second) in asked {
            let address = network.addr();
            let expected = list
                .iter()
                .any(|(standing, end)| standing.contains(&address) && at(second) < *end);
            let found = blocks.is_blocked(address, at(second));
            prop_assert_eq!(found.is_some(), expected, "{} at {}", address, second);
        }
    }
}
