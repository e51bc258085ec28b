//! Parse: the tree of a template, and what it asks for that nobody has. The only file that knows minijinja.

use std::collections::BTreeSet;

use minijinja::Value as Constant;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, CompareOpKind, Expr, Stmt, UnaryOpKind};
use minijinja::value::ValueKind;
use serde_json::{Map, Number, Value};

use super::functions;

/// Most expressions inside each other.
const DEPTH_MAX: usize = 64;
/// Most opening brackets inside each other, before anything is parsed.
const BRACKETS_MAX: usize = 64;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// Text as it stands.
    Raw(String),
    /// `{{ … }}`
    Emit(Node),
    /// `{% set name = … %}`
    Set(String, Node),
    /// `{% set name %}…{% endset %}`
    SetBlock(String, Vec<Self>),
    /// `{% if … %}`, `{% else %}`
    If(Node, Vec<Self>, Vec<Self>),
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Constant(Value),
    Name(String),
    List(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Attribute(Box<Self>, String),
    Item(Box<Self>, Box<Self>),
    Slice(Box<Self>, [Option<Box<Self>>; 3]),
    Not(Box<Self>),
    Negative(Box<Self>),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
    Arithmetic(Operator, Box<Self>, Box<Self>),
    /// `a < b < c`: each with the one before it.
    Compare(Box<Self>, Vec<(Comparison, Self)>),
    If(Box<Self>, Box<Self>, Option<Box<Self>>),
    Filter(String, Box<Self>, Arguments),
    Test(String, Box<Self>, Arguments),
    Function(String, Arguments),
    Method(Box<Self>, String, Arguments),
}

/// What a call is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments {
    pub(super) positional: Vec<Node>,
    pub(super) named: Vec<(String, Node)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
    Concatenate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// Parses a template: its statements, and the names that it takes from where it stands.
