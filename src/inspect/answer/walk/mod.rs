//! What stands where in one JSON frame of an answer: a plain answer, or the data of an event.
//!
//! Decides what each string is (a piece of a text that goes on, a whole text, a tool's arguments,
//! a name), which fields go by name, and where the numbers stand that order and count. Never
//! judges a text. May miss: a provider's own names for pieces of text; such strings are judged
//! each by itself.

mod sink;

use std::ops::Range;

use super::words::{self, Word};
pub(super) use sink::Walker;

/// Choices, tool calls and strings of one frame.
const MOST: usize = 1 << 16;

/// What a string is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A piece of what a choice says, thinks or refuses.
    Said(Word),
    /// A piece of a tool call's arguments.
    Call,
    /// A piece of the arguments of a function, in the older form.
    OldCall,
    /// A piece of what the event's type says.
    Piece,
    /// A piece of a content block.
    Block(Word),
    /// A whole text; `true`: one that a model said.
    Whole(bool),
    /// All arguments of a tool call.
    Arguments,
    /// Why a choice ended.
    Finish,
    /// How a response ended.
    Status,
    /// A picture or the like.
    Data,
}

/// A string that matters.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Where it stands, without its quotes.
    pub(super) raw: Range<usize>,
    /// Where its text stands in [`Walk::text`].
    pub(super) text: Range<usize>,
    pub(super) what: What,
    /// The choice and the tool call in which it stands, counted in the frame.
    pub(super) choice: usize,
    pub(super) tool: usize,
}

/// A choice of a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) finished: bool,
    /// Behind the brace that opens its delta, and whether nothing is in it.
    pub(super) delta: Option<(usize, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Root,
    Choices,
    Choice,
    Delta,
    Block,
    Calls,
    Call,
    Function,
    OldFunction,
    Usage,
    Response,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    node: Node,
    array: bool,
    key: Word,
    /// The member being read goes.
    strip: bool,
    key_at: usize,
    /// Where the last member that stays ends.
    kept: Option<usize>,
    /// Where a part begins that goes up to the next member.
    gap: Option<usize>,
    last: usize,
}

/// A frame as it was read.
#[derive(Debug, Default)]
pub(super) struct Walk {
    levels: Vec<Level>,
    /// Under this depth nothing matters.
    muted: Option<usize>,
    begun: usize,
    what: Option<(What, Word)>,
    pub(super) text: String,
    pub(super) spots: Vec<Spot>,
    pub(super) cuts: Vec<Range<usize>>,
    pub(super) logprobs: Vec<(Range<usize>, bool)>,
    pub(super) choices: Vec<Choice>,
    pub(super) tools: Vec<u32>,
    pub(super) kind: String,
    pub(super) item: String,
    pub(super) index: u32,
    pub(super) output: u32,
    pub(super) part: u32,
    pub(super) sequence: Option<(Range<usize>, u64)>,
    /// Names that nothing is read from, without their quotes.
    pub(super) names: Vec<Range<usize>>,
    pub(super) prompted: Option<u64>,
    pub(super) completed: Option<u64>,
    pub(super) error: bool,
    pub(super) id: Option<Range<usize>>,
    pub(super) created: Option<Range<usize>>,
    pub(super) model: Option<Range<usize>>,
    /// There is more of it than is read.
    pub(super) overfull: bool,
}

impl Walk {
    /// Ready for the next frame.
    pub(super) fn clear(&mut self) {
        let mut fresh = Self::default();
        // The buffers are the thread's, and used again unless one frame made them large.
        macro_rules! keep {
            ($($buffer:ident),*) => {$(
                if self.$buffer.capacity() <= 1 << 16 {
                    fresh.$buffer = std::mem::take(&mut self.$buffer);
                    fresh.$buffer.clear();
                }
            )*};
        }
        keep!(
            levels, text, spots, cuts, logprobs, choices, tools, kind, item, names
        );
        *self = fresh;
    }

    /// The text of a string.
    pub(super) fn of(&self, spot: &Spot) -> &str {
        self.text.get(spot.text.clone()).unwrap_or_default()
    }

