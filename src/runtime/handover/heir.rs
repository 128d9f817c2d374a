//! A process that takes over, between the call and the sockets: what it was told, until it is
//! remembered.
//!
//! Decides nothing. A process that starts anew inherits nothing, and goes the same way.

use super::counts;
use super::new::{self, Takeover, TakeoverFault};
use super::place::Place;
use super::state;
use crate::admit::bequest::Bequest;
use crate::admit::seed::Seed;
use crate::internal::control::Control;
use crate::runtime::clock;
use crate::runtime::serve::Start;

/// What a process inherits.
#[derive(Default)]
pub(crate) struct Heir<'p> {
    takeover: Option<(Takeover, &'p Place)>,
    counted: Option<Bequest>,
}

impl<'p> Heir<'p> {
    /// Waits until the running process hands over, if it is to.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn call(start: Start, place: Option<&'p Place>) -> Result<Self, TakeoverFault> {
        match (start, place) {
            (Start::Upgrade, Some(place)) => {
                let mut takeover = new::call(place)?;
                let counted = counts::counted(&mut takeover.state);
                Ok(Self {
                    takeover: Some((takeover, place)),
                    counted,
                })
            }
            (Start::Upgrade, None) | (Start::Anew, _) => Ok(Self::default()),
        }
    }

    /// The addresses whose sockets come.
    pub(crate) fn listeners(&self) -> &[String] {
        self.takeover
            .as_ref()
            .map_or(&[], |(takeover, _)| &takeover.listeners)
    }

    /// The seed that the ledger must be made with.
    pub(crate) fn seed(&self) -> Seed {
        self.counted
            .as_ref()
            .map_or_else(Seed::random, Bequest::seed)
    }

    /// Remembers everything, and tells the running process when its sockets may come.
    ///
    /// # Errors
    /// The running process can't be told.
    pub(crate) fn settle(self, control: &Control) -> Result<(), TakeoverFault> {
        let Some((mut takeover, place)) = self.takeover else {
            return Ok(());
        };
        let state = std::mem::take(&mut takeover.state);
        state::restore(control, self.counted.as_ref(), state, clock::moment());
        takeover.announce(place).map_err(TakeoverFault::Lost)
    }
}
