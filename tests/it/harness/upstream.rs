//! A provider made of plain sockets: it records every request, whole or partial, and answers
//! as its script says. Reading and answering are separate tasks, so that a provider that answers
//! early, late or never still sees what it is sent and when the gateway leaves.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::http1::{Framing, Headers, Piece, Reader};
use super::perform::{Ending, perform};
use super::received::{Arrival, Received, Seen};
use super::replies;
use super::script::{Script, When};
use super::within;

/// What it is to answer.
#[derive(Clone, Debug, Default)]
struct Lines {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    /// How many probes more are answered with a failure.
    ill: Arc<AtomicUsize>,
}

/// A mock provider, alive as long as the value.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    seen: watch::Sender<Seen>,
    lines: Lines,
    accepting: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Upstream {
    /// Starts one on a free port. Without scripts it answers as a provider should.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let seen = watch::Sender::new(Seen::default());
        let lines = Lines::default();
        let accepting = tokio::spawn(accept(listener, seen.clone(), lines.clone()));
        Self {
            address,
            seen,
            lines,
            accepting,
        }
    }

    /// The address for a configuration's `url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Scripts the answer to the next request that has none yet (probes take none).
    pub(crate) fn answer(&self, script: Script) {
        self.lines
            .scripts
            .lock()
            .expect("no test panics with the lock")
            .push_back(script);
    }

    /// The next so many health probes fail.
    pub(crate) fn fail_probes(&self, count: usize) {
        self.lines.ill.store(count, Ordering::Relaxed);
    }

    /// The health probes up to now.
    pub(crate) fn probes(&self) -> Vec<Received> {
        let seen = self.seen.borrow();
        let probes = seen.all.iter().filter(|one| one.is_probe());
        probes.cloned().collect()
    }

    /// Waits for so many health probes.
    pub(crate) async fn wait_probes(&self, count: usize) {
        let mut updates = self.seen.subscribe();
        let enough = |seen: &Seen| seen.all.iter().filter(|one| one.is_probe()).count() >= count;
        let reached = updates.wait_for(enough);
        within("health probes", reached).await.expect("it is alive");
    }

    /// The callers' requests up to now.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.seen.borrow().requests()
    }

    /// How many connections were made up to now.
    pub(crate) fn connections(&self) -> usize {
        self.seen.borrow().connections
    }

    /// Waits until what was seen satisfies `enough`, and returns the callers' requests.
    pub(crate) async fn wait(
        &self,
        what: &str,
        enough: impl Fn(&[Received]) -> bool,
    ) -> Vec<Received> {
        let mut updates = self.seen.subscribe();
        let reached = updates.wait_for(|seen| enough(&seen.requests()));
        within(what, reached)
            .await
            .expect("the provider is alive")
            .requests()
    }

    /// Waits for `count` complete requests, and returns them.
    pub(crate) async fn wait_requests(&self, count: usize) -> Vec<Received> {
        let whole = |one: &&Received| one.arrival == Arrival::Whole;
        let what = format!("{count} complete requests at the provider");
        self.wait(&what, |all| all.iter().filter(whole).count() >= count)
            .await
    }

    /// The only request it ever got.
    pub(crate) fn only_request(&self) -> Received {
        let requests = self.requests();
        assert_eq!(
            requests.len(),
            1,
            "exactly one request reaches the provider: {requests:?}"
        );
        requests.into_iter().next().expect("one request")
    }

    /// Fails the test if anything of a caller's request ever came here.
    pub(crate) fn assert_untouched(&self, why: &str) {
        let requests = self.requests();
        assert!(
            requests.is_empty(),
            "nothing reaches the provider: {why}: {requests:?}"
        );
    }
}

