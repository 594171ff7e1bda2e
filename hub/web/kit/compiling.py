"""Templates compiled for one language: what needs no data is worked out then, not for every page.

Texts of the catalog, icons and addresses of static files become part of the template. What is
left is written as the Python that one would write: an attribute is an attribute, a call is a call
and gets no context of its own. So an attribute that is missing is an error wherever it is asked.
"""

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined] # private
from typing_extensions import override

from hub.web.kit.i18n import catalog

CONSTANT_NAMES = frozenset({"NBSP", "icons"})
CONSTANT_CALLS = frozenset({"icon", "static", "language"})
SAYS = frozenset({"_", "gettext"})
PLACE = re.compile(r"%\((\w+)\)s")


def written(value: Any) -> str:
    """Give what a template writes of a value, escaped.

    Texts first, and by the inner function: a `Markup` made of each costs five times as much.
    """
    if type(value) is str:
        return _escape_inner(value)
    return value if type(value) is Markup else escape(value)


class Folding(NodeTransformer):
    """Puts what it comes to, in the environment's language, where an expression has no data."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.known: dict[str, Any] = dict(env.globals)
        self.catalog = catalog(self.known["language"]())

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:  # noqa: N802 - Jinja's
        if node.ctx == "load" and node.name in CONSTANT_NAMES:
            return self._put(nodes.Const(self.known[node.name]), node)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802 - Jinja's
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_kwargs is not None:
            return node
        name = node.node.name
        given = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
        if len(given) < len(node.args):
            return node
        if name in SAYS:
            return self._say(given[0], node)
        if name in CONSTANT_CALLS:
            found = self.known[name](*given)
            kind = nodes.TemplateData if isinstance(found, Markup) else nodes.Const
            return self._put(kind(found), node)
        return node

    def _say(self, message: str, node: nodes.Call) -> nodes.Expr:
        """Put values into a text: it and they by turns."""
        values = {each.key: each.value for each in node.kwargs}
        parts = [
            values[part] if at % 2 else self._put(nodes.TemplateData(part % ()), node)
            for at, part in enumerate(PLACE.split(self.catalog.gettext(message)))
        ]
        return self._put(nodes.Concat(parts), node) if len(parts) > 1 else parts[0]

    def _put(self, new: nodes.Expr, old: nodes.Expr) -> nodes.Expr:
        new.set_lineno(old.lineno).set_environment(self.env)
        return new


class LeanGenerator(CodeGenerator):
    """Jinja's own, but for what a page does hundreds of times."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts: dict[str, str] = {}

    @override
    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        self.writeline("from hub.web.kit.compiling import written")
        super().visit_Template(Folding(self.environment).visit(node), frame)
        for text, name in self.texts.items():
            self.writeline(f"{name} = Markup({text!r})")

    @override
    def visit_TemplateData(self, node: nodes.TemplateData, frame: Frame) -> None:
        self.write(self.texts.setdefault(node.data, f"text_{len(self.texts)}"))

    @override
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:
        block = isinstance(node.node, nodes.Name) and node.node.name == "self"
        self.visit(node.node, frame)
        self.write(f"[{node.attr!r}]" if block else f".{node.attr}")

    @override
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        self.visit(node.node, frame)
        self.write("(")
        for given in (*node.args, *node.kwargs):
            self.visit(given, frame)
            self.write(", ")
        if node.dyn_kwargs is not None:
            self.write("**")
            self.visit(node.dyn_kwargs, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    @override
    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        if frame.require_output_check:
            super().visit_Output(node, frame)
            return
        self.start_write(frame, node)
        self._write_text(node.nodes, frame)
        self.end_write(frame)

    @override
    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:
        """Write a block in one piece: else each of its pieces climbs through all blocks above."""
        if frame.toplevel or node.scoped or node.required:
            super().visit_Block(node, frame)
            return
        self.start_write(frame, node)
        self.write(f"concat(context.blocks[{node.name!r}][0](context))")
        self.end_write(frame)

    def _write_text(self, given: list[nodes.Expr], frame: Frame) -> None:
        """Write an expression of the text that these come to, side by side."""
        pieces: list[nodes.Expr | str] = []
        for each in _flat(given):
            text = _constant(each, frame)
            if text is None:
                pieces.append(each)
            elif pieces and isinstance(pieces[-1], str):
                pieces[-1] += text
            else:
                pieces.append(text)
        self.write("concat((" if len(pieces) > 1 else "")
        for piece in pieces:
            self._write_piece(piece, frame)
            self.write(", " if len(pieces) > 1 else "")
        self.write("))" if len(pieces) > 1 else "")

    def _write_piece(self, piece: nodes.Expr | str, frame: Frame) -> None:
        if isinstance(piece, str):
            self.write(repr(piece))
        elif isinstance(piece, nodes.CondExpr):
            self.write("(")
            self._write_text([piece.expr1], frame)
            self.write(" if ")
            self.visit(piece.test, frame)
            self.write(" else ")
            self._write_text([piece.expr2 or nodes.Const("")], frame)
            self.write(")")
        else:
            self.write("written(")
            self.visit(piece, frame)
            self.write(")")


def _flat(given: list[nodes.Expr]) -> Iterator[nodes.Expr]:
    for each in given:
        if isinstance(each, nodes.Concat):
            yield from _flat(each.nodes)
        else:
            yield each


def _constant(node: nodes.Expr, frame: Frame) -> str | None:
    try:
        return str(escape(node.as_const(frame.eval_ctx)))
    except Exception:  # noqa: BLE001 - as Jinja has it: what can't be told now is told later
        return None
