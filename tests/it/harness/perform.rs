//! Acts out a script on a connection.

use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;

use super::script::Step;

/// What became of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It serves the next request.
    Kept,
    /// The gateway left.
    Gone,
    /// The script closes it.
    Closed,
    /// The script resets it.
    Reset,
}

/// Performs an answer, step by step.
pub(crate) async fn perform(steps: Vec<Step>, sink: &mut OwnedWriteHalf) -> Ending {
    for step in steps {
        match perform_one(step, sink).await {
            Ending::Kept => {}
            ending @ (Ending::Gone | Ending::Closed | Ending::Reset) => return ending,
        }
    }
    Ending::Kept
}

async fn perform_one(step: Step, sink: &mut OwnedWriteHalf) -> Ending {
    match step {
        Step::Send(bytes) => write(sink, &bytes).await,
        Step::Forever(bytes) => loop {
            if write(sink, &bytes).await == Ending::Gone {
                return Ending::Gone;
            }
        },
        Step::Spaced(gap, pieces) => {
            let mut ticks = tokio::time::interval(gap);
            for piece in pieces {
                ticks.tick().await;
                if write(sink, &piece).await == Ending::Gone {
                    return Ending::Gone;
                }
            }
            Ending::Kept
        }
        Step::Follow(mut steps) => {
            while let Some(step) = steps.recv().await {
                match Box::pin(perform_one(step, sink)).await {
                    Ending::Kept => {}
                    ending @ (Ending::Gone | Ending::Closed | Ending::Reset) => return ending,
                }
            }
            Ending::Kept
        }
        Step::Stall => std::future::pending().await,
        Step::Close => Ending::Closed,
        Step::Reset => Ending::Reset,
    }
}

async fn write(sink: &mut OwnedWriteHalf, bytes: &[u8]) -> Ending {
    match sink.write_all(bytes).await {
        Ok(()) => Ending::Kept,
        Err(_) => Ending::Gone,
    }
}
