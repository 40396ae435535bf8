"""Reads a provider's schema out of its published TypeScript bindings (npm, `@cdktf/provider-*`, MPL-2.0).

Each folder of the package's `lib` is one resource or data source. Its JavaScript says, for every argument, the name in
HCL, whether it is a block, and its type; its type declarations say what is required; its getters say what is only read.
Not in there, and so to be added by hand: sensitive, which optional arguments the cloud decides where they are not
given, and counts of blocks other than one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GETTERS: dict[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "Any": "dynamic",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": ["map", "dynamic"],
}
"""What the getter of an attribute is called -> its type."""
COLLECTIONS = {name: kind for name, kind in GETTERS.items() if name.endswith("Map")} | {
    "StringMapList": ["list", ["map", "string"]]
}
"""Classes of the bindings' own library -> what they stand for."""
KINDS = {"TerraformResource": "", "TerraformDataSource": "data.", "TerraformProvider": "provider"}
COLLECTION = re.compile(r"^(string|number|boolean)((?:List|Map|Set)+)$")
ARGUMENT = re.compile(
    r"^\s*'?\"?([a-z0-9_]+)\"?'?: \{\n\s*value: (.*),\n\s*isBlock: (true|false),\n"
    r"\s*type: \"(\w+)\",\n\s*storageClassType: \"(\w+)\",",
    re.MULTILINE,
)
FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CLASS = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SYNTHESIS = re.compile(r"synthesizeHclAttributes\(\) \{\n(.*?)\n    \}\n", re.DOTALL)
TYPE_NAME = re.compile(r"terraformResourceType: '(\w+)'")
MEMBER_OBJECT = re.compile(
    r"// \w+ - computed: (true|false), optional: (true|false), required: (?:true|false)\n"
    r"\s*this\._\w+ = new (?:\w+\.)?(\w+)\(this, \"(\w+)\"(?:, (true|false))?\)"
)
GETTER = re.compile(
    r"// \w+ - computed: true, optional: false, required: false\n"
    r"\s*get \w+\(\) \{\n\s*return (?:cdktf\.Fn\.(\w+)\()?this\.get(\w+)Attribute\('(\w+)'\)"
)
INTERFACE = re.compile(r"^export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
MEMBER = re.compile(r"#\w+ [\w]+#(\w+)\}\s*\n(?:\s*\*[^\n]*\n)*?\s*\*/\s*\n\s*readonly \w+(\??):", re.DOTALL)
NESTED = re.compile(r"(\w+)ToHclTerraform\b")
AS_BLOCK = re.compile(r"ToHclTerraform\)?, true\)")


@dataclass(frozen=True)
class Argument:
    """One line of what the bindings write as HCL."""

    name: str
    value: str
    is_block: bool
    kind: str
    storage: str

    @property
    def nested(self) -> str | None:
        """Name of the function that writes what is inside; None for a plain value."""
        found = NESTED.search(self.value) if self.is_block else None
        return found[1] if found and found[1] not in SIMPLE else None

    @property
    def many(self) -> bool:
        """Whether there may be more than one."""
        return "listMapperHcl(" in self.value or "hashMapperHcl(" in self.value

    @property
    def holds_objects(self) -> bool:
        """Whether it is an attribute whose elements are objects, written with `=`."""
        return self.many and not AS_BLOCK.search(self.value)

    @property
    def type(self) -> Any:
        """Type of a plain value."""
        found = COLLECTION.match(self.storage)
        if found is None:
            return SIMPLE.get(self.storage, "dynamic")
        parts = [part.lower() for part in re.findall("List|Map|Set", found[2])]
        outer = self.kind if self.kind in ("set", "list", "map") else parts[-1]
        nested: Any = SIMPLE[found[1]]
        for part in (*parts[:-1], outer):
            nested = [part, nested]
        return nested


class Bindings:
    """All of one resource's source."""

    def __init__(self, folder: Path) -> None:
        self._js = "\n".join(file.read_text() for file in sorted(folder.rglob("*.js")))
        self._declarations = "\n".join(file.read_text() for file in sorted(folder.rglob("*.d.ts")))

    @cached_property
    def functions(self) -> dict[str, str]:
        """What is nested -> how it is written."""
        return dict(FUNCTION.findall(self._js))

    @cached_property
    def classes(self) -> dict[str, tuple[str, str]]:
        """Class -> its base and its body."""
        return {name: (base, body) for name, base, body in CLASS.findall(self._js)}

    @cached_property
    def required(self) -> dict[str, set[str]]:
        """Interface -> arguments that must be given."""
        return {
            name: {argument for argument, mark in MEMBER.findall(body) if not mark}
            for name, body in INTERFACE.findall(self._declarations)
        }

    def schema(self) -> tuple[str, Schema] | None:
        """Return name (`data.` before a data source's, `provider`) and block; None where the folder is neither."""
        for name, (base, body) in self.classes.items():
            if base in KINDS:
                found = TYPE_NAME.search(body)
                typ = "" if base == "TerraformProvider" or found is None else found[1]
                return KINDS[base] + typ, self.block(_first(SYNTHESIS, body), f"{name}Config", body)
        return None

    def block(self, source: str, interface: str, body: str) -> Schema:
        """Return the block whose arguments `source` writes and whose getters are in the class body `body`."""
        attributes: Schema = {}
        blocks: Schema = {}
        required = self.required.get(interface, set())
        for name, value, is_block, kind, storage in ARGUMENT.findall(source):
            argument = Argument(name, value, is_block == "true", kind, storage)
            self._argument(argument, name in required, attributes, blocks, body)
        self._read_only(body, attributes, blocks)
        out = {"attributes": dict(sorted(attributes.items()))}
        return out | ({"block_types": dict(sorted(blocks.items()))} if blocks else {})

    def _argument(self, argument: Argument, required: bool, attributes: Schema, blocks: Schema, body: str) -> None:
        flag = {"required" if required else "optional": True}
        if argument.nested is None:
            attributes[argument.name] = {"type": argument.type, **flag}
        elif argument.holds_objects:
            outer = argument.kind if argument.kind in ("list", "set", "map") else "list"
            decided = {"computed": True} if self._decided(argument.name, body) else {}
            attributes[argument.name] = {"type": [outer, _object(self._inside(argument.nested))], **flag, **decided}
        else:
            blocks[argument.name] = self._nested(argument, argument.nested, required)

    def _nested(self, argument: Argument, nested: str, required: bool) -> Schema:
        mode = "single" if argument.kind == "struct" else argument.kind
        counted = mode in ("list", "set")
        least = {"min_items": 1} if required else {}
        most = {"max_items": 1} if counted and not argument.many else {}
        return {"nesting_mode": mode, "block": self._inside(nested), **least, **most}

    def _inside(self, nested: str) -> Schema:
        interface = nested[0].upper() + nested[1:]
        body = self.classes.get(f"{interface}OutputReference", ("", ""))[1]
        return self.block(self.functions.get(nested, ""), interface, body)

    def _decided(self, name: str, body: str) -> bool:
        return any(found[3] == name and found[0] == "true" for found in MEMBER_OBJECT.findall(body))

    def _read_only(self, body: str, attributes: Schema, blocks: Schema) -> None:
        for name, kind in _getters(body).items():
            attributes.setdefault(name, {"type": kind, "computed": True})
        for computed, optional, cls, name, is_set in MEMBER_OBJECT.findall(body):
            if computed == "true" and optional == "false" and name not in attributes and name not in blocks:
                attributes[name] = {"type": self._objects(cls, is_set == "true"), "computed": True}

    def _objects(self, cls: str, is_set: bool) -> Any:
        """Return the type of a read-only attribute that a class of its own describes."""
        if cls in COLLECTIONS:
            return COLLECTIONS[cls]
        reference = re.sub(r"(List|Map)$", "", cls) + "OutputReference"
        body = self.classes[reference if reference in self.classes else cls][1]
        fields = _getters(body)
        for _computed, _optional, inner, name, inner_set in MEMBER_OBJECT.findall(body):
            fields[name] = self._objects(inner, inner_set == "true")
        whole = ["object", dict(sorted(fields.items()))]
        if cls.endswith("Map"):
            return ["map", whole]
        return ["set" if is_set else "list", whole] if cls.endswith("List") else whole


def _getters(body: str) -> Schema:
    found: Schema = {}
    for function, getter, name in GETTER.findall(body):
        kind = GETTERS.get(getter, "dynamic")
        found[name] = ["set", kind[1]] if function == "tolist" and isinstance(kind, list) else kind
    return found


def _object(block: Schema) -> list[Any]:
    fields = {name: attribute["type"] for name, attribute in block["attributes"].items()}
    for name, nested in block.get("block_types", {}).items():
        mode = nested["nesting_mode"]
        fields[name] = [mode if mode in ("set", "map") else "list", "dynamic"]
    return ["object", fields]


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
