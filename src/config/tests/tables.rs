//! Wrong texts, how their fault begins, and a word of its remedy.

pub(super) const QUANTITIES: &[(&str, &str, &str)] = &[
    (
        "telemetry: {otlp_endpoint: \"127.0.0.1:4318\"}",
        "x.yaml:1: telemetry.otlp_endpoint: ",
        "http://127.0.0.1:4318",
    ),
    (
        "telemetry: {otlp_endpoint: \"https://me:pass@x\"}",
        "x.yaml:1: telemetry.otlp_endpoint: holds a user name",
        "OTLP",
    ),
    (
        "telemetry: {service_name: \"\"}",
        "x.yaml:1: telemetry.service_name: ",
        "short name",
    ),
    (
        "server: {timeouts: {keepalive: 30}}",
        "x.yaml:1: server.timeouts.keepalive: ",
        "is a number",
    ),
    (
        "server: {timeouts: {keepalive: soon}}",
        "x.yaml:1: server.timeouts.keepalive: `soon` is not a duration; ",
        "30s",
    ),
    (
        "server: {shutdown: {drain: 0s}}",
        "x.yaml:1: server.shutdown.drain: ",
        "more than",
    ),
    (
        "size_limits:\n  json: 1MB1",
        "x.yaml:2: size_limits.json: `1MB1` is not a size; ",
        "64KiB",
    ),
    (
        "size_limits: {json: 17GiB}",
        "x.yaml:1: size_limits.json: ",
        "16GiB",
    ),
    (
        "size_limits: {paths: {internal: 1KiB}}",
        "x.yaml:1: size_limits.paths.internal: ",
        "/internal/",
    ),
    (
        "server: {limits: {header_bytes: 2MiB}}",
        "x.yaml:1: server.limits.header_bytes: ",
        "at most 1MiB",
    ),
    (
        "server: {limits: {bytes_in_flight: 1KiB}}",
        "x.yaml:1: server.limits.bytes_in_flight: ",
        "size_limits.json",
    ),
    (
        "server: {listeners: [{address: \"localhost:80\"}]}",
        "x.yaml:1: server.listeners[0].address: `localhost:80` ",
        "127.0.0.1:8080",
    ),
    (
        "server:\n  listeners:\n    - address: 127.0.0.1:80\n    - address: 127.0.0.1:80",
        "x.yaml:4: server.listeners[1].address: ",
        "overlaps",
    ),
    (
        "server: {listeners: [{address: \"127.0.0.1:80\", serve: []}]}",
        "x.yaml:1: server.listeners[0].serve: ",
        "api, internal, health",
    ),
    (
        "server: {trusted_proxies: [10.0.0.0/33]}",
        "x.yaml:1: server.trusted_proxies[0]: ",
        "10.0.0.0/8",
    ),
    (
        "auth: {internal_allow: [me]}",
        "x.yaml:1: auth.internal_allow[0]: ",
        "10.0.0.0/8",
    ),
    (
        "auth: {headers: []}",
        "x.yaml:1: auth.headers: ",
        "authorization",
    ),
    (
        "auth: {headers: [Host]}",
        "x.yaml:1: auth.headers[0]: ",
        "x-api-key",
    ),
    (
        "auth: {headers: [a b]}",
        "x.yaml:1: auth.headers[0]: ",
        "x-api-key",
    ),
    (
        "security_headers: {csp: \"a\\nb\"}",
        "x.yaml:1: security_headers.csp: ",
        "null to leave",
    ),
];

