//! A provider that speaks HTTP/2 without TLS.

use std::fmt::Write as _;

use bytes::Bytes;
use h2::server::SendResponse;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Answer, Answers, Arrival, Seen, TEXT, gone, open};
use crate::proxy::framing::DEADLINE;

/// Serves one connection.
pub(super) async fn serve(socket: TcpStream, number: usize, seen: Seen, answers: Answers) {
    let Ok(mut connection) = h2::server::handshake(socket).await else {
        return;
    };
    let mut streams = JoinSet::new();
    while let Some(Ok((request, sink))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        let mut head = format!("{} {} HTTP/2", parts.method, parts.uri);
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            write!(head, "\r\n{name}: {value}").expect("a String takes text");
        }
        let index = open(&seen, number, head);
        let stream = Stream {
            index,
            seen: seen.clone(),
            answer: answers.next(),
        };
        streams.spawn(stream.serve(body, sink));
    }
    while streams.join_next().await.is_some() {}
}

struct Stream {
    index: usize,
    seen: Seen,
    answer: Answer,
}

impl Stream {
    async fn serve(self, mut body: h2::RecvStream, mut sink: SendResponse<Bytes>) {
        let index = self.index;
        if self.answer.reads_nothing() {
            // The window stays shut as long as the body is there, unread.
            self.answer(sink).await;
            return drop(body);
        }
        let mut early = matches!(self.answer, Answer::Early(..)).then_some(self.answer);
        loop {
            match body.data().await {
                Some(Ok(data)) => {
                    drop(body.flow_control().release_capacity(data.len()));
                    self.seen
                        .send_modify(|all| all[index].body.extend_from_slice(&data));
                }
                Some(Err(_)) => return self.gone(),
                None => break,
            }
            let there = self.seen.borrow()[index].body.len();
            if let Some(Answer::Early(status, enough)) = early
                && there >= enough
            {
                early = None;
                reply(status, &mut sink);
            }
        }
        self.seen
            .send_modify(|all| all[index].arrival = Arrival::Whole);
        if early.is_some() || !matches!(self.answer, Answer::Early(..)) {
            self.answer(sink).await;
        }
    }

    fn gone(&self) {
        gone(&self.seen, self.index);
    }

    async fn answer(self, mut sink: SendResponse<Bytes>) {
        let pause = match self.answer {
            Answer::Status(status) | Answer::Early(status, _) => return reply(status, &mut sink),
            Answer::Late(status, pause) => {
                let reset = std::future::poll_fn(|context| sink.poll_reset(context));
                let late = tokio::time::timeout(pause, reset).await.is_err();
                if late {
                    reply(status, &mut sink);
                } else {
                    self.gone();
                }
                return;
            }
            Answer::Silence | Answer::Unread => {
                let reset = std::future::poll_fn(|context| sink.poll_reset(context));
                drop(reset.await);
                return self.gone();
            }
            Answer::Half => None,
            Answer::Trickle(pause) | Answer::Rude(pause) => Some(pause),
        };
        let Ok(mut body) = sink.send_response(http::Response::new(()), false) else {
            return;
        };
        drop(body.send_data(Bytes::from(TEXT), false));
        loop {
            let reset = std::future::poll_fn(|context| body.poll_reset(context));
            let wait = pause.unwrap_or(DEADLINE);
            if tokio::time::timeout(wait, reset).await.is_ok() {
                return self.gone();
            }
            drop(body.send_data(Bytes::from("."), false));
        }
    }
}

fn reply(status: u16, sink: &mut SendResponse<Bytes>) {
    let head = http::Response::builder()
        .status(status)
        .body(())
        .expect("a head");
    if let Ok(mut body) = sink.send_response(head, false) {
        drop(body.send_data(Bytes::from(TEXT), true));
    }
}
