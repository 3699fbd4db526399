"""
Switches off layers of a background (PDF's optional content) that are not printed, such as die lines.

The catalog of a file says which these are, but that is lost as soon as pages become part of another one, as they do in
the host: it prints all layers. So each layer is made to say it of itself.
"""

from collections.abc import Iterator

from pikepdf import Array, Dictionary, Name, Object, Pdf

from .annotated import dictionary


def mark_layers(pdf: Pdf) -> bool:
    """Make the layers of this file say whether they are printed, and return whether there are any."""
    properties = pdf.Root.get("/OCProperties")
    if not isinstance(properties, Dictionary):
        return False
    layers = list(_listed(properties, "/OCGs"))
    off = _not_printed(layers, dictionary(properties.get("/D")))
    for layer in layers:
        if layer.objgen in off:
            layer.Usage = Dictionary(Print=Dictionary(PrintState=Name.OFF), View=Dictionary(ViewState=Name.OFF))
        elif "/Usage" in layer:
            del layer.Usage
    return bool(layers)


def switch_off_layers(pdf: Pdf) -> None:
    """Tell readers of this file which layers are not printed: those that say so. Others are none any more."""
    layers = [thing for thing in pdf.objects if isinstance(thing, Dictionary) and thing.get("/Type") == Name.OCG]
    if layers:
        off = [layer for layer in layers if _print_state(layer) == Name.OFF]
        pdf.Root.OCProperties = Dictionary(OCGs=layers, D=Dictionary(ON=[], OFF=off, Order=[]))


def _not_printed(layers: list[Object], configuration: Object) -> set[tuple[int, int]]:
    """As the default configuration has it, and what layers say of printing, if that shall be heeded."""
    off = {layer.objgen for layer in layers} if configuration.get("/BaseState") == Name.OFF else set()
    off |= {layer.objgen for layer in _listed(configuration, "/OFF")}
    if configuration.get("/BaseState") == Name.OFF:
        off -= {layer.objgen for layer in _listed(configuration, "/ON")}
    for usage in _listed(configuration, "/AS"):
        if usage.get("/Event") == Name.Print and _is_about_printing(usage.get("/Category")):
            for layer in _listed(usage, "/OCGs"):
                match _print_state(layer):
                    case Name.OFF:
                        off.add(layer.objgen)
                    case Name.ON:
                        off.discard(layer.objgen)
    return off


def _print_state(layer: Object) -> Object | None:
    return dictionary(dictionary(layer.get("/Usage")).get("/Print")).get("/PrintState")


def _is_about_printing(categories: object) -> bool:
    return isinstance(categories, Array) and Name.Print in list(categories)


def _listed(thing: Object, key: str) -> Iterator[Object]:
    """The dictionaries of a list. Layers that were deleted may have left nothing in it."""
    found = thing.get(key)
    return (one for one in found if isinstance(one, Dictionary)) if isinstance(found, Array) else iter(())
