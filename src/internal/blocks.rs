//! Addresses and networks that operators send away, and let back in.
//!
//! Decides what the orders mean: an address or a network, why, for how long. The blocks themselves
//! are the ledger's, and hold for the next request. A block of everyone is refused; it would be
//! a way to lose the gateway.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::invalid;
use crate::admit::blocks::{Block, By};
use crate::policy::Denial;
use crate::policy::overlay::moment;
use crate::proxy::Answer;

/// `POST …/block-ip`.
pub(super) fn block(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let network = network(&mut fields)?;
    let reason = fields.text(&["reason"])?;
    let duration = fields.duration(super::DURATION)?;
    fields.done()?;
    if network.prefix_len() == 0 {
        return Err(invalid(Some("ip"), "This would block everyone."));
    }
    let reason = reason.unwrap_or_else(|| "blocked by an operator".to_owned());
    let until = duration.map(|duration| ask.moment.after(duration));
    let by = By::Operator(ask.actor.id.clone());
    ask.control
        .ledger
        .blocks
        .block(network, &reason, until, by, ask.moment)
        .map_err(|full| {
            log::error!("{network} can't be blocked: {full}");
            Denial::Overloaded
        })?;
    let until = duration
        .and_then(|duration| ask.now.checked_add(duration))
        .and_then(moment);
    let shown = network.to_string();
    ask.control.acted(
        ask,
        "block_ip",
        "applied",
        &[
            ("network", &shown),
            ("until", until.as_deref().unwrap_or("undone")),
            ("note", &reason),
        ],
    );
    Ok(Answer::json(
        200,
        &json!({
            "status": "blocked",
            "ip": named(network),
            "network": shown,
            "reason": reason,
            "until": until,
        }),
    ))
}

/// `POST …/unblock-ip`.
pub(super) fn unblock(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let network = network(&mut fields)?;
    let reason = fields.text(&["reason"])?.unwrap_or_default();
    fields.done()?;
    let was_blocked = ask.control.ledger.blocks.unblock(network, ask.moment);
    let shown = network.to_string();
    ask.control.acted(
        ask,
        "unblock_ip",
        "applied",
        &[("network", &shown), ("note", &reason)],
    );
    Ok(Answer::json(
        200,
        &json!({
            "status": "unblocked",
            "ip": named(network),
            "network": shown,
            "was_blocked": was_blocked,
        }),
    ))
}

/// `GET /internal/security/blocks`.
pub(super) fn list(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let blocks = ask.control.ledger.blocks.list(ask.moment);
    let shown: Vec<Value> = blocks
        .iter()
        .take(MOST_SHOWN)
        .map(|one| shown(ask, one))
        .collect();
    Ok(Answer::json(
        200,
        &json!({"status": "ok", "count": blocks.len(), "blocks": shown}),
    ))
}

/// Blocks that one answer lists.
const MOST_SHOWN: usize = 1_000;

/// A block as it is shown, its moments as times of day.
pub(super) fn shown(ask: &Ask, block: &Block) -> Value {
    let left = block.until.map(|until| until.since(ask.moment));
    let held = ask.moment.since(block.since);
    let until = left
        .and_then(|left| ask.now.checked_add(left))
        .and_then(moment);
    json!({
        "ip": named(block.network),
        "network": block.network.to_string(),
        "reason": block.reason,
        "by": block.by.to_string(),
        "since": ask.now.checked_sub(held).and_then(moment),
        "until": until,
        "seconds_left": left.as_ref().map(Duration::as_secs),
    })
}

/// Lifts what operators have blocked; answers how many blocks that were.
pub(super) fn lift_all(ask: &Ask) -> usize {
    let blocks = &ask.control.ledger.blocks;
    let all = blocks.list(ask.moment);
    let ordered = all
        .iter()
        .filter(|block| matches!(block.by, By::Operator(_)));
    ordered
        .filter(|block| blocks.unblock(block.network, ask.moment))
        .count()
}

fn network(fields: &mut Fields) -> Result<IpNet, Denial> {
    let text = fields.text(&["ip", "ip_address", "cidr", "network"])?;
    let text = text.ok_or_else(|| invalid(Some("ip"), "`ip` is missing."))?;
    let network = text.parse::<IpNet>().ok();
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    network.or_else(address).ok_or_else(|| {
        let problem = "`ip` takes an address such as 192.0.2.7, or a network such as 192.0.2.0/24.";
        invalid(Some("ip"), problem)
    })
}

/// A network of one address by that address, as whoever blocked it wrote it.
fn named(network: IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}
