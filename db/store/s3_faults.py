"""What is wrong with S3, in a few words: the cause and its mend. Its libraries are an extra: their errors are known by name and code."""

from __future__ import annotations

from db.certificate_faults import causes, certificate_fault

#: What a bucket's user must be allowed.
RIGHTS = "s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on its objects"
_KEYS = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role"

#: What services answer (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html); a HEAD request gets its status alone.
_CODES = {
    "NoSuchBucket": "there is no such bucket: make it (aws s3 mb s3://NAME), or correct PARAGONE_STORE_URL",
    "InvalidBucketName": "that is no name for a bucket: correct PARAGONE_STORE_URL",
    "InvalidAccessKeyId": "the access key is not known there: check AWS_ACCESS_KEY_ID, AWS_PROFILE and AWS_ENDPOINT_URL",
    "SignatureDoesNotMatch": "the secret does not belong to the access key: check AWS_SECRET_ACCESS_KEY or the profile",
    "RequestTimeTooSkewed": "the clock of this host is wrong: run NTP",
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidClientTokenId"), f"the session is over or unknown: {_KEYS}"
    ),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "403"), f"the key or role may not do that: allow {RIGHTS}"),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301", "307"),
        "the bucket is in another region: set AWS_DEFAULT_REGION",
    ),
}
#: Errors of botocore that come before any answer.
_NAMES = {
    "NoCredentialsError": f"there are no credentials: {_KEYS}",
    "PartialCredentialsError": f"the credentials are incomplete: {_KEYS}",
    "CredentialRetrievalError": f"the credentials cannot be had: check the role, or {_KEYS}",
    "TokenRetrievalError": "the login is over: run `aws sso login`",
    "ProfileNotFound": "there is no such profile: check AWS_PROFILE and ~/.aws/config",
    "EndpointConnectionError": "nothing answers there: check AWS_ENDPOINT_URL, and that the service runs",
}


def s3_code(error: BaseException) -> str | None:
    """The code with which the service refused; None if it did not answer."""
    for found in causes(error):
        response = getattr(found, "response", None)
        if isinstance(response, dict) and "Code" in response.get("Error", {}):
            return str(response["Error"]["Code"])
    return None


def s3_fault(error: BaseException) -> str | None:
    """What is wrong and what helps; None for what speaks for itself."""
    if fault := certificate_fault(error, authority="AWS_CA_BUNDLE", unencrypted="http:// in AWS_ENDPOINT_URL"):
        return fault
    if known := _CODES.get(s3_code(error) or ""):
        return known
    return next(filter(None, map(_before_any_answer, causes(error))), None)


def _before_any_answer(error: BaseException) -> str | None:
    name = type(error).__name__
    if name == "HTTPClientError" and isinstance(error.__context__, FileNotFoundError):
        return "the file that AWS_CA_BUNDLE names is not there"
    if name == "ValueError" and str(error).startswith("Invalid endpoint"):
        return "AWS_ENDPOINT_URL is no URL: write https://host:port"
    if name == "ParamValidationError" and "bucket name" in str(error):
        return _CODES["InvalidBucketName"]
    return _NAMES.get(name)
