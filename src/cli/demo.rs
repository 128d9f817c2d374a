//! `portcullis demo`: the whole gateway on the embedded provider, with no file at all.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use clap::Args;

use super::run::serve_reviewed;
use crate::config::fault::Fault;
use crate::config::{self, FileContent, Resolve, Reviewed, SourceInfo, Unreadable};
use crate::identify::keys;
use crate::policy::secret::Secret;
use crate::runtime::files::Files;
use crate::runtime::reload::Source;
use crate::runtime::serve::Start;

/// Arguments of `portcullis demo`.
#[derive(Debug, Clone, Args)]
pub(super) struct DemoArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
}

/// The demo's world: one key, and no file.
struct OneKey(Secret);

impl Resolve for OneKey {
    fn env(&self, name: &str) -> Option<String> {
        (name == "API_KEY").then(|| self.0.expose().to_owned())
    }

    fn read(&self, _path: &Path) -> Result<FileContent, Unreadable> {
        Err(Unreadable::Missing)
    }
}

/// Prints a fresh key and a line that works, then serves until a signal ends it.
pub(super) fn run(args: &DemoArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let world = OneKey(keys::mint(&random));
    random.fill(0);
    let reviewed = match config::review(&configuration(args.listen), &source(), &world) {
        Ok(reviewed) => reviewed,
        Err(faults) => {
            for fault in &faults {
                writeln!(err, "{fault}")?;
            }
            return Ok(2);
        }
    };
    introduce(args.listen, &world.0, out)?;
    let source = Source {
        load: Box::new(no_file),
        files: Files::default(),
    };
    serve_reviewed(reviewed, (Start::Anew, source), err)
}

/// What a reload of the demo finds.
fn no_file() -> Result<Reviewed, Vec<Fault>> {
    let problem = "the demo has no configuration file that could be loaded anew";
    let remedy = "write one (conf/minimal.yaml is a start) and use `portcullis run -c FILE`";
    Err(vec![Fault::of_file("demo", problem, remedy)])
}

fn source() -> SourceInfo {
    SourceInfo {
        file: "demo".to_owned(),
        base: std::path::PathBuf::from("."),
        mode: None,
    }
}

fn configuration(listen: SocketAddr) -> String {
    format!(
        "server: {{listeners: [{{address: \"{listen}\"}}]}}\n\
         providers: [{{name: echo, api: echo}}]\n\
         routes: [{{models: [echo, \"*\"], providers: [echo]}}]\n\
         rate_limits: {{per_ip: null, per_key: {{rate: 1000000/minute, burst: 100000}}}}\n"
    )
}

fn introduce(listen: SocketAddr, key: &Secret, out: &mut dyn Write) -> io::Result<()> {
    let at = reachable(listen);
    let key = key.expose();
    writeln!(
        out,
        "Portcullis listens on http://{at} and answers with an embedded echo provider.\n\
         The key of this run, shown once and stored nowhere:\n\n    {key}\n\nTry it:\n\n\
         curl http://{at}/v1/chat/completions \
         -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
         -d '{{\"model\": \"echo\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n\n\
         Stop it with Ctrl-C."
    )?;
    out.flush()
}

/// The address under which a client on this host reaches the listener.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_configuration_is_valid_and_asks_for_its_key() {
        let world = OneKey(keys::mint(&[7; 32]));
        let listen = "127.0.0.1:8000".parse().unwrap();
        let policy = config::load(&configuration(listen), &source(), &world).unwrap();
        let key = world.0.expose().as_bytes();
        assert!(
            policy.auth.keys.find(key, 1).is_ok(),
            "the printed key opens the door"
        );
        assert!(
            policy.auth.keys.find(b"another", 1).is_err(),
            "another one does not"
        );
    }

    #[test]
    fn the_line_that_is_printed_names_an_address_that_can_be_reached() {
        for (listen, shown) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("0.0.0.0:9000", "127.0.0.1:9000"),
            ("[::]:9000", "[::1]:9000"),
        ] {
            let mut out = Vec::new();
            introduce(listen.parse().unwrap(), &keys::mint(&[1; 32]), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.contains(&format!("curl http://{shown}/v1/chat")),
                "{listen}: {text}"
            );
        }
    }
}
