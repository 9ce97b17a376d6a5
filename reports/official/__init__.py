"""Official documents in the form of Nghị định 30/2020/NĐ-CP: one model, written as docx and PDF.

``form`` holds the measures, ``model`` what a document is made of, ``as_docx`` and ``as_pdf`` write
it. The other modules fill in one document each from values that operations give.
"""
