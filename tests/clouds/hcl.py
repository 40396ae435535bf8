"""Where the names of a Terraform file stand: arguments, blocks, references, keys. Enough of HCL to misspell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["argument", "block", "local", "reference", "key"]
TOKEN = re.compile(r"[A-Za-z_][\w-]*|\$\{|[{}()\[\]\"\n.=?:,]|=>|==|<=|>=|!=|[^\sA-Za-z_]")
HEREDOC = re.compile(r"<<-?(\w+)\n.*?^\s*\1$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?:#|//)[^\n]*")
OPENING = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True)
class Name:
    """One name.

    Attributes:
        start: offset of its first character.
        top: the kind of the outermost block around it, e.g. `resource`; "" at the top.
    """

    text: str
    start: int
    kind: Kind
    top: str


@dataclass(frozen=True)
class Token:
    """One token of code; the text of strings is not code, but what they interpolate is."""

    text: str
    start: int

    @property
    def is_name(self) -> bool:
        """Whether it is an identifier."""
        return self.text[0].isalpha() or self.text[0] == "_"


@dataclass(frozen=True)
class Scope:
    """A bracket that is open: what closes it, and whether it is a block's rather than an expression's."""

    closing: str
    is_block: bool


def names(text: str) -> list[Name]:
    """Return all names of a file in order."""
    return list(_names(list(tokens(text))))


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of code; a string is its two quotes, with what it interpolates between them."""
    modes = ["code"]
    at = 0
    while at < len(text):
        at, found = (_in_string if modes[-1] == "string" else _in_code)(text, at, modes)
        if found is not None:
            yield found


def _in_code(text: str, at: int, modes: list[str]) -> tuple[int, Token | None]:
    skipped = COMMENT.match(text, at) or HEREDOC.match(text, at)
    if skipped:
        return skipped.end(), None
    found = TOKEN.match(text, at)
    if found is None:
        return at + 1, None
    token = Token(found[0], at)
    if token.text == '"':
        modes.append("string")
    elif token.text == "{":
        modes.append("code")
    elif token.text == "}":
        modes.pop()
    return found.end(), token


def _in_string(text: str, at: int, modes: list[str]) -> tuple[int, Token | None]:
    if text[at] == "\\" or text.startswith("$${", at):
        return at + 2, None
    if text.startswith(("${", "%{"), at):
        modes.append("code")
        return at + 2, Token("${", at)
    if text[at] == '"':
        modes.pop()
        return at + 1, Token('"', at)
    return at + 1, None


def _names(all_of_them: list[Token]) -> Iterator[Name]:
    scopes: list[Scope] = []
    top = ""
    for at, token in enumerate(all_of_them):
        if token.text in OPENING or token.text == "${":
            is_block = token.text == "{" and _begins_block(all_of_them, at)
            scopes.append(Scope(OPENING.get(token.text, "}"), is_block))
        elif scopes and token.text == scopes[-1].closing:
            scopes.pop()
        elif token.is_name:
            top = token.text if not scopes else top
            kind = _kind(all_of_them, at, scopes, top)
            if kind is not None:
                yield Name(token.text, token.start, kind, top if scopes else "")


def _begins_block(all_of_them: list[Token], at: int) -> bool:
    """Tell whether the brace follows a name or a label, with nothing but such from the line's beginning."""
    before = [token for token in _line_before(all_of_them, at) if token.text != '"']
    quoted = at > 0 and all_of_them[at - 1].text == '"'
    return bool(before) and all(token.is_name for token in before) and (quoted or all_of_them[at - 1].is_name)


def _line_before(all_of_them: list[Token], at: int) -> list[Token]:
    line: list[Token] = []
    for token in reversed(all_of_them[:at]):
        if token.text in ("\n", "{"):
            break
        line.append(token)
    return line


def _kind(all_of_them: list[Token], at: int, scopes: list[Scope], top: str) -> Kind | None:
    before = all_of_them[at - 1].text if at else "\n"
    after = next((token.text for token in all_of_them[at + 1 :]), "")
    if before == ".":
        return "reference"
    in_block = bool(scopes) and scopes[-1].is_block
    first = before in ("\n", "{", ",")
    if first and after == "=":
        return "key" if not in_block else "local" if top == "locals" else "argument"
    if in_block and first and after in ("{", '"') and len(scopes) >= 1:
        return "block"
    return None