    /// The index of the tool call in which a string stands.
    pub(super) fn tool(&self, spot: &Spot) -> u32 {
        self.tools.get(spot.tool).copied().unwrap_or(0)
    }

    /// The index of the choice in which a string stands.
    pub(super) fn choice(&self, spot: &Spot) -> u32 {
        self.choices
            .get(spot.choice)
            .map_or(0, |choice| choice.index)
    }

    fn top(&self) -> (Node, Word) {
        self.levels
            .last()
            .map_or((Node::Other, Word::Other), |level| (level.node, level.key))
    }

    fn open(&mut self, at: usize, array: bool) {
        let (parent, key) = self.top();
        let node = if self.levels.is_empty() {
            Node::Root
        } else {
            match (parent, key) {
                (Node::Root, Word::Choices) if array => Node::Choices,
                (Node::Choices, _) => Node::Choice,
                (Node::Choice, Word::Delta) => Node::Delta,
                (Node::Root, Word::Delta | Word::ContentBlock) => Node::Block,
                (Node::Delta, Word::ToolCalls) if array => Node::Calls,
                (Node::Calls, _) => Node::Call,
                (Node::Call, Word::Function) => Node::Function,
                (Node::Delta, Word::FunctionCall) => Node::OldFunction,
                (_, Word::Usage) => Node::Usage,
                (Node::Root, Word::Response) => Node::Response,
                _ => Node::Other,
            }
        };
        self.muted_from(key);
        if self.muted.is_none() {
            self.opened(node, (parent, key), at);
        }
        self.levels.push(Level {
            node,
            array,
            key: if array { key } else { Word::Other },
            strip: false,
            key_at: at,
            kept: None,
            gap: None,
            last: at.saturating_add(1),
        });
    }

    fn opened(&mut self, node: Node, (parent, key): (Node, Word), at: usize) {
        match node {
            Node::Choice if self.choices.len() < MOST => {
                let index = u32::try_from(self.choices.len()).unwrap_or(u32::MAX);
                self.choices.push(Choice {
                    index,
                    ..Choice::default()
                });
            }
            Node::Call if self.tools.len() < MOST => {
                let before = self.tools.len();
                self.tools.push(u32::try_from(before).unwrap_or(u32::MAX));
            }
            Node::Choice | Node::Call => self.overfull = true,
            Node::Delta => {
                if let Some(choice) = self.choices.last_mut() {
                    choice.delta = Some((at.saturating_add(1), true));
                }
            }
            Node::Root
            | Node::Choices
            | Node::Block
            | Node::Calls
            | Node::Function
            | Node::OldFunction
            | Node::Usage
            | Node::Response
            | Node::Other => {}
        }
        self.error |= parent == Node::Root && key == Word::Error;
    }

    /// What a stripped or unread member holds does not matter.
    fn muted_from(&mut self, key: Word) {
        let strip = self.levels.last().is_some_and(|level| level.strip);
        if self.muted.is_none() && (strip || key == Word::Logprobs) && !self.levels.is_empty() {
            self.muted = Some(self.levels.len());
        }
    }

    fn close(&mut self, end: usize, array: bool) {
        if let Some(level) = self.levels.pop()
            && let Some(start) = level.gap
            && self.muted.is_none()
        {
            self.cuts.push(start..level.last);
        }
        self.value(end, Some(array));
    }

    /// A value has ended; `container` of which kind it was.
    fn value(&mut self, end: usize, container: Option<bool>) {
        let depth = self.levels.len();
        let muted = self.muted.is_some_and(|muted| depth > muted);
        if self.muted == Some(depth) {
            self.muted = None;
        }
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        if muted || level.array {
            level.last = end;
            return;
        }
        if level.strip {
            level.strip = false;
            match level.kept {
                Some(start) => match self.cuts.last_mut() {
                    Some(cut) if cut.start == start => cut.end = end,
                    Some(_) | None => self.cuts.push(start..end),
                },
                None if level.gap.is_none() => level.gap = Some(level.key_at),
                None => {}
            }
        } else {
            level.kept = Some(end);
        }
        level.last = end;
        if level.key == Word::Logprobs
            && let Some(array) = container
        {
            self.logprobs.push((self.begun..end, array));
        }
        // What stands under one key is over.
        level.key = Word::Other;
    }

