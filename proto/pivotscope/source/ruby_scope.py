"""Ruby's classes and modules around a definition, and the names that follow from them."""

from dataclasses import dataclass

import tree_sitter

_BUILDERS = frozenset({"Class.new", "Data.define", "Module.new", "Struct.new"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The class or module that a method would be defined in: `Shop::Report`, or nothing at the top level.

    `singleton` is True within `class << self`.
    """

    name: str = ""
    singleton: bool = False

    def qualify(self, method: str, *, receiver: tree_sitter.Node | None = None) -> str:
        """`Shop::Report#call` for an instance's method, `Shop::Report.total` for the class's own.

        As in Ruby itself, methods of the top level are Object's, and singleton ones there are main's.
        """
        if receiver is not None:
            owner = (self.name or "main") if receiver.type == "self" else text_of(receiver)
            return f"{owner}.{method}"
        if self.singleton:
            return f"{self.name or 'main'}.{method}"
        return f"{self.name or 'Object'}#{method}"

    def within(self, name: str) -> "Scope":
        """The scope of a class or module of that name defined here; `::Name` starts from the top."""
        if name.startswith("::") or not self.name:
            return Scope(name.removeprefix("::"))
        return Scope(f"{self.name}::{name}")


def definition_scope(node: tree_sitter.Node, scope: Scope) -> Scope | None:
    """The scope that a class, module, `class << self` or `Name = Struct.new do` opens; None for other nodes."""
    if node.type in {"class", "module"}:
        name = node.child_by_field_name("name")
        return scope.within(text_of(name)) if name else None
    if node.type == "singleton_class":
        value = node.child_by_field_name("value")
        owner = scope.name if value is None or value.type == "self" else text_of(value)
        return Scope(owner, singleton=True)
    if node.type == "assignment":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left and right and left.type in {"constant", "scope_resolution"} and _builds_class(right):
            return scope.within(text_of(left))
    return None


def _builds_class(node: tree_sitter.Node) -> bool:
    receiver, method = node.child_by_field_name("receiver"), node.child_by_field_name("method")
    if node.type != "call" or not receiver or not method or not node.child_by_field_name("block"):
        return False
    return f"{text_of(receiver)}.{text_of(method)}" in _BUILDERS


def plain_name(node: tree_sitter.Node) -> str:
    """Name of a method as it is written."""
    name = node.child_by_field_name("name")
    return text_of(name) if name else "?"


def text_of(node: tree_sitter.Node) -> str:
    """The source of a name."""
    return (node.text or b"").decode("utf-8", "replace")
