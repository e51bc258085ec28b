//! Ddl: the tables and indexes that a target needs: the target itself, and Etalon's tables beside it.

use crate::error::Error;
use crate::sql::quote::Identifier;
use crate::types::Type;
use crate::warehouse::sql::ColumnDefinition;
use crate::warehouse::sql::Command;
use crate::warehouse::sql::CreateTable;
use crate::warehouse::sql::Expr;
use crate::warehouse::sql::TableName;
use crate::warehouse::target::Target;
use crate::warehouse::target::digest;

/// The table of declared types. A warehouse like SQLite keeps a `decimal(12,2)` as text and a `boolean` as a number, and
/// would forget what they are.
pub const COLUMNS_TABLE: &str = "_etalon_columns";
/// What the name of an index on a key begins with.
pub(crate) const KEY_INDEX_PREFIX: &str = "_etalon_key_";

/// The columns of the table of declared types.
pub(crate) const COLUMNS: [(&str, Type); 5] = [
    ("target", Type::Varchar(256)),
    ("position", Type::Bigint),
    ("name", Type::Varchar(256)),
    ("type", Type::Varchar(64)),
    ("required", Type::Boolean),
];

impl Target {
    /// Creates the target.
    pub(crate) fn create(&self) -> Command {
        let columns = self.declared().into_iter().map(|column| ColumnDefinition {
            // The name has been checked with the target's.
            name: Identifier::found(&column.name),
            ty: column.ty,
            required: column.required,
        });
        let (sort_key, dist_key) = self.layout_names();
        Command::CreateTable(CreateTable {
            sort_key,
            dist_key,
            ..CreateTable::new(self.table.clone(), columns.collect())
        })
    }

    /// The name of the index that the key needs; it tells the key, so that another key means another index.
    pub(crate) fn key_index(&self) -> Option<String> {
        self.key_index_name().map(|name| name.as_str().to_owned())
    }

    fn key_index_name(&self) -> Option<Identifier> {
        if !self.dialect.enforces_keys {
            return None;
        }
        // With their quotes, so that two names are not taken for one with a blank in it.
        let columns: Vec<String> = self.unique_key()?.iter().map(|(name, _)| name.to_string()).collect();
        let told = format!("{} ({})", self.table, columns.join(", "));
        Some(Identifier::found(&format!("{KEY_INDEX_PREFIX}{:08x}", digest(&told))))
    }

    /// Makes the key unique, and quick to find, if it is not yet.
    pub(crate) fn create_key_index(&self) -> Option<Command> {
        let keys = self.unique_key()?.into_iter().map(|(name, ty)| Expr::Column(None, name).key(ty));
        Some(Command::CreateUniqueIndex {
            name: self.key_index_name()?,
            table: self.table.clone(),
            columns: keys.collect(),
        })
    }

    /// Drops an index that the warehouse has named.
    pub(crate) fn drop_index(&self, name: &str) -> Command {
        Command::DropIndex(TableName { schema: self.table.schema.clone(), name: Identifier::found(name) })
    }

    /// Creates the table of rows that others have beaten.
    pub(crate) fn create_beaten(&self, if_absent: bool) -> Command {
        let (_, dist_key) = self.layout_names();
        Command::CreateTable(CreateTable {
            if_absent,
            dist_key,
            ..CreateTable::new(self.beaten_table(), self.beaten_columns())
        })
    }

    /// Creates the tables beside the target, unless they are there.
    pub(crate) fn create_beside(&self) -> Result<Vec<Command>, Error> {
        let mut commands = vec![Command::CreateTable(CreateTable {
            if_absent: true,
            primary_key: ["target", "name"].map(Identifier::own).to_vec(),
            ..CreateTable::new(self.own_table(COLUMNS_TABLE), definitions(&COLUMNS, true))
        })];
        if self.dialect.has_lock {
            let fence = definitions(&[("fence", Type::Boolean)], false);
            commands.push(Command::CreateTable(CreateTable {
                if_absent: true,
                ..CreateTable::new(self.fence_table(), fence)
            }));
        }
        if self.keeps_deleted() {
            let version = self.version_columns().into_iter();
            let version = version.map(|(name, ty)| ColumnDefinition { name, ty, required: true });
            let lineage: Vec<(&'static str, Type)> = self.kept_lineage().collect();
            let table = self.deleted_table()?;
            let columns: Vec<ColumnDefinition> = version.chain(definitions(&lineage, true)).collect();
            let key = self.unique_key().unwrap_or_default();
            let index = self.dialect.enforces_keys.then(|| Command::CreateUniqueIndex {
                name: Identifier::found(&format!("{KEY_INDEX_PREFIX}{:08x}", digest(&table.to_string()))),
                table: table.clone(),
                columns: key.into_iter().map(|(name, ty)| Expr::Column(None, name).key(ty)).collect(),
            });
            commands.push(Command::CreateTable(CreateTable { if_absent: true, ..CreateTable::new(table, columns) }));
            commands.extend(index);
        }
        if self.keeps_beaten() {
            commands.push(self.create_beaten(true));
        }
        Ok(commands)
    }
}

/// Columns of a table of Etalon's own.
pub(crate) fn definitions(columns: &[(&'static str, Type)], required: bool) -> Vec<ColumnDefinition> {
    columns.iter().map(|&(name, ty)| ColumnDefinition { name: Identifier::own(name), ty, required }).collect()
}