pub(super) const UPSTREAM: &[(&str, &str, &str)] = &[
    ("", "x.yaml", "routes: [{models: [\"*\"]"),
    ("# nothing but words\n", "x.yaml", "there is no route"),
    (
        "providers: [{name: a, api: echo}]\nroutes: []\n",
        "x.yaml:2: routes: ",
        "there is no route",
    ),
    (
        "providers:\n  - name: x\n    api: opanai\n",
        "x.yaml:3: providers[0].api: `opanai` ",
        "openai, anthropic, echo",
    ),
    (
        "providers:\n  - {name: a, api: echo}\n  - {name: a, api: echo}\n",
        "x.yaml:3: providers[1].name: ",
        "earlier",
    ),
    (
        "providers: [{name: a b, api: echo}]\n",
        "x.yaml:1: providers[0].name: ",
        "short name",
    ),
    (
        "providers: [{name: a, api: openai}]\n",
        "x.yaml:1: providers[0].endpoints: ",
        "https://api.openai.com",
    ),
    (
        "providers: [{name: a, api: anthropic}]\n",
        "x.yaml:1: providers[0].endpoints: ",
        "https://api.anthropic.com",
    ),
    (
        "providers: [{name: a, api: echo, api_key: \"${K}\"}]\n",
        "x.yaml:1: providers[0].api_key: ",
        "needs no key",
    ),
    (
        "providers: [{name: a, api: echo, endpoints: [{url: \"http://a\"}]}]\n",
        "x.yaml:1: providers[0].endpoints: ",
        "no endpoint",
    ),
    (
        "providers: [{name: a, api: openai, endpoints: [{url: \"http://a\", weight: 0}]}]\n",
        "x.yaml:1: providers[0].endpoints: ",
        "1 to 1000",
    ),
    (
        "providers: [{name: a, api: openai, endpoints: [{url: \"http://a\", weight: 1001}]}]\n",
        "x.yaml:1: providers[0].endpoints[0].weight: ",
        "0 to 1000",
    ),
    (
        "providers: [{name: a, api: echo}]\nroutes: [{models: [x], providers: [b]}]\n",
        "x.yaml:2: routes[0].providers[0]: there is no provider `b`; ",
        "a",
    ),
    (
        "providers: [{name: a, api: echo}]\nroutes: [{models: [], providers: []}]\n",
        "x.yaml:2: routes[0].models: ",
        "[\"*\"]",
    ),
    (
        "providers: [{name: a, api: echo}]\nroutes: [{models: [x], providers: [a, a]}]\n",
        "x.yaml:2: routes[0].providers[1]: ",
        "twice",
    ),
    (
        "routes:\n  - {models: [x], providers: [a], retries: 6}\n",
        "x.yaml:2: routes[0].retries: ",
        "0 to 5",
    ),
    (
        "providers: [{name: a, api: echo}]\ninspection: {request: {mode: stream}}\nroutes: \
             [{models: [x], providers: [a]}]\n",
        "x.yaml:2: inspection.request.mode: ",
        "models: [\"*\"]",
    ),
];

pub(super) const KINDS: &[(&str, &str, &str)] = &[
    (
        "server:\n  workers: many",
        "x.yaml:2: server.workers: is a text; ",
        "a whole number from 0 to 1024",
    ),
    (
        "server: {workers: 2000}",
        "x.yaml:1: server.workers: ",
        "from 0 to 1024",
    ),
    (
        "server: {workers: -1}",
        "x.yaml:1: server.workers: ",
        "0 to 1024",
    ),
    ("server: [a]", "x.yaml:1: server: is a list; ", "a block"),
    (
        "logging:\n  level: inof",
        "x.yaml:2: logging.level: `inof` ",
        "error, warn, info, debug, trace (did you mean `info`?)",
    ),
    (
        "logging: {mask_secrets: maybe}",
        "x.yaml:1: logging.mask_secrets: ",
        "true or false",
    ),
    (
        "logging: {level: }",
        "x.yaml:1: logging.level: is empty; ",
        "one of error",
    ),
    (
        "server:\n  listeners:\n    - serve: [api]",
        "x.yaml:3: server.listeners[0].address: is missing; ",
        "add `address:`",
    ),
    (
        "server:\n  listeners:\n    - address: 127.0.0.1:1\n      serve: [apis]",
        "x.yaml:4: server.listeners[0].serve[0]: `apis` ",
        "did you mean `api`?",
    ),
    (
        "inspection: {request: {max_json_depth: 257}}",
        "x.yaml:1: inspection.request.max_json_depth: ",
        "1 to 256",
    ),
    (
        "inspection: {request: {max_json_depth: 0}}",
        "x.yaml:1: inspection.request.max_json_depth: ",
        "1 to 256",
    ),
    (
        "server: {limits: {headers: 257}}",
        "x.yaml:1: server.limits.headers: ",
        "1 to 256",
    ),
];
