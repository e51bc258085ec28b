//! Resolve: which function a call means, by its name and the types of its arguments.
//!
//! PostgreSQL's rules for overloads (the manual's section 10.3): among the signatures whose arguments fit, an exact match;
//! else those with most exact matches; else those with most preferred types; then quoted literals decide.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::Int32Array;

use super::Checker;
use super::convert::constant;
use super::fold::fold;
use super::types::Category;
use super::unknown;
use super::unknown::unknown_function;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::functions;
use crate::expr::functions::Argument;
use crate::expr::functions::Constant;
use crate::expr::functions::Function;
use crate::expr::functions::Kind;
use crate::expr::functions::Refusal;
use crate::expr::functions::Returns;
use crate::expr::functions::Signature;
use crate::expr::tree::Node;
use crate::types::Type;

/// Operators that PostgreSQL has for several types of which none is preferred (its SQLSTATE 42725).
const AMBIGUOUS: [&str; 9] = ["bit_count", "&", "|", "#", "<<", ">>", "@>", "<@", "?|"];

/// Most bytes of PostgreSQL's `name`.
const NAME_BYTES_MAX: u32 = 63;

/// The type that a function of that name casts to: `int4(x)`.
pub(super) fn cast_name(name: &str) -> Option<Type> {
    match name {
        "int2" | "int4" | "int8" | "float4" | "float8" | "text" | "date" | "time" | "bool" => Type::parse(name).ok(),
        "timetz" => Some(Type::Timetz),
        "timestamp" => Some(Type::Timestamp),
        "timestamptz" => Some(Type::Timestamptz),
        "varchar" => Some(Type::Text),
        _ => None,
    }
}

