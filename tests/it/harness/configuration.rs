//! The configuration of one test: providers, routes and keys, written as the files that the
//! gateway reads.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_yaml::Value as Yaml;
use sha2::{Digest as _, Sha256};

/// The key that the generated configuration holds for its mock providers.
pub(crate) const PROVIDER_KEY: &str = "sk-provider-0123456789abcdef";

/// One record of a keys file.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Its id.
    pub(crate) id: &'static str,
    /// The secret itself; only its hash is written.
    pub(crate) secret: &'static str,
    /// Its role.
    pub(crate) role: &'static str,
    /// Further fields, as a YAML mapping in braces.
    pub(crate) limits: &'static str,
}

/// What a gateway is started with.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    providers: Vec<Yaml>,
    routes: Vec<Yaml>,
    listeners: Vec<Yaml>,
    overlays: Vec<Yaml>,
    keys: Vec<Key>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Builder {
    /// Adds a provider that speaks `api` at `url`.
    pub(crate) fn provider(self, name: &str, api: &str, url: &str) -> Self {
        self.provider_with(name, api, url, "{}")
    }

    /// Adds a provider with further settings, as a YAML mapping.
    pub(crate) fn provider_with(mut self, name: &str, api: &str, url: &str, more: &str) -> Self {
        let text = format!(
            "{{name: {name}, api: {api}, endpoints: [{{url: \"{url}\"}}], api_key: {PROVIDER_KEY}}}"
        );
        let mut provider = yaml(&text);
        merge(&mut provider, yaml(more));
        self.providers.push(provider);
        self
    }

    /// Adds two providers at one address: each path goes to the one whose API it is of, and
    /// streams are not asked what they used, so that bodies can be compared to the byte.
    pub(crate) fn both(self, url: &str) -> Self {
        self.provider_with("mock", "openai", url, "{stream_usage: false}")
            .provider("claude", "anthropic", url)
            .route("{models: [\"*\"], paths: [/v1/messages], providers: [claude]}")
            .route("{models: [\"*\"], providers: [mock]}")
    }

    /// Adds the provider inside the gateway.
    pub(crate) fn echo(mut self, name: &str) -> Self {
        self.providers
            .push(yaml(&format!("{{name: {name}, api: echo}}")));
        self
    }

    /// Adds a route, as a YAML mapping. Without any there is one for all models over all
    /// providers, in their order.
    pub(crate) fn route(mut self, text: &str) -> Self {
        self.routes.push(yaml(text));
        self
    }

    /// Adds a listener beside the one that tests talk to, as a YAML mapping.
    pub(crate) fn listener(mut self, text: &str) -> Self {
        self.listeners.push(yaml(text));
        self
    }

    /// Lays further configuration over the generated one, mapping by mapping.
    pub(crate) fn yaml(mut self, text: &str) -> Self {
        self.overlays.push(yaml(text));
        self
    }

    /// Adds a record to the keys file.
    pub(crate) fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the configuration and the keys file; answers the configuration's path.
    pub(crate) fn write(&self, directory: &Path, address: SocketAddr) -> PathBuf {
        let log = directory.join("gateway.log");
        // Bodies of tests are larger than what people write, and wrong keys more frequent.
        let mut configuration = yaml(&format!(
            "server: {{workers: 2}}\n\
             auth: {{brute_force: {{failures: 1000000, within: 5m, block_for: 1h}}}}\ninspection: {{request: {{max_text_chars: 10000000}}}}\n\
             logging: {{level: info, format: json, file: {}}}\n\
             rate_limits: {{per_ip: null, per_key: null, concurrent_requests: null, block: null}}",
            log.display()
        ));
        if !self.keys.is_empty() {
            let path = directory.join("keys.yaml");
            write_private(&path, &self.keys_file());
            configuration["auth"]["keys_file"] = Yaml::from(path.display().to_string());
        }
        let mut listeners = vec![yaml(&format!("address: \"{address}\""))];
        listeners.extend(self.listeners.iter().cloned());
        configuration["server"]["listeners"] = Yaml::Sequence(listeners);
        configuration["providers"] = Yaml::Sequence(self.providers.clone());
        configuration["routes"] = Yaml::Sequence(self.all_routes());
        for overlay in &self.overlays {
            merge(&mut configuration, overlay.clone());
        }
        let path = directory.join("portcullis.yaml");
        let text = serde_yaml::to_string(&configuration).expect("a configuration is YAML");
        std::fs::write(&path, text).expect("the configuration");
        path
    }

    fn all_routes(&self) -> Vec<Yaml> {
        if !self.routes.is_empty() {
            return self.routes.clone();
        }
        let names: Vec<&str> = self
            .providers
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        vec![yaml(&format!(
            "{{models: [\"*\"], providers: [{}]}}",
            names.join(", ")
        ))]
    }

    fn keys_file(&self) -> String {
        let mut text = String::from("keys:\n");
        for key in &self.keys {
            let hash = hex(&Sha256::digest(key.secret.as_bytes()));
            let record = format!(
                "{{id: {}, hash: \"sha256:{hash}\", role: {}}}",
                key.id, key.role
            );
            let mut record = yaml(&record);
            merge(&mut record, yaml(key.limits));
            let line = serde_json::to_string(&record).expect("a record is JSON");
            writeln!(text, "  - {line}").expect("a String takes text");
        }
        text
    }
}

/// Writes a file that nobody else may read: a keys file of another kind is refused.
pub(crate) fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("its mode");
}

/// The text of a configuration with some of it changed.
pub(crate) fn changed(text: &str, overlay: &str) -> String {
    let mut configuration = yaml(text);
    merge(&mut configuration, yaml(overlay));
    serde_yaml::to_string(&configuration).expect("a configuration is YAML")
}

fn yaml(text: &str) -> Yaml {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// Lays `over` over `base`: mappings are joined, all else is replaced.
fn merge(base: &mut Yaml, over: Yaml) {
    match (base, over) {
        (Yaml::Mapping(base), Yaml::Mapping(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Yaml::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes text");
        text
    })
}
