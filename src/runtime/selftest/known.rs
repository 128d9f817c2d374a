//! What is known of the configuration of the gateway that is tried.
//!
//! Decides from the view that `/internal/config` gives to who may see it. Without it nothing is
//! known to be off, so that a control that does not act counts as one that should.

use serde_json::Value;

use crate::route::pattern::Pattern;

/// A name that no provider has, for routes that take any.
const ANY: &str = "portcullis-selftest";

/// What is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(Option<Value>);

impl Known {
    /// Knows this configuration.
    pub(crate) const fn of(config: Value) -> Self {
        Self(Some(config))
    }

    /// Whether anything is known.
    pub(crate) const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The value at a place such as `/inspection/request/pii`.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.as_ref()?.pointer(pointer)
    }

    /// The word at a place.
    pub(super) fn word(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// Whether it is known that nothing stands at a place.
    pub(super) fn is_null(&self, pointer: &str) -> bool {
        self.is_there() && self.at(pointer).is_none_or(Value::is_null)
    }

    /// A model that the embedded provider alone serves, whoever asks.
    pub(crate) fn embedded_model(&self) -> Option<String> {
        let routes = self.at("/routes")?.as_array()?;
        for (place, route) in routes.iter().enumerate() {
            if !self.is_embedded(route) || !is_open(route) {
                continue;
            }
            let earlier = routes.get(..place).unwrap_or_default();
            let model = models(route).find_map(|pattern| {
                // A name that the pattern takes: `gpt-*` takes `gpt-portcullis-selftest`.
                let name = pattern.replace('*', ANY);
                let taken = earlier.iter().flat_map(models);
                let mut taken = taken.filter_map(|other| other.parse::<Pattern>().ok());
                let free = !taken.any(|other| other.matches(&name));
                free.then_some(name)
            });
            if model.is_some() {
                return model;
            }
        }
        None
    }

    /// Whether no provider of a route is anything but embedded.
    fn is_embedded(&self, route: &Value) -> bool {
        let all = self.at("/providers").and_then(Value::as_array);
        let embedded = |name: &str| {
            let mut all = all.into_iter().flatten();
            let own =
                all.find(|provider| provider.get("name").and_then(Value::as_str) == Some(name));
            own.and_then(|provider| provider.get("api")) == Some(&Value::from("echo"))
        };
        let named = route.get("providers").and_then(Value::as_array);
        let mut named = named
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .peekable();
        named.peek().is_some() && named.all(embedded)
    }
}

fn models(route: &Value) -> impl Iterator<Item = &str> {
    let models = route.get("models").and_then(Value::as_array);
    models.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a route takes any caller, path and header.
fn is_open(route: &Value) -> bool {
    let empty = |name: &str| match route.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Array(all)) => all.is_empty(),
        Some(Value::Object(all)) => all.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    };
    ["keys", "paths", "headers"].into_iter().all(empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model(routes: &Value) -> Option<String> {
        let providers = json!([{"name": "paid", "api": "openai"}, {"name": "own", "api": "echo"}]);
        Known::of(json!({"providers": providers, "routes": routes})).embedded_model()
    }

    #[test]
    fn only_a_model_that_can_not_cost_is_called() {
        for (routes, expected) in [
            (json!([{"models": ["*"], "providers": ["own"]}]), Some(ANY)),
            (
                json!([
                    {"models": ["gpt-*"], "providers": ["paid"]},
                    {"models": ["gpt-4o", "echo"], "providers": ["own"]},
                ]),
                Some("echo"),
            ),
            (
                json!([{"models": ["*"], "providers": ["paid", "own"]}]),
                None,
            ),
            (
                json!([{"models": ["*"], "providers": ["own", "paid"]}]),
                None,
            ),
            (
                json!([
                    {"models": ["*"], "providers": ["paid"]},
                    {"models": ["echo"], "providers": ["own"]},
                ]),
                None,
            ),
            (
                json!([{"models": ["e-*"], "providers": ["own"]}]),
                Some("e-portcullis-selftest"),
            ),
            (
                json!([
                    {"models": ["e-p*"], "providers": ["paid"]},
                    {"models": ["e-*", "own-*"], "providers": ["own"]},
                ]),
                Some("own-portcullis-selftest"),
            ),
            (json!([{"models": ["*"], "providers": []}]), None),
            (json!([{"models": ["*"], "providers": ["gone"]}]), None),
            (
                json!([{"models": ["*"], "providers": ["own"], "keys": ["a"]}]),
                None,
            ),
        ] {
            assert_eq!(model(&routes).as_deref(), expected, "{routes}");
        }
        assert_eq!(Known::default().embedded_model(), None, "nothing is known");
    }
}
