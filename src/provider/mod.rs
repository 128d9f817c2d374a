//! Where things lie on the wires of the providers, and the one provider that is embedded.
//!
//! Decides which header carries the gateway's own key towards each API ([`wire`]), how a
//! provider calls a model ([`rename`]), when it says to come back ([`retry_after`]), how it is
//! asked for what a stream used ([`usage`]), how a conversation is said in another API's words
//! ([`translate`]) and what the embedded provider answers ([`echo`]). It never connects, reads a
//! clock or picks a provider;
//! which one is called is `route`'s matter. It may miss what providers add to their APIs: fields
//! that are not named here pass through, or are ignored by `echo`.

pub mod echo;
pub mod rename;
pub mod retry_after;
pub(crate) mod top;
pub mod translate;
pub mod usage;
pub mod wire;
