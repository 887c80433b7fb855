"""Read a database of the original Flowflare, for the SQL that converts it."""

from flowflare import library
from flowflare.errors import AdoptionError
from flowflare.kinds.account import Account
from flowflare.migrations.baseline import read_objects
from flowflare.migrations.files import read_migrations
from flowflare.migrations.ledger import RemoteDatabase
from flowflare.migrations.original import TABLES, is_original, write_conversion


def read_original(account: Account, name: str) -> str:
    """Return the SQL that copies the rows of a database with the original's tables.

    Raises:
        AdoptionError: the database does not exist, or its tables are not the original's.
    """
    row = account.database_named(name)
    if row is None:
        raise AdoptionError(
            f"the account does not have a D1 database {name}",
            remedy="Name the database: --names database=NAME",
        )
    database = RemoteDatabase(account.client, account.identity, str(row["uuid"]))
    objects = read_objects(database)
    if not is_original(objects):
        raise AdoptionError(f"D1 database {name} does not have the original's tables")
    columns = {
        table: {
            str(column["name"])
            for column in database.query(f"SELECT name FROM pragma_table_info('{table}');")  # noqa: S608
        }
        for table in TABLES
    }
    return write_conversion(objects, columns, read_migrations(library.folder("migrations")))
