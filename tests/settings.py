"""Settings of the test run: the product's own, under an invented environment."""

import os
import tempfile

for name, value in {
    "SECRET_KEY": "only-for-tests-" + "k" * 50,
    "FERNET_KEYS": "only-for-tests-new-" + "n" * 40 + ",only-for-tests-old-" + "o" * 40,
    "OUTBOUND_ALLOW": "127.0.0.0/8",
    "VAR_DIR": tempfile.gettempdir() + "/connector-tests",
    "LOG_LEVEL": "WARNING",
    "INSTALLATION_ID": "tests",
}.items():
    os.environ.setdefault(name, value)

from connector.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
