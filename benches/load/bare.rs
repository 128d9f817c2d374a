//! A Pingora that does nothing but forward: the base that Portcullis is measured against.
//!
//! `bare-pingora LISTEN UPSTREAM` (two socket addresses). It decides nothing, checks no key, reads
//! no body and writes no log. One worker thread; every other setting is Pingora's own.

use std::error::Error;
use std::net::SocketAddr;

use async_trait::async_trait;
use pingora::prelude::{HttpPeer, ProxyHttp, Session, http_proxy_service};
use pingora::server::Server;
use pingora::server::configuration::ServerConf;

/// More than there are connections, so that none is opened while the clock runs.
const POOL: usize = 1024;

struct Forward {
    upstream: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Forward {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut (),
    ) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(upstream), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: bare-pingora LISTEN UPSTREAM".into());
    };
    let conf = ServerConf {
        threads: 1,
        upstream_keepalive_pool_size: POOL,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let forward = Forward {
        upstream: upstream.parse()?,
    };
    let mut service = http_proxy_service(&server.configuration, forward);
    service.add_tcp(&listen);
    server.add_service(service);
    server.run_forever()
}