impl Checker<'_> {
    /// A quoted text beside a `char(n)` is one, too.
    fn chars(&mut self, arguments: Vec<Checked>) -> Option<Vec<Checked>> {
        let has_char = arguments.iter().any(|argument| !argument.is_unknown() && matches!(argument.ty, Type::Char(_)));
        let char = |argument: Checked| match has_char && argument.is_unknown() {
            true => {
                let text = self.as_kind(argument, Kind::Text)?;
                self.convert(text, Type::Char(0))
            }
            false => Some(argument),
        };
        arguments.into_iter().map(char).collect()
    }

    /// A call of a function of the table.
    pub(super) fn function(&mut self, name: &str, place: Span, arguments: Vec<Checked>, span: Span) -> Option<Checked> {
        let found = functions::find(name).or_else(|| functions::operator(name));
        let Some(function) = found else { return self.wrong(unknown_function(name, place)) };
        if matches!(name, "->" | "->>" | "#>" | "#>>") && arguments.first().is_some_and(Checked::is_unknown) {
            let wrong = Diagnostic::error(Code::Types, span, format!("`{name}` takes JSON, not a quoted text"));
            return self.wrong(wrong.with_help("say what the text is: `'…'::super`"));
        }
        if AMBIGUOUS.contains(&name) && arguments.iter().all(Checked::is_unknown) {
            let fact = format!("`{name}` is for several types, and quoted texts alone do not say which");
            let wrong = Diagnostic::error(Code::Types, span, fact);
            return self.wrong(wrong.with_help("give one its type: `'…'::integer`, `'…'::super`"));
        }
        let arguments = match name {
            "concat" | "octet_length" => self.printed(arguments, 0)?,
            // The separator and the pattern are texts.
            "concat_ws" | "format" => self.printed(arguments, 1)?,
            "~" | "~*" | "!~" | "!~*" | "similar to" | "(char)" => self.first(arguments, Self::padded)?,
            "~<~" | "~<=~" | "~>=~" | "~>~" => self.chars(arguments)?,
            "json_object_field" | "json_object_field_text" => self.step(arguments, Kind::Json, Kind::Text, name)?,
            "json_array_element" | "json_array_element_text" => {
                self.step(arguments, Kind::Json, Kind::Integer, name)?
            }
            "jsonb_object_field" | "jsonb_object_field_text" => self.step(arguments, Kind::Jsonb, Kind::Text, name)?,
            "jsonb_array_element" | "jsonb_array_element_text" => {
                self.step(arguments, Kind::Jsonb, Kind::Integer, name)?
            }
            // From today on.
            "age" if arguments.len() == 1 => return self.wrong(unknown::of_the_clock("age(…)", place)),
            "@@" if arguments.first().is_some_and(|text| !text.is_unknown() && text.ty.is_text()) => {
                let fact = "`@@` is not supported for texts: it searches words, which the warehouse does not do";
                return self.wrong(Diagnostic::error(Code::Unsupported, place, fact));
            }
            "to_json" | "to_jsonb" if arguments.iter().any(Checked::is_unknown) => {
                let wrong = Diagnostic::error(Code::Types, span, format!("`{name}` takes a value of a known type"));
                return self.wrong(wrong.with_help("say what the text is: `'…'::text`"));
            }
            "to_json" => arguments.into_iter().map(|argument| self.padded(argument)).collect::<Option<_>>()?,
            "to_jsonb" | "json_build_array" | "json_build_object" | "jsonb_build_array" | "jsonb_build_object" => {
                arguments.into_iter().map(|argument| self.json(argument)).collect::<Option<_>>()?
            }
            _ => arguments,
        };
        let mut kinds: Vec<_> =
            arguments.iter().map(|argument| (!argument.is_unknown()).then(|| Kind::of(argument.ty))).collect();
        // A quoted text beside an operand of a known type is first of all of that type: the manual's section 10.2.
        if let [None, Some(known)] | [Some(known), None] = kinds.as_slice()
            && is_operator(name)
            && function.signatures.iter().any(|signature| signature.arguments == [*known, *known])
        {
            kinds = vec![Some(*known); 2];
        }
        let Some(signature) = choose(function, &kinds) else {
            return self.wrong(no_signature(function, name, &arguments, place));
        };
        let converted: Vec<_> =
            arguments.into_iter().enumerate().map(|(at, part)| self.as_kind(part, kind_at(signature, at))).collect();
        let arguments = converted.into_iter().collect::<Option<Vec<_>>>()?;
        let known: Vec<_> = arguments.iter().map(|part| Argument { ty: part.ty, constant: part.constant() }).collect();
        let ty = match (refused(signature, &known), &signature.returns) {
            (Some(refusal), _) => Err(refusal),
            (None, Returns::Type(ty)) => Ok(*ty),
            (None, Returns::Rule(rule)) => rule(&known),
        };
        // Where an argument is NULL in every row nothing is looked at, and the rule only says the type.
        let is_null = is_null(signature, &known) && unreadable(signature, &known).is_none();
        let ty = match (ty, &signature.returns) {
            (Err(Refusal { fault: Some(_), .. }), Returns::Rule(rule)) if is_null => {
                rule(&known.iter().map(|argument| Argument { constant: None, ..*argument }).collect::<Vec<_>>())
            }
            (ty, _) => ty,
        };
        let ty = match ty {
            Ok(ty) => ty,
            Err(Refusal { fact, fault, at }) => {
                let place = at.and_then(|at| arguments.get(at)).map_or(span, |argument| argument.span);
                let wrong = Diagnostic::error(Code::Arguments, place, fact);
                return self.wrong(Diagnostic { fault, ..wrong });
            }
        };
        Some(fold(Form::Call { name: function.name, signature, arguments }, ty, span))
    }
}

