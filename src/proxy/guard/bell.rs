//! What wakes a guarded session besides the provider: the client, the clock, an operator.
//!
//! Decides whether any of them is worth asking. The task of a stream is woken for every piece of
//! the answer, and would ask all of them each time, though nearly always none has anything new to
//! say. They are asked with a waker of the bell's: until it has rung they need not be asked again.
//! Never misses one: whoever is asked rings it, and whoever was not asked through it is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// What rings, and the task that hears it.
#[derive(Debug, Default)]
pub(super) struct Wire {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wire {
    /// Wakes the task that listens, or lets the next one know.
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }
}

/// A waker of the session's own, which wakes its task and remembers that it did.
#[derive(Debug)]
pub(super) struct Bell {
    waker: Waker,
    /// The task that it wakes, as the wire has it.
    task: Option<Waker>,
}

impl Bell {
    /// By this waker the wire is rung that [`Bell::has_rung`] is asked of.
    pub(super) const fn new(waker: Waker) -> Self {
        Self { waker, task: None }
    }

    /// Whether it has rung since this was asked last. It wakes this task from now on.
    pub(super) fn has_rung(&mut self, wire: &Wire, context: &Context<'_>) -> bool {
        let task = context.waker();
        if !self
            .task
            .as_ref()
            .is_some_and(|known| known.will_wake(task))
        {
            self.task = Some(task.clone());
            let mut told = wire.task.lock().unwrap_or_else(PoisonError::into_inner);
            (*told).clone_from(&self.task);
        }
        // Looked at once the task is known: who rings after this wakes it.
        wire.rung.load(Ordering::Acquire) && wire.rung.swap(false, Ordering::AcqRel)
    }

    /// What those are asked with whose answer rings it.
    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::task::Wake;

    use super::*;
    use crate::proxy::guard::Handle;

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_rings_wakes_the_task_that_asked_last_and_is_remembered_once() {
        let handle = Arc::<Handle>::default();
        let mut bell = Bell::new(Arc::clone(&handle).into());
        let (first, last) = (Arc::<Woken>::default(), Arc::<Woken>::default());
        let asked = |bell: &mut Bell, woken: &Arc<Woken>| {
            let waker = Waker::from(Arc::clone(woken));
            bell.has_rung(&handle.wire, &Context::from_waker(&waker))
        };
        bell.waker().wake_by_ref();
        assert!(asked(&mut bell, &first), "before anybody heard it");
        assert!(!asked(&mut bell, &first), "once");
        let kept = bell.waker().clone();
        assert!(!asked(&mut bell, &last), "from another task");
        kept.wake();
        let woken = |woken: &Woken| woken.0.load(Ordering::Relaxed);
        assert_eq!((woken(&first), woken(&last)), (0, 1), "who asked last");
        assert!(asked(&mut bell, &last) && !asked(&mut bell, &last));
    }
}
