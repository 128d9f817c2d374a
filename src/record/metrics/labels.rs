//! Labels as closed sets, each with its place in a table.
//!
//! Decides which label a method, status, model or provider gets. Whatever is not known is
//! `other`, so that no client and no provider can make a new series. It never counts anything.

use http::Method;

/// The label of everything unknown.
pub(super) const OTHER: &str = "other";

/// Methods that are counted by name; any other has the place after them.
pub(super) const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", OTHER,
];

/// The place of a method in [`METHODS`].
pub(super) fn method_index(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::PATCH => 3,
        Method::DELETE => 4,
        Method::HEAD => 5,
        Method::OPTIONS => 6,
        _ => 7,
    }
}

/// Statuses that are counted by number: those registered and in use, and those that are neither
/// (499: nobody waited; 529: Anthropic is overloaded). Sorted.
pub(super) const STATUSES: [u16; 49] = [
    200, 201, 202, 203, 204, 205, 206, 207, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403,
    404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 424, 425, 426,
    428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 529,
];

/// Statuses above those, and the two that are no numbers.
pub(super) const STATUS_LABELS: usize = STATUSES.len().saturating_add(2);

/// The place of a status; of none, the last but one; of an unknown one, the last.
pub(super) fn status_index(status: Option<u16>) -> usize {
    match status {
        None => STATUSES.len(),
        Some(status) => STATUSES
            .binary_search(&status)
            .unwrap_or(STATUS_LABELS.saturating_sub(1)),
    }
}

/// The label of a status.
pub(super) fn status_label(status: Option<u16>) -> String {
    match status {
        None => "none".to_owned(),
        Some(status) if STATUSES.binary_search(&status).is_ok() => status.to_string(),
        Some(_) => OTHER.to_owned(),
    }
}

/// Names of one kind that have a label of their own, with a place each; the last is `other`.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Sorted: fixed and few, so that no hash is needed, and none can be attacked.
    places: Box<[Box<str>]>,
}

impl Names {
    /// The first so many of the names.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> Self {
        let mut places: Vec<Box<str>> = Vec::new();
        for name in names {
            if places.len() == most {
                break;
            }
            if let Err(place) = places.binary_search_by(|known| (**known).cmp(name)) {
                places.insert(place, name.into());
            }
        }
        Self {
            places: places.into(),
        }
    }

    /// How many places there are, `other` included.
    pub(super) fn len(&self) -> usize {
        self.places.len().saturating_add(1)
    }

    fn find(&self, name: &str) -> Option<usize> {
        let known = self.places.binary_search_by(|known| (**known).cmp(name));
        known.ok()
    }

    /// The place of a name.
    pub(super) fn index(&self, name: Option<&str>) -> usize {
        name.and_then(|name| self.find(name))
            .unwrap_or(self.places.len())
    }

    /// The label of a name: itself if it has a place.
    pub(super) fn label<'a>(&self, name: Option<&'a str>) -> &'a str {
        name.filter(|name| self.find(name).is_some())
            .unwrap_or(OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sorted_so_that_they_can_be_found() {
        assert!(STATUSES.is_sorted(), "binary search needs order");
        for status in STATUSES {
            assert_eq!(status_label(Some(status)), status.to_string(), "{status}");
        }
        assert_eq!(status_label(Some(777)), "other", "an invented status");
        assert_eq!(status_index(Some(777)), STATUS_LABELS - 1, "the last place");
    }

    #[test]
    fn methods_have_the_label_at_their_place() {
        for name in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let method: Method = name.parse().unwrap();
            assert_eq!(METHODS[method_index(&method)], name, "{name}");
        }
        let odd: Method = "PROPFIND".parse().unwrap();
        assert_eq!(METHODS[method_index(&odd)], OTHER, "an unknown method");
    }

    #[test]
    fn names_beyond_the_cap_are_other() {
        let names = Names::new(["a", "b", "a", "c", "d"], 3);
        assert_eq!(names.len(), 4, "three names and other");
        for (name, label) in [("a", "a"), ("c", "c"), ("d", OTHER), ("e", OTHER)] {
            assert_eq!(names.label(Some(name)), label, "{name}");
            assert_eq!(names.index(Some(name)) == 3, label == OTHER, "{name}");
        }
    }
}
