//! Listeners that speak TLS, to real clients: versions, certificates, clients' certificates,
//! resumption, deadlines, and the way there from a listener that does not.

mod clients;
mod curl;
mod names;
mod redirect;
mod versions;
pub(crate) mod wire;
