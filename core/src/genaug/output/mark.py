"""The mark inside each synthetic PNG: IPTC's digital source type in XMP, and the record of the draw."""

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from genaug.data.decode import MARK

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType={source} xmp:CreatorTool={tool}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def marked_png(pixels: NDArray[np.uint8], facts: Mapping[str, Any]) -> bytes:
    """PNG bytes of uint8 [H, W, C] with the mark of a synthetic image. facts: the record of the draw, plain values."""
    info = PngInfo()
    tool = quoteattr(f"genaug {facts['genaug']} {facts['generator']}")
    info.add_itxt("XML:com.adobe.xmp", _XMP.format(source=quoteattr(SOURCE_TYPE), tool=tool))
    info.add_itxt(MARK, json.dumps(dict(facts), sort_keys=True, ensure_ascii=True))
    return png(pixels, info)


def png(pixels: NDArray[np.uint8], info: PngInfo | None = None) -> bytes:
    """PNG bytes of uint8 [H, W, C] with C 1 or 3; the same pixels always give the same bytes."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=info, compress_level=6)
    return buffer.getvalue()


def read_mark(data: bytes) -> dict[str, Any] | None:
    """The record of the draw inside a marked PNG; None for bytes without a mark."""
    with suppress(OSError, SyntaxError, ValueError), Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.load()
        packet, text = image.info.get("XML:com.adobe.xmp"), image.info.get(MARK)
        facts = json.loads(text) if isinstance(text, str) and SOURCE_TYPE in str(packet) else None
        return facts if isinstance(facts, dict) else None
    return None
