//! What wakes a guarded session besides the provider: the client, the clock, an operator.
//!
//! Decides whether any of them is worth asking. The task of a stream is woken for every piece of
//! the answer, and would ask all of them each time, though nearly always none has anything new to
//! say. They are asked with a waker of the bell's: until it has rung they need not be asked again.
//! Never misses one: whoever is asked rings it, and whoever was not asked through it is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// What rings, and who hears it.
#[derive(Debug, Default)]
struct Wire {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Wire {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
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
    wire: Arc<Wire>,
    waker: Waker,
    /// The task that it wakes, as the wire has it.
    task: Option<Waker>,
}

impl Default for Bell {
    fn default() -> Self {
        let wire = Arc::<Wire>::default();
        Self {
            waker: Arc::clone(&wire).into(),
            wire,
            task: None,
        }
    }
}

impl Bell {
    /// Whether it has rung since this was asked last. It wakes this task from now on.
    pub(super) fn has_rung(&mut self, context: &Context<'_>) -> bool {
        let task = context.waker();
        if !self
            .task
            .as_ref()
            .is_some_and(|known| known.will_wake(task))
        {
            self.task = Some(task.clone());
            let mut told = self
                .wire
                .task
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            (*told).clone_from(&self.task);
        }
        // Looked at once the task is known: who rings after this wakes it.
        self.wire.rung.load(Ordering::Acquire) && self.wire.rung.swap(false, Ordering::AcqRel)
    }

    /// What those are asked with whose answer rings it.
    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_rings_wakes_the_task_that_asked_last_and_is_remembered_once() {
        let (mut bell, first, last) = (
            Bell::default(),
            Arc::<Woken>::default(),
            Arc::<Woken>::default(),
        );
        let asked = |bell: &mut Bell, woken: &Arc<Woken>| {
            let waker = Waker::from(Arc::clone(woken));
            bell.has_rung(&Context::from_waker(&waker))
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