impl Checker<'_> {
    /// The arguments with something done to the first.
    fn first(
        &mut self,
        mut arguments: Vec<Checked>,
        change: impl Fn(&mut Self, Checked) -> Option<Checked>,
    ) -> Option<Vec<Checked>> {
        if let Some(first) = arguments.first_mut() {
            *first = change(self, first.clone())?;
        }
        Some(arguments)
    }

    /// JSON, and the name or the place of a value in it, of which a function's name says which it is.
    fn step(&mut self, arguments: Vec<Checked>, json: Kind, step: Kind, name: &str) -> Option<Vec<Checked>> {
        let mut arguments = self.first(arguments, |checker, value| checker.unless_known(value, json))?;
        if let [_, given] = arguments.as_mut_slice() {
            *given = self.coerced(given.clone(), step, name)?;
        }
        Some(arguments)
    }

    /// A quoted text as one of that kind.
    fn unless_known(&mut self, argument: Checked, kind: Kind) -> Option<Checked> {
        if argument.is_unknown() { self.as_kind(argument, kind) } else { Some(argument) }
    }

    /// `x::name`. What is no text is printed for it.
    pub(super) fn as_name(&mut self, nodes: &[Node], span: Span) -> Option<Checked> {
        let operand = self.node(nodes.first()?)?;
        let operand = match operand.ty {
            Type::Boolean => self.printed(vec![operand], 0)?.pop()?,
            _ => operand,
        };
        self.cast(operand, Type::Varchar(NAME_BYTES_MAX), span)
    }

    /// Arguments from a position on print as a client shows them, not as a cast to text: booleans as a letter, char with its
    /// blanks.
    fn printed(&mut self, arguments: Vec<Checked>, from: usize) -> Option<Vec<Checked>> {
        let printed = arguments.into_iter().enumerate().map(|(at, part)| match part.ty {
            _ if part.is_unknown() || at < from => Some(part),
            Type::Boolean => {
                let span = part.span;
                let length = constant(Arc::new(Int32Array::from(vec![1])), Type::Integer, span);
                let text = self.convert(part, Type::Text)?;
                self.function("left", span, vec![text, length], span)
            }
            _ => self.padded(part),
        });
        printed.collect()
    }
}