    /// What the string that begins is.
    fn string(&self) -> Option<(What, Word)> {
        let level = self.levels.last()?;
        if self.muted.is_some() || level.strip || level.key == Word::Logprobs {
            return None;
        }
        let key = level.key;
        let what = match (level.node, key) {
            (Node::Delta, _) if key.is_said() => What::Said(key),
            (Node::Choice, Word::Text) => What::Said(Word::Text),
            (Node::Function, Word::Arguments) => What::Call,
            (Node::OldFunction, Word::Arguments) => What::OldCall,
            (Node::Root, Word::Delta) => What::Piece,
            (Node::Block, Word::Text | Word::Thinking | Word::PartialJson) => What::Block(key),
            (Node::Choice | Node::Root | Node::Block, Word::Finish) => What::Finish,
            (Node::Root | Node::Response, Word::Status) => What::Status,
            (_, Word::Arguments) => What::Arguments,
            (_, Word::Data) => What::Data,
            _ => What::Whole(key.is_said()),
        };
        Some((what, key))
    }

    fn number(&mut self, range: Range<usize>, number: &str) {
        if self.muted.is_some() {
            return;
        }
        let (node, key) = self.top();
        let small = || number.parse::<u32>().unwrap_or(u32::MAX);
        match (node, key) {
            (Node::Choice, Word::Index) => {
                if let Some(choice) = self.choices.last_mut() {
                    choice.index = small();
                }
            }
            (Node::Call, Word::Index) => {
                if let Some(tool) = self.tools.last_mut() {
                    *tool = small();
                }
            }
            (Node::Root, Word::Index) => self.index = small(),
            (Node::Root, Word::OutputIndex) => self.output = small(),
            (Node::Root, Word::ContentIndex | Word::SummaryIndex) => self.part = small(),
            (Node::Root, Word::Sequence) => {
                self.sequence = number.parse().ok().map(|number| (range, number));
            }
            (Node::Root, Word::Created) => self.created = Some(range),
            (Node::Usage, Word::Prompted) => self.prompted = number.parse().ok(),
            (Node::Usage, Word::Completed) => self.completed = number.parse().ok(),
            _ => {}
        }
    }

    fn string_over(&mut self, end: usize) {
        let inner = self.begun.saturating_add(1)..end.saturating_sub(1);
        let Some((mut what, key)) = self.what.take() else {
            return;
        };
        let start = self.spots.last().map_or(0, |spot| spot.text.end);
        let range = start..self.text.len();
        let text = self.text.get(range.clone()).unwrap_or_default();
        let (node, _) = self.top();
        match (node, key) {
            (Node::Root, Word::Type) => text.clone_into(&mut self.kind),
            (Node::Root, Word::ItemId) => text.clone_into(&mut self.item),
            (Node::Root, Word::Id) => self.id = Some(self.begun..end),
            (Node::Root, Word::Model) => self.model = Some(self.begun..end),
            (Node::Root, Word::Error) => self.error = true,
            (Node::Choice, Word::Finish) => {
                if let Some(choice) = self.choices.last_mut() {
                    choice.finished = true;
                }
            }
            _ => {}
        }
        if what == What::Data && !words::is_data(text) {
            what = What::Whole(false);
        }
        let unread = text.is_empty()
            && matches!(
                what,
                What::Whole(_) | What::Arguments | What::Data | What::Status
            );
        let name = matches!(what, What::Whole(_)) && key.is_name() && words::is_name(text);
        if name && key == Word::Name {
            self.names.push(inner.clone());
        }
        if unread || name || self.spots.len() >= MOST {
            self.overfull |= self.spots.len() >= MOST;
            self.text.truncate(start);
            return;
        }
        self.spots.push(Spot {
            raw: inner,
            text: range,
            what,
            choice: self.choices.len().saturating_sub(1),
            tool: self.tools.len().saturating_sub(1),
        });
    }
}
