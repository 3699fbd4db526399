"""
Pages of a background as one thing each, to be drawn as a whole.

The host turns and moves a page by parsing all that is drawn on it, in Python: 3 seconds a megabyte, which may be a
kilobyte in the file. When a page does nothing but refer to a form, of all that it drew before, there is nothing left to
parse.
"""

from io import BytesIO

import pikepdf
from pikepdf import Dictionary, Name, Object, Stream

from .canvas import EVERYWHERE

#: How pages refer to their form.
NAME = "/OfflineSalesPage"


def wrapped(content: bytes) -> bytes:
    """
    A PDF file in which each page looks as in this one, and draws a form. A file that can only be read by the host is
    left as it is.
    """
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            for page in pdf.pages:
                if "/Contents" in page.obj:
                    _wrap(pdf, page)
            output = BytesIO()
            pdf.save(output)
    except pikepdf.PdfError:
        return content
    return output.getvalue()


def _wrap(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    form = _copied(pdf, page.obj.Contents)
    form.Type, form.Subtype, form.Resources = Name.XObject, Name.Form, page.resources
    # What is cut off is up to the page.
    left, bottom, right, top = (float(side) for side in page.mediabox)
    form.BBox = (
        *(min(left, right, EVERYWHERE[0]), min(bottom, top, EVERYWHERE[1])),
        *(max(left, right, EVERYWHERE[2]), max(bottom, top, EVERYWHERE[3])),
    )
    page.obj.Contents = pdf.make_stream(f"{NAME} Do".encode())
    page.obj.Resources = Dictionary(XObject=Dictionary({NAME: form}))


def _copied(pdf: pikepdf.Pdf, contents: Object) -> Stream:
    """What a page draws; as it is compressed, if it is one stream."""
    if isinstance(contents, Stream):
        how = {key: contents[key] for key in ("/Filter", "/DecodeParms") if key in contents}
        return pdf.make_stream(contents.read_raw_bytes(), how)
    return pdf.make_stream(b"\n".join(stream.read_bytes() for stream in contents if isinstance(stream, Stream)))
