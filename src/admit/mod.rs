//! What may come in: the shape of a request's head, the size of its body, the bytes in flight, and
//! who is sent away.
//!
//! Lives here: checks over heads and lengths, and the counters of the ledger that they need. Must
//! not live here: who is calling (`identify`), what the body says (`inspect`), sockets.

pub mod accounts;
pub mod admission;
pub mod bequest;
pub mod blocks;
pub mod budget;
pub mod client;
pub mod connections;
pub mod failures;
pub mod flights;
pub mod flood;
pub mod frames;
pub mod head;
pub mod leases;
pub mod ledger;
pub mod moment;
pub mod path;
pub mod rate;
pub mod redirect;
pub mod seed;
pub mod size;
pub mod slow;
pub mod table;
pub mod target;
pub mod violations;
pub mod who;
