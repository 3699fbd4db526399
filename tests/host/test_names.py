"""
Does this pretix still have what ``host/`` relies on? Each name is a test of its own, so that an upgrade says what is
gone before pictures differ; and nothing is used that is not on the list.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import Parameter, getmembers, isclass, signature, unwrap
from io import BytesIO
from pathlib import Path
from types import CodeType

import pytest
from django.db.models import prefetch_related_objects
from django.urls import get_resolver
from pretix.base.pdf import Renderer
from reportlab.pdfbase.pdfmetrics import getFont

import pretix_offlinesales
from pretix_offlinesales.host import managers

from .names import CALLED_ABOVE, NAMES, Name

PACKAGE = Path(pretix_offlinesales.__file__).parent
HOST = f"{pretix_offlinesales.__name__}.host"

#: What only ``host/`` may import. (import-linter says so, too, but nothing of names, and of what is not on the list.)
PRIVATE = (
    "defusedcsv.csv._escape",
    "django.db.models.fields.related_descriptors",
    "pretix.api.serializers",
    "pretix.base.invoicing",
    "pretix.base.pdf",
    "pretix.base.secrets",
    "pretix.base.services",
    "pretix.celery_app",
    "pretix.helpers",
    "pretix.plugins.ticketoutputpdf.ticketoutput",
    "reportlab.graphics.barcode",
)

#: What rooms above may import of pretix: its models, what its documentation has for plugins, and what its own plugins
#: import. Whoever needs more thinks about where it belongs.
OPEN = {
    "pretix.api.auth.permission",
    "pretix.api.models",
    "pretix.api.pagination",
    "pretix.api.signals",
    "pretix.api.urls",
    "pretix.api.webhooks",
    "pretix.base.banlist",
    "pretix.base.channels",
    "pretix.base.exporter",
    "pretix.base.forms.widgets",
    "pretix.base.i18n",
    "pretix.base.logentrytypes",
    "pretix.base.media",
    "pretix.base.models",
    "pretix.base.models.giftcards",
    "pretix.base.models.orders",
    "pretix.base.models.tax",
    "pretix.base.notifications",
    "pretix.base.payment",
    "pretix.base.permissions",
    "pretix.base.plugins",
    "pretix.base.shredder",
    "pretix.base.signals",
    "pretix.base.templatetags.money",
    "pretix.base.timeframes",
    "pretix.control.forms.filter",
    "pretix.control.forms.widgets",
    "pretix.control.permissions",
    "pretix.control.signals",
    "pretix.control.views",
    "pretix.plugins.ticketoutputpdf.models",
    "pretix.plugins.ticketoutputpdf.signals",
}

#: Names that begin with an underscore, and are documented all the same: by Django, and of named tuples.
DOCUMENTED = {"_meta", "_base_manager", "_asdict", "_fields", "_make", "_replace"}

_PRIVATE_NAME = re.compile(r"_[a-z]\w*[a-z0-9]")

GONE = object()

ALL = [name for names in NAMES.values() for name in names]


# Whether the host has it


@pytest.fixture(autouse=True, scope="module")
def urls():
    """Before anything of ours is imported here: addresses of the host's API are complete once they are looked at."""
    return get_resolver().url_patterns


def make_instance(kind: type, event):
    """Of what the names of instances are looked for."""
    match kind.__name__:
        case "Canvas":
            return kind(BytesIO())
        case "Model":
            prefetch_related_objects([event], "items")
            return event
        case "OrderCreateSerializer":
            return kind(context={"event": event})
        case "QRCode":
            return kind(None, 0)
        case "Renderer":
            return kind(event, [], None)
        case "TTFont":
            Renderer._register_fonts(event)
            return getFont("Open Sans")
        case "WrappedModel":
            return kind(event)
        case _:
            return kind()


def find(name, event=None):
    """:raises LookupError: that says what of it is gone"""
    module, _colon, path = name.path.partition(":")
    try:
        found = import_module(module)
    except ImportError as error:
        raise LookupError(f"There is no module {module}") from error
    for part in path.split("."):
        of, attribute = found, part.removesuffix("()")
        found = of.get(attribute, GONE) if isinstance(of, Mapping) else getattr(of, attribute, GONE)
        if found is GONE:
            raise LookupError(f"{name.path.rpartition(part)[0].rstrip(':.')} has no {attribute}")
        if part.endswith("()"):
            found = make_instance(found, event)
    return managers.build if getattr(found, "__module__", None) == managers.__name__ else found


def problems(name, found) -> Iterator[str]:
    if name.called is not None:
        by_place, _star, by_name = name.called.partition("*")
        places, names = (re.findall(r"\w+", part) for part in (by_place, by_name))
        parameters = signature(found).parameters
        known = [each for each in parameters if parameters[each].kind not in (Parameter.VAR_KEYWORD,)]
        if known[: len(places)] != places:
            yield f"is called with {places}, and takes {known}"
        takes_all = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
        if not takes_all and (unknown := set(names) - parameters.keys()):
            yield f"does not know {sorted(unknown)}"
        needed = [key for key, each in parameters.items() if each.default is Parameter.empty and key in known]
        missing = [key for key in needed if key not in (*places, *names) and parameters[key].kind.name[:3] != "VAR"]
        if missing:
            yield f"needs {missing} besides"
    if missing := set(name.looks_for.split()) - names_in(found):
        yield f"does not look for {sorted(missing)} any more"


def names_in(found) -> set[str]:
    """What the code of a function or a property looks for by name."""
    function = unwrap(getattr(found, "fget", None) or getattr(found, "func", None) or found)
    return set(_names(getattr(function, "__code__", None)))


