//! The order to end streams in flight.
//!
//! Decides what the order's fields mean. Which streams have them is `proxy::answers`' to know.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::json;

use super::ask::{Ask, Fields};
use super::invalid;
use crate::policy::Denial;
use crate::proxy::Answer;
use crate::proxy::answers::streams::Filter;

/// `POST /internal/security/terminate-streams`: by key, model, provider and client address, all
/// that are named; without any, all streams.
pub(super) fn terminate(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    let filter = Filter {
        key: fields.text(&["key", "key_id"])?,
        model: fields.text(&["model"])?,
        provider: fields.text(&["provider"])?,
        ip: match fields.text(&["ip"])? {
            Some(text) => Some(network(&text)?),
            None => None,
        },
    };
    let reason = fields.text(&["reason"])?.unwrap_or_default();
    fields.done()?;
    let in_flight = ask.control.streams.len();
    let told = ask.control.streams.terminate(&filter);
    let count = told.to_string();
    let ip = filter.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let named =
        |name: &'static str, value: &Option<String>| (name, value.clone().unwrap_or_default());
    let named = [
        named("key", &filter.key),
        named("model", &filter.model),
        named("provider", &filter.provider),
        ("ip", ip),
        ("terminated", count),
        ("note", reason),
    ];
    let details: Vec<(&'static str, &str)> = named
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    ask.control
        .acted(ask, "terminate_streams", "applied", &details);
    Ok(Answer::json(
        200,
        &json!({"status": "terminated", "terminated": told, "streams": in_flight}),
    ))
}

fn network(text: &str) -> Result<IpNet, Denial> {
    let network = text.parse::<IpNet>().ok();
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    network.or_else(address).ok_or_else(|| {
        let problem = "`ip` takes an address such as 192.0.2.7, or a network such as 192.0.2.0/24.";
        invalid(Some("ip"), problem)
    })
}
