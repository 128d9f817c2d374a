//! Providers made of plain sockets: they record what arrives and whether it was complete, and
//! answer as they are told.

mod http1;
mod http2;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Version;

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// More may follow.
    Open,
    /// Complete by its own framing.
    Whole,
    /// The connection or the stream ended in the middle of it.
    Cut,
}

/// A request as a provider saw it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// On which connection, counted from 0.
    pub(super) connection: usize,
    /// The head, as HTTP/1 would write it.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) arrival: Arrival,
    /// Whether the other side left before it was answered to the end.
    pub(super) left: bool,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With this status, when it is complete.
    Status(u16),
    /// The same, so much later.
    Late(u16, Duration),
    /// With this status as soon as so many bytes of its body are there.
    Early(u16, usize),
    /// Never.
    Silence,
    /// With a head and some bytes, and then with nothing more.
    Half,
    /// With a byte now and then, for ever.
    Trickle(Duration),
    /// Never, and it is not even read.
    Unread,
    /// The same as [`Answer::Trickle`], to a request that is not read.
    Rude(Duration),
}

impl Answer {
    const fn reads_nothing(self) -> bool {
        matches!(self, Self::Unread | Self::Rude(_))
    }
}

/// What an answer says.
pub(super) const TEXT: &str = "fine";

type Seen = watch::Sender<Vec<Request>>;

/// A provider, alive as long as the value.
pub(super) struct Upstream {
    address: SocketAddr,
    version: Version,
    seen: Seen,
    accepting: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Upstream {
    /// Starts one that gives these answers, one a request, and then 200 to every other.
    pub(super) fn start(version: Version, answers: &[Answer]) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        if answers.iter().any(|answer| answer.reads_nothing()) {
            socket
                .set_recv_buffer_size(8 * 1024)
                .expect("a small buffer");
        }
        socket
            .bind(([127, 0, 0, 1], 0).into())
            .expect("a free port");
        let listener = socket.listen(64).expect("it listens");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let seen = Seen::new(Vec::new());
        let answers = Answers(Arc::new(Mutex::new(answers.iter().copied().collect())));
        let accepting = tokio::spawn(accept(listener, version, seen.clone(), answers));
        Self {
            address,
            version,
            seen,
            accepting,
        }
    }

    /// Where it is, and what it speaks.
    pub(super) fn peer(&self) -> (SocketAddr, Version) {
        (self.address, self.version)
    }

    /// The requests up to now.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.seen.borrow().clone()
    }

    /// Waits until what was seen satisfies `enough`, and returns it.
    pub(super) async fn wait(
        &self,
        what: &str,
        enough: impl Fn(&[Request]) -> bool,
    ) -> Vec<Request> {
        let mut seen = self.seen.subscribe();
        let reached = tokio::time::timeout(super::DEADLINE, seen.wait_for(|all| enough(all)));
        match reached.await {
            Ok(all) => all.expect("the provider is alive").clone(),
            Err(late) => panic!("{late}: {what}: {:?}", self.brief()),
        }
    }

    /// Waits until the request with this number, counted from 0, is no longer open.
    pub(super) async fn settled(&self, number: usize) -> Request {
        let over = |all: &[Request]| {
            all.get(number)
                .is_some_and(|one| one.arrival != Arrival::Open)
        };
        self.wait("the end of a request", over)
            .await
            .swap_remove(number)
    }

    /// What was seen, without the bodies.
    pub(super) fn brief(&self) -> Vec<(String, usize, Arrival, bool)> {
        let brief = |one: &Request| (one.head.clone(), one.body.len(), one.arrival, one.left);
        self.seen.borrow().iter().map(brief).collect()
    }
}

#[derive(Clone)]
struct Answers(Arc<Mutex<VecDeque<Answer>>>);

impl Answers {
    fn next(&self) -> Answer {
        let next = self
            .0
            .lock()
            .expect("no test panics with the lock")
            .pop_front();
        next.unwrap_or(Answer::Status(200))
    }
}

async fn accept(listener: TcpListener, version: Version, seen: Seen, answers: Answers) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let (socket, _) = listener.accept().await.expect("accept");
        socket.set_nodelay(true).expect("no delay");
        let (seen, answers) = (seen.clone(), answers.clone());
        match version {
            Version::One => connections.spawn(http1::serve(socket, number, seen, answers)),
            Version::Two => connections.spawn(http2::serve(socket, number, seen, answers)),
        };
    }
}

fn open(seen: &Seen, connection: usize, head: String) -> usize {
    let (body, arrival) = (Vec::new(), Arrival::Open);
    let mut index = 0;
    seen.send_modify(|all| {
        index = all.len();
        all.push(Request {
            connection,
            head,
            body,
            arrival,
            left: false,
        });
    });
    index
}

/// Notes that the other side left before the answer was at its end.
fn gone(seen: &Seen, index: usize) {
    seen.send_modify(|all| {
        let one = &mut all[index];
        one.left = true;
        if one.arrival == Arrival::Open {
            one.arrival = Arrival::Cut;
        }
    });
}