def _names(code) -> Iterator[str]:
    if code:
        yield from code.co_names
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _names(constant)


@pytest.mark.parametrize("name", [name for name in [*ALL, *CALLED_ABOVE] if "()" not in name.path], ids=str)
def test_the_host_has(name):
    try:
        found = find(name)
    except LookupError:
        if not name.optional:
            raise
    else:
        assert list(problems(name, found)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in ALL if "()" in name.path], ids=str)
def test_the_host_puts_it_on_instances(name, event):
    find(name, event)


# Whether the list is complete


@cache
def modules() -> dict[str, ast.Module]:
    files = (path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts)
    return {_module(path): ast.parse(path.read_text()) for path in files}


def _module(path: Path) -> str:
    parts = [pretix_offlinesales.__name__, *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


def is_host(module: str) -> bool:
    return module == HOST or module.startswith(f"{HOST}.")


def imports(tree: ast.Module) -> Iterator[str]:
    """``package.module.name`` of all that is imported from others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_private(path: str) -> bool:
    return any(path == private or path.startswith(f"{private}.") for private in PRIVATE)


def defined(tree: ast.Module, everywhere: bool) -> Iterator[str]:
    """
    The names that a module gives itself.

    :param everywhere: attributes that are set on ``self`` anywhere, and not only when it begins
    """
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
            if isinstance(node, ast.FunctionDef) and (everywhere or node.name == "__init__"):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and is_self(inner.value):
                        yield inner.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def used(tree: ast.Module) -> Iterator[str]:
    """Private names that are asked of something, be it by ``getattr``."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(attr=name)
                | ast.Call(
                    func=ast.Name(id="getattr" | "setattr" | "delattr" | "hasattr"), args=[_, ast.Constant(name), *_]
                )
            ):
                if _PRIVATE_NAME.fullmatch(name):
                    yield name


def classes(module: str) -> Iterator[type]:
    for _name, kind in getmembers(import_module(module), isclass):
        if kind.__module__ == module:
            yield kind


def overridden(module: str) -> set[str]:
    """The private names of others that classes of a module define, too."""
    ours = {name for name in defined(modules()[module], everywhere=True) if _PRIVATE_NAME.fullmatch(name)}
    theirs = {
        name
        for kind in classes(module)
        for base in kind.__mro__
        if not base.__module__.startswith(pretix_offlinesales.__name__)
        for name in vars(base)
    }
    return ours & theirs


def parts_of(names) -> set[str]:
    return {part for name in names for part in re.findall(r"\w+", f"{name.path} {name.looks_for}")}


@pytest.mark.parametrize("module", [module for module in modules() if not is_host(module)])
def test_nothing_private_is_used_outside_of_host(module):
    ours = {name for tree in modules().values() for name in defined(tree, everywhere=True)}
    found = {path for path in imports(modules()[module]) if is_private(path)}
    found |= set(used(modules()[module])) - ours - DOCUMENTED
    assert found | overridden(module) == set()


@pytest.mark.parametrize("module", [module for module in modules() if not is_host(module)])
def test_what_others_import_of_pretix_was_thought_about(module):
    found = {path.rpartition(".")[0] for path in imports(modules()[module]) if path.startswith("pretix.")}
    assert found - OPEN == set()


@pytest.mark.parametrize("module", [module for module in modules() if is_host(module) and module != HOST])
def test_all_that_host_relies_on_is_on_the_list(module):
    names, tree = NAMES[module.rpartition(".")[2]], modules()[module]
    listed = [f"{name.path.replace('()', '').replace(':', '.')}." for name in names]
    found = {path for path in imports(tree) if is_private(path)}
    missing = {path for path in found if not any(each.startswith(f"{path}.") for each in listed)}
    private = set(used(tree)) - set(defined(tree, everywhere=False)) - DOCUMENTED
    private |= overridden(module)
    assert (missing, private - parts_of(names)) == (set(), set())


def test_each_list_is_that_of_a_module():
    assert {f"{HOST}.{module}" for module in NAMES} == {module for module in modules() if is_host(module)} - {HOST}


def test_the_docs_name_all_of_them():
    text = (PACKAGE.parent / "docs" / "host.rst").read_text()
    assert [name.path for name in [*ALL, *CALLED_ABOVE] if f"``{name.path}``" not in text] == []


@pytest.mark.parametrize(
    "line",
    ["order._wrapped", "getattr(canvas, '_code')", "field._required = True", "del order._prefetched_objects_cache[0]"],
)
def test_private_names_are_found(line):
    assert len(list(used(ast.parse(line)))) == 1


def test_names_of_our_own_and_documented_ones_are_none():
    tree = ast.parse("class Draw:\n    def __init__(self):\n        self._seen = set()\n    def _fill(self): ...")
    assert list(used(ast.parse("Order._meta"))) == ["_meta"]
    assert {"_seen", "_fill"} <= set(defined(tree, everywhere=False))
    assert is_private("pretix.base.services.orders.cancel_order")
    assert not is_private("pretix.base.models.Order")


def test_gone_names_are_told_by_name():
    """The tests above would say so."""
    with pytest.raises(LookupError, match="has no _draw_moebius"):
        find(Name("pretix.base.pdf:Renderer._draw_moebius"))
    with pytest.raises(LookupError, match="no module pretix.base.pdfs"):
        find(Name("pretix.base.pdfs:Renderer"))
    changed = Name("pretix.base.pdf:Renderer._get_ev", "self, order, *, op, when", looks_for="date")
    assert list(problems(changed, find(changed))) == [
        "is called with ['self', 'order'], and takes ['self', 'op', 'order']",
        "does not know ['when']",
        "does not look for ['date'] any more",
    ]
