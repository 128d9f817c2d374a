//! Providers as operators see them, and orders to drain or force their endpoints.
//!
//! Decides the shape of the answers, and which endpoint an order means. An order is an emergency
//! measure like any other: it holds for the next call, over reloads and upgrades, until it is
//! released, reset or over. Calls in flight at a drained endpoint go on.

use serde_json::{Value, json};

use super::ask::{Ask, Fields};
use super::{emergency, invalid};
use crate::policy::overlay::{Change, Measure};
use crate::policy::{Denial, EndpointOrder, Provider};
use crate::proxy::Answer;
use crate::route::Target;
use crate::route::fleet::ProviderReport;
use crate::route::live::{Glance, Order};
use crate::runtime::clock;

/// `GET /internal/monitoring/providers`.
pub(super) fn show(ask: &Ask, fields: Fields) -> Result<Answer, Denial> {
    fields.done()?;
    let reports = ask.snapshot.report(clock::uptime());
    let all = ask.snapshot.policy.providers.iter().zip(&reports);
    let shown: Vec<Value> = all
        .enumerate()
        .map(|(index, (one, report))| provider(ask, index, one, report))
        .collect();
    let well = |report: &ProviderReport<'_>| report.endpoints.iter().any(|(_, one)| one.healthy);
    let all_well =
        |report: &ProviderReport<'_>| report.endpoints.iter().all(|(_, one)| one.healthy);
    let status = match (reports.iter().all(all_well), reports.iter().any(well)) {
        (true, _) => "healthy",
        (false, true) => "degraded",
        (false, false) => "down",
    };
    Ok(Answer::json(
        200,
        &json!({"status": status, "count": shown.len(), "providers": shown}),
    ))
}

fn provider(ask: &Ask, index: usize, one: &Provider, report: &ProviderReport<'_>) -> Value {
    let now = clock::uptime();
    let live = ask.snapshot.view.provider(index);
    let waiting = ask.snapshot.turnstiles.get(index);
    let healthy = report.endpoints.iter().filter(|(_, one)| one.healthy);
    let healthy = healthy.count();
    let in_flight = report.endpoints.iter().map(|(_, one)| one.in_flight);
    let endpoints: Vec<Value> = report
        .endpoints
        .iter()
        .enumerate()
        .map(|(place, (_, glance))| endpoint(ask, one, (index, place), glance))
        .collect();
    json!({
        "name": one.name.as_str(),
        "api": one.api.as_str(),
        "status": match healthy {
            0 => "down",
            some if some == endpoints.len() => "healthy",
            _ => "degraded",
        },
        "circuit": report.circuit.as_str(),
        "healthy_endpoints": healthy,
        "in_flight": in_flight.fold(0_u32, u32::saturating_add),
        "waiting": waiting.map_or(0, |one| one.waiting()),
        "keys": {
            "count": one.api_keys.len(),
            "spent": live.map_or(0, |live| live.spent_keys(now)),
        },
        "retries_left": live.map_or(0, |live| live.budget.left()),
        "endpoints": endpoints,
    })
}

fn endpoint(ask: &Ask, one: &Provider, (index, place): (usize, usize), glance: &Glance) -> Value {
    let target = Target {
        provider: index,
        endpoint: place,
    };
    let Some(named) = one.endpoints.get(place) else {
        return Value::Null;
    };
    json!({
        "endpoint": named.label(),
        "url": named.url(),
        "host": named.host,
        "port": named.port,
        "tls": named.tls,
        "weight": named.weight,
        "resolved": ask.snapshot.is_reachable(target),
        "healthy": glance.healthy,
        "circuit": glance.circuit.as_str(),
        "order": glance.order.as_str(),
        "in_flight": glance.in_flight,
        "latency_ms": glance.latency.as_secs_f64() * 1e3,
    })
}

/// `POST /internal/providers/order`: `{provider, endpoint?, action: drain|force|release}`.
/// Without an endpoint it is about all of the provider's.
pub(super) fn order(ask: &Ask, mut fields: Fields) -> Result<Answer, Denial> {
    const ACTIONS: &str = "`action` takes \"drain\", \"force\" or \"release\".";
    let name = fields.text(&["provider"])?;
    let endpoint = fields.text(&["endpoint"])?;
    let action = fields.text(&["action"])?;
    let wanted = match action.as_deref() {
        Some("drain") => Order::Drain,
        Some("force") => Order::Force,
        Some("release") => Order::Auto,
        Some(_) | None => return Err(invalid(Some("action"), ACTIONS)),
    };
    let name = named(ask, name.as_deref(), endpoint.as_deref(), wanted)?;
    let endpoint = endpoint.map(String::into_boxed_str);
    if wanted == Order::Auto {
        return release(ask, fields, &name, endpoint.as_deref());
    }
    let change = EndpointOrder {
        provider: name,
        endpoint,
        order: wanted,
    };
    emergency::order(ask, fields, Change::Endpoint(change))
}

/// The provider, if it and its endpoint are there. What is there no more can still be released.
fn named(
    ask: &Ask,
    name: Option<&str>,
    endpoint: Option<&str>,
    wanted: Order,
) -> Result<Box<str>, Denial> {
    let name = name.ok_or_else(|| invalid(Some("provider"), "Write the provider's name."))?;
    if wanted == Order::Auto {
        return Ok(name.into());
    }
    let mut providers = ask.snapshot.policy.providers.iter();
    let Some(provider) = providers.find(|one| one.name.as_str() == name) else {
        return Err(invalid(Some("provider"), "There is no such provider."));
    };
    let there = |endpoint: &str| provider.endpoints.iter().any(|one| one.is_called(endpoint));
    if endpoint.is_none_or(there) {
        return Ok(name.into());
    }
    let problem = "This provider has no such endpoint; write it as \
                   /internal/monitoring/providers shows it.";
    Err(invalid(Some("endpoint"), problem))
}

fn release(
    ask: &Ask,
    mut fields: Fields,
    provider: &str,
    endpoint: Option<&str>,
) -> Result<Answer, Denial> {
    fields.text(&["reason"])?;
    fields.done()?;
    let undone = emergency::change(ask, |overlay| overlay.release(provider, endpoint))?;
    for measure in &undone {
        emergency::tell(ask, "emergency_undone", measure);
    }
    let shown: Vec<_> = undone.iter().map(Measure::shown).collect();
    Ok(Answer::json(
        200,
        &json!({"status": "released", "undone": shown}),
    ))
}
