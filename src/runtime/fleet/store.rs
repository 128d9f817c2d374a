//! The store of a fleet, as questions and answers: a Redis, two connections and three scripts.
//!
//! Decides what is an answer that makes sense: anything else counts as no answer. Every question
//! has a deadline. It logs nothing, and no error that it answers with holds what the store said,
//! or the password.

use std::time::Duration;

use futures_core::Stream;
use redis::aio::{MultiplexedConnection, PubSubStream};
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, Script};
use thiserror::Error;

use super::items::{Item, Told};
use crate::admit::leases::{Ask, Grant};
use crate::policy::store::RedisStore;

/// How long a connection may take to come about, and any answer to come.
const PATIENCE: Duration = Duration::from_millis(500);
/// A host that has not been heard of for so long is no longer one of the fleet, in microseconds.
const SILENCE: u64 = 3_000_000;
/// Blocks, measures and the memory of lifted ones that the store holds.
const MOST_ITEMS: u64 = 100_000;

/// Why the store does not answer as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Away {
    /// Nothing listens there, or the connection broke.
    #[error("it can't be reached")]
    Unreachable,
    /// No answer in time.
    #[error("it does not answer in time")]
    Slow,
    /// The password, or what the user may do.
    #[error("it refuses the user or the password")]
    Refused,
    /// It answers, with what makes no sense.
    #[error("its answer makes no sense")]
    Rubbish,
    /// What it held is gone.
    #[error("it has forgotten what it held")]
    Forgetful,
}

impl From<RedisError> for Away {
    fn from(error: RedisError) -> Self {
        let refused = matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        if refused || error.kind() == ErrorKind::AuthenticationFailed {
            Self::Refused
        } else if error.is_timeout() {
            Self::Slow
        } else if error.kind() == ErrorKind::Io {
            Self::Unreachable
        } else {
            Self::Rubbish
        }
    }
}

/// Names of what is kept.
#[derive(Debug)]
struct Names {
    hosts: &'static str,
    items: &'static str,
    ends: &'static str,
    number: &'static str,
    /// Channels are the same for all databases of a Redis, so that its number is in the name.
    channel: String,
}

/// What the store answered to the host's own questions.
#[derive(Debug)]
pub(super) struct Leased {
    /// Its time, in microseconds.
    pub(super) now: u64,
    /// Hosts that it has heard of of late.
    pub(super) hosts: u32,
    /// The number of the last news.
    pub(super) news: u64,
    /// Answers, in the order of the questions.
    pub(super) grants: Vec<Grant>,
}

/// Everything that holds.
#[derive(Debug)]
pub(super) struct Everything {
    /// Its time, in microseconds.
    pub(super) now: u64,
    /// The number of the last news that is in it.
    pub(super) news: u64,
    /// Blocks and measures, and which were lifted.
    pub(super) items: Vec<Told>,
}

/// A store that is connected to.
pub(super) struct Store {
    questions: MultiplexedConnection,
    news: PubSubStream,
    names: Names,
    scripts: [Script; 3],
    host: String,
}

