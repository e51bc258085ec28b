//! Beside: the tables of beaten rows and of deleted keys. That of beaten rows always has the columns of its target, also when these
//! change, and those that the target has of an earlier pipeline file.

use super::Found;
use super::Migration;
use super::ask_catalog;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::dialect::Widening;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::TableName;
use crate::warehouse::statement::Parameter;
use crate::warehouse::statement::Statement;
use crate::warehouse::table::TableColumn;
use crate::warehouse::target::Target;

/// A question to the warehouse's own catalog about the table of beaten rows.
pub(super) fn ask_beaten(target: &Target) -> Statement {
    ask(target, "beaten", &target.beaten_table(), "ask for the columns of beaten rows")
}

/// A question about the table of deleted keys, where there is to be one.
pub(super) fn ask_deleted(target: &Target) -> Result<Option<Statement>, Error> {
    let ask = |table: TableName| ask(target, "deleted", &table, "ask for the columns of deleted keys");
    if target.keeps_deleted() { target.deleted_table().map(ask).map(Some) } else { Ok(None) }
}

fn ask(target: &Target, parameter: &str, table: &TableName, what: &'static str) -> Statement {
    let asked = ask_catalog(target, what, target.dialect.columns);
    let parameters = asked.parameters.into_iter().map(|asked| match asked.name.as_str() {
        // Parameters of one name have one value in all questions that are asked at once.
        "table" => Parameter { name: parameter.to_owned(), value: table.name.as_str().to_owned() },
        _ => asked,
    });
    Statement { sql: asked.sql.replace(":table", &format!(":{parameter}")), parameters: parameters.collect(), what }
}

impl Target {
    /// The target with the columns that an earlier pipeline file had and the table still has; `None` if there are none. A load
    /// brings nothing into them, but a row that was beaten has values there, with which it comes back.
    pub fn with_former(&self, found: &Found) -> Option<Self> {
        let own = self.declared();
        let is_former = |column: &&TableColumn| {
            found.present.contains(&column.name) && own.iter().all(|declared| declared.name != column.name)
        };
        let definition = |column: &TableColumn| ColumnDefinition {
            // The name is the one under which Etalon has created the column.
            name: Identifier::found(&column.name),
            ty: column.ty,
            required: false,
        };
        let former: Vec<ColumnDefinition> = found.declared.iter().filter(is_former).map(definition).collect();
        (!former.is_empty()).then(|| {
            let mut target = self.clone();
            target.former = former;
            target
        })
    }
}

impl Migration {
    /// Tells that a table beside one with rows is made, and what is not in it: somebody may have dropped it.
    pub(super) fn tell_of_new(&mut self, target: &Target, found: &Found) -> Result<(), Error> {
        if found.loads == 0 {
            return Ok(());
        }
        if target.keeps_beaten() && found.beaten.is_empty() {
            self.changes.push(format!(
                "table `{}` is created: rows that others have beaten in earlier loads are not in it, and do not come back when \
                 the rows that have beaten them go",
                target.beaten_table().name.as_str()
            ));
        }
        if target.keeps_deleted() && !found.has_deleted {
            self.changes.push(format!(
                "table `{}` is created: keys that earlier loads have deleted are not in it, and an older version of such a row \
                 may come back",
                target.deleted_table()?.name.as_str()
            ));
        }
        Ok(())
    }

    /// Makes the table of beaten rows what the target is; it is made anew where the ledger tells of no load.
    pub(super) fn fit_beaten(&mut self, target: &Target, found: &Found) -> Result<(), Error> {
        if !target.keeps_beaten() || found.beaten.is_empty() {
            return Ok(());
        }
        let table = target.beaten_table();
        if found.loads == 0 {
            if !found.declared.is_empty() {
                self.push(target, "forget the beaten rows of an earlier table", Command::DropTables(vec![table]));
                self.push(target, "make room for beaten rows", target.create_beaten(false));
            }
            return Ok(());
        }
        for column in target.beaten_columns() {
            let ColumnDefinition { name, ty, .. } = column.clone();
            let Some(stored) = found.beaten.get(name.as_str()) else {
                self.push(target, "add a column for beaten rows", Command::AddColumn(table.clone(), column));
                continue;
            };
            if (target.dialect.keeps)(stored, ty) {
                continue;
            }
            let is_text = matches!((Type::parse(stored), ty), (Ok(Type::Varchar(_)), Type::Varchar(_)));
            let widen = Command::Widen { table: table.clone(), column: name.clone(), ty };
            match target.dialect.widening {
                Widening::InTransaction => self.push(target, "give beaten rows more room", widen),
                Widening::Alone if is_text => {
                    self.outside.push(widen.statement("give beaten rows more room", target.dialect));
                }
                Widening::Alone | Widening::Needless => {
                    let message = format!(
                        "table {table}, which keeps the rows that others have beaten, has {stored} in column {name}, and {ty} is \
                         needed: `drop table {table}`"
                    );
                    return Err(Error::new(ErrorKind::Refused, message));
                }
            }
        }
        Ok(())
    }
}
