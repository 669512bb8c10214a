"""What a table must be like, before anything of it runs."""

from collections.abc import Sequence

from jaxgan.ablation.stages import check_stages, row_overrides
from jaxgan.ablation.table import CONTROLS, BySeed, Claim, Column, Stage, Table
from jaxgan.errors import UserError, nearest


def check_table(found: Table, spec: str) -> None:
    """Refuses a table whose names do not fit each other. Raises UserError."""
    _check_types(found, spec)
    check_stages(found)
    columns = {column.name: column for column in found.columns}
    for column in found.columns:
        if columns[column.name] is not column:
            raise UserError(f"two columns are called '{column.name}'; give one another title")
        try:
            format(0.0, column.format)
        except ValueError as error:
            raise UserError(f"column '{column.name}': '{column.format}' is no format of a number, as .2f is") from error
        if column.better not in ("higher", "lower", ""):
            raise UserError(f"column '{column.name}' is better 'higher', 'lower' or '', not '{column.better}'")
        if column.within and not column.within[0] < column.within[1]:
            raise UserError(f"column '{column.name}' has values within {column.within}; the first must be below the second")
        if column.count < 0:
            raise UserError(f"column '{column.name}' changes by count={column.count:g}, which must be above 0")
    _check_rules(found, spec, columns)
    for name, row in found.rows.items():
        if row.hidden and row.published:
            raise UserError(f"row '{name}' is hidden, and has published values, which nothing would show; leave one out")
        for key in row.published:
            if key not in columns:
                raise UserError(f"row '{name}' has a published value for '{key}', no column; {nearest(key, columns)}")
    shown = [name for name, row in found.rows.items() if not row.hidden]
    if not shown:
        raise UserError(f"{spec}: every row is hidden; a table shows one at least")
    for claim in found.claims:
        about = (
            ("column", claim.column, columns),
            ("column", claim.than_column, {"": 0, **columns}),
            ("row", claim.row, found.rows),
            ("row", claim.than, {"": 0, **found.rows}),
            *(("row", row, found.rows) for row in claim.beyond),
        )
        for kind, key, known in about:
            if key not in known:
                raise UserError(f"a claim names the {kind} '{key}'; {nearest(key, filter(None, known))}")
            if kind == "row" and key and found.rows[key].hidden:
                raise UserError(f"a claim names the row '{key}', which is hidden; {nearest(key, shown)}")
        if (claim.than != "") + (claim.above is not None) + (claim.below is not None) + (claim.words != ()) != 1:
            raise UserError(f"a claim about the row '{claim.row}' needs one of than, above, below and words")
        if claim.beyond and (len(claim.beyond) != 2 or not claim.than):
            raise UserError(
                f"a claim about a gain, the row '{claim.row}' over than=, is beyond that of two rows, (one, other)"
            )
        if claim.than == claim.row and claim.than_column in ("", claim.column):
            raise UserError(f"a claim compares the row '{claim.row}' with itself; than_column= names another column of it")
        if claim.than_column and (not claim.than or claim.beyond or columns[claim.than_column].word):
            raise UserError(f"than_column='{claim.than_column}' is a column of numbers, of the row that than= names")
        if bool(claim.words) != bool(columns[claim.column].word):
            raise UserError(f"a claim about '{claim.column}' needs {'words' if columns[claim.column].word else 'numbers'}")
        if claim.margin is not None and (not claim.than or claim.beyond or claim.margin <= 0):
            raise UserError(f"a claim about the row '{claim.row}' has margin={claim.margin:g}: it goes with than=, above 0")
        if claim.than and not columns[claim.column].better:
            raise UserError(f"a claim compares rows by '{claim.column}', of which the table does not say what is better")


def _check_rules(found: Table, spec: str, columns: dict[str, Column]) -> None:
    """Refuses what a table says of its length, looks and failed runs and cannot mean. Raises UserError."""
    for name, ends in found.sound.items():
        if name not in columns or columns[name].word:
            numbers = [column.name for column in found.columns if not column.word]
            raise UserError(f"{spec}: sound names '{name}', no column of numbers; {nearest(name, numbers)}")
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise UserError(f"{spec}: sound values of '{name}' lie between two numbers, (low, high), not {ends!r:.40}")
    if list(found.looks) != sorted(set(found.looks)) or any(look < 1 for look in found.looks):
        raise UserError(f"{spec}: looks are numbers of seeds that grow, (10, 20), not {tuple(found.looks)}")
    if found.looks and found.looks[-1] < len(found.seeds):
        raise UserError(f"{spec}: the last look is at {found.looks[-1]} seeds, and the table has {len(found.seeds)}")
    length = found.length
    if length and not (length.published > 0 and 0 <= length.least <= 1 and length.of):
        raise UserError(f"{spec}: a Length is published above 0, with a least share from 0 to 1 and fields, not {length}")


def _check_types(found: Table, spec: str) -> None:
    """Refuses what a forgotten comma or bracket makes of a table. Raises UserError."""
    lists = {"columns": Column, "claims": Claim, "seeds": int, "curves": str}
    for name, kind in lists.items():
        value = getattr(found, name)
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(x, kind) for x in value):
            raise UserError(f"{spec}: {name} must be several of {kind.__name__}, (...,), not {value!r:.60}")
    for name in ("columns", "rows", "seeds"):
        if not getattr(found, name):
            raise UserError(f"{spec}: the table has no {name}")
    for name in found.rows:
        for key, x in row_overrides(found, name).items():
            if isinstance(x, BySeed) and (isinstance(x.values, str) or not x.values or Stage in map(type, x.values)):
                raise UserError(f"row '{name}', {key}: {x!r:.60} must be several values, none of them a Stage")
    for name in CONTROLS:
        if name in found.rows:
            raise UserError(f"{spec}: the row '{name}' is a control, which every table has by itself; rename it")
    for claim in found.claims:
        if any(isinstance(x, Stage) for x in (claim.column, claim.above, claim.below, *claim.rows)):
            raise UserError(
                f"{spec}: a claim is about rows by their names, as row='a'; Stage(...) stands in overrides alone"
            )
        if isinstance(claim.words, str):
            raise UserError(f"{spec}: a claim's words must be several, ('{claim.words}',), not '{claim.words}'")
