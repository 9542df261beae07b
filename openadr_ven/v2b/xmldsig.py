"""The one form of XML signature that 2.0b has: made, and checked strictly; any other form is refused.

What is signed is found by its place in the document, never searched for. A general library takes four times
as long; in tests it is the judge, which must take what is made here and whatever is taken here.
OpenADR 2.0b, R514; XML Signature Syntax and Processing, 3.2.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from openadr_ven.v2b.document import DS, DSP, OADR, Element, canonical, child, local, octets
from openadr_ven.v2b.errors import Untrusted

_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
CANONICAL: Final = frozenset({_C14N, f"{_C14N}#WithComments"})
"""Both are alike here: comments are left out when a document is parsed."""
ECDSA: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
RSA: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_SIGNED: Final = f"{{{OADR}}}oadrSignedObject"
_PROTECT: Final = f"{{{DSP}}}ReplayProtect"


def shape_of(certificate: bytes, *, is_rsa: bool) -> str:
    """The ds:Signature of one signer (DER), formatted with `timestamp` and `nonce`, then `completed`."""
    method, text = (RSA if is_rsa else ECDSA), b64encode(certificate).decode()
    references = "".join(
        f'<ds:Reference URI="#{name}"><ds:Transforms><ds:Transform Algorithm="{_C14N}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{DIGEST}"/><ds:DigestValue/></ds:Reference>'
        for name in ("oadrSignedObject", "properties")
    )
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{references}</ds:SignedInfo><ds:SignatureValue/>'
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        '<ds:Object Id="properties"><ds:SignatureProperties><ds:SignatureProperty Target="#oadrSignedObject">'
        f'<dsp:ReplayProtect xmlns:dsp="{DSP}"><dsp:timestamp>{{timestamp}}</dsp:timestamp>'
        "<dsp:nonce>{nonce}</dsp:nonce></dsp:ReplayProtect></ds:SignatureProperty>"
        "</ds:SignatureProperties></ds:Object></ds:Signature>"
    )


def completed(root: Element, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """The ds:Signature of an oadrPayload whose signature has all but its values."""
    signature, signed = root
    info, value, _, properties = signature
    digests = list(info.iter(f"{{{DS}}}DigestValue"))
    for digest, place in zip(digests, (signed, properties), strict=True):
        digest.text = b64encode(hashlib.sha256(canonical(place)).digest()).decode()
    value.text = b64encode(_signed(canonical(info), key)).decode()
    return octets(signature).decode()


def _signed(data: bytes, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), SHA256())
    size = (key.key_size + 7) // 8
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
    return b"".join(one.to_bytes(size) for one in numbers)


def checked(root: Element, key: object) -> tuple[Element, Element]:
    """The oadrSignedObject and the ReplayProtect of an oadrPayload, both signed with the key.

    Raises Untrusted where the signature does not hold, or is not of the one form.
    """
    signature, signed = root.find(f"{{{DS}}}Signature"), root.find(_SIGNED)
    info = None if signature is None else child(signature, "SignedInfo")
    if signature is None or signed is None or info is None:
        raise Untrusted("the message is not signed")
    _check_value(signature, info, key)
    references = [one for one in info if local(one) == "Reference"]
    if len(references) != 2:
        raise Untrusted(f"{len(references)} references, not that of the message and that of ReplayProtect")
    found = [_referred(one, signature, signed) for one in references]
    protects = [one for place in found if place is not signed for one in place.iter(_PROTECT)]
    if sum(place is signed for place in found) != 1 or len(protects) != 1:
        raise Untrusted("what is signed is not one oadrSignedObject and one ReplayProtect")
    for reference, place in zip(references, found, strict=True):
        _check_digest(reference, place)
    return signed, protects[0]


def _referred(reference: Element, signature: Element, signed: Element) -> Element:
    """What a reference is to: the message, or a part of the ds:Object. IDs are unique by the schema."""
    uri = reference.get("URI", "")
    for place in (signed, *_properties(signature)):
        ids = {place.get("Id"), place.get(f"{{{OADR}}}Id")} - {None, ""}
        if uri.startswith("#") and uri[1:] in ids:
            return place
    raise Untrusted(f"a reference to {uri!r:.60}, which is neither the message nor ReplayProtect")


def _properties(signature: Element) -> Iterator[Element]:
    """The ds:Objects of a signature with the properties in them."""
    for thing in signature.iterfind(f"{{{DS}}}Object"):
        yield thing
        yield from (one for one in thing.iter() if local(one) in {"SignatureProperties", "SignatureProperty"})


def _check_digest(reference: Element, place: Element) -> None:
    transforms = child(reference, "Transforms")
    strange = (
        [] if transforms is None else [one for one in transforms if one.get("Algorithm") not in CANONICAL]
    )
    method, value = child(reference, "DigestMethod"), child(reference, "DigestValue")
    if strange or method is None or method.get("Algorithm") != DIGEST or value is None:
        raise Untrusted("a reference with another transform than c14n or another digest than SHA-256")
    if not hmac.compare_digest(hashlib.sha256(canonical(place)).digest(), _octets(value)):
        raise Untrusted("the signature does not hold: what is signed was changed")


def _check_value(signature: Element, info: Element, key: object) -> None:
    form, method = child(info, "CanonicalizationMethod"), child(info, "SignatureMethod")
    value = child(signature, "SignatureValue")
    if form is None or form.get("Algorithm") not in CANONICAL or method is None or value is None:
        raise Untrusted("SignedInfo is not of canonical XML 1.0")
    name, octets, data = method.get("Algorithm"), _octets(value), canonical(info)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and name == ECDSA:
            key.verify(_dss(octets, (key.key_size + 7) // 8), data, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and name == RSA:
            key.verify(octets, data, padding.PKCS1v15(), SHA256())
        else:
            raise Untrusted(f"signature method {name!r:.80} is not taken, or not of this key")
    except (InvalidSignature, ValueError) as error:
        raise Untrusted("the signature does not hold") from error


def _dss(octets: bytes, size: int) -> bytes:
    """The two numbers of an ECDSA signature, each of the size of the key, as OpenSSL wants them."""
    if len(octets) != 2 * size:
        raise Untrusted(f"an ECDSA signature of {len(octets)} octets, not {2 * size}")
    return encode_dss_signature(int.from_bytes(octets[:size]), int.from_bytes(octets[size:]))


def _octets(element: Element) -> bytes:
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except Base64Error as error:
        raise Untrusted(f"{local(element)} is no base64") from error
