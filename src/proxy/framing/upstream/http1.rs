//! A provider that speaks HTTP/1.1 over a plain socket.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Answer, Answers, Arrival, Seen, TEXT, gone, open};
use crate::proxy::framing::http1::{Kind, Message};

/// How an answer begins that is longer than anyone waits for.
const BEGUN: &str = "HTTP/1.1 200 -\r\ncontent-length: 1000000\r\n\r\nfine";

/// Serves one connection.
pub(super) async fn serve(socket: TcpStream, number: usize, seen: Seen, answers: Answers) {
    let mut connection = Http1 {
        socket,
        number,
        seen,
        answers,
    };
    let mut wire = Vec::new();
    while connection.request(&mut wire).await.is_some() {}
}

struct Http1 {
    socket: TcpStream,
    number: usize,
    seen: Seen,
    answers: Answers,
}

impl Http1 {
    /// Takes one request and answers it; none when the other side has left.
    async fn request(&mut self, wire: &mut Vec<u8>) -> Option<()> {
        let mut under_way: Option<(usize, Answer)> = None;
        loop {
            if let Some(message) = Message::read(wire, Kind::Request) {
                let (index, answer) = *under_way.get_or_insert_with(|| {
                    (
                        open(&self.seen, self.number, message.head.clone()),
                        self.answers.next(),
                    )
                });
                let arrival = if message.complete {
                    Arrival::Whole
                } else {
                    Arrival::Open
                };
                let there = message.body.len();
                self.seen.send_modify(|all| {
                    all[index].body = message.body;
                    all[index].arrival = arrival;
                });
                if answer.reads_nothing() {
                    return self.ignore(index, answer).await;
                }
                let early = matches!(answer, Answer::Early(_, enough) if there >= enough);
                if message.complete || early {
                    wire.drain(..message.length);
                    return self.reply(index, answer, wire).await;
                }
            }
            if !matches!(self.socket.read_buf(wire).await, Ok(1..)) {
                return self.gone(under_way.map(|(index, _)| index));
            }
        }
    }

    fn gone(&self, index: Option<usize>) -> Option<()> {
        if let Some(index) = index {
            gone(&self.seen, index);
        }
        None
    }

    /// Reads nothing more, and learns from its own writes alone that the other side has left.
    async fn ignore(&mut self, index: usize, answer: Answer) -> Option<()> {
        let Answer::Rude(pause) = answer else {
            return std::future::pending().await;
        };
        self.socket.write_all(BEGUN.as_bytes()).await.ok()?;
        let mut ticks = tokio::time::interval(pause);
        while self.socket.write_all(b".").await.is_ok() {
            ticks.tick().await;
        }
        self.gone(Some(index))
    }

    async fn reply(&mut self, index: usize, answer: Answer, wire: &mut Vec<u8>) -> Option<()> {
        let known = self.seen.borrow()[index].head.ends_with(" HTTP/1.1")
            || self.seen.borrow()[index].head.contains(" HTTP/1.1\r\n");
        let whole = |status| {
            let status = if known { status } else { 400 };
            format!(
                "HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{TEXT}",
                TEXT.len()
            )
        };
        let pause = match answer {
            Answer::Status(status) | Answer::Early(status, _) => {
                return self.socket.write_all(whole(status).as_bytes()).await.ok();
            }
            Answer::Late(status, pause) => {
                let late = tokio::time::timeout(pause, self.left(wire)).await.is_err();
                return if late {
                    self.socket.write_all(whole(status).as_bytes()).await.ok()
                } else {
                    self.gone(Some(index))
                };
            }
            Answer::Silence | Answer::Unread | Answer::Rude(_) => None,
            Answer::Half => {
                self.socket.write_all(BEGUN.as_bytes()).await.ok()?;
                None
            }
            Answer::Trickle(pause) => {
                self.socket.write_all(BEGUN.as_bytes()).await.ok()?;
                Some(pause)
            }
        };
        while let Some(pause) = pause {
            let stays = tokio::time::timeout(pause, self.left(wire)).await.is_err();
            if !stays || self.socket.write_all(b".").await.is_err() {
                return self.gone(Some(index));
            }
        }
        self.left(wire).await;
        self.gone(Some(index))
    }

    /// Waits until the other side leaves.
    async fn left(&mut self, wire: &mut Vec<u8>) {
        while matches!(self.socket.read_buf(wire).await, Ok(1..)) {}
    }
}
