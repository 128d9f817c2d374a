//! One budget for all request bytes that the process holds at a time.
//!
//! Decides whether a few more bytes may be held; what is granted is given back when the [`Share`]
//! is dropped, however the request ends. It counts the bytes of bodies, not the allocator's slack.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The budget, shared by all requests.
#[derive(Debug)]
pub struct Budget {
    limit: AtomicU64,
    taken: AtomicU64,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicU64::new(limit),
            taken: AtomicU64::new(0),
        })
    }

    /// An empty share, to be grown as bytes arrive.
    pub fn share(self: &Arc<Self>) -> Share {
        Share {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }

    /// Changes how many bytes may be held; what is held already stays.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Bytes held at this moment.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                taken.checked_add(bytes).filter(|sum| *sum <= limit)
            })
            .is_ok()
    }
}

/// Bytes that one request holds; given back on drop.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

/// The budget has not so many bytes left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the budget of bytes in flight is used up")]
pub struct Exhausted;

impl Share {
    /// Takes some more bytes.
    ///
    /// # Errors
    /// The budget is used up; the share stays as it was.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let bytes = u64::try_from(bytes).map_err(|_too_many| Exhausted)?;
        if !self.budget.take(bytes) {
            return Err(Exhausted);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Gives some of its bytes back before its end.
    pub fn give_back(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).min(self.bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.budget.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_kept_to_the_byte_and_given_back() {
        let budget = Budget::new(10);
        let mut one = budget.share();
        let mut two = budget.share();
        assert_eq!(one.grow(6), Ok(()), "six of ten");
        assert_eq!(two.grow(5), Err(Exhausted), "eleven of ten");
        assert_eq!(two.grow(4), Ok(()), "ten of ten");
        assert_eq!(two.grow(1), Err(Exhausted), "one more than ten");
        assert_eq!(budget.taken(), 10, "refused bytes are not counted");
        drop(one);
        assert_eq!(budget.taken(), 4, "a dropped share is given back");
        drop(two);
        assert_eq!(budget.taken(), 0, "all is given back");
    }

    #[test]
    fn many_threads_never_hold_more_than_the_budget() {
        let budget = Budget::new(1_000);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let mut share = budget.share();
                        if share.grow(300).is_ok() {
                            assert!(budget.taken() <= 1_000, "the limit holds under contention");
                        }
                    }
                });
            }
        });
        assert_eq!(budget.taken(), 0, "nothing leaks");
    }

    #[test]
    fn an_overflow_is_no_way_round_the_limit() {
        let budget = Budget::new(u64::MAX);
        let mut share = budget.share();
        assert_eq!(share.grow(usize::MAX), Ok(()), "the whole budget");
        assert_eq!(share.grow(1), Err(Exhausted), "and not one byte more");
    }
}
