//! Path: the SQL/JSON path language, which leads to values in JSON: `$.orders[*] ? (@.total > $least).id`.
//!
//! As PostgreSQL has it (the manual's section 9.16.2): `parse` makes a [`Path`] of a text, `evaluate` finds the values. The
//! length of a path and the work for it are bounded, so that no JSON and no path takes long.

mod scan;
mod parse;
mod evaluate;
mod item;
mod moment;

pub(in crate::expr) use evaluate::Search;

use super::regexp::Regexp;
use crate::column::Fault;

/// Most parts of a path. Each may enclose another, so that this bounds the depth as well.
const PARTS_MAX: usize = 250;

/// A path that can be followed.
#[derive(Debug)]
pub(in crate::expr) struct Path {
    /// Whether it is lax: arrays are unwrapped and values are taken for arrays where that helps, and what is not there is no
    /// error.
    lax: bool,
    expression: Chain,
}

impl Path {
    /// Reads a path; a mistake in it is a fault.
    pub(in crate::expr) fn parse(text: &str) -> Result<Self, Fault> {
        parse::parse(text)
    }
}

/// A value and the accessors behind it, each of which is applied to what the one before it leads to.
#[derive(Debug)]
struct Chain {
    head: Head,
    steps: Vec<Step>,
}

/// Where a chain begins.
#[derive(Debug)]
enum Head {
    /// `$`.
    Root,
    /// `@`.
    Current,
    /// `last`.
    Last,
    Null,
    Boolean(bool),
    /// As it is written, without blanks around it.
    Number(String),
    String(String),
    /// `$name`.
    Variable(String),
    /// `+x`, `-x`.
    Sign {
        negative: bool,
        operand: Box<Chain>,
    },
    Arithmetic {
        operator: Arithmetic,
        left: Box<Chain>,
        right: Box<Chain>,
    },
    /// A predicate, which is true, false or null.
    Predicate(Box<Predicate>),
}

/// `+ - * / %`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// An accessor.
#[derive(Debug)]
enum Step {
    /// `.name`.
    Member(String),
    /// `.*`.
    EveryMember,
    /// `[*]`.
    EveryElement,
    /// `[0, 2 to last]`.
    Elements(Vec<(Chain, Option<Chain>)>),
    /// `.**{1 to 2}`; `None` is `last`.
    Descendants {
        first: Option<u32>,
        last: Option<u32>,
    },
    /// `? (…)`.
    Filter(Box<Predicate>),
    Method(Method),
}

/// An item method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Type,
    Size,
    Double,
    Ceiling,
    Floor,
    Abs,
    Keyvalue,
    Datetime,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Size => "size",
            Self::Double => "double",
            Self::Ceiling => "ceiling",
            Self::Floor => "floor",
            Self::Abs => "abs",
            Self::Keyvalue => "keyvalue",
            Self::Datetime => "datetime",
        }
    }

    fn find(name: &str) -> Option<Self> {
        let all = [
            Self::Type,
            Self::Size,
            Self::Double,
            Self::Ceiling,
            Self::Floor,
            Self::Abs,
            Self::Keyvalue,
            Self::Datetime,
        ];
        all.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }
}

/// What is true, false or unknown.
#[derive(Debug)]
enum Predicate {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    IsUnknown(Box<Self>),
    Compare { operator: Comparison, left: Chain, right: Chain },
    StartsWith { whole: Chain, beginning: Chain },
    LikeRegex { text: Chain, pattern: Box<Regexp> },
    Exists(Chain),
}

/// `== != < <= > >=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