pub(super) fn parse(source: &str) -> Result<(Vec<Statement>, BTreeSet<String>), Vec<String>> {
    let mut open = 0_usize;
    for b in source.bytes() {
        match b {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > BRACKETS_MAX {
            return Err(vec![format!("a template with more than {BRACKETS_MAX} brackets inside each other")]);
        }
    }
    let plain = source.strip_suffix('\n').unwrap_or(source);
    let parsed = minijinja::machinery::parse(plain, "template", minijinja::syntax::SyntaxConfig::default());
    let template = match parsed {
        Ok(Stmt::Template(template)) => template,
        Ok(_) => return Err(vec!["a template that is none".to_owned()]),
        Err(error) => {
            let detail = error.detail().map(ToOwned::to_owned).unwrap_or_else(|| error.kind().to_string());
            return Err(vec![format!("the template `{}`: {detail}", plain.trim())]);
        }
    };
    let mut lower = Lower::default();
    let body = lower.statements(&template.children);
    lower.names.retain(|name| !lower.set.contains(name));
    if lower.missing.is_empty() { Ok((body, lower.names)) } else { Err(lower.missing.into_iter().collect()) }
}

#[derive(Default)]
struct Lower {
    names: BTreeSet<String>,
    set: BTreeSet<String>,
    missing: BTreeSet<String>,
    depth: usize,
}

impl Lower {
    fn missing(&mut self, what: String) -> Node {
        self.missing.insert(what);
        Node::Constant(Value::Null)
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) -> Vec<Statement> {
        statements.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Stmt<'_>) -> Option<Statement> {
        let word = match statement {
            Stmt::EmitRaw(raw) => return Some(Statement::Raw(raw.raw.to_owned())),
            Stmt::EmitExpr(emit) => return Some(Statement::Emit(self.node(&emit.expr))),
            Stmt::IfCond(condition) => {
                let test = self.node(&condition.expr);
                let (yes, no) = (self.statements(&condition.true_body), self.statements(&condition.false_body));
                return Some(Statement::If(test, yes, no));
            }
            Stmt::Set(set) => {
                let value = self.node(&set.expr);
                if let Expr::Var(name) = &set.target {
                    self.set.insert(name.id.to_owned());
                    return Some(Statement::Set(name.id.to_owned(), value));
                }
                "set"
            }
            Stmt::SetBlock(set) => {
                let body = self.statements(&set.body);
                if let (Expr::Var(name), None) = (&set.target, &set.filter) {
                    self.set.insert(name.id.to_owned());
                    return Some(Statement::SetBlock(name.id.to_owned(), body));
                }
                "set"
            }
            Stmt::ForLoop(_) => "for",
            Stmt::WithBlock(_) => "with",
            Stmt::FilterBlock(_) => "filter",
            _ => "…",
        };
        self.missing.insert(format!("`{{% {word} %}}` in a template"));
        None
    }

    fn boxed(&mut self, expression: &Expr<'_>) -> Box<Node> {
        Box::new(self.node(expression))
    }

    fn nodes(&mut self, expressions: &[Expr<'_>]) -> Vec<Node> {
        expressions.iter().map(|expression| self.node(expression)).collect()
    }

    fn node(&mut self, expression: &Expr<'_>) -> Node {
        self.depth += 1;
        let node = if self.depth > DEPTH_MAX {
            self.missing(format!("a template with more than {DEPTH_MAX} expressions inside each other"))
        } else {
            self.lowered(expression)
        };
        self.depth -= 1;
        node
    }

    fn lowered(&mut self, expression: &Expr<'_>) -> Node {
        match expression {
            // Jinja's own name for the template: it has blocks, and manifests have none.
            Expr::Var(name) if name.id == "self" => self.missing("`self` in a template".to_owned()),
            Expr::GetAttr(get) if matches!(&get.expr, Expr::Var(name) if name.id == "self") => {
                Node::Attribute(Box::new(Node::Constant(Value::Object(Map::new()))), get.name.to_owned())
            }
            Expr::Var(name) => {
                self.names.insert(name.id.to_owned());
                Node::Name(name.id.to_owned())
            }
            Expr::Const(constant) if is_too_large(&constant.value) => {
                self.missing("a whole number of more than 64 bits in a template".to_owned())
            }
            Expr::Const(constant) => Node::Constant(json(&constant.value)),
            Expr::List(list) => Node::List(self.nodes(&list.items)),
            Expr::Tuple(tuple) => Node::List(self.nodes(&tuple.items)),
            Expr::Map(map) => {
                let keys = self.nodes(&map.keys);
                if keys.iter().any(|key| matches!(key, Node::Constant(key) if !key.is_string())) {
                    return self.missing("a mapping whose keys are no texts in a template".to_owned());
                }
                Node::Map(keys.into_iter().zip(self.nodes(&map.values)).collect())
            }
            Expr::GetAttr(get) => Node::Attribute(self.boxed(&get.expr), get.name.to_owned()),
            Expr::GetItem(get) => Node::Item(self.boxed(&get.expr), self.boxed(&get.subscript_expr)),
            Expr::Slice(slice) => {
                let of = self.boxed(&slice.expr);
                let bounds = [&slice.start, &slice.stop, &slice.step];
                Node::Slice(of, bounds.map(|bound| bound.as_ref().map(|bound| self.boxed(bound))))
            }
            Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Not => Node::Not(self.boxed(&unary.expr)),
                UnaryOpKind::Neg => Node::Negative(self.boxed(&unary.expr)),
            },
            Expr::BinOp(binary) => self.binary(binary),
            Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr);
                let rest = compare.ops.iter().map(|op| {
                    let comparison = match op.op {
                        CompareOpKind::Eq => Comparison::Equal,
                        CompareOpKind::Ne => Comparison::Unequal,
                        CompareOpKind::Lt => Comparison::Less,
                        CompareOpKind::Lte => Comparison::LessOrEqual,
                        CompareOpKind::Gt => Comparison::Greater,
                        CompareOpKind::Gte => Comparison::GreaterOrEqual,
                        CompareOpKind::In => Comparison::In,
                        CompareOpKind::NotIn => Comparison::NotIn,
                    };
                    (comparison, self.node(&op.expr))
                });
                Node::Compare(first, rest.collect())
            }
            Expr::IfExpr(choice) => {
                let (test, yes) = (self.boxed(&choice.test_expr), self.boxed(&choice.true_expr));
                Node::If(test, yes, choice.false_expr.as_ref().map(|no| self.boxed(no)))
            }
            Expr::Filter(filter) => {
                if !functions::FILTERS.contains(&filter.name) {
                    return self.missing(format!("the filter `{}` in a template", filter.name));
                }
                let Some(of) = &filter.expr else {
                    return self.missing("a filter of nothing in a template".to_owned());
                };
                let (of, arguments) = (self.boxed(of), self.arguments(&filter.args));
                if let Some(lacked) = lacked(filter.name, true, None, &arguments) {
                    return self.missing(format!("{lacked} in a template"));
                }
                Node::Filter(filter.name.to_owned(), of, arguments)
            }
            Expr::Test(test) => {
                if !functions::TESTS.contains(&test.name) {
                    return self.missing(format!("the test `{}` in a template", test.name));
                }
                Node::Test(test.name.to_owned(), self.boxed(&test.expr), self.arguments(&test.args))
            }
            Expr::Call(call) => self.call(call),
        }
    }

    fn binary(&mut self, binary: &ast::BinOp<'_>) -> Node {
        // Python writes values into such a text.
        if let (BinOpKind::Rem, Expr::Const(text)) = (&binary.op, &binary.left)
            && text.value.as_str().is_some()
        {
            return self.missing("`%` of a text in a template".to_owned());
        }
        let (left, right) = (self.boxed(&binary.left), self.boxed(&binary.right));
        let compare = |comparison, left, right: Box<Node>| Node::Compare(left, vec![(comparison, *right)]);
        match binary.op {
            BinOpKind::ScAnd => Node::Both(left, right),
            BinOpKind::ScOr => Node::Either(left, right),
            BinOpKind::Eq => compare(Comparison::Equal, left, right),
            BinOpKind::Ne => compare(Comparison::Unequal, left, right),
            BinOpKind::Lt => compare(Comparison::Less, left, right),
            BinOpKind::Lte => compare(Comparison::LessOrEqual, left, right),
            BinOpKind::Gt => compare(Comparison::Greater, left, right),
            BinOpKind::Gte => compare(Comparison::GreaterOrEqual, left, right),
            BinOpKind::In => compare(Comparison::In, left, right),
            BinOpKind::Add => Node::Arithmetic(Operator::Add, left, right),
            BinOpKind::Sub => Node::Arithmetic(Operator::Subtract, left, right),
            BinOpKind::Mul => Node::Arithmetic(Operator::Multiply, left, right),
            BinOpKind::Div => Node::Arithmetic(Operator::Divide, left, right),
            BinOpKind::FloorDiv => Node::Arithmetic(Operator::DivideWhole, left, right),
            BinOpKind::Rem => Node::Arithmetic(Operator::Remainder, left, right),
            BinOpKind::Pow => Node::Arithmetic(Operator::Power, left, right),
            BinOpKind::Concat => Node::Arithmetic(Operator::Concatenate, left, right),
        }
    }

    fn call(&mut self, call: &ast::Call<'_>) -> Node {
        match &call.expr {
            Expr::Var(name) if functions::FUNCTIONS.contains(&name.id) => {
                let arguments = self.arguments(&call.args);
                if let Some(lacked) = lacked(name.id, false, None, &arguments) {
                    return self.missing(format!("{lacked} in a template"));
                }
                Node::Function(name.id.to_owned(), arguments)
            }
            Expr::Var(name) => self.missing(format!("the function `{}` in a template", name.id)),
            Expr::GetAttr(method) if functions::METHODS.contains(&method.name) => {
                let of = self.boxed(&method.expr);
                let arguments = self.arguments(&call.args);
                if let Some(lacked) = lacked(method.name, false, Some(&of), &arguments) {
                    return self.missing(format!("{lacked} in a template"));
                }
                Node::Method(of, method.name.to_owned(), arguments)
            }
            Expr::GetAttr(method) => self.missing(format!("the method `{}` in a template", method.name)),
            _ => self.missing("a call of what is no name in a template".to_owned()),
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) -> Arguments {
        let mut lowered = Arguments::default();
        for argument in arguments {
            match argument {
                CallArg::Pos(value) => lowered.positional.push(self.node(value)),
                CallArg::Kwarg(name, value) => lowered.named.push(((*name).to_owned(), self.node(value))),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    _ = self.missing("`*` in a call in a template".to_owned())
                }
            }
        }
        lowered
    }
}

