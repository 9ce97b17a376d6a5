"""The measures of Nghị định 30/2020/NĐ-CP, annex I: one choice within each range it allows.

Lengths in millimetres, sizes of letters in points. Tests hold every choice against its range.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FONT: Final = "Times New Roman"
"""What a docx names. The PDF is set in Tinos, which has the same measures and may be shipped."""
FONTS: Final = Path(__file__).parent / "fonts"
PDF_FONTS: Final = ("Tinos", "Libertinus Serif")

PAGE: Final = (210, 297)
TOP: Final = 20
BOTTOM: Final = 20
LEFT: Final = 30
RIGHT: Final = 15
WIDTH: Final = PAGE[0] - LEFT - RIGHT
"""Of the text on an upright page."""
HEADER: Final = 10
"""From the upper edge of the page to its number."""

PAGE_NUMBER: Final = 13
NATION: Final = 13
MOTTO: Final = 14
PARENT: Final = 13
AGENCY: Final = 13
NUMBER: Final = 13
PLACE: Final = 14
TITLE: Final = 14
ABOUT: Final = 12
BODY: Final = 14
SIGNER: Final = 14
RECIPIENTS: Final = 12
RECIPIENT: Final = 11
TABLE: Final = 12
"""The decree sets no size within tables; a point or two below the text is customary."""

INDENT: Final = 12.7
"""Of the first line of a paragraph: 1 to 1.27 cm."""
BETWEEN: Final = 6
"""Points between paragraphs, at least."""
LEFT_SHARE: Final = 0.4
"""Of the letterhead's width, for the agency; the rest is the nation's."""

NATION_WORDS: Final = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO_WORDS: Final = "Độc lập - Tự do - Hạnh phúc"
