"""PDFs for tests: signed under a certificate authority of the test's own, tampered, appended."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec

SIGNER, ORGANISATION, AUTHORITY = "Nguyễn Văn Ký", "Xã Vạn Ninh", "CA thử của tỉnh"


@dataclass(frozen=True)
class Authority:
    """A certificate authority with somebody who signs under it."""

    root_pem: bytes
    signer: signers.SimpleSigner


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, by: object, *, ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            *("key_encipherment", "data_encipherment", "key_agreement", "encipher_only"),
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not ca,
                content_commitment=not ca,
                key_cert_sign=ca,
                crl_sign=ca,
                **usage,
            ),
            critical=True,
        )
        .sign(by, hashes.SHA256())  # type: ignore[arg-type]
    )


@cache
def authority(folder: Path, common: str = AUTHORITY) -> Authority:
    """A new authority; its signer's key lies in ``folder``."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name(common, "Ban Cơ yếu thử")
    root = _certificate(root_name, root_name, root_key, root_key, ca=True)
    own = _certificate(_name(SIGNER, ORGANISATION), root_name, key, root_key, ca=False)
    pem = serialization.Encoding.PEM
    files = {
        "key.pem": key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        "own.pem": own.public_bytes(pem),
        "root.pem": root.public_bytes(pem),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    signer = signers.SimpleSigner.load(
        str(folder / "key.pem"),
        str(folder / "own.pem"),
        ca_chain_files=(str(folder / "root.pem"),),
    )
    return Authority(root_pem=files["root.pem"], signer=signer)


def page(text: str = "Quyet dinh", *, picture: bool = False) -> bytes:
    """A PDF of one page: with words, or with nothing but a picture."""
    writer = PdfFileWriter()
    content = b"q 100 0 0 100 50 50 cm /Im1 Do Q" if picture else b""
    if not picture:
        content = b"BT /F1 12 Tf 50 700 Td (" + text.encode() + b") Tj ET"
    resources = generic.DictionaryObject()
    if picture:
        image = generic.StreamObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/XObject"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/Image"),
                generic.pdf_name("/Width"): generic.NumberObject(1),
                generic.pdf_name("/Height"): generic.NumberObject(1),
                generic.pdf_name("/ColorSpace"): generic.pdf_name("/DeviceGray"),
                generic.pdf_name("/BitsPerComponent"): generic.NumberObject(8),
            },
            stream_data=b"\x00",
        )
        resources["/XObject"] = generic.DictionaryObject(
            {generic.pdf_name("/Im1"): writer.add_object(image)}
        )
    else:
        font = generic.DictionaryObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/Font"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/Type1"),
                generic.pdf_name("/BaseFont"): generic.pdf_name("/Helvetica"),
            }
        )
        resources["/Font"] = generic.DictionaryObject({generic.pdf_name("/F1"): font})
    stream = writer.add_object(generic.StreamObject(stream_data=content))
    box = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
    writer.insert_page(PageObject(contents=stream, media_box=box, resources=resources))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def signed(content: bytes, by: Authority, field: str = "Chu-ky-1") -> bytes:
    """``content`` with one more signature."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    how = signers.PdfSignatureMetadata(field_name=field)
    signer = signers.PdfSigner(how, signer=by.signer, new_field_spec=SigFieldSpec(field))
    return bytes(signer.sign_pdf(writer).getvalue())


def tampered(content: bytes) -> bytes:
    """A signed file in which a byte of the signed words was changed."""
    assert b"Quyet dinh" in content
    return content.replace(b"Quyet dinh", b"Quyet dixh", 1)


def appended(content: bytes) -> bytes:
    """A signed file whose page was exchanged by an update behind the signature."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    found = writer.root["/Pages"]["/Kids"][0]
    stream = generic.StreamObject(stream_data=b"BT (Khac) Tj ET")
    found["/Contents"] = writer.add_object(stream)
    writer.update_container(found)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def locked(content: bytes, password: str) -> bytes:
    """A file that opens by a password only; by none when it is empty."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.pdf_utils.writer import copy_into_new_writer

    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(content)))
    writer.encrypt(owner_pass="chu", user_pass=password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
