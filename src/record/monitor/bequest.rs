//! What the monitor leaves to a successor: the counts of the day.
//!
//! Decides nothing. Events go by their names, so that a successor with more of them finds its own.
//! What is known of single addresses and keys, and alerts, stay behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Monitor, Today};

/// The form of what is left; one of another form is not taken over.
pub const VERSION: u32 = 1;

/// The counts of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayLeft {
    day: u64,
    requests: u64,
    failed: u64,
    events: BTreeMap<String, u64>,
    largest_request: u64,
    request_bytes: u64,
}

impl Monitor {
    /// What it leaves.
    pub fn left(&self) -> DayLeft {
        let today = &self.today;
        let count = |event: Event| (event.as_str().to_owned(), today.count(event));
        DayLeft {
            day: self.day,
            requests: today.requests,
            failed: today.failed,
            events: Event::ALL.into_iter().map(count).collect(),
            largest_request: today.largest_request,
            request_bytes: today.request_bytes,
        }
    }

    /// Takes a day over, unless more is known of it here.
    pub fn take(&mut self, left: &DayLeft) {
        if (left.day, left.requests) <= (self.day, self.today.requests) {
            return;
        }
        let mut today = Today {
            requests: left.requests,
            failed: left.failed,
            events: Default::default(),
            largest_request: left.largest_request,
            request_bytes: left.request_bytes,
        };
        for event in Event::ALL {
            let count = left.events.get(event.as_str());
            if let (Some(place), Some(count)) = (today.events.get_mut(event.index()), count) {
                *place = *count;
            }
        }
        (self.day, self.today) = (left.day, today);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::monitor::{DAY, Marks, Sample};

    fn sample(at: u64) -> Sample {
        Sample {
            at,
            address: None,
            key: None,
            status: 429,
            bytes: 50,
            marks: Marks::default().with(Event::RateLimited),
        }
    }

    #[test]
    fn a_day_goes_on_in_the_next_process_and_ends_there() {
        let at = 20_000 * DAY + 5;
        let mut old = Monitor::default();
        old.see(&sample(at));
        old.see(&sample(at + 1));
        let text = serde_json::to_string(&old.left()).unwrap();
        let mut new = Monitor::default();
        new.take(&serde_json::from_str(&text).unwrap());
        new.see(&sample(at + 2));
        let today = new.today(at + 3);
        assert_eq!(today.count(Event::RateLimited), 3, "two before, one after");
        assert_eq!((today.requests, today.failed), (3, 3), "all of them");
        assert_eq!(today.request_bytes, 150, "and their bytes");
        new.take(&old.left());
        assert_eq!(new.today(at + 3).requests, 3, "not taken over twice");
        assert_eq!(new.today(at + DAY).requests, 0, "none tomorrow");
    }
}