async fn accept(listener: TcpListener, seen: watch::Sender<Seen>, lines: Lines) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.expect("accept");
        socket.set_nodelay(true).expect("no delay");
        let number = seen.borrow().connections;
        seen.send_modify(|seen| seen.connections += 1);
        connections.spawn(serve(socket, number, seen.clone(), lines.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(socket: TcpStream, connection: usize, seen: watch::Sender<Seen>, lines: Lines) {
    let (source, mut sink) = socket.into_split();
    let mut reading = tokio::task::JoinSet::new();
    reading.spawn(record(Reader::new(source), connection, seen.clone()));
    let mut answer = Answering {
        connection,
        seen,
        lines,
    };
    let ending = loop {
        let Some(index) = answer.next_request().await else {
            break Ending::Gone;
        };
        match answer.reply(index, &mut sink).await {
            Ending::Kept => {}
            ending @ (Ending::Gone | Ending::Closed | Ending::Reset) => break ending,
        }
    };
    if ending == Ending::Reset {
        sink.as_ref().set_zero_linger().expect("zero linger");
        sink.forget();
    }
    if ending == Ending::Gone {
        // A write may fail before the reading side has noted that the gateway left.
        while reading.join_next().await.is_some() {}
    }
    reading.shutdown().await;
}

/// Writes down all that arrives on one connection.
async fn record(mut reader: Reader<OwnedReadHalf>, connection: usize, seen: watch::Sender<Seen>) {
    loop {
        let head = match reader.head().await {
            Ok(head) => head,
            Err(partial) => return leave(&seen, connection, partial),
        };
        let framing = Framing::of_request(&Headers::parse(&head));
        let received = fresh(connection, head);
        let mut index = 0;
        seen.send_modify(|seen| {
            index = seen.all.len();
            seen.all.push(received);
        });
        loop {
            match reader.piece(framing).await {
                Piece::Data(data) => {
                    seen.send_modify(|seen| seen.all[index].body.extend_from_slice(&data));
                }
                Piece::End => break,
                Piece::Cut => return leave(&seen, connection, Vec::new()),
            }
        }
        seen.send_modify(|seen| seen.all[index].arrival = Arrival::Whole);
    }
}

fn fresh(connection: usize, head: Vec<u8>) -> Received {
    let (arrival, answered, abandoned) = (Arrival::Open, false, false);
    Received {
        connection,
        head,
        body: Vec::new(),
        arrival,
        answered,
        abandoned,
    }
}

/// Notes that the gateway closed this connection, and what it left unfinished.
fn leave(seen: &watch::Sender<Seen>, connection: usize, partial: Vec<u8>) {
    seen.send_modify(|seen| {
        if !partial.is_empty() {
            seen.all.push(fresh(connection, partial));
        }
        for one in seen
            .all
            .iter_mut()
            .filter(|one| one.connection == connection)
        {
            if one.arrival == Arrival::Open {
                one.arrival = Arrival::Cut;
            }
            one.abandoned = !one.answered;
        }
        seen.gone.push(connection);
    });
}

struct Answering {
    connection: usize,
    seen: watch::Sender<Seen>,
    lines: Lines,
}

impl Answering {
    /// The next request on this connection without an answer; none when the gateway left.
    async fn next_request(&mut self) -> Option<usize> {
        let connection = self.connection;
        let mine = |one: &Received| one.connection == connection && !one.answered;
        let mut updates = self.seen.subscribe();
        let there = |seen: &Seen| seen.all.iter().any(mine) || seen.gone.contains(&connection);
        let seen = updates.wait_for(there).await.ok()?;
        if seen.gone.contains(&connection) {
            return None;
        }
        seen.all.iter().position(mine)
    }

    async fn reply(&mut self, index: usize, sink: &mut OwnedWriteHalf) -> Ending {
        let probe = self.seen.borrow().all[index].is_probe();
        let next = || {
            self.lines
                .scripts
                .lock()
                .expect("no test panics with the lock")
                .pop_front()
        };
        let script = if probe { self.ailing() } else { next() };
        let when = script.as_ref().map_or(When::Whole, |script| script.when);
        if !self.reached(index, when).await {
            return Ending::Gone;
        }
        let script = script.unwrap_or_else(|| replies::natural(&self.seen.borrow().all[index]));
        let mut left = self.seen.subscribe();
        let ending = tokio::select! {
            ending = perform(script.steps, sink) => ending,
            _ = left.wait_for(|seen| seen.gone.contains(&self.connection)) => Ending::Gone,
        };
        if ending != Ending::Gone {
            self.seen
                .send_modify(|seen| seen.all[index].answered = true);
        }
        ending
    }

    /// The failure of a probe, if it is to fail.
    fn ailing(&self) -> Option<Script> {
        let ill = &self.lines.ill;
        let left = ill.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        left.ok().map(|_left| replies::failure(500, "/v1/models"))
    }

    /// Waits until the request has come as far as `when`; false if it never does.
    async fn reached(&self, index: usize, when: When) -> bool {
        let far_enough = |one: &Received| match when {
            When::Head => true,
            When::Body(count) => one.body.len() >= count,
            When::Whole => one.arrival == Arrival::Whole,
        };
        let decided =
            |seen: &Seen| far_enough(&seen.all[index]) || seen.all[index].arrival == Arrival::Cut;
        let mut updates = self.seen.subscribe();
        updates
            .wait_for(decided)
            .await
            .is_ok_and(|seen| far_enough(&seen.all[index]))
    }
}
