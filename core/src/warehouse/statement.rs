//! Statement: SQL text for a warehouse, with the values of its parameters.

/// A value beside a statement. All values are text: the statement casts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the whole script: `:name` on Redshift. One name has one value in all statements of a script.
    pub name: String,
    /// Its value, never empty.
    pub value: String,
}

/// A statement and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text.
    pub sql: String,
    /// The parameters that it uses, each once: the first is `$1` on PostgreSQL and `?1` on SQLite.
    pub parameters: Vec<Parameter>,
    /// What it does, for people.
    pub what: &'static str,
}

impl Statement {
    /// A statement without parameters.
    pub(crate) fn plain(sql: impl Into<String>, what: &'static str) -> Self {
        Self { sql: sql.into(), parameters: Vec::new(), what }
    }

    /// The text with what it does before it, as a comment: a warehouse that lists its statements tells people more, and
    /// [`Statement::purpose`] finds it there.
    pub fn labelled(&self) -> String {
        format!("/* {} */\n{}", self.what, self.sql)
    }

    /// What a labelled text does.
    pub fn purpose(sql: &str) -> Option<&str> {
        sql.strip_prefix("/* ")?.split_once(" */").map(|(what, _)| what)
    }

    /// The values of the parameters, in the order of their numbers.
    pub fn values(&self) -> Vec<&str> {
        self.parameters.iter().map(|parameter| parameter.value.as_str()).collect()
    }
}