/// Whether an argument is NULL in every row, and the result with it.
fn is_null(signature: &Signature, arguments: &[Argument<'_>]) -> bool {
    signature.strict && arguments.iter().filter_map(|argument| argument.constant).any(|values| values.is_null(0))
}

/// The constant that no row gets past, if there is one. Where another is NULL every row is, before anything is looked at; and
/// what is infinite, or no number, goes its own way.
fn refused(signature: &Signature, arguments: &[Argument<'_>]) -> Option<Refusal> {
    if is_null(signature, arguments) || arguments.iter().any(Argument::is_special) {
        return unreadable(signature, arguments);
    }
    unmet(signature, arguments, |_| true)
}

/// The constant that cannot be read into its type, if there is one.
fn unreadable(signature: &Signature, arguments: &[Argument<'_>]) -> Option<Refusal> {
    unmet(signature, arguments, |constraint| matches!(constraint, Constant::Form(_)))
}

/// The constant that does not meet what is asked of it, among some constraints.
fn unmet(signature: &Signature, arguments: &[Argument<'_>], among: impl Fn(&Constant) -> bool) -> Option<Refusal> {
    let constant = |at: usize| arguments.get(at).and_then(|argument| argument.constant);
    let found = signature.constants.iter().filter(|(_, constraint)| among(constraint)).find_map(|(at, constraint)| {
        let fault = constant(*at).filter(|values| values.is_valid(0)).map(|values| constraint.check(values))?;
        fault.err().map(|fault| (at, fault))
    });
    found.map(|(at, fault)| Refusal { at: Some(*at), ..fault.into() })
}

/// Whether a name is an operator's: it is no word.
fn is_operator(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn kind_at(signature: &Signature, at: usize) -> Kind {
    let last = signature.arguments.len().saturating_sub(1);
    signature.arguments.get(at.min(last)).copied().unwrap_or(Kind::Any)
}

/// The signature for arguments of these kinds, `None` being a quoted literal.
fn choose(function: &Function, kinds: &[Option<Kind>]) -> Option<&'static Signature> {
    let takes = |signature: &Signature| match signature.variadic {
        true => kinds.len() >= signature.arguments.len(),
        false => kinds.len() == signature.arguments.len(),
    };
    let fits = |signature: &Signature| {
        kinds.iter().enumerate().all(|(at, kind)| kind.is_none_or(|kind| kind.becomes(kind_at(signature, at))))
    };
    let mut found: Vec<_> =
        function.signatures.iter().filter(|signature| takes(signature) && fits(signature)).collect();
    let exact = |signature: &Signature| {
        kinds.iter().enumerate().filter(|&(at, kind)| *kind == Some(kind_at(signature, at))).count()
    };
    keep_most(&mut found, exact);
    keep_most(&mut found, |signature| {
        let good = |(at, kind): &(usize, &Option<Kind>)| {
            let taken = kind_at(signature, *at);
            kind.is_some_and(|kind| kind == taken || taken.is_preferred())
        };
        kinds.iter().enumerate().filter(good).count()
    });
    if found.len() > 1 {
        // A literal is text where some signature takes text; else it is of the category that all take, and preferred there.
        let unknown = kinds.iter().enumerate().filter(|(_, kind)| kind.is_none()).map(|(at, _)| at);
        let wanted = unknown.map(|at| wanted_of(&found, at).map(|wanted| (at, wanted)));
        for (at, (category, is_preferred)) in wanted.collect::<Option<Vec<_>>>().unwrap_or_default() {
            found.retain(|signature| {
                let kind = kind_at(signature, at);
                category_of_literal(kind) == category && (!is_preferred || kind.is_preferred())
            });
        }
    }
    if found.len() > 1 {
        // All known arguments of one kind: the literals are of that kind too.
        let mut known = kinds.iter().flatten();
        let kind = known.next()?;
        if known.all(|other| other == kind) {
            found.retain(|signature| (0..kinds.len()).all(|at| kind.becomes(kind_at(signature, at))));
        }
    }
    match found.as_slice() {
        [signature] => Some(signature),
        _ => None,
    }
}

/// The category that a literal at a place is taken for, and whether its preferred type is among what is taken; `None` where
/// nothing decides.
fn wanted_of(found: &[&'static Signature], at: usize) -> Option<(Category, bool)> {
    let kinds = || found.iter().map(|signature| kind_at(signature, at));
    let first = category_of_literal(kinds().next()?);
    let is_text = kinds().any(|kind| kind.category() == Category::Text);
    let category = if is_text { Category::Text } else { first };
    let is_settled = is_text || kinds().all(|kind| category_of_literal(kind) == category);
    is_settled.then(|| (category, kinds().any(|kind| category_of_literal(kind) == category && kind.is_preferred())))
}

/// The category of a kind where literals are looked at: days, times and times of day are one for PostgreSQL.
fn category_of_literal(kind: Kind) -> Category {
    match kind.category() {
        Category::Time => Category::Moment,
        category => category,
    }
}

/// Keeps the signatures with the highest score.
fn keep_most(found: &mut Vec<&'static Signature>, score: impl Fn(&Signature) -> usize) {
    let most = found.iter().map(|signature| score(signature)).max().unwrap_or(0);
    found.retain(|signature| score(signature) == most);
}

fn no_signature(function: &Function, name: &str, arguments: &[Checked], place: Span) -> Diagnostic {
    let given =
        arguments.iter().map(|part| if part.is_unknown() { "quoted text".to_owned() } else { part.ty.to_string() });
    let given = given.collect::<Vec<_>>();
    let is_operator = is_operator(name);
    let takes = function.signatures.iter().map(|signature| {
        let kinds = signature.arguments.iter().map(|kind| match kind {
            Kind::Any => "anything".to_owned(),
            kind => kind.ty().to_string(),
        });
        let dots = if signature.variadic { ", …" } else { "" };
        let kinds = kinds.collect::<Vec<_>>();
        match kinds.as_slice() {
            [left, right] if is_operator => format!("{left} {name} {right}"),
            kinds => format!("{name}({}{dots})", kinds.join(", ")),
        }
    });
    let help = format!("there is {}", takes.collect::<Vec<_>>().join(", "));
    let wrong = match given.as_slice() {
        _ if !is_operator => (Code::Arguments, format!("`{name}` does not take ({})", given.join(", "))),
        given => (Code::Types, format!("`{name}` does not take {}", given.join(" and "))),
    };
    let wrong = Diagnostic::error(wrong.0, place, wrong.1).with_help(help);
    arguments.iter().fold(wrong, |wrong, part| {
        let name = if part.is_unknown() { "quoted text".to_owned() } else { part.ty.to_string() };
        wrong.with_label(part.span, name)
    })
}