impl Store {
    /// Connects, and listens to news.
    pub(super) async fn connect(store: &RedisStore, host: &str) -> Result<Self, Away> {
        let client = Client::open(store.expose())?;
        let connecting = async {
            let settings = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE));
            let questions = client
                .get_multiplexed_async_connection_with_config(&settings)
                .await?;
            let names = Names {
                hosts: "portcullis:hosts",
                items: "portcullis:items",
                ends: "portcullis:ends",
                number: "portcullis:number",
                channel: format!("portcullis:news:{}", store.database()),
            };
            let mut listening = client.get_async_pubsub().await?;
            listening.subscribe(&names.channel).await?;
            Ok::<_, RedisError>(Self {
                questions,
                news: listening.into_on_message(),
                names,
                scripts: [
                    Script::new(include_str!("ask.lua")),
                    Script::new(include_str!("tell.lua")),
                    Script::new(include_str!("state.lua")),
                ],
                host: host.to_owned(),
            })
        };
        let both = PATIENCE.saturating_mul(2);
        let connected = tokio::time::timeout(both, Box::pin(connecting)).await;
        Ok(connected.map_err(|_late| Away::Slow)??)
    }

    /// Says that this host is there, and asks about limits.
    pub(super) async fn ask(&mut self, asks: &[Ask]) -> Result<Leased, Away> {
        let [ask, _, _] = &self.scripts;
        let mut call = ask.key(self.names.hosts);
        call.key(self.names.number).arg(&self.host).arg(SILENCE);
        for one in asks {
            call.key(format!("portcullis:limit:{}", one.name));
            call.arg(one.limit.interval()).arg(one.limit.depth());
            call.arg(one.debt).arg(one.back);
            call.arg(one.since).arg(one.want);
        }
        let answer: Vec<i64> = in_time(call.invoke_async(&mut self.questions)).await?;
        leased(&answer, asks.len()).ok_or(Away::Rubbish)
    }

    /// Tells of blocks and measures; answers how many of them the store has no place for.
    pub(super) async fn tell(&mut self, items: &[Item]) -> Result<u64, Away> {
        let [_, tell, _] = &self.scripts;
        let mut call = tell.key(self.names.items);
        call.key(self.names.ends).key(self.names.number);
        call.arg(&self.names.channel).arg(MOST_ITEMS);
        for item in items {
            call.arg(&*item.name).arg(item.ordered);
            call.arg(item.ends.unwrap_or(0)).arg(&item.content);
        }
        in_time(call.invoke_async(&mut self.questions)).await
    }

    /// Asks for everything that holds.
    pub(super) async fn everything(&mut self) -> Result<Everything, Away> {
        let [_, _, state] = &self.scripts;
        let mut call = state.key(self.names.items);
        call.key(self.names.number);
        let answer: Vec<String> = in_time(call.invoke_async(&mut self.questions)).await?;
        everything(answer).ok_or(Away::Rubbish)
    }

    /// Gives everything back, and is no longer one of the fleet.
    pub(super) async fn leave(&mut self, asks: &[Ask]) -> Result<(), Away> {
        self.ask(asks).await?;
        let mut leave = redis::cmd("ZREM");
        leave.arg(self.names.hosts).arg(&self.host);
        let gone: i64 = in_time(leave.query_async(&mut self.questions)).await?;
        log::debug!("{gone} host has left the fleet");
        Ok(())
    }

    /// The next news, by its number; none when the connection has ended.
    pub(super) async fn next(&mut self) -> Option<Result<(u64, Told), Away>> {
        let mut news = std::pin::pin!(&mut self.news);
        let message = std::future::poll_fn(|context| news.as_mut().poll_next(context)).await?;
        let text = std::str::from_utf8(message.get_payload_bytes()).ok();
        let news = text
            .and_then(|text| text.split_once(' '))
            .and_then(|(number, rest)| {
                let (name, held) = rest.split_once(' ')?;
                Some((number.parse().ok()?, Told::read(name, held)?))
            });
        Some(news.ok_or(Away::Rubbish))
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, Away> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    Ok(answer.map_err(|_late| Away::Slow)??)
}

/// The answer to [`Store::ask`], if it is one.
fn leased(answer: &[i64], asked: usize) -> Option<Leased> {
    let (head, rest) = answer.split_first_chunk::<3>()?;
    let [now, hosts, news] = head.map(u64::try_from);
    let now = now.ok()?;
    let grants = rest.chunks(2).map(|pair| {
        let [granted, ahead] = pair else { return None };
        Some(Grant {
            granted: u32::try_from(*granted).ok()?,
            ahead: Duration::from_micros(u64::try_from(*ahead).ok()?),
            at: now,
        })
    });
    let grants = grants.collect::<Option<Vec<_>>>()?;
    (grants.len() == asked).then_some(Leased {
        now,
        hosts: u32::try_from(hosts.ok()?).ok()?,
        news: news.ok()?,
        grants,
    })
}

/// The answer to [`Store::everything`], if it is one.
fn everything(answer: Vec<String>) -> Option<Everything> {
    let mut texts = answer.into_iter();
    let now = texts.next()?.parse().ok()?;
    let news = texts.next()?.parse().ok()?;
    let mut items = Vec::new();
    while let Some(name) = texts.next() {
        items.push(Told::read(&name, &texts.next()?)?);
    }
    Some(Everything { now, news, items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_make_no_sense_are_none() {
        for (answer, asked, good) in [
            (&[5, 3, 7, 2, 100][..], 1, true),
            (&[5, 3, 7], 0, true),
            (&[5, 3], 0, false),
            (&[5, 3, 7, 2], 1, false),
            (&[5, 3, 7, 2, 100], 2, false),
            (&[5, 3, 7, -2, 100], 1, false),
            (&[5, 3, 7, 2, -1], 1, false),
            (&[-5, 3, 7], 0, false),
            (&[5, i64::MAX, 7], 0, false),
            (&[5, 3, 7, i64::MAX, 1], 1, false),
        ] {
            assert_eq!(leased(answer, asked).is_some(), good, "{answer:?}");
        }
        for (answer, good) in [
            (&["5", "7"][..], true),
            (
                &[
                    "5",
                    "7",
                    "block:192.0.2.0/24",
                    "3 {\"host\":\"\",\"what\":null}",
                ],
                true,
            ),
            (&["5"], false),
            (&["x", "7"], false),
            (&["5", "7", "block:192.0.2.0/24"], false),
            (&["5", "7", "block:192.0.2.0/24", "null"], false),
            (
                &["5", "7", "nothing", "3 {\"host\":\"\",\"what\":null}"],
                false,
            ),
        ] {
            let texts = answer.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(everything(texts).is_some(), good, "{answer:?}");
        }
    }
}