/// What of a call nobody has. `of`: what a method is of.
fn lacked(name: &str, is_filter: bool, of: Option<&Node>, arguments: &Arguments) -> Option<String> {
    fn text(node: &Node) -> Option<&str> {
        if let Node::Constant(value) = node { value.as_str() } else { None }
    }
    let named: Vec<&str> = arguments.named.iter().map(|(name, _)| name.as_str()).collect();
    let constant = |place: usize, name: &str| {
        let by_name = || arguments.named.iter().find(|(known, _)| known == name).map(|(_, node)| node);
        arguments.positional.get(place).or_else(by_name).and_then(text)
    };
    functions::call_lacks(name, is_filter, arguments.positional.len(), &named, of.and_then(text), &constant)
}

/// Whether it is a whole number that JSON has no exact word for.
fn is_too_large(constant: &Constant) -> bool {
    constant.is_integer() && i64::try_from(constant.clone()).is_err() && u64::try_from(constant.clone()).is_err()
}

/// A constant of minijinja.
fn json(constant: &Constant) -> Value {
    match constant.kind() {
        ValueKind::Bool => Value::Bool(constant.is_true()),
        ValueKind::Number => {
            let large = || u64::try_from(constant.clone()).ok().map(Number::from);
            let small = || i64::try_from(constant.clone()).ok().map(Number::from).or_else(large);
            let integer = constant.is_integer().then(small).flatten();
            let float = || f64::try_from(constant.clone()).ok().and_then(Number::from_f64);
            integer.or_else(float).map_or(Value::Null, Value::Number)
        }
        ValueKind::String => Value::String(constant.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq => constant.try_iter().map(|items| items.map(|item| json(&item)).collect()).unwrap_or_default(),
        ValueKind::Map => {
            let entry = |key: Constant| {
                let value = constant.get_item(&key).map_or(Value::Null, |value| json(&value));
                (key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned), value)
            };
            Value::Object(constant.try_iter().map(|keys| keys.map(entry).collect::<Map<_, _>>()).unwrap_or_default())
        }
        _ => Value::Null,
    }
}
