"""The keys of a client's class migrations in the configuration."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from flowflare.model.written import ClassName, ScriptName, Written, refusal

_Name = Annotated[str, Field(min_length=1)]


class RenamedClassConfig(Written):
    """A class that gets another name and keeps its objects."""

    old: ClassName = Field(alias="from", description="The present name of the class.")
    new: ClassName = Field(alias="to", description="The new name of the class.")


class TransferredClassConfig(Written):
    """A class whose objects come from another script."""

    old: ClassName = Field(alias="from", description="The class's name in the other script.")
    from_script: ScriptName = Field(
        description="The script that has the objects now: a client of the stack, or a script's "
        "name in the account."
    )
    new: ClassName = Field(alias="to", description="The class's name in this script.")


class ClassMigrationConfig(Written):
    """One step of a client's class migrations."""

    @model_validator(mode="before")
    @classmethod
    def _no_key_value_classes(cls, value: Any) -> Any:
        if isinstance(value, dict) and "newClasses" in value:
            remedy = (
                "Write newSqliteClasses. Cloudflare refuses new key-value classes on free plans "
                "(10097) and on accounts that have none yet (10099), and a class cannot change its "
                "storage later."
            )
            raise refusal("creates classes with key-value storage, `newClasses`", remedy)
        return value

    tag: _Name = Field(description="The step's name, which no other step has.")
    new_sqlite_classes: list[ClassName] = Field(default_factory=list, description="New classes.")
    renamed_classes: list[RenamedClassConfig] = Field(
        default_factory=list, description="Classes that get another name and keep their objects."
    )
    deleted_classes: list[ClassName] = Field(
        default_factory=list, description="Classes that are deleted with the data of their objects."
    )
    transferred_classes: list[TransferredClassConfig] = Field(
        default_factory=list,
        description="Classes that are taken over from another script with their objects.",
    )
