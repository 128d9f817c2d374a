//! A queue that one thread empties in batches: what the log files and the audit log share.
//!
//! Decides when that thread wakes: work is gathered for a while after the first of it came, and
//! taken over at once where something is urgent. Whoever pushes waits for the lock of one push,
//! never for what is done with it. How much may wait, and what is urgent, is the load's to say; it
//! never looks into what waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What waits.
pub(super) trait Load: Default {
    /// Whether nothing waits that could be gathered.
    fn is_empty(&self) -> bool;

    /// Whether there is a reason not to wait for more.
    fn is_urgent(&self) -> bool;
}

/// How the thread keeps time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long work is gathered before it is taken over.
    pub(super) gather: Duration,
    /// How often the thread wakes without any work; none: never.
    pub(super) tick: Option<Duration>,
}

/// The queue, shared by those who push and the one thread that empties it.
pub(super) struct Batches<L> {
    state: Mutex<State<L>>,
    /// Told to the thread: there is something to do.
    work: Condvar,
    /// Told to whoever flushes: a batch is done.
    done: Condvar,
    dropped: AtomicU64,
    pace: Pace,
}

#[derive(Default)]
struct State<L> {
    load: L,
    flush: bool,
    closing: bool,
    /// Whether a batch is taken and not done.
    taken: bool,
    /// Batches done.
    batches: u64,
}

impl<L: Load> State<L> {
    fn is_urgent(&self) -> bool {
        self.flush || self.closing || self.load.is_urgent()
    }
}

/// What the thread took over.
pub(super) struct Taken<T> {
    pub(super) batch: T,
    /// Whether nobody can push any more.
    pub(super) closing: bool,
    /// Whether nothing came for a whole tick.
    pub(super) idle: bool,
}

impl<L: Load> Batches<L> {
    /// An empty queue.
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
            dropped: AtomicU64::new(0),
            pace,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<L>> {
        // Nothing that is done under the lock can leave it half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what waits; the answer says whether the thread must be woken, which is a system
    /// call.
    pub(super) fn push(&self, add: impl FnOnce(&mut L) -> bool) {
        let wake = add(&mut self.lock().load);
        if wake {
            self.work.notify_one();
        }
    }

    /// Counts what was lost.
    pub(super) fn drop_some(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// What was lost since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all that was pushed before is done with; says whether it was in time.
    pub(super) fn flush(&self, deadline: Duration) -> bool {
        let mut state = self.lock();
        // The batch that is taken, if one is, and the one after it.
        let wanted = state.batches.wrapping_add(if state.taken { 2 } else { 1 });
        let missing = |state: &mut State<L>| state.batches.wrapping_sub(wanted) > u64::MAX / 2;
        state.flush = true;
        self.work.notify_one();
        let (mut state, _) = self
            .done
            .wait_timeout_while(state, deadline, missing)
            .unwrap_or_else(PoisonError::into_inner);
        !missing(&mut state)
    }

    /// Says that nobody pushes any more.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// Batches done, and whether another one is taken.
    #[cfg(test)]
    pub(super) fn progress(&self) -> (u64, bool) {
        let state = self.lock();
        (state.batches, state.taken)
    }

    /// For the thread: waits for something to do, gathers for a while, and takes it over.
    pub(super) fn next<T>(&self, take: impl FnOnce(&mut L) -> T) -> Taken<T> {
        let rests = |state: &mut State<L>| state.load.is_empty() && !state.is_urgent();
        let state = self.lock();
        let (mut state, idle) = if let Some(tick) = self.pace.tick {
            let waited = self.work.wait_timeout_while(state, tick, rests);
            let (state, late) = waited.unwrap_or_else(PoisonError::into_inner);
            (state, late.timed_out())
        } else {
            let waited = self.work.wait_while(state, rests);
            (waited.unwrap_or_else(PoisonError::into_inner), false)
        };
        if !idle {
            let gathered = self
                .work
                .wait_timeout_while(state, self.pace.gather, |state| !state.is_urgent());
            (state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        }
        state.flush = false;
        state.taken = true;
        Taken {
            batch: take(&mut state.load),
            closing: state.closing,
            idle,
        }
    }

    /// For the thread: what was taken over is done with. Says whether nothing is left, and nothing
    /// can come, if nobody could push any more when it was taken.
    pub(super) fn done(&self, closing: bool) -> bool {
        let mut state = self.lock();
        state.batches = state.batches.wrapping_add(1);
        state.taken = false;
        let over = closing && state.load.is_empty();
        drop(state);
        self.done.notify_all();
        over
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);
    /// Longer than any test may take: what waits for it waits for ever.
    const NEVER: Duration = Duration::from_hours(1);

    #[derive(Default)]
    struct Numbers(Vec<u32>);

    impl Load for Numbers {
        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        fn is_urgent(&self) -> bool {
            self.0.len() >= 100
        }
    }

    fn queue(gather: Duration, tick: Option<Duration>) -> Arc<Batches<Numbers>> {
        Arc::new(Batches::new(Pace { gather, tick }))
    }

    fn push(queue: &Batches<Numbers>, number: u32) {
        queue.push(|load| {
            load.0.push(number);
            load.0.len() == 1 || load.is_urgent()
        });
    }

    /// Empties the queue until it is closed; answers what came.
    fn emptying(queue: &Arc<Batches<Numbers>>) -> thread::JoinHandle<Vec<u32>> {
        let queue = Arc::clone(queue);
        thread::spawn(move || {
            let mut all = Vec::new();
            loop {
                let taken = queue.next(std::mem::take);
                all.extend(taken.batch.0);
                if queue.done(taken.closing) {
                    return all;
                }
            }
        })
    }

    #[test]
    fn what_is_urgent_flushed_or_last_is_not_gathered_for_longer() {
        let queue = queue(NEVER, None);
        let all = emptying(&queue);
        (0..100).for_each(|number| push(&queue, number));
        push(&queue, 100);
        assert!(queue.flush(SOON), "a flush waits for what was pushed");
        assert!(queue.flush(SOON), "and for nothing, where nothing was");
        push(&queue, 101);
        queue.close();
        let all = all.join().unwrap();
        assert_eq!(all, (0..102).collect::<Vec<_>>(), "in order, and all of it");
    }

    #[test]
    fn a_flush_waits_for_the_batch_that_is_taken_and_the_one_after_it() {
        let queue = queue(Duration::ZERO, None);
        push(&queue, 1);
        let taken = queue.next(std::mem::take);
        assert_eq!(taken.batch.0, [1], "taken, and not done");
        push(&queue, 2);
        assert!(!queue.flush(Duration::from_millis(1)), "neither is done");
        assert!(!queue.done(taken.closing), "it goes on");
        let flushing = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.flush(SOON)
        });
        let taken = queue.next(std::mem::take);
        assert_eq!(taken.batch.0, [2], "the one after it");
        assert!(!queue.done(taken.closing), "it goes on");
        let rest = emptying(&queue);
        assert!(flushing.join().unwrap(), "both are done");
        queue.close();
        assert!(rest.join().unwrap().is_empty(), "nothing is left");
    }

    #[test]
    fn without_work_the_thread_wakes_at_each_tick() {
        let queue = queue(NEVER, Some(Duration::from_millis(1)));
        let taken = queue.next(std::mem::take);
        assert!(taken.idle && taken.batch.0.is_empty(), "nothing came");
        assert!(!queue.done(taken.closing), "it goes on");
        queue.drop_some(3);
        assert_eq!(queue.dropped(), 3, "what is lost is counted");
    }
}
