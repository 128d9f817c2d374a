//! The description of the interface, held against what a running gateway answers.

use serde_json::{Map, Value, json};

use crate::harness::{ADMIN_KEY, Gateway, Reply, Request, STANDARD_KEY, Upstream};

/// The document of a gateway.
pub(super) async fn document(gateway: &Gateway) -> Value {
    let reply = gateway
        .send(&Request::get("/internal/openapi.json").key(ADMIN_KEY))
        .await;
    reply.assert_fine("the document");
    reply.json()
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) described: Value,
}

/// Everything in the document.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let empty = Map::new();
    let paths = document["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, methods) in paths {
        for (method, described) in methods.as_object().unwrap_or(&empty) {
            all.push(Operation {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                described: described.clone(),
            });
        }
    }
    assert!(all.len() > 40, "the document is whole: {}", all.len());
    all
}

impl Operation {
    /// Its path with every free segment filled.
    pub(super) fn filled(&self, with: &str) -> String {
        let segments = self
            .path
            .split('/')
            .map(|one| if one.starts_with('{') { with } else { one });
        segments.collect::<Vec<_>>().join("/")
    }

    /// The shape of its body.
    pub(super) fn body<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let schema = &self.described["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str()?;
        document.pointer(&name[1..])
    }

    /// Fails unless the reply is one that the document tells.
    pub(super) fn assert_told(&self, document: &Value, reply: &Reply) {
        let status = reply.status.to_string();
        let told = &self.described["responses"];
        let answer = told.get(&status).or_else(|| told.get("default"));
        let what = format!("{} {} answers {reply:?}", self.method, self.path);
        let answer = answer.unwrap_or_else(|| panic!("{what}, which is not told"));
        let answer = match answer["$ref"].as_str() {
            Some(name) => &document.pointer(&name[1..]).expect("a response")["content"],
            None => &answer["content"],
        };
        let kind = reply.headers.one("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        if answer.is_null() || answer.get("*/*").is_some() {
            return;
        }
        let content = answer
            .get(kind)
            .unwrap_or_else(|| panic!("{what}: not told as {kind}"));
        if kind == "application/json" {
            let fault = faults(document, &content["schema"], &reply.json());
            assert_eq!(fault, None, "{what}");
        }
    }
}

/// What is wrong with a value, by as much of JSON Schema as the document uses.
fn faults(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return faults(document, document.pointer(&name[1..])?, value);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = any.iter().any(|one| faults(document, one, value).is_none());
        return (!fits).then(|| format!("{value} is none of {any:?}"));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Some(format!("{value} is not {}", schema["const"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{value} is none of {words:?}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec![kind],
    };
    let whole = kind == "integer" && kinds.contains(&"number");
    if !whole && !kinds.contains(&kind) {
        return Some(format!("{value} is no {kinds:?}"));
    }
    if let Some(fields) = value.as_object() {
        let needed = schema["required"].as_array();
        let mut needed = needed.into_iter().flatten().filter_map(Value::as_str);
        if let Some(missing) = needed.find(|name| !fields.contains_key(*name)) {
            return Some(format!("{missing} is missing in {value}"));
        }
        return fields.iter().find_map(|(name, value)| {
            let known = &schema["properties"][name];
            let schema = if known.is_null() {
                &schema["additionalProperties"]
            } else {
                known
            };
            faults(document, schema, value).map(|fault| format!("{name}: {fault}"))
        });
    }
    let items = value.as_array()?;
    items
        .iter()
        .find_map(|item| faults(document, &schema["items"], item))
}

#[tokio::test]
async fn the_checker_of_shapes_finds_what_is_wrong() {
    let schema = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"type": "array", "items": {"enum": ["x", 1]}}, "b": {"type": ["string", "null"]}}});
    for (value, good) in [
        (json!({"a": ["x", 1], "b": null, "c": {}}), true),
        (json!({"a": ["y"]}), false),
        (json!({"b": "b"}), false),
        (json!({"a": [], "b": 1}), false),
        (json!([]), false),
    ] {
        assert_eq!(faults(&schema, &schema, &value).is_none(), good, "{value}");
    }
}

/// A gateway that has something to tell in every list.
async fn eventful(upstream: &Upstream) -> Gateway {
    let gateway = Gateway::builder()
        .provider("mock", "openai", &upstream.url())
        .route("{models: [any, \"*\"], providers: [mock]}")
        .yaml("{server: {trusted_proxies: [127.0.0.0/8]}, logging: {audit_file: audit.jsonl}}")
        .start()
        .await;
    let chat = || crate::harness::chat("any").key(STANDARD_KEY);
    gateway.send(&chat()).await.assert_fine("a call");
    for _ in 0..12 {
        let wrong = crate::harness::chat("any").key("sk-wrong-0123456789abcdef");
        gateway
            .send(&wrong.header("x-forwarded-for", "203.0.113.9"))
            .await;
    }
    gateway
}

#[tokio::test]
async fn answers_have_the_shapes_that_are_told() {
    let upstream = Upstream::start().await;
    let gateway = eventful(&upstream).await;
    let document = document(&gateway).await;
    let (mut looked, mut acted) = (0, 0);
    let all = operations(&document);
    let (orders, looks): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.method == "POST");
    for order in orders {
        let examples = order
            .body(&document)
            .map(|schema| schema["examples"].clone());
        for example in examples.iter().filter_map(Value::as_array).flatten() {
            let request = Request::post(&order.path, example).key(ADMIN_KEY);
            let reply = gateway.send(&request).await;
            order.assert_told(&document, &reply);
            let ours = order.path.starts_with("/internal/");
            assert!(
                !ours || reply.status == 200,
                "{} takes its example: {reply:?}",
                order.path
            );
            acted += 1;
        }
    }
    let measure = json!({"enabled": true});
    gateway
        .send(&Request::post("/internal/security/emergency-mode", &measure).key(ADMIN_KEY))
        .await;
    for look in looks {
        let with = if look.path.ends_with("{id}") {
            "emergency_mode"
        } else {
            "any"
        };
        let request = Request::new(&look.method, &look.filled(with)).key(ADMIN_KEY);
        let reply = gateway.send(&request).await;
        look.assert_told(&document, &reply);
        let ours = !look.path.starts_with("/v1/files") && look.method == "GET";
        assert!(
            !ours || reply.status == 200,
            "{} answers: {reply:?}",
            look.path
        );
        let nobody = gateway
            .send(&Request::new(&look.method, &look.filled(with)))
            .await;
        look.assert_told(&document, &nobody);
        looked += 1;
    }
    assert!(
        looked > 25 && acted > 15,
        "everything was asked: {looked}, {acted}"
    );
}
